//! Where the tensors of a `.safetensors` file lie.

use crate::tensor_entry::{Dtype, TensorEntry};
use safetensors::SafeTensors;
use std::collections::BTreeMap;

/// Whether a header follows its length: true of no other kind of file.
pub(crate) fn has_header(file: &[u8]) -> bool {
    let len = file.first_chunk().map(|&len| u64::from_le_bytes(len));
    let fits = len.is_some_and(|len| len <= file.len() as u64);
    fits && file.get(8) == Some(&b'{')
}

/// Reads the header; the crate `safetensors` checks that every tensor lies inside the file.
///
/// # Errors
/// A sentence, when the file is no safetensors file.
pub(crate) fn read(file: &[u8]) -> Result<BTreeMap<String, TensorEntry>, String> {
    let (header, metadata) = SafeTensors::read_metadata(file).map_err(|e| refusal(file, &e))?;
    let data_start = 8 + header;
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
        if dtype.bytes() > 0 && (expected != Some(bytes.len()) || file.get(bytes.clone()).is_none()) {
            return Err(format!("{name:.120}: its bytes do not match its shape {:?}", info.shape));
        }
        tensors.insert(name, TensorEntry::contiguous(dtype, info.shape.clone(), bytes));
    }
    Ok(tensors)
}

/// What the crate says of a header only helps where there is one.
fn refusal(file: &[u8], error: &safetensors::SafeTensorError) -> String {
    match file.get(8) {
        Some(b'{') => format!("it is a damaged safetensors file ({error}): fetch or save it again"),
        _ => "it is neither a safetensors file nor a PyTorch checkpoint, whatever its name says".into(),
    }
}
