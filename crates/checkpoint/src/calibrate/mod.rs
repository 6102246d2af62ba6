//! Calibrated rounding, from the layers' inputs on photos: `convert --calibrate`.
//!
//! Photos go through two networks side by side, block by block: the source in F32, and the one being written.
//! Each linear layer is first moved to the least-squares solution that gives, from the inputs the rounded
//! network has for it, the outputs of the source ([`moments`]); then rounded so that each error is compensated by
//! the weights still to be rounded ([`compensate`]); and its bias is set so that the mean output is the source's.
//! The target of a branch's last layer is the source's residual stream, so that it also compensates the errors of the
//! layers before it. The format and the network's shape stay as they are.

mod cholesky;
mod compensate;
mod moments;
pub(crate) mod photos;

use crate::CheckpointError;
use crate::levels::Levels;
use crate::network::Network;
use crate::progress::Progress;
use crate::quantize::{self, Quantization};
use crate::tensor_entry::TensorEntry;
use beit::backend::{Activation, Backend, BackendError, Cpu, CpuTokens, LayerNorm, Linear};
use beit::builder::{BuildError, ModelBuilder};
use beit::weights::schema::TensorSpec;
use beit::weights::{Storage, StoredTensor, Tensor, TensorData, sha256};
use kernels::{Isa, RelativePositionBias, WeightFormat};
use moments::Moments;
use std::collections::HashMap;
use std::path::PathBuf;

/// Tokens that go through a layer at a time.
const BATCH_TOKENS: usize = 2048;
/// Residuals behind a layer scale smaller than this are not compensated: that would take huge weights.
const SMALLEST_GAMMA: f32 = 1e-3;

