//! Fetching over the network, in pieces, with a hard limit on how much is taken.
//!
//! Bytes stay in JavaScript's arrays: wasm's memory never shrinks again, so what only passes through
//! is kept out of it.

use crate::{digest, port};
use beit::weights::{Shard, ShardError};
use futures_util::FutureExt;
use gloo_timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStreamDefaultReader, RequestCache, RequestInit, Response};

/// Waits between tries, in milliseconds.
const BACK_OFF: [u32; 2] = [500, 2_000];

/// Why something could not be fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    #[error("{url} could not be reached ({reason})")]
    Unreachable { url: String, reason: String },
    #[error("{url} answered {status}")]
    Status { url: String, status: u16 },
    #[error("{url} is longer than the {limit} bytes expected")]
    TooLong { url: String, limit: u64 },
    #[error("the connection broke while fetching {url} ({reason})")]
    Broken { url: String, reason: String },
    #[error(transparent)]
    Damaged(#[from] ShardError),
}

impl FetchError {
    /// Whether the same request may do better a moment later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::TooLong { .. } => false,
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Damaged(_) => true,
        }
    }
}

/// A shard's bytes, checked against its size and SHA-256. Fetched again after a passing fault.
/// `progress` is told of bytes as they come, and of bytes that have to be fetched again as a
/// negative number.
pub async fn shard(url: &str, shard: &Shard, progress: &impl Fn(i64)) -> Result<Uint8Array, FetchError> {
    let mut waits = BACK_OFF.into_iter();
    let mut cache = RequestCache::Default;
    loop {
        let error = match verified(url, shard, cache, progress).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        // The browser keeps damaged bytes too, and would give them again.
        cache = RequestCache::Reload;
        match waits.next() {
            Some(wait) if error.is_passing() => TimeoutFuture::new(wait).await,
            _ => return Err(error),
        }
    }
}

async fn verified(
    url: &str,
    shard: &Shard,
    cache: RequestCache,
    progress: &impl Fn(i64),
) -> Result<Uint8Array, FetchError> {
    let received = std::cell::Cell::new(0);
    let count = |bytes: i64| {
        received.set(received.get() + bytes);
        progress(bytes);
    };
    let fetched = bytes(url, shard.bytes, cache, &count).await;
    let checked = match fetched {
        Ok(bytes) => check(shard, &bytes).await.map(|()| bytes).map_err(FetchError::from),
        Err(error) => Err(error),
    };
    if checked.is_err() {
        progress(-received.get());
    }
    checked
}

async fn check(shard: &Shard, bytes: &Uint8Array) -> Result<(), ShardError> {
    shard.check_size(u64::from(bytes.length()))?;
    shard.check_digest(digest::sha256(bytes).await)
}

/// The body at `url`, at most `limit` bytes of it: a server that sends more is cut off.
pub async fn bytes(
    url: &str,
    limit: u64,
    cache: RequestCache,
    progress: &impl Fn(i64),
) -> Result<Uint8Array, FetchError> {
    let unreachable = |e| FetchError::Unreachable { url: url.into(), reason: reason(&e) };
    let options = RequestInit::new();
    options.set_cache(cache);
    let response = JsFuture::from(port::scope().fetch_with_str_and_init(url, &options));
    let response: Response = response.await.map_err(unreachable)?.unchecked_into();
    if !response.ok() {
        return Err(FetchError::Status { url: url.into(), status: response.status() });
    }
    let broken = |e| FetchError::Broken { url: url.into(), reason: reason(&e) };
    let Some(body) = response.body() else { return Ok(Uint8Array::new_with_length(0)) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let _ended = Ended(&reader);
    // The announced size is only believed once bytes come.
    let mut bytes = Uint8Array::new_with_length(0);
    let mut received = 0;
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(broken)?;
        if get(&part, "done").is_truthy() {
            return Ok(bytes.subarray(0, received));
        }
        let part: Uint8Array = get(&part, "value").unchecked_into();
        let end = u64::from(received) + u64::from(part.length());
        if end > limit {
            return Err(FetchError::TooLong { url: url.into(), limit });
        }
        if received == 0 {
            bytes = Uint8Array::new_with_length(limit as u32);
        }
        bytes.set(&part, received);
        received = end as u32;
        progress(i64::from(part.length()));
    }
}

/// Ends a stream with this value: also one that is given up half-way goes on loading no longer.
struct Ended<'a>(&'a ReadableStreamDefaultReader);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        // The promise is of no interest; one that is refused has to be heard all the same.
        spawn_local(JsFuture::from(self.0.cancel()).map(drop));
    }
}

fn get(object: &JsValue, key: &str) -> JsValue {
    js_sys::Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// What an error says of itself.
pub fn reason(error: &JsValue) -> String {
    get(error, "message").as_string().unwrap_or_else(|| "no reason given".into())
}
