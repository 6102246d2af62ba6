//! Tells when a worker has ended without an error that anybody could hear: closed, or killed for its memory. As long as
//! it lives it holds one of the browser's locks, for which the page waits.

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// Calls `ended` once the browser's lock of this name is free, which it is when its holder is gone.
pub fn once_free(lock: &str, ended: impl FnOnce() + 'static) {
    // A browser without locks still tells of errors.
    request(lock, &Closure::once_into_js(ended)).ok();
}

/// `navigator.locks.request(lock, granted)`
fn request(lock: &str, granted: &JsValue) -> Result<JsValue, JsValue> {
    let navigator = web_sys::window().ok_or(JsValue::NULL)?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    request.call2(&locks, &lock.into(), granted)
}
