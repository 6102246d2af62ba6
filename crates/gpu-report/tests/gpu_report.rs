//! The whole report on whatever Vulkan driver this machine has, in a fraction of its time; and without any.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gpu-report");

fn run(out: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("run").arg(out).args(arguments).output().unwrap()
}

fn report(out: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(out.join("gpu-report.json")).unwrap()).unwrap()
}

/// Of all stages, by kind.
fn records<'a>(report: &'a serde_json::Value, kind: &str) -> Vec<&'a serde_json::Value> {
    let stages = report["stages"].as_array().unwrap();
    let all = stages.iter().flat_map(|stage| stage["records"].as_array().unwrap());
    all.filter(|record| record["record"] == kind).collect()
}

fn stage<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    report["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == name).unwrap()
}

/// Whether a stage was left out, in whole or in part, for want of time alone.
fn was_out_of_time(stage: &serde_json::Value) -> bool {
    let records = stage["records"].as_array().unwrap();
    let mut left_out = records.iter().filter(|record| record["record"] == "not_measured");
    stage["problem"].as_str().is_some_and(|problem| {
        problem.starts_with("not run: the time was over") || problem.starts_with("killed after")
    }) || left_out.any(|record| record["why"].as_str().unwrap().contains("left of the stage's time"))
}

#[test]
fn a_short_run_measures_something_of_everything_or_says_that_there_was_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        run(folder.path(), &["--seconds", "35", "--photos", "1", "--blocks", "1", "--python", "no-python"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = report(folder.path());
    assert_eq!(records(&report, "adapter").iter().filter(|adapter| adapter["measured"] == true).count(), 1);
    let checks = records(&report, "check");
    assert!(checks.iter().all(|check| check["passed"] == true), "{checks:#?}");
    let all = ["numerics", "peaks", "photos", "kernels"];
    for (name, kind) in all.into_iter().zip(["check", "peak", "photos", "kernel"]) {
        let found = records(&report, kind);
        let stage = stage(&report, name);
        // On a slow or busy adapter there is not time for everything.
        assert!(!found.is_empty() || was_out_of_time(stage), "{name}: {stage:#}");
        if kind != "check" {
            assert!(
                found.iter().all(|record| record["ms"].as_f64().is_some_and(|ms| ms > 0.0)),
                "{found:#?}"
            );
        }
    }
    // Every record came as a line, too.
    let lines = fs::read_to_string(folder.path().join("gpu-report.jsonl")).unwrap();
    let stages = report["stages"].as_array().unwrap();
    let recorded: usize = stages.iter().map(|stage| stage["records"].as_array().unwrap().len()).sum();
    assert!(lines.lines().count() >= recorded);
    let markdown = fs::read_to_string(folder.path().join("gpu-report.md")).unwrap();
    assert!(markdown.contains("## Stages"));
    for (kind, heading) in [("peak", "## Measured peaks"), ("check", "## Numerics")] {
        let has_any = !records(&report, kind).is_empty();
        assert_eq!(markdown.contains(heading), has_any, "{heading}");
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains(markdown.trim()), "printed, too");
}

#[test]
fn without_any_driver_the_report_says_what_to_do() {
    let (folder, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = root.path().to_str().unwrap();
    let output = run(folder.path(), &["--seconds", "30", "--root", root, "--python", "no-python"]);
    assert!(output.status.success());
    let report = report(folder.path());
    assert!(
        report["drivers"][0]["result"].as_str().unwrap().contains("no Vulkan driver and no NVIDIA driver")
    );
    for name in ["numerics", "peaks", "photos", "kernels"] {
        assert_eq!(stage(&report, name)["problem"], "not run: no Vulkan driver works");
    }
    let peers = stage(&report, "peers")["problem"].as_str().unwrap();
    assert!(peers.contains("no-python can't be started"), "{peers}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("**No GPU was measured.**"));
}

/// NVIDIA's driver, damaged: there, but no library.
#[test]
fn a_driver_that_can_not_be_loaded_is_reported() {
    let (folder, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let libraries: PathBuf = root.path().join("usr/lib64");
    fs::create_dir_all(&libraries).unwrap();
    fs::write(libraries.join("libGLX_nvidia.so.0"), "no library").unwrap();
    let root = root.path().to_str().unwrap();
    let output = run(folder.path(), &["--seconds", "40", "--root", root, "--python", "no-python"]);
    assert!(output.status.success());
    let report = report(folder.path());
    let tried = &report["drivers"][0];
    assert!(tried["what"].as_str().unwrap().contains("libGLX_nvidia.so.0"), "{tried}");
    assert!(tried["result"].as_str().unwrap().contains("no GPU can be used here"), "{tried}");
}

#[test]
fn where_nothing_can_be_written_the_report_is_printed_whole() {
    let (folder, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let root = root.path().to_str().unwrap();
    let output = run(&file, &["--seconds", "30", "--root", root, "--python", "no-python"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't be written"), "{output:?}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let json = stdout.lines().find(|line| line.starts_with('{')).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(json).unwrap()["stages"].is_array());
}
