//! Where the tensors of a `.safetensors` file lie.

use crate::tensor_entry::{Dtype, TensorEntry};
#[cfg(feature = "files")]
use safetensors::SafeTensors;
use safetensors::tensor::Metadata;
use std::collections::BTreeMap;

/// Bytes of the length before the header.
pub(crate) const LENGTH_BYTES: usize = 8;
/// As the crate `safetensors` has it.
pub(crate) const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Whether a header follows its length: true of no other kind of file.
#[cfg(feature = "files")]
pub(crate) fn has_header(file: &[u8]) -> bool {
    let len = file.first_chunk().map(|&len| u64::from_le_bytes(len));
    let fits = len.is_some_and(|len| len <= file.len() as u64);
    fits && file.get(8) == Some(&b'{')
}

/// Reads the header of a whole file; the crate `safetensors` checks that the tensors fill the rest of it.
///
/// # Errors
/// A sentence, when the file is no safetensors file.
#[cfg(feature = "files")]
pub(crate) fn read(file: &[u8]) -> Result<BTreeMap<String, TensorEntry>, String> {
    let (header, metadata) = SafeTensors::read_metadata(file).map_err(|e| refusal(file, &e))?;
    entries(&metadata, LENGTH_BYTES + header)
}

/// Reads a header alone, with its length before it: the tensors, and the length of the file that it describes.
///
/// # Errors
/// A sentence, when it is none.
pub(crate) fn read_header(bytes: &[u8]) -> Result<(BTreeMap<String, TensorEntry>, usize), String> {
    let json = bytes.get(LENGTH_BYTES..).unwrap_or_default();
    let metadata: Metadata = serde_json::from_slice(json).map_err(|e| refusal(bytes, &e))?;
    let len = bytes.len().checked_add(metadata.data_len());
    let len = len.ok_or("the file is larger than this program can address")?;
    Ok((entries(&metadata, bytes.len())?, len))
}

fn entries(metadata: &Metadata, data_start: usize) -> Result<BTreeMap<String, TensorEntry>, String> {
    let mut tensors = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let dtype = match info.dtype {
            safetensors::Dtype::F64 => Dtype::F64,
            safetensors::Dtype::F32 => Dtype::F32,
            safetensors::Dtype::F16 => Dtype::F16,
            safetensors::Dtype::BF16 => Dtype::BF16,
            other => Dtype::Other(format!("{other:?}")),
        };
        let bytes = data_start + info.data_offsets.0..data_start + info.data_offsets.1;
        let expected = info.shape.iter().try_fold(dtype.bytes(), |n, &d| n.checked_mul(d));
        if dtype.bytes() > 0 && expected != Some(bytes.len()) {
            return Err(format!("{name:.120}: its bytes do not match its shape {:?}", info.shape));
        }
        tensors.insert(name, TensorEntry::contiguous(dtype, info.shape.clone(), bytes));
    }
    Ok(tensors)
}

/// What the crate says of a header only helps where there is one.
fn refusal(file: &[u8], error: &dyn std::fmt::Display) -> String {
    match file.get(8) {
        Some(b'{') => format!("it is a damaged safetensors file ({error}): fetch or save it again"),
        _ => "it is neither a safetensors file nor a PyTorch checkpoint, whatever its name says".into(),
    }
}
