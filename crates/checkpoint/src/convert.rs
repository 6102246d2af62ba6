//! Checkpoint → quantised GGUF shards and manifest.

use crate::CheckpointError;
use crate::calibrate::{self, Calibrated};
use crate::dialects::Dialect;
use crate::labels::{self, Labels, Origin};
use crate::model_folder::ModelFolder;
use crate::network::Network;
use crate::note::Note;
use crate::output_folder::{CARD, MANIFEST, OutputFolder};
use crate::progress::Progress;
use crate::quantize::{self, Quantization};
use crate::shards::{ShardWriter, Shards};
use crate::source::Source;
use crate::split_index::INDEX_ENDING;
use crate::verify::{self, ReadBack, TensorReport};
use beit::config::Config;
use beit::weights::gguf::Value;
use beit::weights::schema::{self, TensorSpec};
use beit::weights::{Checkpoint, MANIFEST_FORMAT, Manifest, StoredTensor, WeightsError};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cloudflare Pages refuses files above 25 MiB, GitHub above 100 MB.
pub const DEFAULT_SHARD_BYTES: u64 = 20 << 20;
/// The manifest's readers refuse larger shards.
const MAX_SHARD_BYTES: u64 = 256 << 20;

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
    /// Short side after resizing; 256/224 of the image size if not given.
    pub short_side: Option<usize>,
    /// ImageNet's if not given.
    pub mean: Option<[f32; 3]>,
    /// ImageNet's if not given.
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
        Self {
            source: source.into(),
            out: out.into(),
            quantization,
            name: None,
            labels: None,
            license: None,
            card: None,
            shard_bytes: DEFAULT_SHARD_BYTES,
            short_side: None,
            mean: None,
            std: None,
            calibration: None,
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
    check_options(options)?;
    progress(Progress::Check);
    let source = Source::open(&options.source)?;
    let name = match &options.name {
        Some(name) => name.clone(),
        None => default_name(source.path()),
    };
    let mut network = Network::new(source, &name)?;
    override_preprocessing(&mut network.config, options)?;
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
    progress(Progress::Write);
    let stem = format!("{name}-{}.gguf", options.quantization);
    let mut extra = general(options);
    extra.extend(schema::kinds_metadata(&classes.kinds));
    let mut writer = ShardWriter::new(folder.path().to_owned(), options.shard_bytes);
    beit::weights::write(&mut writer, &network.config, &classes.labels, &extra, &tensors)
        .map_err(|e| weights(options, e))?;
    drop(tensors);
    let Shards { shards, bytes, sha256 } =
        writer.finish(&stem).map_err(CheckpointError::io("write", &options.out))?;
    let manifest = Manifest {
        format: MANIFEST_FORMAT.to_owned(),
        name,
        quantization: options.quantization.name().to_owned(),
        parameters: network.config.parameters(),
        classes: network.config.classes,
        image_size: network.config.image_size,
        source: Some(Checkpoint { file: source_file(&network.source), sha256: network.source.sha256() }),
        card: card.is_some().then(|| CARD.to_owned()),
        bytes,
        sha256,
        shards,
    };
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).map_err(CheckpointError::io("write", &path))
    };
    if let Some(card) = card {
        write(CARD, &card)?;
    }
    let mut json = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    json.push('\n');
    write(MANIFEST, json.as_bytes())?;

    progress(Progress::Verify);
    let ReadBack { tensors, layers_cosine, logits_cosine } =
        verify::read_back(&ModelFolder::open(folder.path())?, &network, &classes, &calibrated)?;
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
            None => network.values(parts)?,
        };
        let storage = options.quantization.storage_of(&spec, &values);
        let stored = StoredTensor::new(&spec, storage, quantize::encode(storage, &values));
        progress(Progress::Quantize { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        stored.map_err(|e| weights(options, e))
    };
    tensors.into_par_iter().map(quantize).collect()
}

fn weights(options: &Options, source: WeightsError) -> CheckpointError {
    CheckpointError::Weights { path: options.out.clone(), source }
}

