//! The worker that runs the module keyword-writer (`web/keyword-writer.js`): started when it is first asked.

use crate::fetch::js_error_message;
use crate::page_address::base_address;
use gloo::events::EventListener;
use js_sys::{Array, Function, Promise};
use protocol::keywords::{WriterReply, WriterRequest};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ErrorEvent, File, MessageEvent, Url, Worker, WorkerOptions, WorkerType};

/// What is waited for, by number: what settles its promise, well or badly.
type Pending = Rc<RefCell<HashMap<u32, (Function, Function)>>>;

#[derive(Default)]
pub struct Writer {
    running: Rc<RefCell<Option<Running>>>,
    pending: Pending,
    last: Cell<u32>,
}

struct Running {
    worker: Worker,
    _listeners: [EventListener; 2],
}

impl Drop for Running {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl Writer {
    /// Asks about a file, with its sidecar if it has one.
    ///
    /// # Errors
    /// Why it could not be asked, or has not answered.
    pub async fn ask(
        &self,
        request: &WriterRequest,
        file: &Blob,
        sidecar: Option<&File>,
    ) -> Result<WriterReply, String> {
        let json = serde_json::to_string(request).map_err(|error| error.to_string())?;
        self.start().map_err(js_error_message)?;
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        let promise = Promise::new(&mut |resolve, reject| {
            self.pending.borrow_mut().insert(number, (resolve, reject));
        });
        let sidecar = sidecar.map_or(JsValue::NULL, JsValue::from);
        let message = Array::of4(&number.into(), &json.into(), file, &sidecar);
        if let Some(running) = &*self.running.borrow() {
            running.worker.post_message(&message).map_err(js_error_message)?;
        }
        let reply = JsFuture::from(promise).await.map_err(js_error_message)?;
        let reply = reply.as_string().ok_or("it gave no text")?;
        serde_json::from_str(&reply).map_err(|error| error.to_string())
    }

    /// SHA-256 of a file.
    pub async fn hash(&self, file: &Blob) -> Result<String, String> {
        match self.ask(&WriterRequest::Hash, file, None).await? {
            WriterReply::Hashed { sha256 } => Ok(sha256),
            WriterReply::Misunderstood { reason } => Err(reason),
            _ => Err(super::OTHER_ANSWER.into()),
        }
    }

    fn start(&self) -> Result<(), JsValue> {
        if self.running.borrow().is_some() {
            return Ok(());
        }
        let address = Url::new_with_base("keyword-writer.js", &base_address())?.href();
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&address, &options)?;
        let pending = self.pending.clone();
        let on_message = EventListener::new(&worker, "message", move |event| {
            let Some(message) = event.dyn_ref::<MessageEvent>().map(MessageEvent::data) else { return };
            settle(&pending, &message.unchecked_into());
        });
        let (running, pending) = (self.running.clone(), self.pending.clone());
        let on_error = EventListener::new(&worker, "error", move |event| {
            let reason = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
            let reason = if reason.is_empty() { "keyword-writer.js could not be fetched" } else { &reason };
            end(&running, &pending, reason);
        });
        *self.running.borrow_mut() = Some(Running { worker, _listeners: [on_message, on_error] });
        Ok(())
    }
}

/// `[number, reply]`, or `[number, null, reason]`.
fn settle(pending: &Pending, message: &Array) {
    let number = message.get(0).as_f64().map_or(0, |number| number as u32);
    let Some((resolve, reject)) = pending.borrow_mut().remove(&number) else { return };
    let (settle, value) = if message.get(1).is_null() { (reject, 2) } else { (resolve, 1) };
    // A function that settles a promise does not fail.
    settle.call1(&JsValue::NULL, &message.get(value)).ok();
}

fn end(running: &Rc<RefCell<Option<Running>>>, pending: &Pending, reason: &str) {
    // Its own listener may be what runs now: it is dropped once that is over.
    let ended = running.borrow_mut().take();
    wasm_bindgen_futures::spawn_local(async move { drop(ended) });
    for (_, (_, reject)) in pending.borrow_mut().drain() {
        reject.call1(&JsValue::NULL, &reason.into()).ok();
    }
}
