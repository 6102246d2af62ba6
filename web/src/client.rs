//! The worker, as the page sees it: starts it, sends [`Request`]s, reads its messages. How a worker is started, replaced
//! and found dead is the same for other pages, and in `web/embed/worker-client.js`.

use crate::fetch::js_error_message;
use crate::page_address::base_address;
use gloo::events::EventListener;
use js_sys::{Array, JSON, Uint8ClampedArray};
use page::engine::WorkerFailure;
use page::photo::{LISTED_CLASSES, Picture};
use page::worker_setup::{NoPlan, Plan};
use protocol::import::ImportRequest;
use protocol::teach::TeachRequest;
use protocol::{Device, Reply, Request};
use std::rc::Rc;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, PageTransitionEvent, Url};
use yew::Callback;

// Addresses relative to the page's program. `crates/xtask/src/embed.rs` lists these files for use without a network.
#[wasm_bindgen(raw_module = "./embed/worker-builds.js")]
extern "C" {
    #[wasm_bindgen(js_name = plan)]
    fn plan_in_script(build: Option<&str>, threads: Option<&str>) -> JsValue;
}

#[wasm_bindgen(raw_module = "./embed/worker-client.js")]
extern "C" {
    #[wasm_bindgen(js_name = startWorker, catch)]
    fn start_worker(
        workers: &str,
        build: &str,
        on_reply: &OnReply,
        on_replaced: &OnReplaced,
        on_end: &OnEnd,
    ) -> Result<WorkerClient, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// What `startWorker` gives.
    type WorkerClient;
    #[wasm_bindgen(method, catch)]
    fn post(this: &WorkerClient, json: &str, files: &Array) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    fn end(this: &WorkerClient);
}

type OnReply = Closure<dyn FnMut(JsValue, JsValue)>;
type OnReplaced = Closure<dyn FnMut()>;
type OnEnd = Closure<dyn FnMut(String, String)>;

/// The build and the number of threads for these parameters of the page's address, `worker` and `threads`.
///
/// # Errors
/// The outer one where the script is of another version than this program.
pub fn plan(build: Option<&str>, threads: Option<&str>) -> Result<Result<Plan, NoPlan>, String> {
    let json = JSON::stringify(&plan_in_script(build, threads)).map_err(js_error_message)?;
    Plan::from_json(&String::from(json)).map_err(|error| error.to_string())
}

/// What comes from a worker.
#[allow(clippy::large_enum_variant, reason = "an event lives for a moment")]
pub enum WorkerEvent {
    Reply(Reply),
    /// What the network sees of a photo, `side` pixels wide and high.
    Input {
        id: u64,
        side: usize,
        rgba: Rc<[u8]>,
    },
    /// A photo as it was decoded.
    Whole {
        id: u64,
        side: u32,
        picture: Picture,
    },
    Failed(WorkerFailure),
    /// The page is shown again; its worker was ended when it was put away.
    PageRestored,
}

/// A running worker; ends with this value.
pub struct Client {
    worker: Rc<WorkerClient>,
    _calls: (OnReply, OnReplaced, OnEnd),
    _listeners: [EventListener; 2],
}

