//! `beitscope`, run as a user runs it.

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

/// Converts one of the tiny networks of `tests/data/golden` to 8 bits, into this folder.
pub fn convert_tiny(network: &str, out: &Path) {
    let source = root().join(format!("tests/data/golden/{network}.weights.safetensors"));
    let mut command = beitscope();
    command.arg("convert").arg(source).args(["--quant", "q8_0", "--name", network, "--out"]).arg(out);
    let output = command.output().expect("beitscope runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A photo's answer among [`classify`]'s, by its file's name.
pub fn answer<'a>(answers: &'a [Value], photo: &Path) -> &'a Value {
    let name = photo.file_name().and_then(|n| n.to_str()).expect("a file name");
    let named = |a: &&Value| a["file"].as_str().is_some_and(|file| file.ends_with(name));
    answers.iter().find(named).unwrap_or_else(|| panic!("no answer for {name}"))
}
