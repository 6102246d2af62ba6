//! Test results: counts, times, and the summary of them.

use std::time::Duration;

use crate::process::human_duration;

/// How many tests the closing lines name as the slowest.
const SLOWEST: usize = 20;

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// The program it is in, such as `kernels` or `threads`.
    pub program: String,
    pub name: String,
    pub passed: bool,
    pub took: Duration,
}

/// A program of tests: a crate's unit tests, or one file of a folder `tests`.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub name: String,
    pub tests: usize,
    pub took: Duration,
}

/// What a step's tests came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub tests: Vec<Test>,
    pub programs: Vec<Program>,
}

/// The outcome of a step.
pub struct Outcome {
    pub step: &'static str,
    pub what: &'static str,
    pub result: crate::Result<()>,
    pub took: Duration,
    pub tally: Tally,
}

impl Outcome {
    /// Passed and failed tests. A step without tests counts as one, and so does a failure outside of the tests.
    fn counts(&self) -> (usize, usize) {
        let Tally { passed, failed, .. } = self.tally;
        match &self.result {
            Ok(()) if passed + failed == 0 => (1, 0),
            Err(_) if failed == 0 => (passed, 1),
            _ => (passed, failed),
        }
    }

    pub fn verdict(&self) -> &'static str {
        if self.result.is_ok() { "passed" } else { "FAILED" }
    }
}

/// The closing lines: the browser's files and the slowest tests with their times, each start of a browser that was
/// tried again, a line for each step, what failed, and as the last line the counts.
pub fn summary(outcomes: &[Outcome], retries: &[String]) -> String {
    let mut text = String::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.tally.programs.len() > 1) {
        text += &format!("Files of {}:\n", outcome.step);
        let mut programs: Vec<_> =
            outcome.tally.programs.iter().filter(|program| program.tests > 0).collect();
        programs.sort_by_key(|program| std::cmp::Reverse(program.took));
        for Program { name, tests, took } in programs {
            text += &format!("  {:>12}  {name} ({tests})\n", human_duration(*took));
        }
    }
    let mut tests = Vec::new();
    for outcome in outcomes {
        tests.extend(outcome.tally.tests.iter().map(|test| (outcome.step, test)));
    }
    tests.sort_by_key(|(_, test)| std::cmp::Reverse(test.took));
    if !tests.is_empty() {
        text += "The slowest tests:\n";
    }
    for (step, Test { program, name, took, .. }) in tests.iter().take(SLOWEST) {
        text += &format!("  {:>12}  {step}: {program}::{name}\n", human_duration(*took));
    }
    if !retries.is_empty() {
        text += &format!("Starts of a browser that were tried again: {}\n", retries.len());
        retries.iter().for_each(|retry| text += &format!("  {retry}\n"));
    }
    text += "Steps:\n";
    for outcome in outcomes {
        let Outcome { step, what, took, .. } = outcome;
        text += &format!("{step:13} {} {:>12}  {what}\n", outcome.verdict(), human_duration(*took));
    }
    for (step, test) in tests.iter().filter(|(_, test)| !test.passed) {
        text += &format!("FAILED {step}: {}::{}\n", test.program, test.name);
    }
    for Outcome { step, result, .. } in outcomes {
        if let Err(message) = result {
            text += &format!("FAILED {step}: {message}\n");
        }
    }
    let (passed, failed) =
        outcomes.iter().map(Outcome::counts).fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
    text + &format!("{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, passed: bool, seconds: u64) -> Test {
        Test { program: "page".into(), name: name.into(), passed, took: Duration::from_secs(seconds) }
    }

    fn outcome(step: &'static str, result: crate::Result<()>, tests: Vec<Test>) -> Outcome {
        let passed = tests.iter().filter(|test| test.passed).count();
        let failed = tests.len() - passed;
        let tally = Tally { passed, failed, tests, programs: vec![] };
        Outcome { step, what: "what it checks", result, took: Duration::from_secs(70), tally }
    }

    #[test]
    fn the_last_line_counts_tests_and_steps_without_any() {
        let outcomes = [
            outcome("fmt", Ok(()), vec![]),
            outcome("clippy", Err("a lint".into()), vec![]),
            outcome(
                "chromium",
                Err("`cargo test` failed".into()),
                vec![test("a", true, 1), test("b", false, 9)],
            ),
            // It passed its tests and then something else went wrong.
            outcome("firefox", Err("no more memory".into()), vec![test("a", true, 1)]),
        ];
        let text = summary(&outcomes, &[]);
        assert_eq!(text.lines().last(), Some("3 passed, 3 failed"));
        for line in [
            "FAILED chromium: page::b",
            "FAILED clippy: a lint",
            "clippy        FAILED   1 min 10 s  what it checks",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_slowest_tests_come_first_and_retries_are_listed() {
        let tests = (0..30).map(|i| test(&format!("t{i}"), true, i)).collect();
        let text = summary(&[outcome("unit", Ok(()), tests)], &["chromium: no answer".into()]);
        let slowest: Vec<_> = text.lines().skip(1).take(SLOWEST + 1).collect();
        assert!(slowest[0].ends_with("unit: page::t29") && slowest[19].ends_with("page::t10"), "{text}");
        assert!(slowest[20].contains("tried again: 1"), "{text}");
        assert!(text.contains("  chromium: no answer\n"), "{text}");
    }
}
