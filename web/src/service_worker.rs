//! The service worker's script, and the browser's container of service workers.

use js_sys::Reflect;
use wasm_bindgen::JsCast;
use web_sys::{ServiceWorkerContainer, Window};

/// Relative to the page.
pub const SERVICE_WORKER: &str = "service-worker.js";

/// None outside secure contexts (https, localhost) and where the browser offers none.
pub fn container(window: &Window) -> Option<ServiceWorkerContainer> {
    let offered = Reflect::get(&window.navigator(), &"serviceWorker".into()).ok()?;
    offered.dyn_into().ok().filter(|_| window.is_secure_context())
}
