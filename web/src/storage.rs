//! The weights that the worker keeps in the browser's storage, as the page sees them.

use js_sys::Array;
use protocol::SHARD_CACHE;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, CacheStorage, Response};

/// Bytes of weights in storage; none where the browser offers no storage.
pub async fn used() -> Option<u64> {
    let cache: Cache = JsFuture::from(caches()?.open(SHARD_CACHE)).await.ok()?.dyn_into().ok()?;
    let mut bytes = 0;
    for request in Array::from(&JsFuture::from(cache.keys()).await.ok()?) {
        // An entry that another tab removed meanwhile holds nothing.
        bytes += size(&cache, &request).await.unwrap_or(0);
    }
    Some(bytes)
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
