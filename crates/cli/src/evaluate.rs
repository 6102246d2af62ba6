//! `beitscope evaluate`: how often the model is right, and how far it can be believed.

mod calibrate;

use crate::engine::{self, Backend, Engine};
use crate::failure::Failure;
use crate::output::{json, say, wants_json};
use crate::progress_meter::Meter;
use beit::preprocess::Pixels;
use clap::Args;
use evaluate::calibration::CalibrationReport;
use evaluate::report::{Report, Target};
use evaluate::{
    Accuracy, CalibrationPart, Dataset, EvaluateError, Header, Merged, ModelIdentity, Network, Progress,
    Shard, ShardResults, Unreadable, merge,
};
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR", required_unless_present = "merge")]
    model: Option<PathBuf>,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
    /// Photos to run at the same time; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// What the network runs on
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Backend,
    /// Names the right class of each photo: {"file": ImageNet index} as .json, Kaggle's LOC_val_solution.csv, or lines
    /// of file and class; not needed if DATASET holds such a file under its usual name
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Write what comes of each photo to this file, at once; if it is there already, go on where it ends
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Run only the K-th of N parts of the dataset, which have equal sizes and nothing in common
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Write a report with every class's accuracy and the most confused classes; can be given several times
    #[arg(long, value_name = "FILE.{json,csv,html}")]
    report: Vec<PathBuf>,
    /// Also fit a temperature, by which probabilities become believable, on half of the photos, and measure it on the
    /// others
    #[arg(long, conflicts_with_all = ["shard", "merge"])]
    calibrate: bool,
    /// Photos that show none of the classes, a folder or an archive: also fit the threshold below which a photo shows none
    #[arg(long, value_name = "DIR", requires = "calibrate")]
    outliers: Option<PathBuf>,
    /// Write temperature and threshold to the model's manifest, for classify and the page
    #[arg(long, requires = "calibrate")]
    write: bool,
    /// Run nothing: add up the journals of all shards
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["model", "dataset", "labels", "journal", "shard"])]
    merge: Vec<PathBuf>,
    /// A folder for each class, named by WordNet id; or photos with labels.json, {"file": ImageNet index}, or another
    /// label file. A folder, or a .zip, .tar or .tar.gz file, or a folder inside such a file
    #[arg(value_name = "DATASET", required_unless_present = "merge")]
    dataset: Option<PathBuf>,
}

/// Accuracy in percent, null without photos. The first key names are ModelScope's.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(rename = "accuracytop-1")]
    top_1: Option<f64>,
    #[serde(rename = "accuracytop-5")]
    top_5: Option<f64>,
    /// Photos that were answered.
    images: u64,
    /// Photos that could not be read.
    unreadable: u64,
    #[serde(rename = "interval-95")]
    intervals: Intervals,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<&'a CalibrationReport>,
}

/// Wilson's 95 % intervals: lower and upper end in percent.
#[derive(Serialize)]
struct Intervals {
    #[serde(rename = "accuracytop-1")]
    top_1: Option<[f64; 2]>,
    #[serde(rename = "accuracytop-5")]
    top_5: Option<[f64; 2]>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let targets = arguments.report.iter().map(|path| Target::new(path)).collect::<Result<Vec<_>, _>>()?;
    match (&arguments.model, &arguments.dataset) {
        (Some(model), Some(dataset)) => measure(arguments, model, dataset, &targets),
        _ => {
            let Merged { header, counts, unreadable } = merge(&arguments.merge, &mut |note| say(&note))?;
            let (counts, unreadable) = (&counts, &unreadable);
            let report = Report { header: &header, place: None, counts, unreadable, calibration: None };
            conclude(arguments, &targets, &report)
        }
    }
}

/// Runs the network on a dataset, or on what is left of it; for a calibration also on photos of none of the classes.
fn measure(arguments: &Arguments, model: &Path, dataset: &Path, targets: &[Target]) -> Result<(), Failure> {
    let engine = Engine::load(model, arguments.backend)?;
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let dataset = Dataset::open(dataset, arguments.labels.as_deref(), &engine.labels, shard)?;
    let outliers =
        arguments.outliers.as_ref().map(|path| Dataset::open_outliers(path, &engine.labels)).transpose()?;
    let known = arguments.calibrate.then_some(CalibrationPart::Known);
    let (header, results) = run_on(arguments, &engine, &dataset, shard, known)?;
    let outliers = match &outliers {
        Some(outliers) => {
            say("photos of none of the classes:");
            let part = Some(CalibrationPart::Outliers);
            Some((outliers, run_on(arguments, &engine, outliers, Shard::WHOLE, part)?.1))
        }
        None => None,
    };
    let of_outliers = outliers.as_ref().map(|(_, results)| results);
    // Too few photos for a calibration still have an accuracy.
    let calibration: Option<Result<CalibrationReport, EvaluateError>> =
        arguments.calibrate.then(|| calibrate::calibrate(&results, of_outliers));
    let ShardResults { counts, unreadable, .. } = &results;
    let fitted = calibration.as_ref().and_then(|report| report.as_ref().ok());
    let place = Some(dataset.place.as_str());
    let report = Report { header: &header, place, counts, unreadable, calibration: fitted };
    let concluded = conclude(arguments, targets, &report);
    if let Some(report) = calibration {
        let report = report?;
        if arguments.write {
            calibrate::write(model, &report)?;
        }
    }
    concluded?;
    outliers.map_or(Ok(()), |(dataset, results)| {
        list(&results.unreadable, Some(&dataset.place));
        refuse_unreadable(results.counts.all.images, results.unreadable.photos)
    })
}