/// A network rounded with the help of photos.
#[derive(Default)]
pub(crate) struct Calibrated {
    /// By name, each tensor that was rounded.
    pub(crate) stored: HashMap<String, StoredTensor>,
    /// SHA-256 of each rounded tensor's bytes.
    pub(crate) digests: HashMap<String, String>,
    /// The biases that were moved.
    pub(crate) biases: HashMap<String, Vec<f32>>,
    /// Photos that were used.
    pub(crate) photos: usize,
    /// Photos that could not be read, and why.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

/// Rounds the network's linear layers on some photos.
///
/// # Errors
/// When no photo can be read.
pub(crate) fn calibrate(
    network: &Network,
    quantization: Quantization,
    photos: &[PathBuf],
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Calibrated, CheckpointError> {
    let mut calibrator = Calibrator {
        network,
        quantization,
        cpu: Cpu::new(Isa::best()),
        tensors: network.tensors().map(|(spec, parts)| (spec.name.clone(), (spec, parts))).collect(),
        done: Calibrated::default(),
    };
    let depth = network.config.depth;
    let mut batches = calibrator.stem(photos)?;
    for i in 0..depth {
        progress(Progress::Calibrate { done: i, total: depth });
        calibrator.block(i, &mut batches)?;
    }
    calibrator.head(&batches)?;
    progress(Progress::Calibrate { done: depth, total: depth });
    Ok(calibrator.done)
}

struct Calibrator<'a> {
    network: &'a Network,
    quantization: Quantization,
    cpu: Cpu,
    tensors: HashMap<String, (TensorSpec, &'a [TensorEntry])>,
    done: Calibrated,
}

/// The residual streams of some photos in both networks, `[photos · tokens, width]`.
struct Batch {
    photos: usize,
    full: Vec<f32>,
    rounded: Vec<f32>,
}

/// Norm, linear layer, operation in between, linear layer, layer scale: what attention and MLP have in common.
struct Branch<'a> {
    norm: &'a LayerNorm<Cpu>,
    first: (String, &'a Linear<Cpu>),
    between: Between<'a>,
    second: (String, &'a Linear<Cpu>),
    gamma: &'a [f32],
}

#[derive(Clone, Copy)]
enum Between<'a> {
    Attention { heads: usize, bias: Option<&'a RelativePositionBias> },
    Gelu,
}

impl Branch<'_> {
    /// The norm of a residual stream.
    fn normed(&self, cpu: &Cpu, stream: &[f32], photos: usize) -> Result<CpuTokens, BackendError> {
        cpu.layer_norm(&upload(cpu, stream, photos, self.gamma.len())?, self.norm)
    }

    /// The second layer's input for a residual stream, with this first layer.
    fn hidden(
        &self,
        cpu: &Cpu,
        stream: &[f32],
        photos: usize,
        first: &Linear<Cpu>,
    ) -> Result<CpuTokens, BackendError> {
        let normed = self.normed(cpu, stream, photos)?;
        match self.between {
            Between::Gelu => cpu.linear(&normed, first, Activation::Gelu),
            Between::Attention { heads, bias } => {
                cpu.attention(&cpu.linear(&normed, first, Activation::None)?, heads, bias)
            }
        }
    }
}

impl<'a> Calibrator<'a> {
    fn stem(&mut self, photos: &[PathBuf]) -> Result<Vec<Batch>, CheckpointError> {
        let config = &self.network.config;
        let stem = self.builder(|name| !name.starts_with("blocks."))?.patch_embedding();
        let stem = stem.map_err(|e| self.fault(e))?;
        let mut batches = Vec::new();
        let (mut read, mut unreadable) = (0, Vec::new());
        for files in photos.chunks((BATCH_TOKENS / config.tokens()).max(1)) {
            let mut pixels = Vec::new();
            for photo in photos::read(files, config) {
                match photo {
                    Ok(photo) => pixels.push(photo),
                    Err(fault) => unreadable.push(fault),
                }
            }
            if pixels.is_empty() {
                continue;
            }
            read += pixels.len();
            let tokens = stem.forward(&self.cpu, &pixels).map_err(|e| self.fault(e))?;
            let full = tokens.values().to_vec();
            batches.push(Batch { photos: pixels.len(), rounded: full.clone(), full });
        }
        if let (0, Some((file, reason))) = (read, unreadable.first()) {
            let got =
                format!("{} that can't be read, such as {}: {reason}", unreadable.len(), file.display());
            return Err(CheckpointError::Option { name: "--calibrate", expected: "photos".into(), got });
        }
        (self.done.photos, self.done.unreadable) = (read, unreadable);
        Ok(batches)
    }

    fn block(&mut self, i: usize, batches: &mut [Batch]) -> Result<(), CheckpointError> {
        let prefix = format!("blocks.{i}.");
        let block = self.builder(|name| name.starts_with(&prefix))?.block(i).map_err(|e| self.fault(e))?;
        let attention = Branch {
            norm: &block.norm1,
            first: (format!("{prefix}attn.qkv"), &block.qkv),
            between: Between::Attention {
                heads: self.network.config.heads,
                bias: block.position_bias.as_ref(),
            },
            second: (format!("{prefix}attn.proj"), &block.proj),
            gamma: &block.gamma_1,
        };
        self.branch(&attention, batches)?;
        let mlp = Branch {
            norm: &block.norm2,
            first: (format!("{prefix}mlp.fc1"), &block.fc1),
            between: Between::Gelu,
            second: (format!("{prefix}mlp.fc2"), &block.fc2),
            gamma: &block.gamma_2,
        };
        self.branch(&mlp, batches)
    }

    fn branch(&mut self, branch: &Branch, batches: &mut [Batch]) -> Result<(), CheckpointError> {
        let (name, first) = &branch.first;
        let mut moments = self.moments(name);
        for Batch { photos, full, rounded } in batches.iter() {
            let wanted = branch
                .normed(&self.cpu, full, *photos)
                .and_then(|x| self.cpu.linear(&x, first, Activation::None));
            let wanted = wanted.map_err(|e| self.fault(e))?;
            let x = branch.normed(&self.cpu, rounded, *photos).map_err(|e| self.fault(e))?;
            moments.add(self.cpu.isa(), x.values(), wanted.values());
        }
        let first_rounded = self.quantize_layer(name, moments)?;

        let (name, second) = &branch.second;
        let mut moments = self.moments(name);
        for Batch { photos, full, rounded } in batches.iter_mut() {
            let wanted = branch
                .hidden(&self.cpu, full, *photos, first)
                .and_then(|x| self.cpu.linear(&x, second, Activation::None));
            let wanted = wanted.map_err(|e| self.fault(e))?;
            let x = branch.hidden(&self.cpu, rounded, *photos, &first_rounded);
            let x = x.map_err(|e| self.fault(e))?;
            let wanted_here = residual_target(wanted.values(), full, rounded, branch.gamma);
            moments.add(self.cpu.isa(), x.values(), &wanted_here);
            add_scaled(full, wanted.values(), branch.gamma);
        }
        let second_rounded = self.quantize_layer(name, moments)?;

        for Batch { photos, rounded, .. } in batches.iter_mut() {
            let y = branch
                .hidden(&self.cpu, rounded, *photos, &first_rounded)
                .and_then(|x| self.cpu.linear(&x, &second_rounded, Activation::None));
            add_scaled(rounded, y.map_err(|e| self.fault(e))?.values(), branch.gamma);
        }
        Ok(())
    }

    fn head(&mut self, batches: &[Batch]) -> Result<(), CheckpointError> {
        let (norm, head) =
            self.builder(|name| !name.starts_with("blocks."))?.head().map_err(|e| self.fault(e))?;
        let width = self.network.config.width;
        let mut moments = self.moments("head");
        for Batch { photos, full, rounded } in batches {
            let pooled = |stream: &[f32]| {
                let mean = self.cpu.mean_of_patches(&upload(&self.cpu, stream, *photos, width)?)?;
                self.cpu.layer_norm(&mean, &norm)
            };
            let wanted = pooled(full).and_then(|x| self.cpu.linear(&x, &head, Activation::None));
            let wanted = wanted.map_err(|e| self.fault(e))?;
            let x = pooled(rounded).map_err(|e| self.fault(e))?;
            moments.add(self.cpu.isa(), x.values(), wanted.values());
        }
        self.quantize_layer("head", moments).map(drop)
    }

    fn moments(&self, layer: &str) -> Moments {
        let (n, k) = match self.tensors.get(&format!("{layer}.weight")) {
            Some((spec, _)) => (spec.shape[0], spec.shape[1]),
            None => (0, 0),
        };
        Moments::new(n, k)
    }

    /// Rounds a layer and keeps what is to be written; gives the layer as it will run.
    fn quantize_layer(&mut self, layer: &str, moments: Moments) -> Result<Linear<Cpu>, CheckpointError> {
        let name = format!("{layer}.weight");
        let (spec, mut weights) = self.values(&name)?;
        let (n, k) = (spec.shape[0], spec.shape[1]);
        let problem = moments.problem(self.cpu.isa(), &weights);
        let storage = self.quantization.storage_of(&spec, &weights);
        let levels = match storage {
            Storage::Q8_0 => Levels::SEVEN_BIT,
            Storage::Q4_0 => Levels::FOUR_BIT,
            // Nothing is rounded, so there is no error to compensate: the layer stays as it was.
            Storage::F16 | Storage::F32 => {
                let bias = self.bias(layer)?;
                return self.linear(n, k, TensorData::Dense(weights), bias);
            }
        };
        compensate::refit(&mut weights, &problem.unexplained, &problem.factor);
        let rounded = compensate::round(levels, &weights, &problem.factor);
        let bytes = quantize::encode_codes(storage, &rounded.scales, &rounded.codes);
        let values = quantize::decode_blocks(storage, &bytes);
        let mut bias = problem.bias(&values);
        self.keep_bias(layer, &mut bias);
        let stored = StoredTensor::new(&spec, storage, bytes.clone()).map_err(|e| self.fault(e))?;
        self.done.digests.insert(name.clone(), sha256(&bytes));
        self.done.stored.insert(name, stored);
        let format = if storage == Storage::Q8_0 { WeightFormat::Q8_0 } else { WeightFormat::Q4_0 };
        self.linear(n, k, TensorData::Blocks { format, bytes }, bias)
    }

    /// A layer's bias; of `qkv`, k's part is zero.
    fn bias(&self, layer: &str) -> Result<Vec<f32>, CheckpointError> {
        let Some(block) = layer.strip_suffix("qkv") else {
            return Ok(self.values(&format!("{layer}.bias"))?.1);
        };
        let mut bias = self.values(&format!("{block}q_bias"))?.1;
        bias.resize(2 * bias.len(), 0.0);
        bias.extend(self.values(&format!("{block}v_bias"))?.1);
        Ok(bias)
    }

    fn keep_bias(&mut self, layer: &str, bias: &mut [f32]) {
        match layer.strip_suffix("qkv") {
            None => drop(self.done.biases.insert(format!("{layer}.bias"), bias.to_vec())),
            Some(block) => {
                let (q, k_and_v) = bias.split_at_mut(bias.len() / 3);
                let (k, v) = k_and_v.split_at_mut(q.len());
                // It changes no softmax, so it is not part of the network.
                k.fill(0.0);
                self.done.biases.insert(format!("{block}q_bias"), q.to_vec());
                self.done.biases.insert(format!("{block}v_bias"), v.to_vec());
            }
        }
    }

    /// A tensor of the source as it is to be rounded, by its name.
    fn values(&self, name: &str) -> Result<(TensorSpec, Vec<f32>), CheckpointError> {
        match self.tensors.get(name) {
            Some((spec, parts)) => {
                let values = self.network.values_to_round(self.quantization, spec, parts)?;
                Ok((spec.clone(), values))
            }
            None => Err(CheckpointError::format(self.network.source.path(), format!("{name} is missing"))),
        }
    }

    /// Takes the source's tensors with certain names, in F32, as they are to be rounded.
    fn builder(&self, wanted: impl Fn(&str) -> bool) -> Result<ModelBuilder<Cpu>, CheckpointError> {
        let mut builder = ModelBuilder::new(self.network.config.clone(), Cpu::new(Isa::best()));
        for (spec, parts) in self.network.tensors().filter(|(spec, _)| wanted(&spec.name)) {
            let data = TensorData::Dense(self.network.values_to_round(self.quantization, &spec, parts)?);
            builder.add(Tensor { spec, data }).map_err(|e| self.fault(e))?;
        }
        Ok(builder)
    }

    fn linear(
        &self,
        n: usize,
        k: usize,
        data: TensorData,
        bias: Vec<f32>,
    ) -> Result<Linear<Cpu>, CheckpointError> {
        Ok(Linear { weight: self.cpu.matrix(n, k, data).map_err(|e| self.fault(e))?, bias })
    }

    fn fault(&self, error: impl Into<BuildError>) -> CheckpointError {
        CheckpointError::Build { path: self.network.source.path().to_owned(), source: error.into() }
    }
}

fn upload(cpu: &Cpu, stream: &[f32], photos: usize, width: usize) -> Result<CpuTokens, BackendError> {
    cpu.upload(stream, photos, stream.len() / width / photos, width)
}

/// The output of a branch's last layer that makes the rounded network's residual stream the source's.
fn residual_target(wanted: &[f32], full: &[f32], rounded: &[f32], gamma: &[f32]) -> Vec<f32> {
    let behind = |i: usize| match gamma[i % gamma.len()] {
        gamma if gamma.abs() < SMALLEST_GAMMA => 0.0,
        gamma => (full[i] - rounded[i]) / gamma,
    };
    wanted.iter().enumerate().map(|(i, wanted)| wanted + behind(i)).collect()
}

fn add_scaled(stream: &mut [f32], y: &[f32], gamma: &[f32]) {
    for (stream, y) in stream.chunks_exact_mut(gamma.len()).zip(y.chunks_exact(gamma.len())) {
        for i in 0..gamma.len() {
            stream[i] += gamma[i] * y[i];
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use splitmix64::SplitMix64;

    /// Sums of four uniform numbers: nearly normal, the same everywhere.
    pub(crate) fn noise(seed: u64, n: usize) -> Vec<f32> {
        let mut random = SplitMix64(seed);
        let mut uniform = || (random.next_u64() >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        (0..n).map(|_| uniform() + uniform() + uniform() + uniform()).collect()
    }

    /// `xᵀ·x` divided by the rows; `x` is `[rows, k]`.
    pub(super) fn second_moments(x: &[f32], k: usize) -> Vec<f32> {
        let mut sums = vec![0.0f64; k * k];
        for row in x.chunks_exact(k) {
            for i in 0..k {
                for j in 0..k {
                    sums[i * k + j] += f64::from(row[i]) * f64::from(row[j]);
                }
            }
        }
        sums.iter().map(|sum| (sum / (x.len() / k) as f64) as f32).collect()
    }
}