fn source_file(source: &Source) -> String {
    source.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// GGUF's `general.*` metadata. The checkpoint itself is named in the manifest: see [`Manifest::source`].
fn general(options: &Options) -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::String(text.to_owned());
    let mut extra = vec![
        ("general.quantized_by", text(concat!("beitscope ", env!("CARGO_PKG_VERSION")))),
        // GGUF's version of the block formats.
        ("general.quantization_version", Value::U32(2)),
    ];
    if let Some(license) = &options.license {
        extra.push(("general.license", text(license)));
    }
    extra
}

fn check_options(options: &Options) -> Result<(), CheckpointError> {
    let fault = |name, expected: &str, got: String| {
        Err(CheckpointError::Option { name, expected: expected.into(), got })
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if let Some(name) = &options.name
        && !(1..=150).contains(&name.len()) | name.starts_with('.') | !name.bytes().all(plain)
    {
        return fault("--name", "at most 150 letters, digits, dots, dashes and underscores", name.clone());
    }
    if let Some(calibration) = &options.calibration {
        if !matches!(options.quantization, Quantization::Q8_0 | Quantization::Q4_0) {
            let got = options.quantization.to_string();
            return fault("--calibrate", "a quantisation that rounds, q8_0 or q4_0", got);
        }
        if calibration.photos == 0 {
            return fault("--calibrate-photos", "at least 1", "0".into());
        }
    }
    if !(1..=MAX_SHARD_BYTES).contains(&options.shard_bytes) {
        return fault("--shard-size", "1 to 256 MiB", format!("{} bytes", options.shard_bytes));
    }
    Ok(())
}

fn override_preprocessing(config: &mut Config, options: &Options) -> Result<(), CheckpointError> {
    let fault = |name, expected: String, got: String| Err(CheckpointError::Option { name, expected, got });
    let preprocessing = &mut config.preprocessing;
    if let Some(short_side) = options.short_side {
        if !(preprocessing.crop..=8192).contains(&short_side) {
            let expected = format!("{} (the image size) to 8192", preprocessing.crop);
            return fault("--short-side", expected, short_side.to_string());
        }
        preprocessing.short_side = short_side;
    }
    if let Some(mean) = options.mean {
        if !mean.iter().all(|m| m.is_finite()) {
            return fault("--mean", "three finite numbers".into(), format!("{mean:?}"));
        }
        preprocessing.mean = mean;
    }
    if let Some(std) = options.std {
        if !std.iter().all(|s| s.is_finite() && *s > 0.0) {
            return fault("--std", "three positive numbers".into(), format!("{std:?}"));
        }
        preprocessing.std = std;
    }
    Ok(())
}

/// The checkpoint's file name, or its folder's where the file name says nothing.
fn default_name(path: &Path) -> String {
    const SAYS_NOTHING: [&str; 4] = ["model", "pytorch_model", "checkpoints", "checkpoint"];
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let file = Path::new(file.strip_suffix(INDEX_ENDING).or(file.strip_suffix(".tar")).unwrap_or(&file));
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = std::path::absolute(path)
        .ok()
        .and_then(|p| Some(p.parent()?.file_name()?.to_string_lossy().into_owned()));
    let name = if SAYS_NOTHING.contains(&stem.as_str()) { folder.unwrap_or(stem) } else { stem };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = name.trim_start_matches('.').chars().map(plain).take(150).collect();
    if name.is_empty() { "beit".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_what_says_something() {
        let names = [
            ("/x/beitv2_large_patch16_224_pt1k_ft21kto1k.pth", "beitv2_large_patch16_224_pt1k_ft21kto1k"),
            ("/x/beitv2_large.in1k/model.safetensors", "beitv2_large.in1k"),
            ("/x/我的 model.pt", "---model"),
            ("/x/.hidden.pt", "hidden"),
            ("/x/sharded/model.safetensors.index.json", "sharded"),
            ("/x/birds.bin.index.json", "birds"),
            ("/x/last.pth.tar", "last"),
        ];
        for (path, name) in names {
            assert_eq!(default_name(Path::new(path)), name);
        }
    }
}
