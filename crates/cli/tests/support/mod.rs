//! Runs the real binary on a tiny network.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod dataset;
pub mod hubs;
pub mod tagging;

use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run left.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Every line of stdout as JSON: nothing else may be there.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        self.stdout.lines().map(parse).collect()
    }
}

pub fn beitscope<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    run(Command::new(env!("CARGO_BIN_EXE_beitscope")).args(arguments))
}

/// Runs the binary as the command says.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run = Run { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) };
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// What `evaluate` printed: top-1, top-5, photos.
pub fn accuracy(run: &Run) -> (f64, f64, u64) {
    let [answer] = &run.json()[..] else { panic!("{}{}", run.stdout, run.stderr) };
    let percent = |key: &str| answer[key].as_f64().unwrap();
    (percent("accuracytop-1"), percent("accuracytop-5"), answer["images"].as_u64().unwrap())
}

/// A file of the workspace's `tests/data`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name)
}

/// The weights of one of the tiny networks (see `tests/data/golden/README.md`).
pub fn golden(network: &str) -> PathBuf {
    data(&format!("golden/{network}.weights.safetensors"))
}

/// Converts a tiny network to F32 in `folder/model` and gives the folder's path.
pub fn model(folder: &Path, network: &str) -> PathBuf {
    model_with(folder, network, "f32", None)
}

pub fn model_with(folder: &Path, network: &str, quantization: &str, labels: Option<&Path>) -> PathBuf {
    let out = folder.join(format!("{network}-{quantization}"));
    let mut arguments: Vec<PathBuf> = ["convert", "--quant", quantization, "--out"].map(Into::into).to_vec();
    arguments.extend([out.clone(), golden(network)]);
    if let Some(labels) = labels {
        arguments.extend(["--labels".into(), labels.to_owned()]);
    }
    let run = beitscope(&arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    out
}
