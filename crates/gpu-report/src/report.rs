//! The whole report: the machine, how the driver was loaded, each stage with what it measured and how it ended.

use crate::record::Record;
use crate::supervise::{Ended, Outcome};
use serde::Serialize;

/// One run of the program on one machine.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub program: String,
    /// Seconds since 1970.
    pub began: u64,
    pub seconds: f64,
    /// The most it may take.
    pub limit_seconds: f64,
    /// Name and value.
    pub machine: Vec<(String, String)>,
    /// The ways to load a Vulkan driver that were tried, and what came of them; the last is the one that was used, if
    /// any.
    pub drivers: Vec<Tried>,
    pub stages: Vec<Stage>,
}

/// An attempt to load a driver.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    pub what: String,
    pub result: String,
}

/// A stage that was begun, or left out.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    pub name: String,
    pub seconds: f64,
    /// The seconds that it was given.
    pub limit_seconds: f64,
    /// Why it is not whole; none if it ended as it should.
    pub problem: Option<String>,
    pub records: Vec<Record>,
}

impl Stage {
    /// A stage that can't run.
    pub fn left_out(name: &str, why: &str) -> Self {
        let problem = Some(format!("not run: {why}"));
        Self { name: name.into(), seconds: 0.0, limit_seconds: 0.0, problem, records: Vec::new() }
    }

    /// Notes how its process ended.
    pub fn end(&mut self, outcome: &Outcome) {
        self.seconds = outcome.seconds;
        self.problem = problem(outcome);
    }
}

/// What is wrong with how a process ended, and the end of what it said.
pub fn problem(outcome: &Outcome) -> Option<String> {
    let seconds = outcome.seconds;
    let ended = match &outcome.ended {
        Ended::Finished => return None,
        Ended::Failed(why) => why.clone(),
        Ended::TimedOut => format!("killed after {seconds:.0} s; what it had measured is kept"),
        Ended::Stuck => {
            format!("killed after {seconds:.0} s and did not end: most likely stuck in the GPU's driver")
        }
    };
    Some(if outcome.stderr.is_empty() { ended } else { format!("{ended}; it said: {}", outcome.stderr) })
}

impl Report {
    /// What all stages recorded.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.stages.iter().flat_map(|stage| &stage.records)
    }

    /// Checks that failed.
    pub fn failed_checks(&self) -> usize {
        self.records().filter(|record| matches!(record, Record::Check(check) if !check.passed)).count()
    }
}
