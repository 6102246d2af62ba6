//! A weights file pushed through the streaming loader in odd pieces: the same tensors or the same refusal as
//! when it comes whole.
//!
//! The first byte chooses the pieces' size, the second how much longer the file claims to be than it is.

#![no_main]

use beit::weights::{Loader, TensorData};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [size, more, file @ ..] = input else { return };
    let announced = file.len() as u64 + u64::from(more >> 4);
    let whole = load(file, announced, file.len().max(1));
    let pieces = load(file, announced, 1 + usize::from(*size) * 7);
    assert_eq!(whole, pieces, "whole and in pieces");
});

/// Every tensor's name, number of values or bytes, and whether the file was complete; or the refusal.
fn load(file: &[u8], announced: u64, piece: usize) -> Result<Vec<(String, usize)>, String> {
    let mut loader = Loader::new(announced);
    let mut tensors = Vec::new();
    for piece in file.chunks(piece) {
        for tensor in loader.push(piece).map_err(|e| e.to_string())? {
            assert!(loader.header().is_some(), "a tensor before the header");
            let len = match tensor.data {
                TensorData::Dense(values) => {
                    assert!(values.iter().all(|v| v.is_finite()));
                    assert_eq!(values.len(), tensor.spec.shape.iter().product::<usize>());
                    values.len()
                }
                TensorData::Blocks { bytes, .. } => bytes.len(),
            };
            tensors.push((tensor.spec.name, len));
        }
    }
    let header = loader.finish().map_err(|e| e.to_string())?;
    assert_eq!(header.tensors.len(), tensors.len());
    Ok(tensors)
}
