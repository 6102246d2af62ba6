//! Measures the network on this machine's GPU, within a limit of time and whatever happens: `tools/gpu-report`.
//!
//! ```text
//! run: drivers ─▶ stage, stage, … ─▶ report: output (JSON, Markdown)
//!                 └ each a process of its own under supervise; its records come as lines of JSON
//! ```

mod budget;
mod drivers;
mod machine;
mod markdown;
mod output;
mod record;
mod report;
mod run;
mod stages;
mod supervise;

use crate::budget::Deadline;
use crate::drivers::Places;
use crate::record::Record;
use crate::run::Plan;
use crate::stages::peaks::Peaks;
use crate::stages::{Context, StageError};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "gpu-report", about = "Measures BEiTv2-large on this machine's GPU", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything and write gpu-report.json and gpu-report.md
    Run(RunArguments),
    /// Measure one thing and print its records as lines of JSON: what `run` calls
    Stage(StageArguments),
    /// Measure peaks, kernels and whole photos, and print them as text
    Bench(BenchArguments),
}

#[derive(Args)]
struct RunArguments {
    /// Folder for the report
    out: PathBuf,
    /// Seconds for all of it
    #[arg(long, default_value = "480", value_name = "N")]
    seconds: f64,
    /// Folder of packed libraries: `loader` (libvulkan.so.1) and `x11`
    #[arg(long, value_name = "DIR")]
    packed: Option<PathBuf>,
    /// Python for PyTorch and ONNX Runtime, where it has them
    #[arg(long, default_value = "python3", value_name = "PROGRAM")]
    python: OsString,
    /// Folder in place of / in which drivers are searched
    #[arg(long, default_value = "/", value_name = "DIR")]
    root: PathBuf,
    #[command(flatten)]
    sizes: Sizes,
}

#[derive(Args)]
struct Sizes {
    /// Photos a pass, the most important first
    #[arg(long, default_value = "1,8,16,4,2", value_delimiter = ',', value_name = "N,…")]
    photos: Vec<std::num::NonZeroUsize>,
    /// Blocks of the network, of 24; as many as there is time for if not given
    #[arg(long, value_name = "N")]
    blocks: Option<usize>,
}

impl Sizes {
    fn batches(&self) -> Vec<usize> {
        self.photos.iter().map(|photos| photos.get()).collect()
    }
}

#[derive(Args)]
struct StageArguments {
    name: String,
    #[arg(long)]
    seconds: f64,
    /// The adapter's measured peaks, as JSON
    #[arg(long, default_value = "{\"operations\":{}}")]
    peaks: String,
    #[command(flatten)]
    sizes: Sizes,
}

#[derive(Args)]
struct BenchArguments {
    /// No whole photos
    #[arg(long)]
    kernels_only: bool,
    #[command(flatten)]
    sizes: Sizes,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run_all(arguments),
        Command::Stage(arguments) => ended(&run_stage(&arguments)),
        Command::Bench(arguments) => ended(&bench(&arguments)),
    }
}

fn ended(result: &Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(arguments: RunArguments) -> ExitCode {
    // Where /proc is not mounted, its own name has to do.
    let named = || std::env::args_os().next().map(PathBuf::from);
    let Some(program) = std::env::current_exe().ok().or_else(named) else {
        return ended(&Err("this program can't find itself: call it by its path".into()));
    };
    let scratch = std::env::temp_dir().join(format!("gpu-report-{}", std::process::id()));
    let batches: Vec<_> = arguments.sizes.photos.iter().map(ToString::to_string).collect();
    let plan = Plan {
        out: arguments.out,
        seconds: arguments.seconds,
        places: Places {
            root: arguments.root,
            packed: arguments.packed,
            scratch: scratch.clone(),
            named: std::env::var_os("VK_DRIVER_FILES").or_else(|| std::env::var_os("VK_ICD_FILENAMES")),
            library_path: std::env::var_os("LD_LIBRARY_PATH"),
        },
        batches: batches.join(","),
        blocks: arguments.sizes.blocks,
        program,
        python: arguments.python,
    };
    let (report, output) = run::run(&plan);
    // It holds the names of drivers alone.
    let _ = std::fs::remove_dir_all(scratch);
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", markdown::render(&report));
    match output.problem() {
        None => {
            eprintln!("The report is {}.", output.markdown().display());
            ExitCode::SUCCESS
        }
        Some(problem) => {
            eprintln!("{problem}");
            if let Ok(json) = serde_json::to_string(&report) {
                let _ = writeln!(stdout, "{json}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run_stage(arguments: &StageArguments) -> Result<(), String> {
    // Whoever started this holds its stdin open.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        eprintln!("nobody waits for this any more");
        // A regular exit would wait for the driver's threads.
        std::process::abort();
    });
    let peaks = serde_json::from_str(&arguments.peaks).map_err(|error| format!("--peaks: {error}"))?;
    let emit = |record: Record| {
        if let Ok(line) = serde_json::to_string(&record) {
            let mut stdout = std::io::stdout().lock();
            let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        }
    };
    let context = Context {
        deadline: Deadline::after(Some(arguments.seconds)),
        batches: arguments.sizes.batches(),
        blocks: arguments.sizes.blocks,
        peaks,
        emit: &emit,
    };
    let result = match arguments.name.as_str() {
        "adapter" => stages::adapter::run(&context),
        "numerics" => stages::numerics::run(&context),
        "peaks" => stages::peaks::run(&context).map(drop),
        "photos" => stages::photos::run(&context),
        "kernels" => stages::kernels::run(&context),
        other => return Err(format!("there is no stage {other}: adapter, {}", run::STAGES.join(", "))),
    };
    result.map_err(|error| error.to_string())
}

fn bench(arguments: &BenchArguments) -> Result<(), String> {
    let emit = |record: Record| println!("{record}");
    let mut context = Context {
        deadline: Deadline::after(None),
        batches: arguments.sizes.batches(),
        blocks: arguments.sizes.blocks.or(Some(24)),
        peaks: Peaks::default(),
        emit: &emit,
    };
    let mut measure = || -> Result<(), StageError> {
        stages::adapter::run(&context)?;
        context.peaks = stages::peaks::run(&context)?;
        stages::kernels::run(&context)?;
        if !arguments.kernels_only {
            stages::photos::run(&context)?;
        }
        Ok(())
    };
    measure().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
        let parsed =
            Arguments::try_parse_from(["gpu-report", "bench", "--photos", "1,8", "--blocks", "1"]).unwrap();
        let Command::Bench(bench) = parsed.command else { panic!() };
        assert_eq!((bench.sizes.batches(), bench.sizes.blocks), (vec![1, 8], Some(1)));
        assert!(Arguments::try_parse_from(["gpu-report", "bench", "--photos", "0"]).is_err());
    }
}
