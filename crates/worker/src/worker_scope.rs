//! The worker's global scope: its clock, and workers of its own.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, Url, Worker, WorkerOptions, WorkerType};

/// The worker's global scope.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Starts a worker of this worker's own, from a module beside its script.
///
/// # Errors
/// When the browser refuses; that a script is missing is only heard later, as an event.
pub fn start_worker(script: &str) -> Result<Worker, JsValue> {
    let address = Url::new_with_base(script, &scope().location().href())?.href();
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    Worker::new_with_options(&address, &options)
}

/// The address of a file of the site, by its path from the site's root: this program lies in workers/…/ of it.
pub fn site_address(path: &str) -> Option<String> {
    let path = format!("../../{path}");
    Url::new_with_base(&path, &scope().location().href()).ok().map(|url| url.href())
}

/// Milliseconds since the worker began.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}
