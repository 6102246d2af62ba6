//! A converted model with another head, or with other weights altogether, written as a model of its own.

use crate::model_folder::ModelFolder;
use crate::output_folder::OutputFolder;
use crate::quantize::{self, Quantization};
use crate::write_model::NewModelFiles;
use crate::{CheckpointError, DEFAULT_SHARD_BYTES, TensorFault};
use beit::config::Config;
use beit::labels::Label;
use beit::weights::gguf::Value;
use beit::weights::schema::TensorSpec;
use beit::weights::{Header, Manifest, Storage, StoredTensor, Tensor, TensorData, WeightsError};
use kernels::WeightFormat;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::PathBuf;

/// GGUF's keys for the model that another one was made from.
const BASE_COUNT: &str = "general.base_model.count";
const BASE_NAME: &str = "general.base_model.0.name";
const BASE_SHA256: &str = "beit.finetune.base_sha256";
/// Metadata that goes over to the new model as it is.
const KEPT: [&str; 2] = ["general.license", "general.quantization_version"];
const QUANTIZED_BY: &str = "general.quantized_by";

/// The weights that set the new model apart.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NewWeights {
    /// A head on an unchanged network: `[classes, width]` and `[classes]`.
    Head { weight: Vec<f32>, bias: Vec<f32> },
    /// Every tensor of the network by its name, row-major.
    All(HashMap<String, Vec<f32>>),
}

/// A model to make from another one.
#[derive(Clone, Debug)]
pub struct NewModel {
    /// The folder to write.
    pub out: PathBuf,
    /// The new model's name.
    pub name: String,
    /// One for each row of the head.
    pub labels: Vec<Label>,
    /// What replaces weights of the base model.
    pub weights: NewWeights,
    /// The model card's Markdown.
    pub card: String,
}

impl NewModel {
    /// Writes the model in the form that `base` has: the same quantisation, preprocessing and licence. The same input
    /// gives the same bytes.
    ///
    /// # Errors
    /// See [`CheckpointError`]; nothing is left behind then, and an earlier conversion stays as it was.
    pub fn write(self, base: &ModelFolder) -> Result<Manifest, CheckpointError> {
        let quantization = quantization(base)?;
        let folder = OutputFolder::create(&self.out)?;
        let refused = |source| CheckpointError::Weights { path: self.out.clone(), source };
        let mut old = HashMap::new();
        let header = base.read(|_, tensor| {
            old.insert(tensor.spec.name.clone(), tensor);
            Ok(())
        })?;
        let config = Config { name: self.name.clone(), classes: self.labels.len(), ..header.config.clone() };
        let stored: Result<Vec<StoredTensor>, CheckpointError> = config
            .tensors()
            .par_iter()
            .map(|spec| match self.new_values(spec) {
                Some(values) => {
                    check_shape(spec, values.len())?;
                    let (storage, bytes) = quantization.quantize(spec, values);
                    StoredTensor::new(spec, storage, bytes).map_err(refused)
                }
                None => kept(spec, &old, &header)
                    .and_then(|(storage, bytes)| StoredTensor::new(spec, storage, bytes).map_err(refused)),
            })
            .collect();
        let stored = stored?;
        drop(old);
        let extra = extra(base.manifest(), &header);
        let extra: Vec<(&str, Value)> = extra.iter().map(|(key, value)| (*key, value.clone())).collect();
        let model = NewModelFiles {
            config: &config,
            labels: &self.labels,
            extra: &extra,
            tensors: &stored,
            quantization,
            source: base.manifest().source.clone(),
            card: Some(self.card.as_bytes()),
            shard_bytes: DEFAULT_SHARD_BYTES,
        };
        let manifest = pollster::block_on(model.write(&self.out, &mut &folder))?;
        drop(stored);
        // What was written is what will be read.
        let written = ModelFolder::open(folder.path())?.read(|_, _| Ok(()))?;
        if written.labels != self.labels {
            let (expected, got) = (format!("{:?}", self.labels), format!("{:?}", written.labels));
            return Err(CheckpointError::ReadBack { name: "class names".into(), expected, got });
        }
        folder.commit()?;
        Ok(manifest)
    }

    /// The values that are not the base model's.
    fn new_values(&self, spec: &TensorSpec) -> Option<&[f32]> {
        match (&self.weights, spec.name.as_str()) {
            (NewWeights::Head { weight, .. }, "head.weight") => Some(weight),
            (NewWeights::Head { bias, .. }, "head.bias") => Some(bias),
            (NewWeights::Head { .. }, _) => None,
            (NewWeights::All(tensors), name) => tensors.get(name).map(Vec::as_slice),
        }
    }
}

/// Checks that new values fit their place.
fn check_shape(spec: &TensorSpec, got: usize) -> Result<(), CheckpointError> {
    let expected: usize = spec.shape.iter().product();
    if got == expected { Ok(()) } else { Err(fault(spec, format!("{expected} values"), got.to_string())) }
}

fn fault(spec: &TensorSpec, expected: String, got: String) -> CheckpointError {
    CheckpointError::Tensors(vec![TensorFault { name: spec.name.clone(), expected, got }])
}

impl ModelFolder {
    /// Every tensor's values as F32, blocks decoded.
    ///
    /// # Errors
    /// As [`ModelFolder::read`].
    pub fn values(&self) -> Result<(Header, HashMap<String, Vec<f32>>), CheckpointError> {
        let mut tensors = HashMap::new();
        let header = self.read(|_, Tensor { spec, data }| {
            let values = match data {
                TensorData::Dense(values) => values,
                TensorData::Blocks { format, bytes } => quantize::decode_blocks(storage_of(format), &bytes),
            };
            tensors.insert(spec.name, values);
            Ok(())
        })?;
        Ok((header, tensors))
    }
}

fn storage_of(format: WeightFormat) -> Storage {
    match format {
        WeightFormat::Q8_0 => Storage::Q8_0,
        WeightFormat::Q4_0 => Storage::Q4_0,
    }
}

/// A tensor of the base model, byte for byte as it is stored there.
fn kept(
    spec: &TensorSpec,
    old: &HashMap<String, Tensor>,
    header: &Header,
) -> Result<(Storage, Vec<u8>), CheckpointError> {
    let missing = || fault(spec, format!("{:?}", spec.shape), "nothing".into());
    match &old.get(&spec.name).ok_or_else(missing)?.data {
        TensorData::Blocks { format, bytes } => Ok((storage_of(*format), bytes.clone())),
        TensorData::Dense(values) => {
            let half = header.tensors.iter().any(|(name, kind, _)| *name == spec.name && *kind == "F16");
            let storage = if half { Storage::F16 } else { Storage::F32 };
            Ok((storage, quantize::encode(storage, values)))
        }
    }
}

fn quantization(base: &ModelFolder) -> Result<Quantization, CheckpointError> {
    let named = &base.manifest().quantization;
    named.parse().map_err(|e: String| CheckpointError::Weights {
        path: base.path().to_owned(),
        source: WeightsError::Header(format!("manifest field `quantization`: {e}")),
    })
}

fn extra(base: &Manifest, header: &Header) -> Vec<(&'static str, Value)> {
    let mut extra = vec![
        (QUANTIZED_BY, Value::String(concat!("beitscope ", env!("CARGO_PKG_VERSION")).to_owned())),
        (BASE_COUNT, Value::U32(1)),
        (BASE_NAME, Value::String(base.name.clone())),
        (BASE_SHA256, Value::String(base.sha256.clone())),
    ];
    extra.extend(KEPT.iter().filter_map(|&key| Some((key, header.metadata.get(key)?.clone()))));
    extra
}
