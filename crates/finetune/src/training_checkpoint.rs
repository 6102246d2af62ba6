//! A training run on disk: everything that the next step depends on.

use crate::FinetuneError;
use crate::adamw::Parameter;
use crate::epoch::Epoch;
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

const FORMAT: &str = "beitscope-finetune-1";
const KEY: &str = "beitscope";

/// A run's position and results so far; its parameters are saved beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainingCheckpoint {
    /// Steps that are done.
    pub(crate) step: usize,
    /// Of the epoch at hand: sum of the losses, right answers, photos.
    pub(crate) loss: f64,
    pub(crate) right: usize,
    pub(crate) seen: usize,
    pub(crate) history: Vec<Epoch>,
    /// The epoch whose parameters are the best so far.
    pub(crate) best: Option<usize>,
}

#[derive(Serialize, Deserialize)]
struct Description {
    format: String,
    /// What the run is of: another one cannot resume from here.
    identity: String,
    #[serde(rename = "standing")]
    checkpoint: TrainingCheckpoint,
}

/// The best epoch's parameters by name.
pub(crate) type BestParameters = HashMap<String, Vec<f32>>;

/// Writes the checkpoint, whole or not at all.
pub(crate) fn save(
    path: &Path,
    identity: &str,
    checkpoint: &TrainingCheckpoint,
    parameters: &[Parameter],
    best: &BestParameters,
) -> Result<(), FinetuneError> {
    let fault = |reason: String| FinetuneError::State { path: path.to_owned(), reason };
    let description =
        Description { format: FORMAT.into(), identity: identity.into(), checkpoint: checkpoint.clone() };
    let text = serde_json::to_string(&description).map_err(|e| fault(e.to_string()))?;
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for parameter in parameters {
        let [mean, square] = &parameter.moments;
        for (kind, tensor) in [("value", &parameter.value), ("mean", mean), ("square", square)] {
            let values = floats(tensor)?;
            tensors.push((format!("{kind}/{}", parameter.name), tensor.dims().to_vec(), bytes(&values)));
        }
        if let Some(values) = best.get(&parameter.name) {
            let name = format!("best/{}", parameter.name);
            tensors.push((name, parameter.value.dims().to_vec(), bytes(values)));
        }
    }
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect();
    let views = views.map_err(|e: safetensors::SafeTensorError| fault(e.to_string()))?;
    let file = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), text)])))
        .map_err(|e| fault(e.to_string()))?;
    let partial = path.with_extension("partial");
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| FinetuneError::Io { doing, path, source }
    };
    std::fs::write(&partial, file).map_err(io("write", &partial))?;
    std::fs::rename(&partial, path).map_err(io("rename", &partial))
}

/// Restores the parameters as they were saved; returns the rest.
///
/// # Errors
/// When the file is no training checkpoint, or one of another run.
pub(crate) fn restore(
    path: &Path,
    identity: &str,
    parameters: &[Parameter],
) -> Result<(TrainingCheckpoint, BestParameters), FinetuneError> {
    let fault = |reason: String| FinetuneError::State { path: path.to_owned(), reason };
    let file = std::fs::read(path).map_err(|source| FinetuneError::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })?;
    let damaged = |e: safetensors::SafeTensorError| fault(format!("it is damaged ({e})"));
    let (_, metadata) = SafeTensors::read_metadata(&file).map_err(damaged)?;
    let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
    let text = text.ok_or_else(|| fault("it is no state of a training run".into()))?;
    let description: Description = serde_json::from_str(text).map_err(|e| fault(e.to_string()))?;
    if description.format != FORMAT {
        return Err(fault(format!("it is of the format {:.80}, not {FORMAT}", description.format)));
    }
    if description.identity != identity {
        return Err(fault("it is of a run with other photos, another model or other settings".into()));
    }
    let tensors = SafeTensors::deserialize(&file).map_err(damaged)?;
    let read = |name: String, shape: &[usize]| -> Result<Vec<f32>, FinetuneError> {
        let view = tensors.tensor(&name).map_err(damaged)?;
        if view.shape() != shape || view.dtype() != Dtype::F32 {
            return Err(fault(format!("{name} is of another shape")));
        }
        Ok(view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
    };
    let mut best = BestParameters::new();
    for parameter in parameters {
        let shape = parameter.value.dims();
        let [mean, square] = &parameter.moments;
        for (kind, var) in [("value", &parameter.value), ("mean", mean), ("square", square)] {
            let values = read(format!("{kind}/{}", parameter.name), shape)?;
            var.set(&Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(var.dtype())?)?;
        }
        if description.checkpoint.best.is_some() {
            best.insert(parameter.name.clone(), read(format!("best/{}", parameter.name), shape)?);
        }
    }
    Ok((description.checkpoint, best))
}

/// A tensor's values as F32.
pub(crate) fn floats(tensor: &Tensor) -> Result<Vec<f32>, FinetuneError> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?)
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
