//! The npm package in Node, Deno and Bun, as a program installs and imports it.

use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::command_line::{assert_same, labels};
use tests::site;

/// A program that takes longer does not end.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A runtime's name, the variable by which `cargo xtask test runtimes` says where it is, and its arguments.
type Runtime = (&'static str, &'static str, &'static [&'static str]);

const RUNTIMES: [Runtime; 3] = [
    ("node", "BEITSCOPE_NODE", &[]),
    // Without asking: what the package needs, and the network.
    ("deno", "BEITSCOPE_DENO", &["run", "--no-prompt", "--allow-read", "--allow-net"]),
    ("bun", "BEITSCOPE_BUN", &["run"]),
];

/// A program's folder, in which the package is installed.
fn project() -> &'static Path {
    static PROJECT: OnceLock<TempDir> = OnceLock::new();
    let project = PROJECT.get_or_init(|| {
        let package = site::root().join("target/package");
        assert!(
            package.join("package.json").is_file(),
            "there is no package in {}: `cargo xtask test site runtimes` makes it",
            package.display()
        );
        let project = tempfile::tempdir().expect("a folder");
        fs::write(project.path().join("package.json"), r#"{ "type": "module", "private": true }"#).unwrap();
        let mut npm = Command::new("npm");
        // A copy, as of what is published.
        npm.args(["install", "--install-links", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let output = npm.arg(package).current_dir(project.path()).output().expect("npm");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        project
    });
    project.path()
}

/// Where the package's files are.
fn package() -> PathBuf {
    project().join("node_modules/beitscope")
}

/// Runs the body of an async function as a program, with `pipeline` at hand, and gives what it returns, or what it throws
/// as `{ threw, isError }`. The program has to end by itself.
fn run(runtime: Runtime, body: &str) -> Value {
    let (outcome, complained) = run_with_complaints(runtime, body);
    assert_eq!(complained, "", "{} has nothing to complain about", runtime.0);
    outcome
}

/// The same, and what the runtime says on its standard error.
fn run_with_complaints((name, variable, arguments): Runtime, body: &str) -> (Value, String) {
    let script = tempfile::Builder::new().prefix("program").suffix(".mjs").tempfile_in(project()).unwrap();
    let program = format!(
        "import {{ pipeline }} from 'beitscope';
         import {{ readFileSync }} from 'node:fs';
         const threw = (error) => ({{ threw: error.message, isError: error instanceof Error }});
         console.log(JSON.stringify(await (async () => {{ {body} }})().catch(threw)));"
    );
    fs::write(script.path(), program).unwrap();
    let mut command = Command::new(std::env::var_os(variable).unwrap_or_else(|| name.into()));
    command.args(arguments).arg(script.path()).current_dir(site::root().join("web"));
    command.env("NO_PROXY", "127.0.0.1").env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}: `cargo xtask test runtimes` installs it"));
    let started = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if started.elapsed() > TIMEOUT => {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let (mut said, mut complained) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
    assert!(status.success(), "{name}, {:?}: {status} {said} {complained}", started.elapsed());
    let outcome = serde_json::from_str(said.trim());
    (outcome.unwrap_or_else(|error| panic!("{name}: {error}: {said:?}")), complained)
}

fn same(got: &Value, expected: &[(String, f64)], what: &str) {
    assert_same(got, expected, 1e-6, what);
}

/// A JPEG, PNGs of both depths, a WebP, and what only a decoder in a module of its own reads.
fn photos() -> Vec<PathBuf> {
    let modern = site::root().join("tests/data/modern-photos/heic-tiles.heic");
    let sample = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let made = ["sixteen-bit.png", "transparent.png", "lossless.webp"].map(site::photo);
    sample.into_iter().chain(made).chain([modern]).collect()
}

#[test]
fn answers_are_the_command_lines_on_one_thread_and_on_two() {
    let photos = photos();
    let expected: Vec<_> = photos.iter().map(|photo| labels(photo)).collect();
    for runtime in RUNTIMES {
        for threads in [1, 2] {
            let what = format!("{} on {threads}", runtime.0);
            // None is disposed of: the program ends all the same.
            let body = format!(
                "const events = [];
                 const classify = await pipeline('image-classification', null,
                   {{ threads: {threads}, progress_callback: (event) => events.push(event) }});
                 const results = await classify({});
                 return {{ results, model: classify.model, backend: classify.backend, build: classify.build, events }};",
                json!(photos)
            );
            let outcome = run(runtime, &body);
            assert_eq!(outcome["results"].as_array().map(Vec::len), Some(photos.len()), "{what}: {outcome}");
            for ((got, expected), photo) in
                outcome["results"].as_array().unwrap().iter().zip(&expected).zip(&photos)
            {
                same(got, expected, &format!("{what}: {}", photo.display()));
            }
            let backend = &outcome["backend"];
            assert_eq!(
                (&backend["kind"], &backend["threads"]),
                (&json!("cpu"), &json!(threads)),
                "{outcome}"
            );
            assert!(outcome["build"].as_str().unwrap().ends_with("-threads"), "{what}: {outcome}");
            assert_eq!(outcome["model"]["classes"], 200, "{what}");
            let events = outcome["events"].as_array().unwrap();
            let last = &events[events.len() - 3];
            assert_eq!(
                (&last["status"], &last["progress"], &last["loaded"]),
                (&json!("progress"), &json!(100), &last["total"]),
                "{what}: {last}"
            );
            assert_eq!(events.last().unwrap()["status"], "ready", "{what}");
        }
    }
}

#[test]
fn a_photo_comes_in_any_form_and_the_model_from_a_folder_or_an_address() {
    let (cat, coffee) = (labels(&site::sample("cat.jpg")), labels(&site::sample("coffee.jpg")));
    let server = site::serve();
    let url = server.url();
    for runtime in RUNTIMES {
        let name = runtime.0;
        // Both begin at the working directory, which is `web`.
        let forms = run(
            runtime,
            "const classify = await pipeline('image-classification', 'models/demo', { threads: 1 });
             const bytes = readFileSync('samples/cat.jpg');
             const buffer = new ArrayBuffer(bytes.length + 8), shared = new SharedArrayBuffer(bytes.length);
             new Uint8Array(buffer, 4).set(bytes), new Uint8Array(shared).set(bytes);
             const forms = ['samples/cat.jpg', new URL('file://' + process.cwd() + '/samples/cat.jpg'), bytes,
               new Uint8Array(buffer, 4, bytes.length), buffer.slice(4, -4), new DataView(buffer, 4, bytes.length), shared,
               new Uint8Array(shared), new Blob([bytes]), 'data:image/jpeg;base64,' + bytes.toString('base64')];
             // What is asked at once is answered one after another, whatever becomes of the bytes meanwhile.
             const results = forms.map((form) => classify(form, { top_k: 3 }));
             await null, bytes.fill(0), new Uint8Array(shared).fill(0);
             return Promise.all(results);",
        );
        let forms = forms.as_array().unwrap_or_else(|| panic!("{name}: {forms}"));
        assert_eq!(forms.len(), 10);
        for (i, form) in forms.iter().enumerate() {
            same(form, &cat[..3], &format!("{name}: form {i}"));
        }
        let fetched = run(
            runtime,
            &format!(
                "const classify = await pipeline('image-classification', '{url}models/demo/', {{ threads: 2, backend: 'webgpu' }});
                 const [cat, coffee] = await classify(['{url}samples/cat.jpg', new URL('{url}samples/coffee.jpg')]);
                 const named = await classify('samples/cat.jpg', {{ top_k: null, lang: 'zh' }});
                 const told = await classify('{url}nowhere.jpg').catch((error) => error.message);
                 await classify.dispose();
                 return {{ cat, coffee, named, told, ended: classify.ended, backend: classify.backend }};"
            ),
        );
        same(&fetched["cat"], &cat, name);
        same(&fetched["coffee"], &coffee, name);
        let named = fetched["named"].as_array().unwrap();
        assert_eq!(named.len(), 200, "{name}");
        assert!(named[0]["label"].as_str().unwrap().chars().all(|c| c as u32 > 0x2e80), "{named:?}");
        assert!(fetched["told"].as_str().unwrap().contains("answered 404"), "{fetched}");
        assert_eq!(fetched["ended"], true);
        // There is no GPU, and it says so.
        assert_eq!(fetched["backend"]["kind"], "cpu", "{name}");
        assert_eq!(fetched["backend"]["reasons"][0]["kind"], "no_gpu", "{name}: {fetched}");
    }
}

#[test]
fn what_goes_wrong_is_an_error_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    // A model whose weights are not all there.
    let half = folder.path().join("half");
    site::copy(&site::root().join("web/models/demo"), &half);
    fs::remove_file(half.join("demo-vit-small-112-q8_0.gguf-00002-of-00002")).unwrap();
    // Workers that end without a word, or do not start.
    let workers = |name: &str, script: &str| {
        for build in ["relaxed-threads", "simd128-threads", "simd128"] {
            let build = folder.path().join(name).join(build);
            fs::create_dir_all(&build).unwrap();
            fs::write(build.join("worker.js"), script).unwrap();
        }
        folder.path().join(name)
    };
    let silent = workers("silent", "process.exit(0);");
    let broken = workers("broken", "throw new Error('no luck');");
    let of_workers = |folder: &Path| {
        format!("await pipeline('image-classification', null, {{ workerUrl: {} }})", json!(folder))
    };
    let pipelines = [
        ("await pipeline('text-generation')".to_owned(), "The one task is"),
        ("await pipeline('image-classification', 'nowhere')".to_owned(), "There is no model: "),
        ("await pipeline('image-classification', 'javascript:alert(1)')".to_owned(), "There is no model: "),
        ("await pipeline('image-classification', 'data:,x')".to_owned(), "model is an address"),
        (
            "await pipeline('image-classification', 'http://127.0.0.1:9/')".to_owned(),
            "http://127.0.0.1:9/manifest.json",
        ),
        (format!("await pipeline('image-classification', {})", json!(half)), "00002-of-00002"),
        ("await pipeline('image-classification', null, { threads: 65 })".to_owned(), "threads goes from 0"),
        (
            "await pipeline('image-classification', null, { backend: 'abacus' })".to_owned(),
            "backend is one of",
        ),
        (of_workers(Path::new("nowhere")), "There are no workers in "),
        (of_workers(Path::new("https://example.org/workers/")), "started from files"),
        (of_workers(&silent), "it ended without a word"),
        (of_workers(&broken), "no luck"),
    ];
    let damaged = site::photo("truncated.png");
    let photos = [
        ("7".to_owned(), "A photo is a path"),
        ("null".to_owned(), "got null"),
        ("'nowhere.jpg'".to_owned(), "There is no photo "),
        ("'samples'".to_owned(), "is a folder"),
        ("new Uint8Array(9)".to_owned(), "."),
        ("new Uint8Array(0)".to_owned(), "empty"),
        (json!(damaged).to_string(), "This PNG is cut short"),
        ("['samples/cat.jpg', new Blob(['no photo'])]".to_owned(), "."),
        ("'samples/cat.jpg', { top_k: 0 }".to_owned(), "top_k is a number"),
        ("new Uint8Array(256 * 2 ** 20 + 1)".to_owned(), "longer than 256 MB"),
        ("'http://127.0.0.1:9/cat.jpg'".to_owned(), "127.0.0.1:9 is out of reach"),
    ];
    let cat = labels(&site::sample("cat.jpg"));
    for runtime in RUNTIMES {
        let name = runtime.0;
        let attempt =
            |code: &str| format!("await (async () => {{ {code}; return 'it went well'; }})().catch(threw)");
        let of_pipelines: Vec<_> = pipelines.iter().map(|(code, _)| attempt(code)).collect();
        let of_photos: Vec<_> =
            photos.iter().map(|(photo, _)| attempt(&format!("await classify({photo})"))).collect();
        let body = format!(
            "const outcomes = [{}];
             const classify = await pipeline('image-classification', undefined, {{ threads: 1 }});
             outcomes.push({});
             const cat = await classify('samples/cat.jpg');
             const asked = classify('samples/cat.jpg').catch((error) => error.message);
             await new Promise((resolve) => setTimeout(resolve));
             await classify.dispose(), await classify.dispose();
             const disposed = [await asked, await classify('samples/cat.jpg').catch((error) => error.message)];
             return {{ outcomes, cat, disposed }};",
            of_pipelines.join(", "),
            of_photos.join(", ")
        );
        // Deno tells of a worker's fault by itself.
        let (outcome, _) = run_with_complaints(runtime, &body);
        let outcomes = outcome["outcomes"].as_array().unwrap_or_else(|| panic!("{name}: {outcome}"));
        assert_eq!(outcomes.len(), pipelines.len() + photos.len());
        for (got, (code, named)) in outcomes.iter().zip(pipelines.iter().chain(&photos)) {
            let sentence = got["threw"].as_str().unwrap_or_else(|| panic!("{name}: {code}: {got}"));
            assert!(
                sentence.contains(named) && sentence.ends_with('.') && sentence.contains(' '),
                "{name}: {code}: {sentence}"
            );
            assert_eq!(got["isError"], true, "{name}: {code}");
        }
        same(&outcome["cat"], &cat, "after all that it still answers");
        for sentence in outcome["disposed"].as_array().unwrap() {
            assert!(sentence.as_str().unwrap().contains("was disposed of"), "{name}: {outcome}");
        }
    }
}

/// A download goes on where it broke, and a file is read as if a server sent it.
#[test]
fn a_file_is_answered_as_by_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ten.json");
    fs::write(&file, "0123456789").unwrap();
    fs::write(folder.path().join("none"), "").unwrap();
    let fetch = package().join("embed/node-fetch.js");
    for runtime in RUNTIMES {
        let body = format!(
            "const {{ fetchFile }} = await import({fetch});
             const got = async (name, range) => {{
               const headers = new Headers(range ? {{ range }} : {{}});
               const answer = await fetchFile(new URL(name, 'file://' + {folder} + '/'), {{ headers }});
               const header = (name) => answer.headers.get(name);
               return [answer.status, await answer.text(), header('content-length'), header('content-range'), header('content-type')];
             }};
             return [await got('ten.json'), await got('ten.json', 'bytes=4-'), await got('ten.json', 'bytes=2-3'),
               await got('ten.json', 'bytes=8-99'), await got('ten.json', 'bytes=10-'), await got('none'), await got('nowhere')];",
            fetch = json!(fetch),
            folder = json!(folder.path()),
        );
        let (json, bytes) = ("application/json", "application/octet-stream");
        assert_eq!(
            run(runtime, &body),
            json!([
                [200, "0123456789", "10", null, json],
                [206, "456789", "6", "bytes 4-9/10", json],
                [206, "23", "2", "bytes 2-3/10", json],
                [206, "89", "2", "bytes 8-9/10", json],
                [416, "", null, null, null],
                [200, "", "0", null, bytes],
                [404, "", null, null, null]
            ]),
            "{}",
            runtime.0
        );
    }
}
