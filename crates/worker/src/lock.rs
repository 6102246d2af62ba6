//! The browser's locks, which all tabs of a site share.

use crate::worker_scope;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Function, Promise, Reflect};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A lock, free again when this is dropped.
pub struct HeldLock(Function);

impl HeldLock {
    /// Waiting for the lock of this name. None where the browser has none to give. Who stops waiting never gets it.
    pub async fn wait(name: &str) -> Option<Self> {
        let (sender, granted) = oneshot::channel();
        let waits = Waiting(Rc::new(Cell::new(true)));
        let on_granted = {
            let waits = waits.0.clone();
            move || {
                if !waits.get() {
                    return JsValue::UNDEFINED;
                }
                let mut sender = Some(sender);
                // The lock is held until this promise is kept.
                let promise = Promise::new(&mut |release, _| {
                    if let Some(sender) = sender.take() {
                        sender.send(release).ok();
                    }
                });
                promise.into()
            }
        };
        let asked = request(name, &Closure::once_into_js(on_granted)).ok()?;
        // What was asked is settled before it was granted only where it is refused.
        let settled = JsFuture::from(Promise::resolve(&asked));
        match select(granted, settled).await {
            Either::Left((granted, _)) => granted.ok().map(Self),
            Either::Right(_) => None,
        }
    }
}

/// Whether anybody still waits.
struct Waiting(Rc<Cell<bool>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // A promise's own function does not fail.
        self.0.call0(&JsValue::NULL).ok();
    }
}

/// `navigator.locks.request(name, granted)`
fn request(name: &str, granted: &JsValue) -> Result<JsValue, JsValue> {
    let locks = Reflect::get(&worker_scope::scope().navigator(), &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    request.call2(&locks, &name.into(), granted)
}
