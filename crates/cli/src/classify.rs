//! `beitscope classify`: what is on these photos.

use crate::engine::{self, Engine, Logits};
use crate::explain_input::{self, Input};
use crate::failure::Failure;
use crate::output::{failure, json, say, wants_json};
use crate::running::Running;
use beit::calibration::Calibration;
use beit::labels::Label;
use beit::topk::top_k_at;
use clap::Args;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Classes to name for each photo, best first
    #[arg(long, default_value = "5", value_name = "K")]
    top_k: NonZeroUsize,
    /// Print JSON even to a terminal: one object a photo, one line each
    #[arg(long)]
    json: bool,
    /// Add every class's logit to the JSON
    #[arg(long)]
    logits: bool,
    /// Leave the model's calibration aside: the plain softmax of its logits, and no word on photos of none of its classes
    #[arg(long)]
    raw: bool,
    /// Say how each photo was read, and write what the network saw of it to this folder, as PNG
    #[arg(long, value_name = "DIR")]
    explain_input: Option<PathBuf>,
    #[command(flatten)]
    running: Running,
    /// JPEG, PNG, WebP, GIF, BMP, TIFF, ICO, PNM, QOI, TGA or raw files
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
}

/// A photo's answer.
#[derive(Serialize)]
struct Answer<'a> {
    file: String,
    predictions: Vec<Prediction<'a>>,
    /// Whether the photo most likely shows none of the classes; nothing where the model has no threshold for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    none_of_these: Option<bool>,
    /// The same in words, where it shows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Of so many hundredths of the picture, rounded up, the file has no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_percent: Option<u8>,
    /// The network alone, in milliseconds.
    ms: f64,
    backend: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Input>,
}

#[derive(Serialize)]
struct Prediction<'a> {
    /// Row of the model's head.
    index: usize,
    wnid: &'a str,
    label: &'a str,
    label_zh: &'a str,
    /// Softmax probability, 0 to 1; calibrated where the model has a temperature.
    score: f32,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let pool = engine::pool(arguments.running.threads())?;
    pool.install(|| {
        let engine = Engine::load(&arguments.model, arguments.running.backend)?;
        engine.warm_up()?;
        let mut unanswered = 0;
        for (number, path) in arguments.photos.iter().enumerate() {
            let file = path.display().to_string();
            let answered = engine::read_photo(path).and_then(|photo| {
                let folder = arguments.explain_input.as_ref();
                let input =
                    folder.map(|folder| explain_input::explain(&engine, &photo, path, number + 1, folder));
                Ok((engine.logits(&photo)?, input.transpose()?, photo.missing_percent))
            });
            match answered {
                Ok((logits, input, missing_percent)) => {
                    answer(arguments, &engine, file, logits, input, missing_percent)?;
                }
                Err(error) => {
                    unanswered += 1;
                    failure(&file, &error, wants_json(arguments.json))?;
                }
            }
        }
        match (unanswered, arguments.photos.len()) {
            (0, _) => Ok(()),
            (1, 1) => Err(Failure::Data("the photo could not be answered".into())),
            (n, all) => Err(Failure::Data(format!("{n} of {all} photos could not be answered"))),
        }
    })
}

fn answer(
    arguments: &Arguments,
    engine: &Engine,
    file: String,
    logits: Logits,
    input: Option<Input>,
    missing_percent: u8,
) -> Result<(), Failure> {
    let prediction = |(index, score): (usize, f32)| {
        let Label { wnid, en, zh } = &engine.labels[index];
        Prediction { index, wnid, label: en, label_zh: zh, score }
    };
    let calibration = engine.calibration.as_ref().filter(|_| !arguments.raw);
    let temperature = calibration.map_or(1.0, |calibration| calibration.temperature);
    let predictions: Vec<_> =
        top_k_at(&logits.values, arguments.top_k.get(), temperature).into_iter().map(prediction).collect();
    let none_of_these = calibration.and_then(|calibration| is_none_of_these(calibration, &logits.values));
    let note = (none_of_these == Some(true))
        .then(|| format!("None of the {} classes it knows, most likely.", logits.values.len()));
    if wants_json(arguments.json) {
        let ms = (logits.ms * 100.0).round() / 100.0;
        return json(&Answer {
            file,
            predictions,
            none_of_these,
            note,
            missing_percent: (missing_percent > 0).then_some(missing_percent),
            ms,
            backend: engine.backend().name(),
            logits: arguments.logits.then_some(logits.values),
            input,
        });
    }
    say(&format!("{file}  ({:.0} ms)", logits.ms));
    if missing_percent > 0 {
        say(&format!("  {missing_percent} % of this picture is missing: the file is cut short or damaged."));
    }
    if let Some(note) = note {
        say(&format!("  {note} Of those, the likeliest:"));
    }
    for p in predictions {
        say(&format!("  {:6.2} %  {}  {}", p.score * 100.0, p.label, p.label_zh));
    }
    if let Some(input) = input {
        input.say();
    }
    Ok(())
}

/// Nothing where the model has no threshold.
fn is_none_of_these(calibration: &Calibration, logits: &[f32]) -> Option<bool> {
    calibration.none_of_these.map(|_| calibration.is_none_of_these(logits))
}
