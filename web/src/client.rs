//! The worker, as the page sees it: starts it, sends [`Request`]s, turns what comes back into
//! [`Action`]s.

use crate::fetch::js_error_message;
use crate::lifeline;
use crate::page_address::base_address;
use crate::worker_build::WorkerBuild;
use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use js_sys::{Array, Reflect, Uint8ClampedArray};
use page::action::Action;
use page::engine::WorkerFailure;
use page::photo::{LISTED_CLASSES, Picture};
use protocol::teach::TeachRequest;
use protocol::{Device, Reply, Request};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, Event, MessageEvent, PageTransitionEvent, Url, Worker, WorkerOptions, WorkerType};
use yew::Callback;

/// After so many milliseconds a worker that has said nothing yet is given up: a program that never comes, on a
/// connection that has fallen silent, raises no error.
const AWAKE_WITHIN: u32 = 120_000;

/// After so many milliseconds without its script's first word a worker is taken for one whose script the browser has
/// never asked for, which happens now and then: another one gets it. On a network that is slower than that, too.
const BEGUN_WITHIN: u32 = 10_000;

/// A running worker; ends with this value.
pub struct Client {
    worker: Worker,
    /// Until it is ended on purpose.
    wanted: Rc<Cell<bool>>,
    /// Dropped with the client, so that an ended worker is not heard any more.
    _listeners: Vec<EventListener>,
}

impl Client {
    /// Starts a worker. What it sends, and its breaking down, arrives through `dispatch`.
    pub fn start(build: WorkerBuild, dispatch: &Callback<Action>) -> Result<Self, String> {
        let address = Url::new_with_base(&build.entry(), &base_address()).map_err(js_error_message)?.href();
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&address, &options).map_err(js_error_message)?;
        let wanted = Rc::new(Cell::new(true));
        let silence = Timeout::new(AWAKE_WITHIN, {
            let dispatch = dispatch.clone();
            move || {
                let reason = "it has said nothing for two minutes".to_owned();
                dispatch.emit(Action::WorkerFailed(WorkerFailure::Crashed(reason)));
            }
        });
        let not_begun = Timeout::new(BEGUN_WITHIN, {
            let dispatch = dispatch.clone();
            move || dispatch.emit(Action::WorkerNotBegun)
        });
        let on_message = {
            let (dispatch, wanted) = (dispatch.clone(), wanted.clone());
            let (silence, not_begun) = (Cell::new(Some(silence)), Cell::new(Some(not_begun)));
            move |event: &Event| {
                not_begun.set(None);
                let action = read(event)
                    .unwrap_or_else(|reason| Action::WorkerFailed(WorkerFailure::Misunderstood(reason)));
                if action != Action::Worker(Reply::Begun) {
                    // It is not silent.
                    silence.set(None);
                }
                if let Action::Worker(Reply::Awake { lock: Some(lock) }) = &action {
                    let (dispatch, wanted) = (dispatch.clone(), wanted.clone());
                    lifeline::once_free(lock, move || {
                        if wanted.get() {
                            let reason = "it ended without a word".to_owned();
                            dispatch.emit(Action::WorkerFailed(WorkerFailure::Crashed(reason)));
                        }
                    });
                }
                dispatch.emit(action);
            }
        };
        let on_error = {
            let dispatch = dispatch.clone();
            move |event: &Event| {
                dispatch.emit(Action::WorkerFailed(WorkerFailure::Crashed(message_of(event))))
            }
        };
        let on_message_error = {
            let dispatch = dispatch.clone();
            move |_: &Event| {
                let reason = "a message could not be cloned".to_owned();
                dispatch.emit(Action::WorkerFailed(WorkerFailure::Misunderstood(reason)));
            }
        };
        let mut listeners = vec![
            EventListener::new(&worker, "message", on_message),
            EventListener::new(&worker, "error", on_error),
            EventListener::new(&worker, "messageerror", on_message_error),
        ];
        // A browser may let the old page's worker live on for a while beside the new page's: two networks in memory.
        if let Some(window) = web_sys::window() {
            let (ended, wanted) = (worker.clone(), wanted.clone());
            listeners.push(EventListener::new(&window, "pagehide", move |_| {
                wanted.set(false);
                ended.terminate();
            }));
            let dispatch = dispatch.clone();
            listeners.push(EventListener::new(&window, "pageshow", move |event| {
                if event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted) {
                    dispatch.emit(Action::PageRestored);
                }
            }));
        }
        Ok(Self { worker, wanted, _listeners: listeners })
    }

    /// Asks the worker to load the manifest at this absolute address and to run it on this device, or on so many
    /// threads.
    pub fn load(&self, manifest: &str, device: Device, threads: usize, agreed: bool) -> Result<(), String> {
        self.post(&Request::Load { manifest: manifest.into(), device, threads, agreed }, None)
    }

    /// Sends photos. The browser clones a `Blob` by reference: no byte is copied here.
    pub fn classify(&self, photos: &[(u64, Blob)]) -> Result<(), String> {
        let ids = photos.iter().map(|&(id, _)| id).collect();
        self.post(&Request::Classify { ids, top_k: LISTED_CLASSES }, photos.iter().map(|(_, photo)| photo))
    }

    /// Asks what speaks for a class.
    pub fn explain(&self, id: u64, class: usize, photo: &Blob) -> Result<(), String> {
        self.post(&Request::Explain { id, class }, Some(photo))
    }

    /// Asks what the network sees of a photo.
    pub fn show_input(&self, id: u64, photo: &Blob) -> Result<(), String> {
        self.post(&Request::ShowInput { id }, Some(photo))
    }

    /// Asks for all of a photo as the worker decodes it, its long side at most `side` pixels.
    pub fn show_whole(&self, id: u64, side: u32, photo: &Blob) -> Result<(), String> {
        self.post(&Request::ShowWhole { id, side }, Some(photo))
    }

    /// Asks about the visitor's own classes, with a photo or a head's file beside the question.
    pub fn teach(&self, request: TeachRequest, file: Option<&Blob>) -> Result<(), String> {
        self.post(&Request::Teach(request), file)
    }

    fn post<'a>(&self, request: &Request, photos: impl IntoIterator<Item = &'a Blob>) -> Result<(), String> {
        let message = Array::of1(&JsValue::from_str(&request.to_json()));
        for photo in photos {
            message.push(photo);
        }
        self.worker.post_message(&message).map_err(js_error_message)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.wanted.set(false);
        self.worker.terminate();
    }
}

fn read(event: &Event) -> Result<Action, String> {
    let data = event.dyn_ref::<MessageEvent>().ok_or("it is no message")?.data();
    let parts = data.dyn_into::<Array>().map_err(|_| "it is no array")?;
    let json = parts.get(0).as_string().ok_or("it has no JSON text")?;
    let rgba = || -> Result<Rc<[u8]>, String> {
        let pixels: Uint8ClampedArray = parts.get(1).dyn_into().map_err(|_| "it has no pixels")?;
        Ok(pixels.to_vec().into())
    };
    Ok(match serde_json::from_str(&json).map_err(|error| error.to_string())? {
        Reply::Input { id, side } => Action::SawInput { id, side, rgba: rgba()? },
        Reply::Whole { id, side, width, height } => {
            Action::SawWhole { id, side, picture: Picture { width, height, rgba: rgba()? } }
        }
        reply => Action::Worker(reply),
    })
}

/// What an error event says; one for a script that could not be fetched says nothing.
fn message_of(event: &Event) -> String {
    let message = Reflect::get(event, &JsValue::from_str("message")).ok();
    message.and_then(|message| message.as_string()).unwrap_or_default()
}
