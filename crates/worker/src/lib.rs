//! The web worker: the [`engine`]'s platform in a browser, and nothing else.
//!
//! ```text
//! page ◀─ messages ─▶ port ◀─▶ engine::Session
//!                               │ browser: engine::platform::Platform
//!     network: fetch            ├─ storage: Cache API ─▶ shard_reader, lock
//!     devices: WebGPU, pool of  ├─ codecs: decoders as WebAssembly modules
//!       threads (helper.js)     └─ photo: files and the browser's own decoders
//! ```
//!
//! Messages are taken one after another, so a photo never meets a half-loaded model and answers
//! come in the order asked.
#![cfg(target_arch = "wasm32")]

mod browser;
mod bytes;
mod clock;
mod codecs;
mod devices;
mod lock;
mod network;
mod photo;
mod pool;
mod port;
mod shard_reader;
mod storage;
mod worker_scope;

use futures_channel::mpsc;
use futures_util::StreamExt;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Listens to the page, then says so. Called by `worker.js`, with the name of the lock that it holds, and with the
/// reason if this build stands in for another that could not be started. (No start function of the module: that would run in every thread.)
#[wasm_bindgen]
pub fn start(lock: Option<String>, fallback_reason: Option<String>) {
    std::panic::set_hook(Box::new(|info| web_sys::console::error_1(&info.to_string().into())));
    let (sender, mut messages) = mpsc::unbounded();
    port::listen(sender);
    spawn_local(async move {
        let mut session = engine::Session::new(browser::Browser::default(), fallback_reason);
        while let Some(message) = messages.next().await {
            session.handle(message).await;
        }
    });
    port::post(&protocol::Reply::Awake { lock });
}
