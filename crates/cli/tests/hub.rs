//! `beitscope convert hf:…` and `modelscope:…`, as a user runs them, against hubs on this machine.

mod support;

use server::{Disturbance, Options, Request, Server};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use support::hubs::{COMMIT, answer, command};
use support::{Run, beitscope, data, golden};

const FILE: &str = "golden/tiny-relative.weights.safetensors";

/// SHA-256 of the tiny network, as its conversion tells it.
fn sha256(folder: &Path) -> String {
    let out = folder.join("local");
    let source = golden("tiny-relative");
    let run = beitscope([
        "convert".as_ref(),
        source.as_os_str(),
        "--quant".as_ref(),
        "q8_0".as_ref(),
        "--name".as_ref(),
        "tiny".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    manifest["source"]["sha256"].as_str().unwrap().to_owned()
}

/// A server of the test data that plays both hubs: `timm/tiny` leads to the file itself, `damo/tiny` has it at once.
fn hubs(hash: String, disturb: impl Fn(&Request) -> Disturbance + Send + Sync + 'static) -> Server {
    let length = fs::metadata(data(FILE)).unwrap().len();
    let respond = move |request: &Request| match request.target.as_str() {
        "/api/models/timm/tiny/revision/main?blobs=true" => {
            let listing = format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"model.safetensors"}}]}}"#);
            answer(200, vec![], listing)
        }
        "/timm/tiny/resolve/main/model.safetensors" => {
            let headers = vec![
                ("Location", format!("/{FILE}")),
                ("X-Linked-Etag", format!("\"{hash}\"")),
                ("X-Linked-Size", length.to_string()),
                ("X-Repo-Commit", COMMIT.to_owned()),
            ];
            answer(302, headers, "")
        }
        "/api/v1/models/damo/tiny/repo/files?Revision=master&Recursive=True" => {
            let listing = format!(
                r#"{{"Code":200,"Success":true,"Data":{{"Files":[{{"Path":"pytorch_model.pt","Type":"blob",
                   "Size":{length},"Sha256":"{hash}"}}]}}}}"#
            );
            answer(200, vec![], listing)
        }
        "/api/v1/models/damo/tiny/repo?Revision=master&FilePath=pytorch_model.pt" => {
            answer(302, vec![("Location", format!("/{FILE}"))], "")
        }
        target if target.ends_with(FILE) => disturb(request),
        _ => answer(404, vec![("X-Error-Code", "RepoNotFound".into())], "{}"),
    };
    let options = Options { disturb: Some(Box::new(respond)), record: true, ..Options::new(data(".")) };
    Server::start(options).unwrap()
}

fn run(mut command: Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run =
        Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// What was asked of the file itself: range, status.
fn transfers(server: &Server) -> Vec<(Option<String>, u16)> {
    let of_file = server.requests().into_iter().filter(|record| record.target.ends_with(FILE));
    of_file.map(|record| (record.range, record.status)).collect()
}

#[test]
fn a_hubs_name_is_as_good_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let hash = sha256(folder.path());
    let server = hubs(hash.clone(), |_| Disturbance::None);
    for source in ["hf:timm/tiny", "modelscope:damo/tiny"] {
        let fetched = run(command(folder.path(), &server, source, "out"));
        assert_eq!(fetched.code, 0, "{source}: {}", fetched.stderr);
        assert_eq!(fetched.json().len(), 1, "{}", fetched.stdout);
        assert!(fetched.stderr.contains("fetching 2.8 MB"), "{}", fetched.stderr);
        let shard = "tiny-q8_0.gguf-00001-of-00001";
        let bytes = |out: &str| fs::read(folder.path().join(out).join(shard)).unwrap();
        assert_eq!(
            bytes("out"),
            bytes("local"),
            "the same bytes as from the file, under the repository's name"
        );
        assert_eq!(transfers(&server), [(None, 200)]);

        server.forget_requests();
        let again = run(command(folder.path(), &server, source, "out"));
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert!(again.stderr.contains("in the cache"), "{}", again.stderr);
        assert_eq!(transfers(&server), []);
        server.forget_requests();
    }
    let blob = folder.path().join("hf/hub/models--timm--tiny/blobs").join(hash);
    assert_eq!(fs::read(blob).unwrap(), fs::read(data(FILE)).unwrap());
}

/// The tiny network as two safetensors files, each with the tensors of every other name, and their index.
fn split() -> [(String, Vec<u8>); 3] {
    use serde_json::{Map, Value, json};
    let whole = fs::read(data(FILE)).unwrap();
    let start = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    let header: Map<String, Value> = serde_json::from_slice(&whole[8..start]).unwrap();
    let (mut map, mut parts) = (Map::new(), [(Map::new(), Vec::new()), (Map::new(), Vec::new())]);
    let names = [1, 2].map(|i| format!("model-0000{i}-of-00002.safetensors"));
    let tensors = header.into_iter().filter(|(name, _)| name != "__metadata__");
    for (i, (name, mut tensor)) in tensors.enumerate() {
        let offset = |end: usize| start + tensor["data_offsets"][end].as_u64().unwrap() as usize;
        let (part, bytes) = &mut parts[i % 2];
        let values = &whole[offset(0)..offset(1)];
        tensor["data_offsets"] = json!([bytes.len(), bytes.len() + values.len()]);
        bytes.extend(values);
        map.insert(name.clone(), names[i % 2].clone().into());
        part.insert(name, tensor);
    }
    let index = json!({ "weight_map": map }).to_string().into_bytes();
    let [first, second] = parts.map(|(header, bytes)| {
        let header = serde_json::to_vec(&header).unwrap();
        [&(header.len() as u64).to_le_bytes()[..], &header, &bytes].concat()
    });
    let [one, two] = names;
    [("model.safetensors.index.json".into(), index), (one, first), (two, second)]
}