/// Runs the network on what the journal does not answer of one dataset.
fn run_on(
    arguments: &Arguments,
    engine: &Engine,
    dataset: &Dataset,
    shard: Shard,
    part: Option<CalibrationPart>,
) -> Result<(Header, ShardResults), Failure> {
    let model = ModelIdentity { name: engine.name.clone(), sha256: engine.sha256.clone() };
    let classes = engine.labels.iter().map(|label| (label.wnid.clone(), label.en.clone())).collect();
    let header = Header::new(model, engine.backend().name(), dataset.identity.clone(), shard, classes);
    let header = match part {
        Some(part) => header.keeping_logits(part),
        None => header,
    };
    let journal = arguments.journal.clone().map(|journal| match part {
        Some(CalibrationPart::Outliers) => calibrate::journal_of_outliers(&journal),
        _ => journal,
    });
    let mut meter = None;
    let mut progress = |progress| match progress {
        Progress::JournalCutOff => {
            say("the journal was cut off while it was written: going on from its last whole line");
        }
        Progress::Start { all, done } => {
            if done > 0 {
                say(&format!("{done} of {all} photos are in the journal already"));
            }
            if done < all {
                meter = Some(Meter::resumed("photos", all as u64, done as u64));
            }
        }
        Progress::Photo => meter.iter().for_each(Meter::step),
    };
    let threads = engine::threads(arguments.threads);
    let results = evaluate::evaluate(engine, dataset, &header, journal.as_deref(), threads, &mut progress);
    meter.iter().for_each(Meter::finish);
    Ok((header, results?))
}

/// The network on this machine, for [`evaluate`].
impl Network for Engine {
    fn is_batched(&self) -> bool {
        self.backend() == Backend::Gpu
    }

    fn warm_up(&self) -> Result<(), String> {
        Engine::warm_up(self).map_err(|failure| failure.to_string())
    }

    fn pixels(&self, file: Vec<u8>) -> Result<Pixels, String> {
        Engine::pixels(self, file)
    }

    fn logits(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, String> {
        self.batch(photos).map_err(|failure| failure.to_string())
    }
}

/// Lists what could not be read, writes the reports, prints the accuracy.
fn conclude(arguments: &Arguments, targets: &[Target], report: &Report) -> Result<(), Failure> {
    list(report.unreadable, report.place);
    for target in targets {
        target.write(report)?;
    }
    let (top_1, top_5) = (report.top_1(), report.top_5());
    let (images, unreadable) = (report.counts.all.images, report.unreadable.photos);
    if wants_json(arguments.json) {
        let ends = |accuracy: Option<Accuracy>| accuracy.map(|a| [a.low, a.high]);
        json(&Answer {
            top_1: top_1.map(|a| a.percent),
            top_5: top_5.map(|a| a.percent),
            images,
            unreadable,
            intervals: Intervals { top_1: ends(top_1), top_5: ends(top_5) },
            calibration: report.calibration,
        })?;
    } else if let (Some(top_1), Some(top_5)) = (top_1, top_5) {
        for (name, Accuracy { percent, low, high }) in [("top-1", top_1), ("top-5", top_5)] {
            say(&format!("{name} {percent:.2} %  (95 % interval {low:.2} to {high:.2} %)"));
        }
        say(&format!("{images} photos"));
    }
    report.calibration.into_iter().for_each(calibrate::tell);
    refuse_unreadable(images, unreadable)
}

/// # Errors
/// When there are photos that could not be read.
fn refuse_unreadable(images: u64, unreadable: u64) -> Result<(), Failure> {
    match unreadable {
        0 => Ok(()),
        n => {
            let total = images + n;
            Err(Failure::Data(format!("{n} of {total} photos could not be read and were left out")))
        }
    }
}

/// Names the photos that could not be read.
fn list(Unreadable { photos, named }: &Unreadable, place: Option<&str>) {
    let folder = place.map_or(String::new(), |place| format!("{}/", place.trim_end_matches('/')));
    for (file, reason) in named.values() {
        say(&format!("{folder}{file}: {reason}"));
    }
    if *photos > named.len() as u64 {
        say(&format!("and {} more, which the journals name", photos - named.len() as u64));
    }
}
