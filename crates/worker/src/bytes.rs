//! Bytes in JavaScript's arrays: wasm's memory never shrinks again, so what only passes through is kept out of it.
//!
//! Memory that is needed again and again is used again: the garbage collector lets several arrays pile up. An array that
//! the browser itself has held, as of a download or a storage entry, can't be freed at once: where a script moves its
//! memory away (`ArrayBuffer.transfer`), Chromium keeps that and no longer counts it, so that nothing is ever collected
//! (`docs/performance.md`).

use crate::worker_scope;
use beit::weights::hexadecimal;
use engine::for_each_piece;
use engine::platform::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use wasm_bindgen_futures::JsFuture;

/// The most bytes of a download that are taken at a time.
const CHUNK_BYTES: u32 = 1 << 20;
/// Copies of fewer bytes are left to the garbage collector.
const LEAST_COPY_BYTES: u32 = 1 << 16;
/// The lengths of memory for copies are multiples of this, so that a longer copy may fit too.
const COPY_STEP: u32 = 4 << 20;

thread_local! {
    static SPARE_CHUNK: Cell<Option<ArrayBuffer>> = const { Cell::new(None) };
    static SPARE_COPY: Cell<Option<ArrayBuffer>> = const { Cell::new(None) };
}

pub struct JsBytes(pub Uint8Array, Use);

/// What the memory is used for when it is free.
enum Use {
    /// Nothing: the garbage collector frees it.
    Once,
    Chunks,
    Copies,
}

impl Bytes for JsBytes {
    fn zeroed(length: u64) -> Self {
        // An array holds 4 GiB at most, and a manifest's shard 256 MiB.
        Self::new(Uint8Array::new_with_length(u32::try_from(length).unwrap_or(u32::MAX)))
    }

    fn from_slice(bytes: &[u8]) -> Self {
        let length = bytes.len() as u32;
        if length < LEAST_COPY_BYTES {
            return Self::new(Uint8Array::from(bytes));
        }
        let spare = SPARE_COPY.take().filter(|spare| spare.byte_length() >= length);
        let buffer = spare.unwrap_or_else(|| ArrayBuffer::new(length.next_multiple_of(COPY_STEP)));
        let array = Uint8Array::new_with_byte_offset_and_length(&buffer, 0, length);
        array.copy_from(bytes);
        Self(array, Use::Copies)
    }

    fn length(&self) -> u64 {
        self.0.length().into()
    }

    fn copy_to(&self, at: u64, to: &mut [u8]) {
        let at = at as u32;
        self.0.subarray(at, at + to.len() as u32).copy_to(to);
    }

    fn put(&mut self, at: u64, part: &Self) {
        self.0.set(&part.0, at as u32);
    }

    fn truncated(self, length: u64) -> Self {
        Self::new(self.0.subarray(0, length as u32))
    }

    /// The browser's own is several times as fast and runs beside the worker, but exists only in secure
    /// contexts (https, localhost); elsewhere it is done here.
    async fn sha256(&self) -> String {
        match by_browser(&self.0).await {
            Some(digest) => hexadecimal(&digest),
            None => self.sha256_here(),
        }
    }

    fn free(self) {
        match self.1 {
            Use::Once => {}
            Use::Chunks => SPARE_CHUNK.set(Some(self.0.buffer())),
            Use::Copies => SPARE_COPY.set(Some(self.0.buffer())),
        }
    }

    fn to_vec(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl JsBytes {
    pub fn new(array: Uint8Array) -> Self {
        Self(array, Use::Once)
    }

    /// An array for the next bytes of a download, whose memory is handed to the browser and comes back with them.
    pub fn array_for_chunk() -> Uint8Array {
        // A buffer that is the browser's meanwhile has no length.
        let spare = SPARE_CHUNK.take().filter(|spare| spare.byte_length() == CHUNK_BYTES);
        Uint8Array::new(&spare.unwrap_or_else(|| ArrayBuffer::new(CHUNK_BYTES)))
    }

    /// What came in such an array.
    pub fn of_chunk(array: Uint8Array) -> Self {
        Self(array, Use::Chunks)
    }

    fn sha256_here(&self) -> String {
        let mut hash = Sha256::new();
        for_each_piece(self, |piece| hash.update(piece));
        hexadecimal(&hash.finalize())
    }
}

async fn by_browser(bytes: &Uint8Array) -> Option<Vec<u8>> {
    if !worker_scope::scope().is_secure_context() {
        return None;
    }
    let subtle = worker_scope::scope().crypto().ok()?.subtle();
    let digest = subtle.digest_with_str_and_buffer_source("SHA-256", bytes).ok()?;
    Some(Uint8Array::new(&JsFuture::from(digest).await.ok()?).to_vec())
}
