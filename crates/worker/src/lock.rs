//! The browser's locks, which all tabs of a site share: what one of them fetches, another need not fetch as well.

use crate::port;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Promise, Reflect};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// A tab that a browser has put to sleep may never let go. What it would have saved is fetched again then.
const PATIENCE_MS: u32 = 120_000;

/// A lock, free again when this is dropped.
pub struct Held {
    release: Option<Function>,
}

impl Held {
    /// Waits for the lock of this name, but not for ever. Without one, where the browser has none to give, nothing is
    /// lost but time.
    pub async fn wait(name: &str) -> Self {
        let (sender, granted) = oneshot::channel();
        let abandoned = Rc::new(Cell::new(false));
        let on_granted = {
            let abandoned = abandoned.clone();
            move || {
                if abandoned.get() {
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
        if request(name, &Closure::once_into_js(on_granted)).is_err() {
            return Self { release: None };
        }
        match select(granted, TimeoutFuture::new(PATIENCE_MS)).await {
            Either::Left((granted, _)) => Self { release: granted.ok() },
            Either::Right(_) => {
                abandoned.set(true);
                Self { release: None }
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // A promise's own function does not fail.
            release.call0(&JsValue::NULL).ok();
        }
    }
}

/// `navigator.locks.request(name, granted)`
fn request(name: &str, granted: &JsValue) -> Result<JsValue, JsValue> {
    let locks = Reflect::get(&port::scope().navigator(), &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    request.call2(&locks, &name.into(), granted)
}
