//! `cargo test`, with each test's result and time printed as it ends.

use std::io::{self, BufRead, BufReader};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::tally::{Program, Tally, Test};
use crate::Result;
use crate::process::{describe, human_duration};

/// Makes a program of tests tell one JSON object a line, with times: an option that the test harness keeps for
/// nightly compilers unless [`RUNNER`] tells it otherwise.
const HARNESS: [&str; 5] = ["--", "-Zunstable-options", "--format", "json", "--report-time"];

/// What cargo starts programs of tests with. Set when they run, not when they are compiled: there, crates would take
/// the same variable as leave to use unstable features.
const RUNNER: &str = "env RUSTC_BOOTSTRAP=1";

/// Targets whose programs run on this machine.
const TARGETS: [&str; 3] =
    ["X86_64_UNKNOWN_LINUX_GNU", "I686_UNKNOWN_LINUX_GNU", "AARCH64_UNKNOWN_LINUX_GNU"];

/// Runs `cargo test …` with `harness` as more arguments for each program of tests.
///
/// # Errors
/// The command, when it can't be run or fails.
pub fn run(mut cargo: Command, harness: &[&str], tally: &mut Tally) -> Result<()> {
    cargo.args(HARNESS).args(harness);
    for target in TARGETS {
        cargo.env(format!("CARGO_TARGET_{target}_RUNNER"), RUNNER);
    }
    watch(cargo, tally)
}

/// Runs `cargo test …` for programs that report their tests as text only, as wasm-bindgen's do.
///
/// # Errors
/// The command, when it can't be run or fails.
pub fn watch(mut cargo: Command, tally: &mut Tally) -> Result<()> {
    let named = describe(&cargo);
    let failed = |error: io::Error| format!("can't run `{named}`: {error}");
    // One pipe for both, so that what cargo says of a program comes before what the program says.
    let (reader, writer) = io::pipe().map_err(failed)?;
    cargo.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut child = cargo.spawn().map_err(failed)?;
    // It holds the pipe's other end, which would never close.
    drop(cargo);
    let mut listener = Listener { tally, program: String::new() };
    for line in BufReader::new(reader).split(b'\n').map_while(io::Result::ok) {
        if let Some(said) = listener.hear(&String::from_utf8_lossy(&line)) {
            println!("{said}");
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("`{named}` failed ({status})")) }
}

/// Turns what cargo and the programs say into a [`Tally`] and lines for people.
struct Listener<'a> {
    tally: &'a mut Tally,
    /// The program that runs.
    program: String,
}

impl Listener<'_> {
    /// What to print, if anything.
    fn hear(&mut self, line: &str) -> Option<String> {
        if let Some(name) = running(line) {
            self.program = name.to_owned();
            return Some(format!("Running {name}"));
        }
        let event: Option<Value> = line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten();
        let Some(event) = event else {
            self.hear_words(line);
            return Some(line.to_owned());
        };
        let took = Duration::from_secs_f64(event["exec_time"].as_f64().unwrap_or_default());
        let name = event["name"].as_str().unwrap_or_default();
        match (event["type"].as_str()?, event["event"].as_str()?) {
            ("test", verdict @ ("ok" | "failed" | "timeout")) => {
                let passed = verdict == "ok";
                // A test that takes long is announced, and ends later.
                if verdict == "timeout" {
                    return Some(format!("  {name} takes long"));
                }
                self.count(passed);
                self.tally.tests.push(Test {
                    program: self.program.clone(),
                    name: name.into(),
                    passed,
                    took,
                });
                let output = event["stdout"].as_str().unwrap_or_default();
                Some(match passed {
                    true => format!("  ok {:>8}  {name}", human_duration(took)),
                    false => format!("  FAILED {:>4}  {name}\n{output}", human_duration(took)),
                })
            }
            ("suite", "ok" | "failed") => {
                let tests = (event["passed"].as_u64()? + event["failed"].as_u64()?) as usize;
                self.tally.programs.push(Program { name: self.program.clone(), tests, took });
                None
            }
            _ => None,
        }
    }

    /// `test name ... ok`, as a program without [`HARNESS`] says it.
    fn hear_words(&mut self, line: &str) {
        let told = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        match told.map(|(_, verdict)| verdict.trim()) {
            Some("ok") => self.count(true),
            Some(word) if word.starts_with("FAIL") => self.count(false),
            _ => {}
        }
    }

    fn count(&mut self, passed: bool) {
        match passed {
            true => self.tally.passed += 1,
            false => self.tally.failed += 1,
        }
    }
}

/// The program that cargo says it runs: `     Running unittests src/lib.rs (target/debug/deps/beit-0123abcd)` and
/// `     Running tests/golden.rs (target/debug/deps/golden-0123abcd)`.
fn running(line: &str) -> Option<&str> {
    let path =
        line.trim_start().strip_prefix("Running ")?.rsplit_once('(')?.1.trim_end().strip_suffix(')')?;
    let file = path.rsplit(['/', '\\']).next()?;
    Some(file.rsplit_once('-').map_or(file, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> (Tally, Vec<String>) {
        let mut tally = Tally::default();
        let mut listener = Listener { tally: &mut tally, program: String::new() };
        let said = lines.iter().filter_map(|line| listener.hear(line)).collect();
        (tally, said)
    }

    #[test]
    fn tests_are_counted_with_their_programs_and_times() {
        let (tally, said) = heard(&[
            "     Running tests/golden.rs (target/debug/deps/golden-0a1b)",
            r#"{ "type": "suite", "event": "started", "test_count": 2 }"#,
            r#"{ "type": "test", "event": "started", "name": "a" }"#,
            r#"{ "type": "test", "name": "a", "event": "ok", "exec_time": 1.5 }"#,
            r#"{ "type": "test", "name": "b", "event": "timeout" }"#,
            r#"{ "type": "test", "name": "b", "event": "failed", "exec_time": 0.5, "stdout": "left: 1" }"#,
            r#"{ "type": "suite", "event": "failed", "passed": 1, "failed": 1, "exec_time": 1.6 }"#,
            "error: test failed",
        ]);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        let b = Test {
            program: "golden".into(),
            name: "b".into(),
            passed: false,
            took: Duration::from_millis(500),
        };
        assert_eq!(tally.tests[1], b);
        assert_eq!(
            tally.programs,
            [Program { name: "golden".into(), tests: 2, took: Duration::from_millis(1600) }]
        );
        assert_eq!(said[0], "Running golden");
        assert!(said[3].contains("FAILED") && said[3].contains("left: 1"), "{said:?}");
        assert_eq!(said.last().unwrap(), "error: test failed");
    }

    #[test]
    fn words_count_too() {
        let (tally, said) = heard(&[
            "     Running unittests src/lib.rs (target/wasm32/debug/deps/kernels-0a1b.wasm)",
            "test scalar::tests::a ... ok",
            "test scalar::tests::b ... FAIL",
            "test scalar::tests::c ... ignored",
            "test result: FAILED. 1 passed; 1 failed",
        ]);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(said.len(), 5);
    }
}
