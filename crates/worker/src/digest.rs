//! SHA-256 of bytes that lie outside wasm's memory.

use crate::port;
use beit::weights::hexadecimal;
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use wasm_bindgen_futures::JsFuture;

/// So much of an array is copied into wasm's memory at a time.
pub const PIECE: u32 = 1 << 20;

/// SHA-256 in lower-case hexadecimal.
///
/// The browser's own is several times as fast and runs beside the worker, but exists only in secure
/// contexts (https, localhost); elsewhere it is done here.
pub async fn sha256(bytes: &Uint8Array) -> String {
    match by_browser(bytes).await {
        Some(digest) => hexadecimal(&digest),
        None => here(bytes),
    }
}

async fn by_browser(bytes: &Uint8Array) -> Option<Vec<u8>> {
    if !port::scope().is_secure_context() {
        return None;
    }
    let subtle = port::scope().crypto().ok()?.subtle();
    let digest = subtle.digest_with_str_and_buffer_source("SHA-256", bytes).ok()?;
    Some(Uint8Array::new(&JsFuture::from(digest).await.ok()?).to_vec())
}

fn here(bytes: &Uint8Array) -> String {
    let mut hash = Sha256::new();
    for piece in pieces(bytes) {
        hash.update(piece.to_vec());
    }
    hexadecimal(&hash.finalize())
}

/// Views of an array, in order, each of at most [`PIECE`] bytes.
pub fn pieces(bytes: &Uint8Array) -> impl Iterator<Item = Uint8Array> {
    let length = bytes.length();
    (0..length)
        .step_by(PIECE as usize)
        .map(move |at| bytes.subarray(at, length.min(at.saturating_add(PIECE))))
}
