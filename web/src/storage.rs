//! The weights that the worker keeps in the browser's storage, as the page sees them.

use crate::models::Listed;
use crate::state::Action;
use js_sys::{Array, JsString};
use protocol::storage::{SHARD_CACHE, manifest_key, shard_key};
use serde::Deserialize;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, CacheStorage, Response};

/// Counts the weights in storage, and finds which of these models are whole there.
pub async fn measure(models: &[Listed]) -> Action {
    let bytes = used().await;
    let mut whole: Vec<Rc<str>> = Vec::new();
    for model in models {
        if is_whole(model).await.unwrap_or(false) {
            whole.push(model.manifest.clone());
        }
    }
    Action::StorageMeasured { bytes, models: whole.into() }
}

/// Bytes of weights in storage; none where the browser offers no storage.
async fn used() -> Option<u64> {
    let cache: Cache = JsFuture::from(caches()?.open(SHARD_CACHE)).await.ok()?.dyn_into().ok()?;
    let mut bytes = 0;
    for request in Array::from(&JsFuture::from(cache.keys()).await.ok()?) {
        // An entry that another tab removed meanwhile holds nothing.
        bytes += size(&cache, &request).await.unwrap_or(0);
    }
    Some(bytes)
}

/// Of a manifest that the worker has checked and kept: what tells whether the weights are there.
#[derive(Deserialize)]
struct Manifest {
    sha256: String,
    shards: Vec<Shard>,
}

#[derive(Deserialize)]
struct Shard {
    sha256: String,
}

/// Whether every shard of the model is in storage, and is of the version that the list offers.
async fn is_whole(model: &Listed) -> Option<bool> {
    let cache: Cache = JsFuture::from(caches()?.open(SHARD_CACHE)).await.ok()?.dyn_into().ok()?;
    let key = manifest_key(&String::from(js_sys::encode_uri_component(&model.manifest)));
    let text = entry(&cache, &key).await?.text().ok()?;
    let text: JsString = JsFuture::from(text).await.ok()?.dyn_into().ok()?;
    let manifest: Manifest = serde_json::from_str(&String::from(text)).ok()?;
    if model.sha256.as_ref().is_some_and(|sha256| *sha256 != manifest.sha256) {
        return Some(false);
    }
    for shard in &manifest.shards {
        entry(&cache, &shard_key(&shard.sha256)).await?;
    }
    Some(true)
}

async fn entry(cache: &Cache, key: &str) -> Option<Response> {
    JsFuture::from(cache.match_with_str(key)).await.ok()?.dyn_into().ok()
}

/// The worker writes each entry's size beside it, so that nobody has to read it.
async fn size(cache: &Cache, request: &JsValue) -> Option<u64> {
    let found = cache.match_with_request(request.unchecked_ref());
    let response: Response = JsFuture::from(found).await.ok()?.dyn_into().ok()?;
    response.headers().get("content-length").ok()??.parse().ok()
}

/// Removes all weights from storage.
pub async fn clear() {
    if let Some(caches) = caches() {
        // What can't be removed is still counted afterwards, so the page does not say otherwise.
        JsFuture::from(caches.delete(SHARD_CACHE)).await.ok();
    }
}

/// Asks the browser not to clear this site's storage by itself when disk space runs short.
pub async fn persist() {
    let Some(window) = web_sys::window().filter(|window| window.is_secure_context()) else { return };
    if let Ok(asked) = window.navigator().storage().persist() {
        // A refusal changes nothing for the visitor: the weights are kept as long as there is room.
        JsFuture::from(asked).await.ok();
    }
}

fn caches() -> Option<CacheStorage> {
    web_sys::window().filter(|window| window.is_secure_context())?.caches().ok()
}
