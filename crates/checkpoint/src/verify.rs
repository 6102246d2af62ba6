//! Reads a conversion back and compares it with the checkpoint: tensor by tensor, and by both networks' activations
//! and logits on the check inputs.

use crate::CheckpointError;
use crate::agreement::{added_cosine, check_inputs, cosine};
use crate::calibrate::Calibrated;
use crate::layerwise::LayerwiseForward;
use crate::model_folder::ModelFolder;
use crate::network::Network;
use crate::quantize::{Quantization, decode_blocks, relative_rms_error};
use crate::tensor_entry::TensorEntry;
use beit::backend::Cpu;
use beit::classes::Classes;
use beit::weights::{Storage, Tensor, TensorData, sha256};
use half::f16;
use kernels::{Isa, WeightFormat};
use std::borrow::Cow;
use std::collections::HashMap;

/// No rounding of a block can be worse: half a step in all 32 codes, of a largest code of 60 or 5.
const WORST_EIGHT_BIT: f64 = 0.05;
const WORST_FOUR_BIT: f64 = 0.6;

/// A tensor as written, and its rounding error.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorReport {
    /// The network's own name of the tensor.
    pub name: String,
    /// GGUF's name of the type: `F32`, `F16`, `Q8_0`, `Q4_0`.
    pub storage: &'static str,
    /// As stored.
    pub bytes: u64,
    /// `‖stored − source‖ / ‖source‖`, from what was read back.
    pub relative_rms_error: f64,
}

impl TensorReport {
    /// The least cosine between stored and source values that the error allows. Scales fitted by least squares reach
    /// no more than it.
    pub fn cosine(&self) -> f64 {
        (1.0 - self.relative_rms_error.powi(2)).max(0.0).sqrt()
    }
}

/// What reading a conversion back showed.
pub(crate) struct ReadBack {
    /// In the file's order.
    pub(crate) tensors: Vec<TensorReport>,
    /// After the stem and after each block: the lowest cosine, over the check inputs, between the residual streams of
    /// the network as written and of its source.
    pub(crate) layers_cosine: Vec<f64>,
    /// For each block, then for the head: what it loses by itself, given the source's activations. See
    /// [`Conversion::own_cosine`](crate::Conversion::own_cosine).
    pub(crate) own_cosine: Vec<f64>,
    /// For each check input: the cosine between the two networks' logits.
    pub(crate) logits_cosine: Vec<f64>,
}

/// Compares what is in the folder with the checkpoint, which was to be rounded by `quantization`. Calibrated tensors are
/// compared with `calibrated` instead of the source.
///
/// # Errors
/// When anything in the folder is not what the network and its labels say.
pub(crate) fn read_back(
    folder: &ModelFolder,
    network: &Network,
    quantization: Quantization,
    classes: &Classes,
    calibrated: &Calibrated,
) -> Result<ReadBack, CheckpointError> {
    let parts: HashMap<String, &[TensorEntry]> =
        network.tensors().map(|(spec, parts)| (spec.name, parts)).collect();
    let (mut errors, mut layers_cosine, mut own_cosine) = (HashMap::new(), Vec::new(), Vec::new());
    let (depth, width) = (network.config.depth, network.config.width);
    let (cpu, inputs) = (|| Cpu::new(Isa::best()), check_inputs(&network.config));
    let mut written = LayerwiseForward::new(&network.config, cpu, inputs.clone());
    let mut source = LayerwiseForward::new(&network.config, cpu, inputs);
    let build = |e| CheckpointError::Build { path: folder.path().to_owned(), source: e };
    let header = folder.read(|_, tensor| {
        let name = tensor.spec.name.clone();
        let parts = parts.get(&name).copied().unwrap_or_default();
        let exact = network.values_to_round(quantization, &tensor.spec, parts)?;
        let (decoded, worst) = match &tensor.data {
            TensorData::Dense(values) => (Cow::Borrowed(values), None),
            TensorData::Blocks { format: WeightFormat::Q8_0, bytes } => {
                (Cow::Owned(decode_blocks(Storage::Q8_0, bytes)), Some(WORST_EIGHT_BIT))
            }
            TensorData::Blocks { bytes, .. } => {
                (Cow::Owned(decode_blocks(Storage::Q4_0, bytes)), Some(WORST_FOUR_BIT))
            }
        };
        let error = relative_rms_error(&exact, &decoded);
        let same = |(a, b): (&f32, &f32)| a == b || f16::from_f32(*a).to_f32() == *b;
        let good = exact.len() == decoded.len()
            && match (worst, calibrated.digests.get(&name), &tensor.data) {
                (_, Some(digest), TensorData::Blocks { bytes, .. }) => sha256(bytes) == *digest,
                (Some(worst), ..) => error <= worst,
                (None, ..) => {
                    calibrated.biases.get(&name).unwrap_or(&exact).iter().zip(decoded.iter()).all(same)
                }
            };
        if !good {
            let expected =
                worst.map_or("the source's values".into(), |w| format!("a relative error of at most {w}"));
            return Err(CheckpointError::ReadBack { name, expected, got: error.to_string() });
        }
        drop(decoded);
        let before: Option<Vec<Vec<f32>>> = written
            .completes_stage(&name)
            .then(|| source.activations().iter().map(|x| x.values().to_vec()).collect());
        errors.insert(name, error);
        // What the checkpoint says, since that is what has to come out.
        let exact = if tensor.spec.head_width.is_some() { network.values(parts)? } else { exact };
        source.add(Tensor { spec: tensor.spec.clone(), data: TensorData::Dense(exact) }).map_err(build)?;
        match before {
            Some(before) => {
                let rounded = written.add_and_run_on(tensor, &before).map_err(build)?;
                let pairs = source.activations().iter().zip(&rounded).zip(&before);
                let own = pairs.map(|((exact, rounded), before)| match own_cosine.len() < depth {
                    true => added_cosine(before, exact.values(), rounded.values(), width),
                    false => cosine(exact.values(), rounded.values()),
                });
                let lowest = own.fold(1.0, f64::min);
                own_cosine.push(lowest);
            }
            None => written.add(tensor).map_err(build)?,
        }
        if layers_cosine.len() < written.stages().min(depth + 1) {
            let pairs = source.activations().iter().zip(written.activations());
            let lowest = pairs.map(|(source, written)| cosine(source.values(), written.values()));
            layers_cosine.push(lowest.fold(1.0, f64::min));
        }
        Ok(())
    })?;
    let fault = |name: &str| CheckpointError::ReadBack {
        name: name.into(),
        expected: "what was written".into(),
        got: "something else".into(),
    };
    if header.config != network.config {
        return Err(fault("the network's description"));
    }
    if header.labels != classes.labels || header.kinds != classes.kinds {
        return Err(fault("the classes"));
    }
    let report = |(name, storage, bytes): (String, &'static str, u64)| {
        let relative_rms_error = errors.get(&name).copied().ok_or_else(|| fault(&name))?;
        Ok(TensorReport { name, storage, bytes, relative_rms_error })
    };
    let tensors = header.tensors.into_iter().map(report).collect::<Result<_, _>>()?;
    let written = pollster::block_on(written.logits()).map_err(build)?;
    let source = pollster::block_on(source.logits()).map_err(build)?;
    let logits_cosine =
        source.iter().zip(&written).map(|(source, written)| cosine(source, written)).collect();
    Ok(ReadBack { tensors, layers_cosine, own_cosine, logits_cosine })
}
