//! Writes a weights file.

use super::WeightsError;
use super::schema::{self, TensorSpec};
use crate::config::Config;
use crate::labels::Label;
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Shape};
use std::borrow::Cow;
use std::io::{Seek, Write};

/// How a tensor is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    F32,
    F16,
    Q8_0,
    Q4_0,
}

impl Storage {
    fn dtype(self) -> GgmlDType {
        match self {
            Self::F32 => GgmlDType::F32,
            Self::F16 => GgmlDType::F16,
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q4_0 => GgmlDType::Q4_0,
        }
    }
}

/// One tensor, ready to be written.
pub struct StoredTensor {
    name: String,
    tensor: QTensor,
}

impl StoredTensor {
    /// `bytes` is the tensor in GGUF's layout, little-endian, row-major.
    pub fn new(spec: &TensorSpec, storage: Storage, bytes: Vec<u8>) -> Result<Self, WeightsError> {
        let dtype = storage.dtype();
        let expected = spec.values() / dtype.block_size() as u64 * dtype.type_size() as u64;
        if bytes.len() as u64 != expected {
            return Err(WeightsError::Length { expected, got: bytes.len() as u64 });
        }
        let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype).map_err(write_error)?;
        let tensor = QTensor::new(storage, Shape::from(spec.shape.clone())).map_err(write_error)?;
        Ok(Self { name: spec.name.clone(), tensor })
    }
}

/// Writes a whole weights file: the network's description, its classes' names, `extra` metadata
/// (where it came from) and its tensors. The same input gives the same bytes.
pub fn write<W: Write + Seek>(
    out: &mut W,
    config: &Config,
    labels: &[Label],
    extra: &[(&str, Value)],
    tensors: &[StoredTensor],
) -> Result<(), WeightsError> {
    let own = schema::metadata(config, labels);
    let metadata: Vec<(&str, &Value)> = own.iter().chain(extra).map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|t| (t.name.as_str(), &t.tensor)).collect();
    gguf_file::write(out, &metadata, &tensors).map_err(write_error)
}

fn write_error(error: candle_core::Error) -> WeightsError {
    WeightsError::Write(error.to_string())
}
