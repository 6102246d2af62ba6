//! `beitscope finetune`, as a user runs it: on a tiny network, with photos of three colours.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Run, beitscope, model};

const SIDE: usize = 24;
/// A class of one's own, and two by their WordNet ids.
const CLASSES: [&str; 3] = ["my red things", "n02123045", "n01440764"];

/// A noisy picture of one colour, as a BMP file.
fn bmp(class: usize, number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = 54 + SIDE * SIDE * 3;
    bytes.extend(b"BM");
    bytes.extend((size as u32).to_le_bytes());
    bytes.extend([0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    bytes.extend((SIDE as u32).to_le_bytes());
    bytes.extend((SIDE as u32).to_le_bytes());
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    for i in 0..SIDE * SIDE {
        for channel in 0..3 {
            let noise = (i * 31 + channel * 17 + number * 101 + i * i * (number + 3)) % 90;
            let light = if channel == class { 160 } else { 30 };
            bytes.push((light + noise) as u8);
        }
    }
    bytes
}

/// Folders of photos; `from` tells one set's photos from another's.
fn photos(folder: &Path, from: usize, each: usize) -> PathBuf {
    for (class, name) in CLASSES.iter().enumerate() {
        let class_folder = folder.join(name);
        fs::create_dir_all(&class_folder).unwrap();
        for number in from..from + each {
            fs::write(class_folder.join(format!("{number}.bmp")), bmp(class, number)).unwrap();
        }
    }
    folder.to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A tiny network, photos to learn from and photos to measure by, features kept in a folder of the test's own.
struct Bench {
    folder: tempfile::TempDir,
    model: PathBuf,
    train: PathBuf,
    val: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = model(folder.path(), "tiny-absolute");
        let train = photos(&folder.path().join("train"), 0, 5);
        let val = photos(&folder.path().join("val"), 50, 3);
        Self { folder, model, train, val }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn arguments(&self, out: &str, more: &[&str]) -> Vec<String> {
        let (out, cache) = (self.out(out), self.out("cache"));
        let mut arguments: Vec<&str> =
            vec!["finetune", "--model", text(&self.model), "--train", text(&self.train)];
        arguments.extend(["--out", text(&out), "--cache", text(&cache), "--json"]);
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect()
    }

    fn finetune(&self, out: &str, more: &[&str]) -> Run {
        beitscope(self.arguments(out, more))
    }

    fn evaluate(&self, out: &str, dataset: &Path) -> Value {
        let run = beitscope(["evaluate", "--model", text(&self.out(out)), text(dataset), "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.json()[0].clone()
    }

    fn manifest(&self, out: &str) -> Value {
        serde_json::from_slice(&fs::read(self.out(out).join("manifest.json")).unwrap()).unwrap()
    }
}

#[test]
fn a_linear_head_is_a_model_like_any_other() {
    let bench = Bench::new();
    let (report, head) = (bench.out("report.json"), bench.out("head.safetensors"));
    let val = text(&bench.val);
    let run = bench.finetune("mine", &["--val", val, "--report", text(&report), "--head", text(&head)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer = run.json()[0].clone();
    assert_eq!((&answer["classes"], &answer["photos"], &answer["kept"]), (&json!(3), &json!(15), &json!(0)));
    assert_eq!((&answer["held_out"]["images"], &answer["held_out"]["folds"]), (&json!(15), &json!(15)));
    assert_eq!((&answer["val"]["images"], &answer["val"]["also_in_train"]), (&json!(9), &json!(0)));
    assert!(answer["held_out"]["accuracytop-1"].as_f64().unwrap() > 80.0, "{answer}");
    assert!(run.stderr.contains("right on photos held out"), "{}", run.stderr);

    // F32 all through: what was measured on features is what the written model does.
    let evaluated = bench.evaluate("mine", &bench.val);
    assert_eq!(evaluated["accuracytop-1"], answer["val"]["accuracytop-1"]);
    assert_eq!(evaluated["images"], 9);
    let photo = bench.val.join(CLASSES[1]).join("51.bmp");
    let run = beitscope(["classify", "--model", text(&bench.out("mine")), "--json", text(&photo)]);
    let best = run.json()[0]["predictions"][0].clone();
    assert_eq!(
        (&best["wnid"], &best["label"], &best["label_zh"]),
        (&json!(CLASSES[1]), &json!("tabby"), &json!("虎斑猫"))
    );
    let inspected = beitscope(["inspect", "--json", text(&bench.out("mine"))]).json()[0].clone();
    assert_eq!((&inspected["classes"], &inspected["card"]), (&json!(3), &json!("README.md")));
    assert_eq!(inspected["labels"], json!({"count": 3, "with_wnid": 2, "with_zh": 2}));
    let card = fs::read_to_string(bench.out("mine/README.md")).unwrap();
    assert!(card.contains("- my red things (5)") && card.contains("| validation photos |"), "{card}");

    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["classes"], json!(["my red things", "tench", "tabby"]));
    for (set, each) in [("held_out", 5), ("val", 3)] {
        for row in report[set]["confusion"].as_array().unwrap() {
            assert_eq!(row.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>(), each);
        }
    }
    assert!(fs::metadata(head).unwrap().len() > 3 * 128 * 4);

    // Again: every feature is kept, and the same photos give the same bytes.
    let again = bench.finetune("again", &["--val", val, "--name", answer["name"].as_str().unwrap()]);
    assert_eq!(again.json()[0]["kept"], 24, "{}", again.stderr);
    assert_eq!(bench.manifest("again")["sha256"], bench.manifest("mine")["sha256"]);
    let fresh = bench.out("fresh");
    let run = beitscope([
        "finetune",
        "--model",
        text(&bench.model),
        "--train",
        text(&bench.train),
        "--out",
        text(&fresh),
        "--no-cache",
        "--threads",
        "1",
        "--name",
        answer["name"].as_str().unwrap(),
    ]);
    assert_eq!((run.code, &run.json()[0]["kept"]), (0, &json!(0)), "{}", run.stderr);
    let tensors = |name: &str| {
        fs::read(bench.out(name).join(bench.manifest(name)["shards"][0]["name"].as_str().unwrap()))
    };
    assert_eq!(tensors("fresh").unwrap(), tensors("mine").unwrap());
}

#[test]
fn one_photo_a_class_is_enough_to_begin() {
    let bench = Bench::new();
    let train = photos(&bench.folder.path().join("few"), 0, 1);
    let out = bench.out("few-shot");
    let run = beitscope([
        "finetune",
        "--model",
        text(&bench.model),
        "--train",
        text(&train),
        "--out",
        text(&out),
        "--no-cache",
        "--json",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json()[0]["held_out"], Value::Null);
    assert!(run.stderr.contains("--val FOLDER"), "{}", run.stderr);
    assert!(bench.evaluate("few-shot", &bench.val)["accuracytop-1"].as_f64().unwrap() > 60.0);
}

#[test]
fn bad_photos_are_left_out_and_told_of() {
    let bench = Bench::new();
    let class = bench.train.join(CLASSES[0]);
    fs::write(class.join("bad.jpg"), "no photo").unwrap();
    fs::copy(class.join("0.bmp"), bench.train.join(CLASSES[1]).join("same.bmp")).unwrap();
    fs::create_dir(bench.train.join("empty")).unwrap();
    let run = bench.finetune("mine", &["--val", text(&bench.train)]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let told = [
        "bad.jpg",
        "same.bmp are the same photo",
        "no photos in empty",
        "2 of 34 photos",
        "were learnt from too",
    ];
    for sentence in told {
        assert!(run.stderr.contains(sentence), "{sentence}: {}", run.stderr);
    }
    assert_eq!((&run.json()[0]["photos"], &run.json()[0]["val"]["also_in_train"]), (&json!(16), &json!(16)));
    assert_eq!(bench.manifest("mine")["classes"], 3);
}

#[test]
fn wrong_commands_are_told_so() {
    let bench = Bench::new();
    let lone = bench.folder.path().join("lone");
    fs::create_dir_all(lone.join("cat")).unwrap();
    fs::write(lone.join("cat/a.bmp"), bmp(0, 0)).unwrap();
    fs::write(bench.folder.path().join("a-file"), "").unwrap();
    let table: [(i32, &str, &str, &[&str]); 9] = [
        (2, "out", "--epochs belongs to --method full", &["--epochs", "3"]),
        (2, "out", "--c", &["--c", "0"]),
        (2, "out", "--name", &["--name", "a/b"]),
        (2, "out", "--blocks", &["--method", "full", "--blocks", "4"]),
        (2, "out", "--lr", &["--method", "full", "--lr", "0"]),
        (2, "out", "--head belongs to --method linear", &["--method", "full", "--head", "x"]),
        (2, "out", "--no-cache", &["--no-cache"]),
        (2, "a-file", "a-file", &[]),
        (1, "out", "lacks 1 of the classes: cat", &["--val", text(&lone)]),
    ];
    for (code, out, sentence, more) in table {
        let run = bench.finetune(out, more);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{more:?}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{more:?}: {}", run.stderr);
        assert!(!bench.out("out").exists());
    }
    let (model, out) = (text(&bench.model), bench.out("out"));
    let run =
        beitscope(["finetune", "--model", model, "--train", text(&lone), "--out", text(&out), "--no-cache"]);
    assert!(run.code == 1 && run.stderr.contains("got only cat"), "{}", run.stderr);
}

#[test]
fn full_training_learns_resumes_and_writes_a_model() {
    let bench = Bench::new();
    let full = |out: &str, more: &[&str]| {
        let more =
            [&["--method", "full", "--epochs", "3", "--batch", "4", "--lr", "0.001", "--blocks", "0"], more];
        bench.arguments(out, &more.concat())
    };
    let val = ["--val", text(&bench.val), "--name", "tiny-full"];
    // Killed as soon as there is a state.
    let mut child = Command::new(env!("CARGO_BIN_EXE_beitscope"))
        .args(full("resumed", &val))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let state = bench.out("resumed.training.safetensors");
    let begun = Instant::now();
    while !state.exists() && begun.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(state.exists() && !bench.out("resumed").exists(), "killed in mid-training");

    let other = beitscope(full("resumed", &[&val[..], &["--seed", "9"]].concat()));
    assert_eq!(other.code, 2, "{}", other.stderr);
    assert!(other.stderr.contains("--restart"), "{}", other.stderr);
    let resumed = beitscope(full("resumed", &val));
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(resumed.stderr.contains("going on after step"), "{}", resumed.stderr);
    assert!(!state.exists());
    let whole = beitscope(full("whole", &val));
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert_eq!(bench.manifest("resumed")["sha256"], bench.manifest("whole")["sha256"]);

    let answer = whole.json()[0].clone();
    let history = answer["epochs"]["history"].as_array().unwrap();
    assert_eq!(history.len(), 3);
    let loss = |i: usize| history[i]["loss"].as_f64().unwrap();
    assert!(loss(2) < loss(0), "{answer}");
    assert_eq!(bench.evaluate("whole", &bench.val)["accuracytop-1"], answer["val"]["accuracytop-1"]);
}
