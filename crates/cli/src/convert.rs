//! `beitscope convert`: checkpoint → GGUF shards and manifest.

mod preparation;
mod streamed;
mod warnings;

use crate::compare::{self, Agreement};
use crate::failure::Failure;
use crate::fetch::fetch;
use crate::output::{json, say, size, wants_json};
use crate::progress_meter::Meter;
use crate::small_files::SmallFiles;
use beit::config::Config;
use beit::preprocess::Preprocessing;
use beit::weights::Manifest;
use checkpoint::dialects::Dialect;
use checkpoint::labels::Origin;
use checkpoint::{Conversion, Note, Options, Progress, Quantization, Settings, find_photos};
use clap::Args;
use hub::Reference;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::OnceLock;
use warnings::warnings;

#[derive(Args)]
pub struct Arguments {
    /// A checkpoint (.safetensors, .pth, .pt, .bin, .ckpt, or the .index.json of a split one), a folder that
    /// holds one, hf:OWNER/NAME or modelscope:OWNER/NAME (then /FILE and @REVISION if need be)
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// How linear weights are stored: q8_0, q4_0, f16 or f32
    #[arg(long, value_name = "TYPE")]
    quant: Quantization,
    /// The folder to write; an earlier conversion in it is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The model's name; from the checkpoint's file name, or its repository's, if not given
    #[arg(long)]
    name: Option<String>,
    /// Class names, in the order of the head: classes.json, wnid TAB English TAB Chinese, or a name a line
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The weights' licence as an SPDX expression; from the model card beside the checkpoint if not given
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// A model card in Markdown, copied to README.md beside the manifest
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Largest shard in MiB
    #[arg(long, default_value = "20", value_name = "MiB")]
    shard_size: u64,
    /// Short side of the resized photo; from the config.json beside the checkpoint if not given, else 256/224 of the
    /// image size
    #[arg(long, value_name = "PIXELS")]
    short_side: Option<usize>,
    /// Mean of red, green and blue; from config.json if not given, else ImageNet's
    #[arg(long, value_name = "R,G,B", value_parser = channels, allow_hyphen_values = true)]
    mean: Option<[f32; 3]>,
    /// Standard deviation of red, green and blue; from config.json if not given, else ImageNet's
    #[arg(long, value_name = "R,G,B", value_parser = channels)]
    std: Option<[f32; 3]>,
    /// A folder of photos to round by: 4 bits then lose less (takes minutes)
    #[arg(long, value_name = "DIR")]
    calibrate: Option<PathBuf>,
    /// Photos to use of that folder, spread evenly over it
    #[arg(long, value_name = "N", default_value = "200", requires = "calibrate")]
    calibrate_photos: usize,
    /// Photos, or folders of photos, to compare the written model's answers with the checkpoint's on
    #[arg(long, value_name = "PHOTO", num_args = 1..)]
    verify: Vec<PathBuf>,
    /// Photos to use of those, spread evenly over them
    #[arg(long, value_name = "N", default_value = "200", requires = "verify")]
    verify_photos: NonZeroUsize,
    /// Of a model on a hub: convert it while it comes, and keep no copy of the checkpoint
    #[arg(long)]
    no_cache: bool,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// What is asked for; the name is a hub's repository's if none is given.
    fn settings(&self, reference: Option<&Reference>) -> Settings {
        let name = self.name.as_ref().or(reference.map(|reference| &reference.name));
        Settings {
            name: name.cloned(),
            license: self.license.clone(),
            shard_bytes: self.shard_size.saturating_mul(1 << 20),
            short_side: self.short_side,
            mean: self.mean,
            std: self.std,
            ..Settings::new(self.quant)
        }
    }
}

fn channels(text: &str) -> Result<[f32; 3], String> {
    let parsed: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let channels = parsed.ok().and_then(|values| <[f32; 3]>::try_from(values).ok());
    channels.ok_or_else(|| format!("expected three numbers such as 0.485,0.456,0.406, got {text}"))
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.no_cache {
        return streamed::run(arguments);
    }
    // Before the long work.
    let photos = find_photos("--verify", &arguments.verify, arguments.verify_photos.get())?;
    let fetched = fetch(&arguments.source)?;
    let reference = fetched.as_ref().map(|fetched| &fetched.reference);
    let source = fetched.as_ref().map_or(&arguments.source, |fetched| &fetched.path);
    let files = match reference {
        Some(reference) => SmallFiles::cached(reference)?,
        None => SmallFiles::beside(source),
    };
    let mut settings = arguments.settings(reference);
    preparation::fill_in(&mut settings, &files)?;
    let options = Options {
        labels: arguments.labels.clone(),
        card: arguments.card.clone(),
        calibration: arguments
            .calibrate
            .clone()
            .map(|folder| checkpoint::Calibration { folder, photos: arguments.calibrate_photos }),
        ..Options::with(source, &arguments.out, settings)
    };
    let meter = OnceLock::new();
    let conversion = checkpoint::convert(&options, &|progress| match progress {
        Progress::Check => say(&format!("checking {}", source.display())),
        Progress::Calibrate { done, total } => say(&format!("calibrating: {done} of {total} blocks")),
        Progress::Quantize { total, .. } => meter.get_or_init(|| Meter::new("tensors", total)).step(),
        Progress::Write => {
            if let Some(meter) = meter.get() {
                Meter::finish(meter);
            }
            say(&format!("writing {}", arguments.out.display()));
        }
        Progress::Verify => say("reading back"),
    })?;
    let warnings = warnings(&conversion, arguments.quant);
    say_summary(&conversion, arguments);
    for warning in &warnings {
        say(&format!("warning: {warning}"));
    }
    let agreement =
        if photos.is_empty() { None } else { Some(compare::run(source, &arguments.out, &photos)?) };
    if wants_json(arguments.json) {
        json(&report(&conversion, options.license.as_deref(), arguments, warnings, agreement))
    } else {
        Ok(())
    }
}

