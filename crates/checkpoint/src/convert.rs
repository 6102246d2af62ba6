//! Checkpoint → quantised GGUF shards and manifest.

use crate::CheckpointError;
use crate::calibrate::{self, Calibrated};
use crate::dialects::Dialect;
use crate::labels::{self, Labels, Origin};
use crate::model_folder::ModelFolder;
use crate::network::Network;
use crate::note::Note;
use crate::output_folder::OutputFolder;
use crate::progress::Progress;
use crate::quantize::Quantization;
use crate::settings::Settings;
use crate::source::Source;
use crate::verify::{self, ReadBack, TensorReport};
use crate::write_model::{NewModelFiles, source_of};
use beit::config::Config;
use beit::weights::schema::TensorSpec;
use beit::weights::{Manifest, StoredTensor, WeightsError};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to convert, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// A checkpoint, the index of a split one, or a folder that holds one.
    pub source: PathBuf,
    /// The folder to write.
    pub out: PathBuf,
    /// How linear weights are stored.
    pub quantization: Quantization,
    /// The model's name; from the source's file name if not given.
    pub name: Option<String>,
    /// A labels file: see [`labels::find`].
    pub labels: Option<PathBuf>,
    /// SPDX expression of the weights' licence.
    pub license: Option<String>,
    /// A model card in Markdown, copied beside the manifest.
    pub card: Option<PathBuf>,
    /// Largest shard.
    pub shard_bytes: u64,
    /// Short side after resizing; by `crop` if not given, else 256/224 of the image size, or of a BEiT of 384 or more pixels
    /// that size.
    pub short_side: Option<usize>,
    /// See [`Settings::crop`].
    pub crop: Option<f64>,
    /// By the checkpoint's name if not given: ImageNet's, or BEiT's 0.5.
    pub mean: Option<[f32; 3]>,
    /// As [`Options::mean`].
    pub std: Option<[f32; 3]>,
    /// Photos to round by; without them each block of weights is rounded for itself.
    pub calibration: Option<Calibration>,
}

/// Photos that show what each layer's inputs are like: see [`Options::calibration`].
#[derive(Clone, Debug)]
pub struct Calibration {
    /// A folder of photos, folders inside it included.
    pub folder: PathBuf,
    /// Photos to use at most, spread evenly over the folder.
    pub photos: usize,
}

impl Options {
    /// Everything else by default.
    pub fn new(source: impl Into<PathBuf>, out: impl Into<PathBuf>, quantization: Quantization) -> Self {
        Self::with(source, out, Settings::new(quantization))
    }

    /// These settings, and nothing else.
    pub fn with(source: impl Into<PathBuf>, out: impl Into<PathBuf>, settings: Settings) -> Self {
        let Settings { quantization, name, license, shard_bytes, short_side, crop, mean, std } = settings;
        Self {
            source: source.into(),
            out: out.into(),
            quantization,
            name,
            labels: None,
            license,
            card: None,
            shard_bytes,
            short_side,
            crop,
            mean,
            std,
            calibration: None,
        }
    }

    /// What does not depend on where the checkpoint comes from.
    fn settings(&self) -> Settings {
        Settings {
            quantization: self.quantization,
            name: self.name.clone(),
            license: self.license.clone(),
            shard_bytes: self.shard_bytes,
            short_side: self.short_side,
            crop: self.crop,
            mean: self.mean,
            std: self.std,
        }
    }
}

