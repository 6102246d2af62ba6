//! Bytes in JavaScript's arrays: wasm's memory never shrinks again, so what only passes through is kept out of it.

use crate::worker_scope;
use beit::weights::hexadecimal;
use engine::for_each_piece;
use engine::platform::Bytes;
use js_sys::{Function, Reflect, Uint8Array};
use sha2::{Digest, Sha256};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

pub struct JsBytes(pub Uint8Array);

impl Bytes for JsBytes {
    fn zeroed(length: u64) -> Self {
        // An array holds 4 GiB at most, and a manifest's shard 256 MiB.
        Self(Uint8Array::new_with_length(u32::try_from(length).unwrap_or(u32::MAX)))
    }

    fn from_slice(bytes: &[u8]) -> Self {
        Self(Uint8Array::from(bytes))
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
        Self(self.0.subarray(0, length as u32))
    }

    /// The browser's own is several times as fast and runs beside the worker, but exists only in secure
    /// contexts (https, localhost); elsewhere it is done here.
    async fn sha256(&self) -> String {
        match by_browser(&self.0).await {
            Some(digest) => hexadecimal(&digest),
            None => self.sha256_here(),
        }
    }

    /// The browser's garbage collector would let several shards pile up.
    fn free(self) {
        let buffer = self.0.buffer();
        let transfer = Reflect::get(&buffer, &"transfer".into());
        if let Some(transfer) = transfer.ok().and_then(|transfer| transfer.dyn_into::<Function>().ok()) {
            // A refusal leaves it to the garbage collector.
            transfer.call1(&buffer, &0.into()).ok();
        }
    }

    fn to_vec(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl JsBytes {
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
