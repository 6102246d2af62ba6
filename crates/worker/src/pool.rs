//! The threads beside the worker's own, in the builds with shared memory: web workers that run
//! `helper.js`.

use engine::platform::Threads;

/// The build without shared memory has one thread.
#[cfg(not(target_feature = "atomics"))]
pub async fn start(_: usize) -> Threads {
    Threads::default()
}

#[cfg(target_feature = "atomics")]
pub use with_atomics::start;

#[cfg(target_feature = "atomics")]
mod with_atomics {
    use super::Threads;
    use crate::network::js_error_message;
    use crate::worker_scope;
    use futures_channel::oneshot;
    use futures_util::future::{Either, join_all, select};
    use gloo_timers::future::TimeoutFuture;
    use js_sys::Array;
    use kernels::pool::MOST_HELPERS;
    use std::cell::Cell;
    use wasm_bindgen::prelude::{Closure, wasm_bindgen};
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Event, MessageEvent, Worker};

    /// A helper that takes longer to start is left out.
    const TIMEOUT_MS: u32 = 10_000;

    /// Starts helpers until the network runs on `threads` threads, and gives them work. Called once.
    ///
    /// Waits for them, since a worker starts its own workers only while it is idle.
    pub async fn start(threads: usize) -> Threads {
        let slots = 0..threads.saturating_sub(1).min(MOST_HELPERS);
        let mut trouble = None;
        let mut helpers = 0;
        for (slot, outcome) in join_all(slots.map(start_one)).await.into_iter().enumerate() {
            match outcome {
                Ok(()) => {
                    kernels::pool::admit(slot);
                    helpers += 1;
                }
                Err(reason) => trouble = Some(reason),
            }
        }
        Threads { helpers, trouble }
    }

    /// Starts the helper of a slot and waits until it has joined.
    async fn start_one(slot: usize) -> Result<(), String> {
        let helper = worker_scope::start_worker("helper.js").map_err(js_error_message)?;
        let joined = joined(&helper);
        let beginning = Array::of3(&wasm_bindgen::module(), &wasm_bindgen::memory(), &slot.into());
        helper.post_message(&beginning).map_err(js_error_message)?;
        let outcome = match select(joined, TimeoutFuture::new(TIMEOUT_MS)).await {
            Either::Left((joined, _)) => joined.unwrap_or_else(|_| Err("it went away".into())),
            Either::Right(_) => Err("it took too long".into()),
        };
        match outcome {
            // The helper lives as long as the worker.
            Ok(()) => std::mem::forget(helper),
            Err(_) => helper.terminate(),
        }
        outcome
    }

    /// What the helper says first.
    fn joined(helper: &Worker) -> oneshot::Receiver<Result<(), String>> {
        let (sender, receiver) = oneshot::channel();
        let sender = Cell::new(Some(sender));
        let on_event = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let said = match event.dyn_ref::<MessageEvent>() {
                Some(message) => message.data().as_string().map_or(Ok(()), Err),
                None => Err(js_error_message(event.into())),
            };
            if let Some(sender) = sender.take() {
                // Nobody listens any more to one that was too slow.
                sender.send(said).ok();
            }
        });
        helper.set_onmessage(Some(on_event.as_ref().unchecked_ref()));
        helper.set_onerror(Some(on_event.as_ref().unchecked_ref()));
        on_event.forget();
        receiver
    }

    /// Makes this instance of the program a helper: called by `helper.js`, returns only by trapping.
    #[wasm_bindgen]
    pub fn help(slot: usize) {
        kernels::pool::help(slot, || {
            if let Err(error) = worker_scope::scope().post_message(&JsValue::NULL) {
                web_sys::console::error_1(&error);
            }
        })
    }

    /// Says that this helper has trapped: called by `helper.js`.
    #[wasm_bindgen]
    pub fn lose(slot: usize) {
        kernels::pool::lose(slot);
    }
}
