//! The web worker: owns the model and its backend, answers [`protocol`] messages.
//!
//! Messages are taken one after another, so a photo never meets a half-loaded model and answers
//! come in the order asked.
#![cfg(target_arch = "wasm32")]

mod digest;
mod fetch;
mod load;
mod picture;
mod port;
mod progress;
mod session;
mod store;
mod teach;

use futures_channel::mpsc;
use futures_util::StreamExt;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Runs when the module is instantiated: listens, then says so.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| web_sys::console::error_1(&info.to_string().into())));
    let (sender, mut messages) = mpsc::unbounded();
    port::listen(sender);
    spawn_local(async move {
        let mut session = session::Session::default();
        while let Some(message) = messages.next().await {
            session.handle(message).await;
        }
    });
    port::post(&protocol::Reply::Awake);
}
