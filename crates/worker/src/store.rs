//! The browser's storage for weights: verified shards under their SHA-256, and the manifests that
//! name them, so that a second visit needs no network.
//!
//! Cache API entries rather than OPFS files: both hold gigabytes, but a page can clear a cache while
//! a worker reads it, and two tabs that write the same shard write the same bytes.

use crate::port;
use crate::reader::{Entry, Gone, Reader};
use crate::{digest, fetch};
use beit::weights::Shard;
use js_sys::Uint8Array;
use protocol::Kept;
use protocol::storage::{self, SHARD_CACHE};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, Headers, Response, ResponseInit};

/// The header of a kept shard that has its checksum; `reader.js` knows it too. The SHA-256 was checked when it came from
/// the network.
const CHECKSUM: &str = "x-checksum";

/// The storage, where the browser offers one.
pub struct Store {
    cache: Option<Cache>,
    kept: Cell<Kept>,
}

impl Store {
    pub async fn open() -> Self {
        match open().await {
            Some(cache) => Self { cache: Some(cache), kept: Cell::new(Kept::Yes) },
            None => Self { cache: None, kept: Cell::new(Kept::NoStorage) },
        }
    }

    /// Whether all that was given so far is kept.
    pub fn kept(&self) -> Kept {
        self.kept.get()
    }

    /// Whether there is an entry for this shard; its bytes may still turn out to be damaged.
    pub async fn has(&self, shard: &Shard) -> bool {
        self.entry(&shard_key(shard)).await.is_some()
    }

    /// The shard's bytes, if they are there and whole. A damaged entry is removed. Read by `reader`, if there is one.
    pub async fn shard(&self, shard: &Shard, reader: Option<&Reader>) -> Option<Uint8Array> {
        let key = shard_key(shard);
        let read = match reader {
            Some(reader) => reader.read(&key).await,
            None => Err(Gone),
        };
        let Entry { bytes, checksum } = match read {
            Ok(entry) => entry?,
            Err(Gone) => self.read(&key).await?,
        };
        let right_size = shard.check_size(u64::from(bytes.length())).is_ok();
        let whole = right_size
            && match checksum {
                Some(checksum) => checksum == digest::checksum(&bytes),
                None => shard.check_digest(digest::sha256(&bytes).await).is_ok(),
            };
        if whole {
            return Some(bytes);
        }
        self.remove(&key).await;
        None
    }

    async fn read(&self, key: &str) -> Option<Entry> {
        let entry = self.entry(key).await?;
        let checksum = entry.headers().get(CHECKSUM).ok().flatten();
        Some(Entry { bytes: body(&entry).await?, checksum })
    }

    /// Keeps a shard that was checked. After the first refusal nothing more is tried.
    pub async fn keep_shard(&self, shard: &Shard, bytes: &Uint8Array) {
        self.put(&shard_key(shard), bytes, &[(CHECKSUM, &digest::checksum(bytes))]).await;
    }

    /// The manifest that was last fetched from this address.
    pub async fn manifest(&self, url: &str) -> Option<Vec<u8>> {
        Some(self.bytes(&manifest_key(url)).await?.to_vec())
    }

    pub async fn keep_manifest(&self, url: &str, json: &[u8]) {
        self.put(&manifest_key(url), &Uint8Array::from(json), &[]).await;
    }

    /// A small note under a name of the worker's own.
    pub async fn note(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.bytes(&note_key(name)).await?.to_vec())
    }

    pub async fn keep_note(&self, name: &str, text: &[u8]) {
        self.put(&note_key(name), &Uint8Array::from(text), &[]).await;
    }

    async fn entry(&self, key: &str) -> Option<Response> {
        let found = JsFuture::from(self.cache.as_ref()?.match_with_str(key)).await.ok()?;
        found.dyn_into().ok()
    }

    async fn bytes(&self, key: &str) -> Option<Uint8Array> {
        body(&self.entry(key).await?).await
    }

    async fn put(&self, key: &str, bytes: &Uint8Array, headers: &[(&str, &str)]) {
        let Some(cache) = &self.cache else { return };
        if self.kept() != Kept::Yes {
            return;
        }
        if let Err(refusal) = put(cache, key, bytes, headers).await {
            let reason = fetch::reason(&refusal);
            web_sys::console::warn_1(&format!("the weights are not kept: {reason}").into());
            self.kept.set(Kept::NoRoom);
        }
    }

    async fn remove(&self, key: &str) {
        if let Some(cache) = &self.cache {
            // What can't be removed is found damaged again the next time.
            JsFuture::from(cache.delete_with_str(key)).await.ok();
        }
    }
}

async fn open() -> Option<Cache> {
    // Without a secure context there is no `caches` to ask.
    if !port::scope().is_secure_context() {
        return None;
    }
    let opened = port::scope().caches().ok()?.open(SHARD_CACHE);
    JsFuture::from(opened).await.ok()?.dyn_into().ok()
}

async fn body(entry: &Response) -> Option<Uint8Array> {
    let buffer = JsFuture::from(entry.array_buffer().ok()?).await.ok()?;
    Some(Uint8Array::new(&buffer))
}

async fn put(
    cache: &Cache,
    key: &str,
    bytes: &Uint8Array,
    more_headers: &[(&str, &str)],
) -> Result<(), JsValue> {
    let headers = Headers::new()?;
    for (name, value) in more_headers {
        headers.set(name, value)?;
    }
    headers.set("content-type", "application/octet-stream")?;
    // The page sums these up to tell how much is kept.
    headers.set("content-length", &bytes.length().to_string())?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    let response = Response::new_with_opt_js_u8_array_and_init(Some(bytes), &init)?;
    JsFuture::from(cache.put_with_str(key, &response)).await?;
    Ok(())
}

fn shard_key(shard: &Shard) -> String {
    storage::shard_key(&shard.sha256)
}

fn note_key(name: &str) -> String {
    format!("/{SHARD_CACHE}/note?of={}", js_sys::encode_uri_component(name))
}

fn manifest_key(url: &str) -> String {
    storage::manifest_key(&String::from(js_sys::encode_uri_component(url)))
}
