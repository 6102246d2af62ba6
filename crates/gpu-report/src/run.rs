//! All stages, each a process of its own: one that crashes, hangs or is killed takes nothing from the others.

use crate::budget::{Share, allot};
use crate::drivers::{Attempt, Places};
use crate::machine;
use crate::output::Output;
use crate::record::Record;
use crate::report::{Report, Stage, Tried, problem};
use crate::stages::peaks::Peaks;
use crate::supervise::{self, Ended};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Of the whole time, to end what hangs and write the report.
const RESERVE: f64 = 15.0;
/// A stage stops by itself at its limit, and is killed so much later.
const GRACE: f64 = 8.0;
/// For one way to load a driver, and for all of them.
const ATTEMPT: f64 = 25.0;
const ATTEMPTS: f64 = 75.0;

const ADAPTER: &str = "adapter";
const PEERS: &str = "peers";
/// What the GPU's stages are called on the command line, in the order in which they run.
pub const STAGES: [&str; 4] = ["numerics", "peaks", "photos", "kernels"];
/// Of [`STAGES`], then of the peers.
const SHARES: [Share; 5] = [
    Share { weight: 1.0, least: 15.0 },
    Share { weight: 0.5, least: 8.0 },
    Share { weight: 3.0, least: 30.0 },
    Share { weight: 3.0, least: 30.0 },
    Share { weight: 2.0, least: 20.0 },
];

/// Measures the same network in PyTorch and ONNX Runtime, where they are; prints records.
const PEERS_SCRIPT: &str = include_str!("../../../tools/gpu-report/peers.py");

/// What to measure, where, and for how long.
pub struct Plan {
    pub out: PathBuf,
    /// Seconds for all of it.
    pub seconds: f64,
    pub places: Places,
    /// As they are given to stages.
    pub batches: String,
    pub blocks: Option<usize>,
    /// The program that runs stages: this one.
    pub program: PathBuf,
    /// An interpreter for the peers.
    pub python: OsString,
}

struct Run<'a> {
    plan: &'a Plan,
    end: Instant,
    report: Report,
    output: Output,
    begun: Instant,
}

/// Measures everything, and gives the report and why it could not be written, if so.
pub fn run(plan: &Plan) -> (Report, Output) {
    let begun = Instant::now();
    let output = Output::open(&plan.out);
    let began = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let report = Report {
        program: format!("beitscope {}", env!("CARGO_PKG_VERSION")),
        began,
        limit_seconds: plan.seconds,
        machine: machine::describe(),
        ..Report::default()
    };
    let end = begun + Duration::from_secs_f64((plan.seconds - RESERVE).max(1.0));
    let mut run = Run { plan, end, report, output, begun };
    run.write();
    match run.find_driver() {
        Some(attempt) => run.gpu_stages(&attempt),
        None => {
            for name in STAGES {
                run.report.stages.push(Stage::left_out(name, "no Vulkan driver works"));
            }
        }
    }
    run.peers();
    run.write();
    (run.report, run.output)
}

