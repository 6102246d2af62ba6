//! `beitscope bench`: how long a model takes to load and to answer, on this machine.

use crate::engine::{self, Backend, Engine};
use crate::failure::Failure;
use crate::output::{json, say, wants_json};
use beit::preprocess::Pixels;
use clap::Args;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

/// Photos in the larger pass.
const BATCH: usize = 8;

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// What the network runs on
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Backend,
    /// Passes to time, of one photo and of eight
    #[arg(long, default_value = "5", value_name = "N")]
    passes: NonZeroUsize,
    /// Threads to use; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
}

/// What was measured. A photo's time is the network's alone: its speed does not depend on what is on the photo.
#[derive(Serialize)]
struct Measured {
    model: String,
    backend: &'static str,
    /// Instruction set, or GPU.
    device: String,
    threads: usize,
    /// From the folder to a model that answers.
    load_s: f64,
    /// The first photo: a GPU compiles its kernels for it.
    first_ms: f64,
    /// Median of passes of one photo.
    ms: f64,
    /// Median of passes of eight photos, a photo's share.
    batch_ms: f64,
    /// The page's estimate for a photo on the CPU, by which it chooses between CPU and GPU.
    predicted_cpu_ms: f64,
    /// The process's peak so far, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_mb: Option<f64>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let threads = engine::threads(arguments.threads);
    let measured = engine::pool(threads)?.install(|| measure(arguments, threads.get()))?;
    if wants_json(arguments.json) {
        return json(&measured);
    }
    let Measured { model, device, load_s, first_ms, ms, batch_ms, predicted_cpu_ms, peak_mb, .. } = measured;
    say(&format!("{model} on {device}, {threads} threads"));
    say(&format!("loaded in {load_s:.2} s, first photo in {first_ms:.1} ms"));
    say(&format!("{ms:.1} ms a photo, {batch_ms:.1} ms in passes of {BATCH}"));
    say(&format!("{predicted_cpu_ms:.1} ms a photo on the processor, predicted from one matrix product"));
    if let Some(peak) = peak_mb {
        say(&format!("{peak:.0} MB of memory at most"));
    }
    Ok(())
}

fn measure(arguments: &Arguments, threads: usize) -> Result<Measured, Failure> {
    let begun = Instant::now();
    let engine = Engine::load(&arguments.model, arguments.backend)?;
    let load_s = begun.elapsed().as_secs_f64();
    let size = engine.image_size();
    // Every level of brightness: a processor's kernels may be quicker on zeros.
    let value = |i: usize| (i * 31 % 201) as f32 / 100.0 - 1.0;
    let photo = Pixels { size, values: (0..3 * size * size).map(value).collect() };
    let passes = arguments.passes.get();
    let first_ms = pass(&engine, std::slice::from_ref(&photo))?;
    let ms = median(&engine, std::slice::from_ref(&photo), passes)?;
    let eight = vec![photo; BATCH];
    pass(&engine, &eight)?;
    let batch_ms = median(&engine, &eight, passes)? / BATCH as f64;
    Ok(Measured {
        model: engine.name.clone(),
        backend: engine.backend().name(),
        device: engine.device(),
        threads,
        load_s,
        first_ms,
        ms,
        batch_ms,
        predicted_cpu_ms: engine.predicted_cpu_ms(),
        peak_mb: peak_mb(),
    })
}

/// Milliseconds of one pass.
fn pass(engine: &Engine, photos: &[Pixels]) -> Result<f64, Failure> {
    let begun = Instant::now();
    engine.batch(photos)?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

fn median(engine: &Engine, photos: &[Pixels], passes: usize) -> Result<f64, Failure> {
    let mut times = (0..passes).map(|_| pass(engine, photos)).collect::<Result<Vec<_>, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Linux tells the most that was resident, in kB.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