#[test]
fn a_split_checkpoint_is_as_good_as_one_file() {
    let folder = tempfile::tempdir().unwrap();
    sha256(folder.path());
    let files = split();
    let siblings: Vec<String> =
        files.iter().map(|(name, _)| format!(r#"{{"rfilename":"{name}"}}"#)).collect();
    let listing = format!(r#"{{"sha":"{COMMIT}","siblings":[{}]}}"#, siblings.join(","));
    let respond = move |request: &Request| match request.path() {
        "/api/models/timm/tiny/revision/main" => answer(200, vec![], &*listing),
        path => match files.iter().find(|(name, _)| path.ends_with(&format!("/{name}"))) {
            Some((_, bytes)) => {
                let tag = format!("\"{}\"", hexadecimal(bytes));
                answer(200, vec![("ETag", tag), ("X-Repo-Commit", COMMIT.to_owned())], bytes.clone())
            }
            None => answer(404, vec![], "{}"),
        },
    };
    let options = Options { disturb: Some(Box::new(respond)), ..Options::new(data(".")) };
    let server = Server::start(options).unwrap();
    let fetched = run(command(folder.path(), &server, "hf:timm/tiny", "out"));
    assert_eq!(fetched.code, 0, "{}", fetched.stderr);
    assert!(fetched.stderr.contains("part 2 of 2: model-00002-of-00002.safetensors"), "{}", fetched.stderr);
    let shard = "tiny-q8_0.gguf-00001-of-00001";
    let bytes = |out: &str| fs::read(folder.path().join(out).join(shard)).unwrap();
    assert!(bytes("out") == bytes("local"), "the same weights as from one file");
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_checkpoint_is_fetched_without_being_converted() {
    let folder = tempfile::tempdir().unwrap();
    let hash = sha256(folder.path());
    let server = hubs(hash.clone(), |_| Disturbance::None);
    let fetch = |source: &str| {
        let mut fetch = Command::new(env!("CARGO_BIN_EXE_beitscope"));
        let environment = [("HOME", folder.path().display().to_string()), ("HF_ENDPOINT", server.url())];
        fetch.env_clear().envs(environment).args(["fetch", source]);
        run(fetch)
    };
    let fetched = fetch("hf:timm/tiny");
    assert_eq!(fetched.code, 0, "{}", fetched.stderr);
    let path = fetched.json()[0]["path"].as_str().unwrap().to_owned();
    assert!(path.ends_with(&format!("{COMMIT}/model.safetensors")), "{path}");
    assert_eq!(fs::canonicalize(&path).unwrap().file_name().unwrap().to_str(), Some(&*hash));
    let again = fetch(&path);
    assert_eq!((again.code, again.json()[0]["path"].as_str()), (0, Some(&*path)));
    assert_eq!(fetch("none.pth").code, 1);
}

#[test]
fn a_killed_run_is_taken_up_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let hash = sha256(folder.path());
    let slow = AtomicBool::new(true);
    let server = hubs(hash.clone(), move |_| match slow.swap(false, Ordering::SeqCst) {
        // 2.8 MB would take a minute and a half.
        true => Disturbance::Throttle(30_000),
        false => Disturbance::None,
    });
    let mut first = command(folder.path(), &server, "hf:timm/tiny", "out");
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let partial = folder.path().join(format!("hf/hub/models--timm--tiny/blobs/{hash}.incomplete"));
    let length = || fs::metadata(&partial).map_or(0, |metadata| metadata.len());
    while length() == 0 {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it fetched anything");
        thread::sleep(Duration::from_millis(5));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let left = length();

    let second = run(command(folder.path(), &server, "hf:timm/tiny", "out"));
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.stderr.contains("are here already"), "{}", second.stderr);
    assert_eq!(transfers(&server), [(None, 200), (Some(format!("bytes={left}-")), 206)]);
    assert!(!partial.exists());
}

#[test]
fn what_a_hub_refuses_is_a_sentence_and_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let server = hubs("0".repeat(64), |_| Disturbance::None);
    for (source, sentence) in [
        ("hf:timm/none", "has no model timm/none: check the spelling"),
        ("hf:timm/tiny", "arrived damaged"),
        ("modelscope:damo/tiny", "arrived damaged"),
    ] {
        let refused = run(command(folder.path(), &server, source, "out"));
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{source}: {}", refused.stderr);
        assert!(refused.stderr.contains(sentence), "{source}: {}", refused.stderr);
    }
    let mut offline = command(folder.path(), &server, "hf:timm/tiny", "out");
    offline.env("HF_HUB_OFFLINE", "1");
    let refused = run(offline);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("HF_HUB_OFFLINE forbids"), "{}", refused.stderr);
    let mut nonsense = command(folder.path(), &server, "hf:timm/tiny", "out");
    nonsense.env("HF_ENDPOINT", "no address");
    let refused = run(nonsense);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("HF_ENDPOINT"), "{}", refused.stderr);
    assert!(!folder.path().join("out").exists());
}