impl Run<'_> {
    fn remaining(&self) -> f64 {
        self.end.saturating_duration_since(Instant::now()).as_secs_f64()
    }

    fn write(&mut self) {
        self.report.seconds = self.begun.elapsed().as_secs_f64();
        self.output.write(&self.report);
    }

    /// The first way that leads to a GPU; else the first that leads to a software adapter.
    fn find_driver(&mut self) -> Option<Attempt> {
        let attempts = self.plan.places.attempts();
        if attempts.is_empty() {
            let tried = Tried { what: "none".into(), result: self.plan.places.nothing() };
            self.report.drivers.push(tried);
        }
        let limit = self.remaining().min(ATTEMPTS);
        let begun = Instant::now();
        let mut software: Option<(Attempt, Stage)> = None;
        for attempt in attempts {
            let seconds = (limit - begun.elapsed().as_secs_f64()).min(ATTEMPT);
            if seconds <= 0.0 {
                let result = "not tried: the time for finding a driver was over".into();
                self.report.drivers.push(Tried { what: attempt.what, result });
                continue;
            }
            let stage = self.stage(ADAPTER, seconds, seconds, self.of_program(ADAPTER, seconds, &attempt));
            let measured = stage.records.iter().find_map(|record| match record {
                Record::Adapter(adapter) if adapter.measured => Some(adapter),
                _ => None,
            });
            let (result, is_hardware) = match (measured, &stage.problem) {
                (Some(adapter), _) if adapter.software => {
                    (format!("{}, which runs on the processor", adapter.name), false)
                }
                (Some(adapter), _) => (adapter.name.clone(), true),
                (None, problem) => (problem.clone().unwrap_or_else(|| "no adapter".into()), false),
            };
            let is_software = measured.is_some() && !is_hardware;
            self.report.drivers.push(Tried { what: attempt.what.clone(), result });
            if is_hardware {
                self.report.stages.push(stage);
                return Some(attempt);
            }
            if is_software && software.is_none() {
                software = Some((attempt, stage));
            }
        }
        let (attempt, stage) = software?;
        self.report.stages.push(stage);
        Some(attempt)
    }

    fn gpu_stages(&mut self, attempt: &Attempt) {
        for (at, name) in STAGES.into_iter().enumerate() {
            let seconds = allot(self.remaining(), &SHARES[at..]);
            if seconds < 1.0 {
                self.report.stages.push(Stage::left_out(name, "the time was over"));
                continue;
            }
            let command = self.of_program(name, seconds, attempt);
            let stage = self.stage(name, seconds, seconds + GRACE, command);
            self.report.stages.push(stage);
            self.write();
        }
    }

    fn peers(&mut self) {
        let seconds = self.remaining();
        if seconds < 1.0 {
            self.report.stages.push(Stage::left_out(PEERS, "the time was over"));
            return;
        }
        let mut command = Command::new(&self.plan.python);
        let inner = format!("{:.1}", (seconds - GRACE).max(1.0));
        command.args(["-c", PEERS_SCRIPT, &self.plan.batches, &inner]);
        let stage = self.stage(PEERS, seconds, seconds, command);
        self.report.stages.push(stage);
    }

    /// This program for one stage, with what the attempt sets.
    fn of_program(&self, name: &str, seconds: f64, attempt: &Attempt) -> Command {
        let mut command = Command::new(&self.plan.program);
        command.args(["stage", name, "--seconds", &format!("{seconds:.2}"), "--photos", &self.plan.batches]);
        if let Some(blocks) = self.plan.blocks {
            command.args(["--blocks", &blocks.to_string()]);
        }
        if let Ok(peaks) = serde_json::to_string(&peaks(&self.report)) {
            command.args(["--peaks", &peaks]);
        }
        command.envs(attempt.environment.iter().map(|(name, value)| (*name, value.clone())));
        if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
            // Some drivers complain of its absence once for each device.
            command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
        }
        command
    }

    /// Runs a process that prints records.
    fn stage(&mut self, name: &str, limit_seconds: f64, kill_after: f64, command: Command) -> Stage {
        let mut stage =
            Stage { name: name.into(), seconds: 0.0, limit_seconds, problem: None, records: Vec::new() };
        let kill_after = kill_after.min(self.remaining() + GRACE.min(RESERVE / 2.0));
        eprintln!("{name}: at most {limit_seconds:.0} s");
        let output = &mut self.output;
        // Drivers print to stdout too.
        let mut noise = Vec::new();
        let mut outcome =
            supervise::run(command, kill_after, |line| match serde_json::from_str::<Record>(line) {
                Ok(record) => {
                    eprintln!("  {record}");
                    output.append(&record);
                    stage.records.push(record);
                }
                Err(_) => noise.push(line.to_owned()),
            });
        if !noise.is_empty() && outcome.ended != Ended::Finished {
            outcome.stderr =
                format!("{}\n{}", noise[noise.len().saturating_sub(5)..].join("\n"), outcome.stderr);
        }
        stage.end(&outcome);
        if let Some(problem) = problem(&outcome) {
            eprintln!("  {name}: {problem}");
        }
        stage
    }
}

/// What has been measured so far of the adapter's peaks.
fn peaks(report: &Report) -> Peaks {
    let mut peaks = Peaks::default();
    for record in report.records() {
        if let Record::Peak(peak) = record {
            peaks.note(peak);
        }
    }
    peaks
}
