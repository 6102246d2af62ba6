//! A worker that reads stored shards while this one is busy: `reader.js`.

use crate::bytes::JsBytes;
use crate::worker_scope;
use engine::platform::Entry;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Uint8Array};
use protocol::storage::SHARD_CACHE;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, MessageEvent, Worker};

/// Longer than any storage takes for a shard: a thread that says nothing for so long is given up.
const TIMEOUT_MS: u32 = 30_000;
/// The same until its first answer: browsers start a worker now and then whose script they never ask for.
const FIRST_TIMEOUT_MS: u32 = 3_000;

/// Nothing once the thread is given up.
type Waiting = Rc<RefCell<Option<HashMap<u32, oneshot::Sender<Option<Entry<JsBytes>>>>>>>;

/// The thread; it ends with this value.
pub struct ShardReader {
    worker: Worker,
    /// Who waits for which answer. Dropping a sender says that none will come.
    waiting: Waiting,
    asked: Cell<u32>,
    /// It has answered before.
    answers: Cell<bool>,
    _on_event: Closure<dyn Fn(Event)>,
}

/// The thread could not be started, is gone, or says nothing.
pub struct ReaderFailed;

impl ShardReader {
    /// None where the browser starts no worker for a worker.
    pub fn start() -> Option<Self> {
        let worker = worker_scope::start_worker("reader.js").ok()?;
        let waiting: Waiting = Rc::new(RefCell::new(Some(HashMap::new())));
        let on_event = {
            let waiting = waiting.clone();
            Closure::<dyn Fn(Event)>::new(move |event: Event| match event.dyn_ref::<MessageEvent>() {
                Some(message) => answered(&waiting, &message.data().unchecked_into()),
                // It did not load.
                None => drop(waiting.take()),
            })
        };
        worker.set_onmessage(Some(on_event.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_event.as_ref().unchecked_ref()));
        Some(Self { worker, waiting, asked: Cell::new(0), answers: Cell::new(false), _on_event: on_event })
    }

    /// The entry under `key`, if there is one.
    pub async fn read(&self, key: &str) -> Result<Option<Entry<JsBytes>>, ReaderFailed> {
        let id = self.asked.get();
        self.asked.set(id + 1);
        let (sender, answer) = oneshot::channel();
        self.waiting.borrow_mut().as_mut().ok_or(ReaderFailed)?.insert(id, sender);
        let question = Array::of3(&id.into(), &SHARD_CACHE.into(), &key.into());
        self.worker.post_message(&question).map_err(|_| ReaderFailed)?;
        let timeout = if self.answers.get() { TIMEOUT_MS } else { FIRST_TIMEOUT_MS };
        match select(answer, TimeoutFuture::new(timeout)).await {
            Either::Left((answer, _)) => {
                self.answers.set(true);
                answer.map_err(|_| ReaderFailed)
            }
            Either::Right(_) => {
                self.waiting.take();
                Err(ReaderFailed)
            }
        }
    }
}

impl Drop for ShardReader {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn answered(waiting: &Waiting, answer: &Array) {
    let id = answer.get(0).as_f64().unwrap_or_default() as u32;
    let Some(sender) = waiting.borrow_mut().as_mut().and_then(|waiting| waiting.remove(&id)) else { return };
    let bytes = answer.get(1);
    let entry = (!bytes.is_null())
        .then(|| Entry { bytes: JsBytes::new(Uint8Array::new(&bytes)), checksum: answer.get(2).as_string() });
    // Whoever asked may be gone.
    sender.send(entry).ok();
}
