//! `beitscope`, run as a user runs it.

use crate::page::Card;
use crate::site::root;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn beitscope() -> Command {
    let binary = root().join("target/debug/beitscope");
    assert!(binary.is_file(), "the command line is not built: run `cargo build -p beitscope`");
    Command::new(binary)
}

/// What `beitscope classify` answers for these photos with the demo model, one object a photo.
pub fn classify(photos: &[PathBuf]) -> Vec<Value> {
    classify_with(&root().join("web/models/demo"), photos)
}

/// The same with another model.
pub fn classify_with(model: &Path, photos: &[PathBuf]) -> Vec<Value> {
    let output = beitscope()
        .args(["classify", "--json", "--model"])
        .arg(model)
        .args(photos)
        .output()
        .expect("beitscope runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let answers: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    answers.unwrap_or_else(|e| panic!("{e}: {text} {}", String::from_utf8_lossy(&output.stderr)))
}

/// The labels and scores that it answers for a photo with the demo model.
pub fn labels(photo: &Path) -> Vec<(String, f64)> {
    labels_of(&classify(&[photo.to_owned()])[0]["predictions"])
}

/// The labels and scores of a list of results.
pub fn labels_of(results: &Value) -> Vec<(String, f64)> {
    let results = results.as_array().unwrap_or_else(|| panic!("no results: {results}"));
    let pair = |r: &Value| (r["label"].as_str().unwrap().to_owned(), r["score"].as_f64().unwrap());
    results.iter().map(pair).collect()
}

/// Asserts that results have these labels, and these scores but for a difference below `off`.
pub fn assert_same(got: &Value, expected: &[(String, f64)], off: f64, what: &str) {
    let got = labels_of(got);
    assert_eq!(got.len(), expected.len(), "{what}: {got:?}");
    for (got, expected) in got.iter().zip(expected) {
        assert!(got.0 == expected.0 && (got.1 - expected.1).abs() < off, "{what}: {got:?}, not {expected:?}");
    }
}

/// Writes keywords into these photos with the demo model; the journal is thrown away.
pub fn tag(photos: &[PathBuf], arguments: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = beitscope();
    command.current_dir(folder.path()).args(["tag", "--model"]).arg(root().join("web/models/demo"));
    let output = command.args(arguments).args(photos).output().expect("beitscope runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Converts one of the tiny networks of `tests/data/golden` to 8 bits, into this folder.
pub fn convert_tiny(network: &str, out: &Path) {
    let source = root().join(format!("tests/data/golden/{network}.weights.safetensors"));
    let mut command = beitscope();
    command.arg("convert").arg(source).args(["--quant", "q8_0", "--name", network, "--out"]).arg(out);
    let output = command.output().expect("beitscope runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Converts a checkpoint as the command line does by itself, into this folder: a file, or what the hubs at `hub` have.
pub fn convert(source: &str, quantization: &str, hub: &str, out: &Path) {
    let cache = tempfile::tempdir().expect("a folder");
    let mut command = beitscope();
    command.args(["convert", source, "--quant", quantization, "--out"]).arg(out);
    command.env("HF_ENDPOINT", hub).env("MODELSCOPE_ENDPOINT", hub);
    command.env("HF_HOME", cache.path()).env("MODELSCOPE_CACHE", cache.path()).env("NO_PROXY", "127.0.0.1");
    let output = command.output().expect("beitscope runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A photo's answer among [`classify`]'s, by its file's name.
pub fn answer<'a>(answers: &'a [Value], photo: &Path) -> &'a Value {
    let name = photo.file_name().and_then(|n| n.to_str()).expect("a file name");
    let named = |a: &&Value| a["file"].as_str().is_some_and(|file| file.ends_with(name));
    answers.iter().find(named).unwrap_or_else(|| panic!("no answer for {name}"))
}

/// # Panics
/// When a card has another answer than [`classify_with`] gives.
pub fn same_answers(cards: &[Card], expected: &[Value]) {
    for card in cards {
        let expected =
            answer(expected, Path::new(&card.name))["predictions"].as_array().expect("predictions").clone();
        assert_eq!(card.predictions.len(), expected.len(), "{card:?}");
        for (got, expected) in card.predictions.iter().zip(&expected) {
            assert_eq!(got.index, expected["index"], "{}: {got:?}, expected {expected}", card.name);
            assert!(
                (got.score - expected["score"].as_f64().expect("a score")).abs() < 1e-6,
                "{}: {got:?}",
                card.name
            );
        }
    }
}

/// What is wrong with a card, beside what [`classify`] says of the photo.
pub fn difference(card: &Card, answers: &[Value]) -> Option<String> {
    let expected = answer(answers, card.name.as_ref());
    let best = &expected["predictions"][0];
    let (index, score) = (best["index"].as_u64(), best["score"].as_f64().unwrap_or_default());
    let is_right = match (card.predictions.first(), index) {
        (Some(first), Some(index)) => first.index == index && (first.score - score).abs() < 0.01,
        // The browser's decoder knows more.
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => card.error.as_deref().is_some_and(|sentence| sentence.ends_with('.')),
    };
    (!is_right).then(|| format!("{card:?}, expected {expected}"))
}
