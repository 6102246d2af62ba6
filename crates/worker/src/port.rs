//! Messages from and to the page.

use crate::photo::PhotoFile;
use crate::worker_scope::scope;
use engine::Message;
use futures_channel::mpsc::UnboundedSender;
use protocol::Reply;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, MessageEvent};

/// Sends every message that comes from the page on to `sender`.
pub fn listen(sender: UnboundedSender<Message<PhotoFile>>) {
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        match read(&event.data()) {
            // The receiver lives as long as the worker.
            Ok(message) => drop(sender.unbounded_send(message)),
            // Thrown, it reaches the page: unanswered, the page would wait for ever.
            Err(error) => wasm_bindgen::throw_str(&format!("a message was not understood: {error}")),
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
}

fn read(data: &JsValue) -> Result<Message<PhotoFile>, String> {
    let parts = js_sys::Array::from(data);
    let json = parts.get(0).as_string().ok_or("no JSON text")?;
    let request = serde_json::from_str(&json).map_err(|e| e.to_string())?;
    let files = parts.iter().skip(1).filter_map(|part| part.dyn_into::<Blob>().ok()).map(PhotoFile).collect();
    Ok(Message { request, files })
}

/// Sends a reply to the page.
pub fn post(reply: &Reply) {
    send(&js_sys::Array::of1(&JsValue::from_str(&reply.to_json())));
}

/// Sends a reply with pixels beside it.
pub fn post_with(reply: &Reply, pixels: &[u8]) {
    let pixels = js_sys::Uint8ClampedArray::from(pixels);
    send(&js_sys::Array::of2(&JsValue::from_str(&reply.to_json()), &pixels));
}

fn send(message: &js_sys::Array) {
    if let Err(error) = scope().post_message(message) {
        web_sys::console::error_1(&error);
    }
}
