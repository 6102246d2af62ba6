//! Reads a conversion back and holds it against the checkpoint.

use crate::CheckpointError;
use crate::convert::TensorReport;
use crate::model_folder::ModelFolder;
use crate::network::Network;
use crate::quantize::{decode_blocks, relative_rms_error};
use crate::source::Entry;
use beit::labels::Label;
use beit::weights::{Storage, TensorData};
use half::f16;
use kernels::WeightFormat;
use std::collections::HashMap;

/// No rounding of a block can be worse: half a step in all 32 codes, of a largest code of 60 or 5.
const WORST_EIGHT_BIT: f64 = 0.05;
const WORST_FOUR_BIT: f64 = 0.6;

/// What rounding did to each tensor, in the file's order.
///
/// # Errors
/// When anything in the folder is not what the network and its labels say.
pub(crate) fn read_back(
    folder: &ModelFolder,
    network: &Network,
    labels: &[Label],
) -> Result<Vec<TensorReport>, CheckpointError> {
    let parts: HashMap<String, &[Entry]> =
        network.tensors().map(|(spec, parts)| (spec.name, parts)).collect();
    let mut errors = HashMap::new();
    let header = folder.read(|_, tensor| {
        let name = tensor.spec.name;
        let exact = network.values(parts.get(&name).copied().unwrap_or_default());
        let (decoded, worst) = match tensor.data {
            TensorData::Dense(values) => (values, None),
            TensorData::Blocks { format: WeightFormat::Q8_0, bytes } => {
                (decode_blocks(Storage::Q8_0, &bytes), Some(WORST_EIGHT_BIT))
            }
            TensorData::Blocks { bytes, .. } => (decode_blocks(Storage::Q4_0, &bytes), Some(WORST_FOUR_BIT)),
        };
        let error = relative_rms_error(&exact, &decoded);
        let same = |(a, b): (&f32, &f32)| a == b || f16::from_f32(*a).to_f32() == *b;
        let good = exact.len() == decoded.len()
            && match worst {
                Some(worst) => error <= worst,
                None => exact.iter().zip(&decoded).all(same),
            };
        if !good {
            let expected =
                worst.map_or("the source's values".into(), |w| format!("a relative error of at most {w}"));
            return Err(CheckpointError::ReadBack { name, expected, got: error.to_string() });
        }
        errors.insert(name, error);
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
    if header.labels != labels {
        return Err(fault("the labels"));
    }
    let report = |(name, storage, bytes): (String, &'static str, u64)| {
        let relative_rms_error = errors.get(&name).copied().ok_or_else(|| fault(&name))?;
        Ok(TensorReport { name, storage, bytes, relative_rms_error })
    };
    header.tensors.into_iter().map(report).collect()
}
