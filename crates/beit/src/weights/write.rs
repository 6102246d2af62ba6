//! Writes a weights file.

use super::WeightsError;
use super::gguf::{self, TensorType, Value};
use super::schema::{self, TensorSpec};
use crate::config::Config;
use crate::labels::Label;
use std::io::Write;

/// How a tensor is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Storage {
    F32,
    F16,
    Q8_0,
    Q4_0,
}

impl Storage {
    fn kind(self) -> TensorType {
        match self {
            Self::F32 => TensorType::F32,
            Self::F16 => TensorType::F16,
            Self::Q8_0 => TensorType::Q8_0,
            Self::Q4_0 => TensorType::Q4_0,
        }
    }

    /// Bytes of so many values; none if that is no whole number of blocks.
    pub fn bytes(self, values: u64) -> Option<u64> {
        self.kind().bytes(values)
    }
}

/// One tensor, ready to be written.
pub struct StoredTensor {
    spec: TensorSpec,
    storage: Storage,
    bytes: Vec<u8>,
}

impl StoredTensor {
    /// `bytes` is the tensor in GGUF's layout, little-endian, row-major.
    pub fn new(spec: &TensorSpec, storage: Storage, bytes: Vec<u8>) -> Result<Self, WeightsError> {
        let (expected, got) = (storage.bytes(spec.values()), bytes.len() as u64);
        if expected != Some(got) {
            return Err(WeightsError::Length { expected: expected.unwrap_or_default(), got });
        }
        Ok(Self { spec: spec.clone(), storage, bytes })
    }

    /// How it is stored.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The tensor in GGUF's layout.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes a whole weights file: the network's description, its classes' names, `extra` metadata
/// (where it came from) and its tensors. The same input gives the same bytes.
pub fn write<W: Write>(
    out: &mut W,
    config: &Config,
    labels: &[Label],
    extra: &[(&str, Value)],
    tensors: &[StoredTensor],
) -> Result<(), WeightsError> {
    let own = schema::metadata(config, labels);
    let metadata: Vec<(&str, &Value)> = own.iter().chain(extra).map(|(key, value)| (*key, value)).collect();
    let infos = tensors.iter().map(|StoredTensor { spec, storage, bytes }| {
        (spec.name.as_str(), spec.shape.as_slice(), storage.kind(), bytes.len() as u64)
    });
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(|error| WeightsError::Write(error.to_string()));
    put(&gguf::header(&metadata, infos))?;
    for StoredTensor { bytes, .. } in tensors {
        put(bytes)?;
        put(&[0; gguf::ALIGNMENT as usize][..gguf::padding(bytes.len() as u64)])?;
    }
    Ok(())
}