impl Client {
    /// Starts a worker of this build.
    pub fn start(build: &str, on_event: &Callback<WorkerEvent>) -> Result<Self, String> {
        let window = web_sys::window().ok_or("there is no window")?;
        let workers = Url::new_with_base("workers/", &base_address()).map_err(js_error_message)?.href();
        let emit = on_event.clone();
        let on_reply = OnReply::new(move |_, message| {
            let misunderstood = |reason| WorkerEvent::Failed(WorkerFailure::Misunderstood(reason));
            emit.emit(read(message).unwrap_or_else(misunderstood));
        });
        let emit = on_event.clone();
        let on_replaced = OnReplaced::new(move || emit.emit(WorkerEvent::Failed(WorkerFailure::Replaced)));
        let emit = on_event.clone();
        let on_end = OnEnd::new(move |kind: String, reason| {
            let how = if kind == "crashed" { WorkerFailure::Crashed } else { WorkerFailure::Misunderstood };
            emit.emit(WorkerEvent::Failed(how(reason)));
        });
        let worker =
            start_worker(&workers, build, &on_reply, &on_replaced, &on_end).map_err(js_error_message)?;
        let worker = Rc::new(worker);
        // A browser may let the old page's worker live on for a while beside the new page's: two networks in memory.
        let ended = worker.clone();
        let on_hide = EventListener::new(&window, "pagehide", move |_| ended.end());
        let emit = on_event.clone();
        let on_show = EventListener::new(&window, "pageshow", move |event| {
            if event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted) {
                emit.emit(WorkerEvent::PageRestored);
            }
        });
        Ok(Self { worker, _calls: (on_reply, on_replaced, on_end), _listeners: [on_hide, on_show] })
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

    /// Asks for the classes that have this in a name.
    pub fn find_classes(&self, query: String) -> Result<(), String> {
        self.post(&Request::FindClasses { query }, None)
    }

    /// Asks what these classes and kinds are of.
    pub fn name_paths(
        &self,
        number: u64,
        classes: Vec<usize>,
        kinds: Vec<String>,
        names: Vec<String>,
    ) -> Result<(), String> {
        self.post(&Request::NamePaths { number, classes, kinds, names }, None)
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

    /// Asks about an import, with the visitor's checkpoint file beside the request.
    pub fn import(&self, request: ImportRequest, file: Option<&Blob>) -> Result<(), String> {
        self.post(&Request::Import(request), file)
    }

    fn post<'a>(&self, request: &Request, photos: impl IntoIterator<Item = &'a Blob>) -> Result<(), String> {
        let files: Array = photos.into_iter().collect();
        self.worker.post(&request.to_json(), &files).map_err(js_error_message)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.worker.end();
    }
}

fn read(message: JsValue) -> Result<WorkerEvent, String> {
    let parts = message.dyn_into::<Array>().map_err(|_| "it is no array")?;
    let json = parts.get(0).as_string().ok_or("it has no JSON text")?;
    let rgba = || -> Result<Rc<[u8]>, String> {
        let pixels: Uint8ClampedArray = parts.get(1).dyn_into().map_err(|_| "it has no pixels")?;
        Ok(pixels.to_vec().into())
    };
    Ok(match serde_json::from_str(&json).map_err(|error| error.to_string())? {
        Reply::Input { id, side } => WorkerEvent::Input { id, side, rgba: rgba()? },
        Reply::Whole { id, side, width, height } => {
            WorkerEvent::Whole { id, side, picture: Picture { width, height, rgba: rgba()? } }
        }
        reply => WorkerEvent::Reply(reply),
    })
}

#[cfg(test)]
mod tests {
    use wasmparser::{Validator, WasmFeatures};

    /// Each probe is a valid module that needs its feature.
    #[test]
    fn each_probe_asks_for_its_feature() {
        let script = include_str!("../embed/worker-builds.js");
        for (name, feature) in [
            ("simd128", WasmFeatures::SIMD),
            ("relaxedSimd", WasmFeatures::RELAXED_SIMD),
            ("threads", WasmFeatures::THREADS),
        ] {
            let digits =
                script.split_once(&format!("{name}: \"")).and_then(|(_, rest)| rest.split('"').next());
            let digits = digits.unwrap_or_else(|| panic!("no probe for {name}"));
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            let probe: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
            let all = WasmFeatures::all();
            let valid = |features| Validator::new_with_features(features).validate_all(&probe).map(drop);
            assert!(valid(all).is_ok(), "{feature:?}: {:?}", valid(all));
            // Relaxed SIMD is nothing without SIMD.
            let without =
                if feature == WasmFeatures::SIMD { feature | WasmFeatures::RELAXED_SIMD } else { feature };
            assert!(valid(all.difference(without)).is_err(), "{feature:?} is not asked for");
        }
    }
}