/// What was converted.
#[derive(Debug)]
pub struct Conversion {
    /// As written.
    pub manifest: Manifest,
    /// The naming scheme of the checkpoint's tensors.
    pub dialect: Dialect,
    /// The network's configuration.
    pub config: Config,
    /// Where the classes' names come from.
    pub labels_origin: Origin,
    /// What was decided or left out of the checkpoint.
    pub notes: Vec<Note>,
    /// One for each tensor, in the file's order.
    pub tensors: Vec<TensorReport>,
    /// After the stem and after each block: the lowest cosine, over the check inputs, between the residual streams
    /// of the network as written and of its source in F32.
    pub layers_cosine: Vec<f64>,
    /// For each block, then for the head: the cosine between its output as written and its source's in F32, both
    /// given the source's activations on the check inputs; the lowest over these. Of a block it is between what is
    /// added to the residual stream, each channel divided by its root mean square, so that no large channel conceals the
    /// others.
    pub own_cosine: Vec<f64>,
    /// For each check input, the cosine between the logits of the network as written and those of its source in
    /// F32.
    pub logits_cosine: Vec<f64>,
    /// Calibration photos that were used.
    pub calibration_photos: usize,
    /// Calibration photos that could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Converts a checkpoint. The same input gives the same bytes.
///
/// # Errors
/// See [`CheckpointError`]; nothing is left behind then, and an earlier conversion stays as it was.
pub fn convert(
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Conversion, CheckpointError> {
    let settings = options.settings();
    settings.check()?;
    check_calibration(options)?;
    progress(Progress::Check);
    let source = Source::open(&options.source)?;
    let name = settings.name_for(source.path());
    let mut network = Network::new(source, &name)?;
    let prepared = settings.set_preprocessing(network.source.path(), &mut network.config)?;
    network.notes.extend(prepared);
    let Labels { classes, origin } =
        labels::find(options.labels.as_deref(), network.source.class_names(), network.config.classes)?;
    let card =
        options.card.as_deref().map(|path| std::fs::read(path).map_err(CheckpointError::io("read", path)));
    let card = card.transpose()?;
    let photos = match &options.calibration {
        Some(calibration) => {
            let folder = std::slice::from_ref(&calibration.folder);
            calibrate::photos::find_photos("--calibrate", folder, calibration.photos)?
        }
        None => Vec::new(),
    };
    let folder = OutputFolder::create(&options.out)?;

    let mut calibrated = Calibrated::default();
    if !photos.is_empty() {
        calibrated = calibrate::calibrate(&network, options.quantization, &photos, progress)?;
    }
    let tensors = quantize_all(&network, &mut calibrated, options, progress)?;
    let mut stored = network.config.tensors().into_iter().zip(&tensors);
    let keeps_head = stored.any(|(spec, stored)| options.quantization.keeps_head(&spec, stored.storage()));
    network.notes.extend(keeps_head.then_some(Note::HeadKept));
    progress(Progress::Write);
    let model = NewModelFiles {
        config: &network.config,
        labels: &classes.labels,
        extra: &settings.metadata(&classes),
        tensors: &tensors,
        quantization: options.quantization,
        source: Some(source_of(network.source.path(), network.source.sha256())),
        card: card.as_deref(),
        shard_bytes: options.shard_bytes,
    };
    let manifest = pollster::block_on(model.write(&options.out, &mut &folder))?;
    drop(tensors);

    progress(Progress::Verify);
    let ReadBack { tensors, layers_cosine, own_cosine, logits_cosine } = verify::read_back(
        &ModelFolder::open(folder.path())?,
        &network,
        options.quantization,
        &classes,
        &calibrated,
    )?;
    folder.commit()?;
    let Network { dialect, config, notes, .. } = network;
    Ok(Conversion {
        manifest,
        dialect,
        config,
        labels_origin: origin,
        notes,
        tensors,
        layers_cosine,
        own_cosine,
        logits_cosine,
        calibration_photos: calibrated.photos,
        unreadable: calibrated.unreadable,
    })
}

fn quantize_all(
    network: &Network,
    calibrated: &mut Calibrated,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<StoredTensor>, CheckpointError> {
    let take = |(spec, parts): (TensorSpec, _)| (calibrated.stored.remove(&spec.name), spec, parts);
    let tensors: Vec<_> = network.tensors().map(take).collect();
    let (done, total) = (AtomicUsize::new(0), tensors.len());
    let quantize = |(stored, spec, parts): (Option<StoredTensor>, TensorSpec, &[_])| {
        if let Some(stored) = stored {
            return Ok(stored);
        }
        let moved = calibrated.biases.get(&spec.name).cloned();
        let values = match moved {
            Some(values) => values,
            None => network.values_to_round(options.quantization, &spec, parts)?,
        };
        let (storage, bytes) = options.quantization.quantize(&spec, &values);
        let stored = StoredTensor::new(&spec, storage, bytes);
        progress(Progress::Quantize { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        stored.map_err(|e| weights(options, e))
    };
    tensors.into_par_iter().map(quantize).collect()
}

fn weights(options: &Options, source: WeightsError) -> CheckpointError {
    CheckpointError::Weights { path: options.out.clone(), source }
}

/// Whether there is something to calibrate, and photos to do it with.
fn check_calibration(options: &Options) -> Result<(), CheckpointError> {
    let fault = |name, expected: &str, got: String| {
        Err(CheckpointError::Option { name, expected: expected.into(), got })
    };
    let Some(calibration) = &options.calibration else { return Ok(()) };
    if !matches!(options.quantization, Quantization::Q8_0 | Quantization::Q4_0) {
        let got = options.quantization.to_string();
        return fault("--calibrate", "a quantisation that rounds, q8_0 or q4_0", got);
    }
    if calibration.photos == 0 {
        return fault("--calibrate-photos", "at least 1", "0".into());
    }
    Ok(())
}
