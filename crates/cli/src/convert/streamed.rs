//! `convert --no-cache`: a hub's checkpoint is quantised while it comes, and no file has its bytes.

use super::{Arguments, preparation, say_labels, say_network};
use crate::failure::Failure;
use crate::fetch::{self, displayed, of_commit};
use crate::output::{json, say, size, wants_json};
use crate::small_files::SmallFiles;
use beit::labels::Label;
use beit::weights::Manifest;
use checkpoint::streaming::StreamedModel;
use checkpoint::{OutputFolder, Settings, StreamingConversion, labels};
use hub::{Receiver, Reference, RemoteFile};
use serde::Serialize;
use std::io;
use std::path::Path;

/// Converts the checkpoint on a hub that the arguments name.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let reference = check(arguments)?;
    let hub_settings = hub::Settings::from_env()?;
    let mut converter = Converter {
        settings: arguments.settings(Some(&reference)),
        labels: arguments.labels.as_deref().map(read_labels).transpose()?,
        reference: &reference,
        hub_settings: &hub_settings,
        conversion: None,
        refusal: None,
    };
    // Settings out of range and a folder that is in use are told before the long work.
    StreamingConversion::new("", converter.settings.clone(), None)?;
    let folder = OutputFolder::create(&arguments.out)?;

    let streamed =
        displayed(&reference, |notify| hub::stream(&reference, &hub_settings, notify, &mut converter));
    let Converter { conversion, refusal, settings, .. } = converter;
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let file = streamed?;
    say(&format!("{} ({}): converted while it came, its hash is the hub's", file.path, size(file.bytes)));
    let conversion = conversion.ok_or_else(|| Failure::Data(format!("{} did not come", file.path)))?;
    let model = conversion.finish(None)?;
    say(&format!("writing {}", arguments.out.display()));
    let manifest = pollster::block_on(model.write(&mut &folder))?;
    folder.commit()?;

    say_network(&manifest, model.config(), model.dialect(), model.notes());
    say_labels(model.labels_origin());
    let (bytes, shards) = (size(manifest.bytes), manifest.shards.len());
    say(&format!("{bytes} in {shards} shards in {}", arguments.out.display()));
    if wants_json(arguments.json) {
        json(&report(&manifest, &model, settings.license.as_deref(), arguments))
    } else {
        Ok(())
    }
}

/// The model on the hub, and no option that wants the checkpoint as a file.
fn check(arguments: &Arguments) -> Result<Reference, Failure> {
    let refuse = |option: &str, why: &str| {
        Err(Failure::Usage(format!("{option} can't go with --no-cache, {why}: leave one of them out")))
    };
    if arguments.calibrate.is_some() {
        return refuse(
            "--calibrate",
            "since it runs the checkpoint's network on photos before anything is rounded",
        );
    }
    if !arguments.verify.is_empty() {
        return refuse("--verify", "since it runs the checkpoint's network beside the converted one");
    }
    if arguments.card.is_some() {
        return refuse("--card", "which writes the converted weights alone");
    }
    fetch::reference(&arguments.source)?.ok_or_else(|| {
        let source = arguments.source.display();
        Failure::Usage(format!("--no-cache is for models on a hub (hf:… or modelscope:…), got {source}"))
    })
}

fn read_labels(path: &Path) -> Result<Vec<Label>, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::Data(format!("cannot read {}: {error}", path.display())))?;
    Ok(labels::read(path, bytes)?)
}

/// Quantises what comes.
struct Converter<'a> {
    settings: Settings,
    labels: Option<Vec<Label>>,
    reference: &'a Reference,
    hub_settings: &'a hub::Settings,
    conversion: Option<StreamingConversion>,
    /// Why no more bytes are wanted.
    refusal: Option<Failure>,
}

impl Converter<'_> {
    fn start(&mut self, file: &RemoteFile) -> Result<(), Failure> {
        if hub::is_index(&file.path) {
            return Err(Failure::Data(format!(
                "{} is the index of a checkpoint in several files, which are not converted while they come: leave out \
                 --no-cache",
                file.path
            )));
        }
        // A transfer that begins anew is of the same commit.
        if self.conversion.is_none() {
            let beside = of_commit(self.reference, &file.path, file.commit.clone());
            let files = SmallFiles::Streamed { beside, settings: self.hub_settings };
            preparation::fill_in(&mut self.settings, &files)?;
        }
        let name = file.path.rsplit('/').next().unwrap_or_default();
        self.conversion = Some(StreamingConversion::new(name, self.settings.clone(), self.labels.clone())?);
        Ok(())
    }

    fn refuse(&mut self, refusal: Failure) -> io::Error {
        let error = io::Error::other(refusal.to_string());
        self.refusal = Some(refusal);
        error
    }
}

impl Receiver for Converter<'_> {
    fn begin(&mut self, file: &RemoteFile) -> io::Result<()> {
        self.start(file).map_err(|refusal| self.refuse(refusal))
    }

    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        let pushed = self.conversion.as_mut().map_or(Ok(()), |conversion| conversion.push(bytes));
        pushed.map_err(|error| self.refuse(error.into()))
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
    /// Of the checkpoint.
    source_sha256: &'a str,
    /// The most bytes of tensors that were held at a time.
    peak_bytes: u64,
}

fn report<'a>(
    manifest: &'a Manifest,
    model: &'a StreamedModel,
    license: Option<&'a str>,
    arguments: &Arguments,
) -> Report<'a> {
    Report {
        name: &manifest.name,
        quantization: &manifest.quantization,
        out: arguments.out.display().to_string(),
        license,
        dialect: model.dialect().to_string(),
        parameters: manifest.parameters,
        classes: manifest.classes,
        bytes: manifest.bytes,
        sha256: &manifest.sha256,
        shards: manifest.shards.iter().map(|shard| shard.name.as_str()).collect(),
        notes: model.notes().iter().map(ToString::to_string).collect(),
        source_sha256: model.sha256(),
        peak_bytes: model.peak_bytes(),
    }
}