/// The conversion as JSON.
#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    quantization: &'a str,
    out: String,
    /// The weights' licence as an SPDX expression, where one is told.
    license: Option<&'a str>,
    dialect: String,
    parameters: u64,
    classes: usize,
    bytes: u64,
    sha256: &'a str,
    shards: Vec<&'a str>,
    /// What was decided or left out of the checkpoint, a sentence each.
    notes: Vec<String>,
    /// What was lost beyond a limit, a sentence each.
    warnings: Vec<String>,
    /// Photos that the rounding went by; 0 without `--calibrate`.
    calibration_photos: usize,
    /// After the patch embedding and after each block: the lowest cosine between the converted network's activations
    /// and the source's on the check inputs.
    layers_cosine: &'a [f64],
    /// For each block, then for the head: the cosine between its output and the source's, both given the source's
    /// activations.
    own_cosine: &'a [f64],
    /// For each check input: the cosine between the converted network's logits and the source's.
    logits_cosine: &'a [f64],
    tensors: Vec<Tensor<'a>>,
    /// With `--verify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<Agreement>,
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    storage: &'a str,
    bytes: u64,
    relative_rms_error: f64,
}

fn report<'a>(
    conversion: &'a Conversion,
    license: Option<&'a str>,
    arguments: &Arguments,
    warnings: Vec<String>,
    verification: Option<Agreement>,
) -> Report<'a> {
    let m = &conversion.manifest;
    let tensor = |t: &'a checkpoint::TensorReport| Tensor {
        name: &t.name,
        storage: t.storage,
        bytes: t.bytes,
        relative_rms_error: t.relative_rms_error,
    };
    Report {
        name: &m.name,
        quantization: &m.quantization,
        out: arguments.out.display().to_string(),
        license,
        dialect: conversion.dialect.to_string(),
        parameters: m.parameters,
        classes: m.classes,
        bytes: m.bytes,
        sha256: &m.sha256,
        shards: m.shards.iter().map(|shard| shard.name.as_str()).collect(),
        notes: conversion.notes.iter().map(ToString::to_string).collect(),
        warnings,
        calibration_photos: conversion.calibration_photos,
        layers_cosine: &conversion.layers_cosine,
        own_cosine: &conversion.own_cosine,
        logits_cosine: &conversion.logits_cosine,
        tensors: conversion.tensors.iter().map(tensor).collect(),
        verification,
    }
}

/// What network it is, and what was decided.
fn say_network(manifest: &Manifest, c: &Config, dialect: Dialect, notes: &[Note]) {
    say(&format!(
        "{}: {} blocks of width {}, {} px, {} classes, {} parameters, named as in {dialect}",
        manifest.name, c.depth, c.width, c.image_size, c.classes, manifest.parameters
    ));
    let Preprocessing { short_side, mean, std, .. } = c.preprocessing;
    say(&format!("photos: short side {short_side} px, mean {mean:?}, standard deviation {std:?}"));
    for note in notes {
        say(&format!("note: {note}"));
    }
}

/// Where the classes' names come from.
fn say_labels(origin: Origin) {
    match origin {
        Origin::Numbered => say(
            "note: the classes have no names; they are called \"class 0\", \"class 1\"… (--labels FILE names them)",
        ),
        Origin::Checkpoint => say("the classes' names come from the checkpoint"),
        Origin::Imagenet1k => say("the classes are ImageNet-1k's"),
        Origin::Imagenet22k => say("the classes are ImageNet-22k's, as of fall 2011"),
        Origin::File => {}
    }
}

fn say_summary(conversion: &Conversion, arguments: &Arguments) {
    let Conversion { manifest: m, config, dialect, notes, .. } = conversion;
    say_network(m, config, *dialect, notes);
    say_labels(conversion.labels_origin);
    if arguments.calibrate.is_some() {
        for (file, reason) in &conversion.unreadable {
            say(&format!("{}: left out: {reason}", file.display()));
        }
        say(&format!("calibrated on {} photos", conversion.calibration_photos));
    }
    // One line for each kind of tensor that was rounded, all blocks together.
    let mut kinds: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for t in conversion.tensors.iter().filter(|t| t.relative_rms_error > 0.0) {
        let kind = t
            .name
            .strip_prefix("blocks.")
            .and_then(|rest| rest.split_once('.'))
            .map_or(t.name.as_str(), |r| r.1);
        kinds.entry((kind, t.storage)).or_default().push(t.relative_rms_error);
    }
    for ((kind, storage), errors) in kinds {
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let worst = errors.iter().copied().fold(0.0, f64::max);
        say(&format!("  {kind:<24}{storage:<5} relative RMS error {mean:.5}, at most {worst:.5}"));
    }
    let least = conversion.logits_cosine.iter().copied().fold(1.0, f64::min);
    let inputs = conversion.logits_cosine.len();
    say(&format!("  logits on {inputs} check inputs against the source in F32: cosine at least {least:.6}"));
    say(&format!("{} in {} shards in {}", size(m.bytes), m.shards.len(), arguments.out.display()));
}
