//! A converted network compared with its checkpoint on photos.

use crate::CheckpointError;
use crate::agreement::{cosine, kl_divergence};
use crate::calibrate::photos;
use crate::layerwise::LayerwiseForward;
use crate::model_folder::ModelFolder;
use crate::network::Network;
use crate::source::Source;
use beit::backend::Cpu;
use beit::config::Config;
use beit::preprocess::Pixels;
use beit::topk::top_k;
use beit::weights::{Header, Tensor, TensorData};
use kernels::Isa;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Photos that go through both networks at a time: they take their pixels and one residual stream each, and each
/// network's weights are read once.
const BATCH: usize = 32;

/// How a converted network answers photos, beside the checkpoint in F32.
#[derive(Debug)]
pub struct PhotoAgreement {
    /// In the order of the files.
    pub photos: Vec<ComparedPhoto>,
    /// Photos that could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// A photo's answers of two networks.
#[derive(Debug)]
pub struct ComparedPhoto {
    /// The photo.
    pub file: PathBuf,
    /// The checkpoint's first class and its probability.
    pub source: (usize, f32),
    /// The converted network's.
    pub converted: (usize, f32),
    /// Kullback-Leibler divergence of the classes' probabilities from the checkpoint to the converted network, in nats.
    pub kl_divergence: f64,
    /// Between the logits.
    pub cosine: f64,
}

impl ComparedPhoto {
    fn new(file: PathBuf, source: &[f32], converted: &[f32]) -> Self {
        let first = |logits: &[f32]| top_k(logits, 1).first().copied().unwrap_or_default();
        Self {
            file,
            source: first(source),
            converted: first(converted),
            kl_divergence: kl_divergence(source, converted),
            cosine: cosine(source, converted),
        }
    }

    /// Whether both networks give the same first class.
    pub fn agrees(&self) -> bool {
        self.source.0 == self.converted.0
    }
}

impl PhotoAgreement {
    /// Photos with the same first class.
    pub fn same_first_class(&self) -> usize {
        self.photos.iter().filter(|photo| photo.agrees()).count()
    }

    /// Mean and largest Kullback-Leibler divergence.
    pub fn kl_divergence(&self) -> (f64, f64) {
        let all = || self.photos.iter().map(|photo| photo.kl_divergence);
        (all().sum::<f64>() / self.photos.len().max(1) as f64, all().fold(0.0, f64::max))
    }

    /// The lowest cosine between the logits.
    pub fn lowest_cosine(&self) -> f64 {
        self.photos.iter().map(|photo| photo.cosine).fold(1.0, f64::min)
    }

    /// The photos whose first class differs, the largest divergence first.
    pub fn disagreeing(&self) -> Vec<&ComparedPhoto> {
        let mut differ: Vec<_> = self.photos.iter().filter(|photo| !photo.agrees()).collect();
        differ.sort_by(|a, b| b.kl_divergence.total_cmp(&a.kl_divergence));
        differ
    }
}

/// Answers photos with the checkpoint `source` in F32 and with the converted model, layer by layer: neither network
/// is in memory as a whole. `header` is the model's; `progress` is told of each photo that is done.
///
/// # Errors
/// When the checkpoint's network is not of the model's shape, no photo can be read, or a file is not what it was.
pub fn compare(
    source: &Path,
    model: &ModelFolder,
    header: &Header,
    files: &[PathBuf],
    progress: &dyn Fn(),
) -> Result<PhotoAgreement, CheckpointError> {
    let config = &header.config;
    let network = Network::new(Source::open(source)?, &config.name)?;
    // A conversion may set its own preprocessing.
    if (Config { preprocessing: config.preprocessing.clone(), ..network.config.clone() }) != *config {
        let reason = format!("its network is of another shape than the one in {}", model.path().display());
        return Err(CheckpointError::format(source, reason));
    }
    let mut agreement = PhotoAgreement { photos: Vec::new(), unreadable: Vec::new() };
    for files in files.chunks(BATCH) {
        let (mut read, mut inputs) = (Vec::new(), Vec::new());
        for (file, photo) in files.iter().zip(photos::read(files, config)) {
            match photo {
                Ok(pixels) => {
                    read.push(file.clone());
                    inputs.push(pixels);
                }
                Err(fault) => {
                    agreement.unreadable.push(fault);
                    progress();
                }
            }
        }
        let inputs: Arc<[Pixels]> = inputs.into();
        if inputs.is_empty() {
            continue;
        }
        let exact = source_logits(&network, inputs.clone())?;
        let converted = converted_logits(model, config, inputs)?;
        for ((file, exact), converted) in read.into_iter().zip(&exact).zip(&converted) {
            agreement.photos.push(ComparedPhoto::new(file, exact, converted));
            progress();
        }
    }
    match (agreement.photos.is_empty(), agreement.unreadable.first()) {
        (true, Some((file, reason))) => {
            let all = agreement.unreadable.len();
            let reason = format!("none of {all} photos can be read, such as this one: {reason}");
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
            Err(CheckpointError::io("compare on", file)(source))
        }
        _ => Ok(agreement),
    }
}

/// The checkpoint's logits, in F32.
fn source_logits(network: &Network, inputs: Arc<[Pixels]>) -> Result<Vec<Vec<f32>>, CheckpointError> {
    let build = |e| CheckpointError::Build { path: network.source.path().to_owned(), source: e };
    let mut forward = LayerwiseForward::new(&network.config, || Cpu::new(Isa::best()), inputs);
    for (spec, parts) in network.tensors() {
        let data = TensorData::Dense(network.values(parts)?);
        forward.add(Tensor { spec, data }).map_err(build)?;
    }
    pollster::block_on(forward.logits()).map_err(build)
}

/// The converted network's logits, its shards verified on the way.
fn converted_logits(
    model: &ModelFolder,
    config: &Config,
    inputs: Arc<[Pixels]>,
) -> Result<Vec<Vec<f32>>, CheckpointError> {
    let build = |e| CheckpointError::Build { path: model.path().to_owned(), source: e };
    let mut forward = LayerwiseForward::new(config, || Cpu::new(Isa::best()), inputs);
    model.read(|_, tensor| forward.add(tensor).map_err(build))?;
    pollster::block_on(forward.logits()).map_err(build)
}
