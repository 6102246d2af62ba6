//! What `beitscope convert` takes of the files beside a checkpoint, on a hub and in a folder.

mod support;

use serde_json::json;
use server::Disturbance;
use std::fs;
use std::path::Path;
use support::hubs::{COMMIT, Hubs};
use support::{Run, beitscope, golden};

const CARD: &str = "---\nlicense: apache-2.0\n---\n# A tiny network\n";

fn timm() -> String {
    let cfg = json!({ "mean": [0.5, 0.25, 0.125], "std": [0.5, 0.5, 0.25], "crop_pct": 0.8 });
    json!({ "architecture": "beitv2_tiny", "pretrained_cfg": cfg }).to_string()
}

fn modelscope() -> String {
    let steps = json!([
        { "type": "Resize", "size": [40, -1] },
        { "type": "CenterCrop", "crop_size": 32 },
        { "type": "Normalize", "mean": [127.5, 63.75, 31.875], "std": [127.5, 127.5, 63.75], "to_rgb": true },
    ]);
    json!({ "framework": "pytorch", "preprocessor": { "val": steps } }).to_string()
}

/// The same settings as options.
const OPTIONS: [&str; 6] = ["--mean", "0.5,0.25,0.125", "--std", "0.5,0.5,0.25", "--license", "Apache-2.0"];

fn local(folder: &Path, source: &Path, out: &str, more: &[&str]) -> Run {
    let out = folder.join(out);
    let arguments = ["convert".as_ref(), source.as_os_str(), "--quant".as_ref(), "q8_0".as_ref()];
    let rest = ["--name".as_ref(), "tiny".as_ref(), "--out".as_ref(), out.as_os_str()];
    beitscope(arguments.into_iter().chain(rest).chain(more.iter().map(AsRef::as_ref)))
}

fn shard(folder: &Path, out: &str) -> Vec<u8> {
    fs::read(folder.join(out).join("tiny-q8_0.gguf-00001-of-00001")).unwrap()
}

/// The image size of the tiny network, from what the command says.
fn image_size(run: &Run) -> u64 {
    let (before, _) = run.stderr.split_once(" px, 50 classes").unwrap_or_else(|| panic!("{}", run.stderr));
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_hubs_small_files_tell_what_is_not_given() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plain = local(folder, &golden("tiny-relative"), "plain", &[]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let short_side = (image_size(&plain) * 10 / 8).to_string();
    let expected = local(
        folder,
        &golden("tiny-relative"),
        "expected",
        &[&OPTIONS[..], &["--short-side", &short_side]].concat(),
    );
    assert_eq!(expected.code, 0, "{}", expected.stderr);
    assert!(shard(folder, "plain") != shard(folder, "expected"));

    for (source, name, text) in [
        ("hf:timm/tiny", "config.json", timm()),
        ("modelscope:timm/tiny", "configuration.json", modelscope()),
    ] {
        let hubs = Hubs::start(&[(name, &text), ("README.md", CARD)], |_| Disturbance::None);
        for more in [&[][..], &["--no-cache"]] {
            let run = hubs.convert(folder, source, "out", more);
            assert_eq!(run.code, 0, "{source}: {}", run.stderr);
            let told = format!("mean, std and crop from {name}\nlicense Apache-2.0 from README.md\n");
            assert!(run.stderr.contains(&told), "{}", run.stderr);
            assert_eq!(run.json()[0]["license"], "Apache-2.0");
            assert!(shard(folder, "out") == shard(folder, "expected"), "{source} {more:?}");
        }
        if source.starts_with("hf") {
            let targets = hubs.targets();
            let mut small = targets.iter().filter(|target| target.ends_with(name)).peekable();
            assert!(small.peek().is_some() && small.all(|target| target.contains(COMMIT)), "{targets:?}");
        }
    }
}

#[test]
fn options_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let hubs = Hubs::start(&[("config.json", &timm()), ("README.md", CARD)], |_| Disturbance::None);
    let run = hubs.convert(folder, "hf:timm/tiny", "out", &["--mean", "0.1,0.1,0.1", "--license", "MIT"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("\nstd and crop from config.json\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("mean [0.1, 0.1, 0.1], standard deviation [0.5, 0.5, 0.25]"),
        "{}",
        run.stderr
    );
    assert!(!hubs.targets().iter().any(|target| target.ends_with("README.md")), "nothing is left to be told");
}

#[test]
fn what_can_not_be_followed_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let wrong = timm().replace("0.125", "\"0.125\"");
    let hubs = Hubs::start(&[("config.json", &wrong)], |_| Disturbance::None);
    for more in [&[][..], &["--no-cache"]] {
        let refused = hubs.convert(folder, "hf:timm/tiny", "out", more);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("config.json beside the checkpoint can't be followed: mean: expected"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("give --mean, --std and --short-side"), "{}", refused.stderr);
        assert!(!folder.join("out").exists());
    }
    let all = ["--mean", "0,0,0", "--std", "1,1,1", "--short-side", "300"];
    let run = hubs.convert(folder, "hf:timm/tiny", "out", &all);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn a_folder_may_have_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("net/model.safetensors");
    fs::create_dir(folder.join("net")).unwrap();
    fs::copy(golden("tiny-relative"), &file).unwrap();
    fs::write(folder.join("net/README.md"), CARD).unwrap();
    let first = json!({ "architecture": "beit_tiny_patch8_64", "pretrained_cfg": { "crop_pct": 0.9 } });
    fs::write(folder.join("net/config.json"), first.to_string()).unwrap();
    for source in [&file, &folder.join("net")] {
        let run = local(folder, source, "out", &[]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let told =
            "BEiT v1's mean, BEiT v1's std and crop from config.json\nlicense Apache-2.0 from README.md\n";
        assert!(run.stderr.contains(told), "{}", run.stderr);
        assert!(run.stderr.contains("mean [0.5, 0.5, 0.5]"), "{}", run.stderr);
    }
    fs::write(folder.join("net/config.json"), "[]").unwrap();
    let refused = local(folder, &file, "refused", &[]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("no JSON object"), "{}", refused.stderr);
}
