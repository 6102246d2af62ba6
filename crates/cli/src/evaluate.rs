//! `beitscope evaluate`: how often the model is right.

use crate::dataset::{self, Sample};
use crate::engine::{self, Backend, Engine};
use crate::failure::Failure;
use crate::meter::Meter;
use crate::output::{json, say, wants_json};
use beit::topk::top_k;
use clap::Args;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
    /// Photos to run at the same time; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// What the network runs on
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Backend,
    /// A folder for each class, named by WordNet id; or a flat folder with labels.json, {"file": ImageNet index}
    #[arg(value_name = "DATASET")]
    dataset: PathBuf,
}

/// Accuracy in percent. The key names are ModelScope's.
#[derive(Serialize)]
struct Accuracy {
    #[serde(rename = "accuracytop-1")]
    top_1: f64,
    #[serde(rename = "accuracytop-5")]
    top_5: f64,
    /// Photos that were answered.
    images: usize,
}

/// What became of the photos.
#[derive(Default)]
struct Tally {
    images: usize,
    top_1: usize,
    top_5: usize,
    /// File and reason.
    unreadable: Vec<(PathBuf, String)>,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.images += other.images;
        self.top_1 += other.top_1;
        self.top_5 += other.top_5;
        self.unreadable.extend(other.unreadable);
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let engine = Engine::load(&arguments.model, arguments.backend)?;
    let samples = dataset::open(&arguments.dataset, &engine.labels)?;
    let mut tally = tally(&engine, &samples, engine::threads(arguments.threads))?;
    tally.unreadable.sort();
    for (file, reason) in &tally.unreadable {
        say(&format!("{}: {reason}", file.display()));
    }
    let percent = |hits: usize| 100.0 * hits as f64 / tally.images.max(1) as f64;
    let accuracy =
        Accuracy { top_1: percent(tally.top_1), top_5: percent(tally.top_5), images: tally.images };
    if tally.images > 0 {
        let (top_1, top_5, images) = (accuracy.top_1, accuracy.top_5, accuracy.images);
        if wants_json(arguments.json) {
            json(&accuracy)?;
        } else {
            say(&format!("top-1 {top_1:.2} %, top-5 {top_5:.2} % of {images} photos"));
        }
    }
    match tally.unreadable.len() {
        0 => Ok(()),
        n => {
            Err(Failure::Data(format!("{n} of {} photos could not be read and were left out", samples.len())))
        }
    }
}

/// Runs the network on every sample, one photo a thread.
fn tally(engine: &Engine, samples: &[Sample], threads: NonZeroUsize) -> Result<Tally, Failure> {
    let meter = Meter::new("photos", samples.len());
    let next = AtomicUsize::new(0);
    // Each thread has a pool of its own: a photo's kernels never wait for another photo's.
    let pools = (0..threads.get()).map(|_| engine::pool(NonZeroUsize::MIN)).collect::<Result<Vec<_>, _>>()?;
    let work = || {
        let mut tally = Tally::default();
        while let Some(Sample { file, class }) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
            match engine.logits(file) {
                Ok(logits) => {
                    let best = top_k(&logits.values, 5);
                    tally.images += 1;
                    tally.top_1 += usize::from(best.first().is_some_and(|(index, _)| index == class));
                    tally.top_5 += usize::from(best.iter().any(|(index, _)| index == class));
                }
                Err(reason) => tally.unreadable.push((file.clone(), reason)),
            }
            meter.step();
        }
        tally
    };
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = pools.iter().map(|pool| scope.spawn(move || pool.install(work))).collect();
        for worker in workers {
            match worker.join() {
                Ok(tally) => total.merge(tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    meter.finish();
    Ok(total)
}
