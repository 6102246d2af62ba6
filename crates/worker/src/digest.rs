//! SHA-256 and a checksum of bytes that lie outside wasm's memory.

use crate::port;
use beit::weights::hexadecimal;
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use wasm_bindgen_futures::JsFuture;
use xxhash_rust::xxh3::Xxh3Default;

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
    for_each_piece(bytes, |piece| hash.update(piece));
    hexadecimal(&hash.finalize())
}

/// XXH3 in hexadecimal: shows what storage has damaged, at a tenth of what SHA-256 takes. It is no guard against
/// somebody's intent; but whoever can write into the page's storage can also change the page.
pub fn checksum(bytes: &Uint8Array) -> String {
    let mut hash = Xxh3Default::new();
    for_each_piece(bytes, |piece| hash.update(piece));
    format!("{:016x}", hash.digest())
}

/// Copies of an array's pieces, one after another in the same memory.
fn for_each_piece(bytes: &Uint8Array, mut take: impl FnMut(&[u8])) {
    let mut scratch = vec![0; PIECE as usize];
    for piece in pieces(bytes) {
        let scratch = &mut scratch[..piece.length() as usize];
        piece.copy_to(scratch);
        take(scratch);
    }
}

/// Views of an array, in order, each of at most [`PIECE`] bytes.
pub fn pieces(bytes: &Uint8Array) -> impl Iterator<Item = Uint8Array> {
    let length = bytes.length();
    (0..length)
        .step_by(PIECE as usize)
        .map(move |at| bytes.subarray(at, length.min(at.saturating_add(PIECE))))
}
