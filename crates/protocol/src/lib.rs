//! Messages between the page and its web worker, and nothing else.
//!
//! A message crosses as a JavaScript array `[json, attachment…]`: the JSON text of a [`Request`] or a
//! [`Reply`], and beside it what is no text. With a request about photos, that is each one's `File`
//! or `Blob`: the browser clones it by reference, so the page never copies a photo's bytes. With
//! [`Reply::Input`] it is a `Uint8ClampedArray` of pixels.
#![warn(missing_docs)]

#[allow(missing_docs, reason = "its English texts say it")]
pub mod fault;
pub mod import;
pub mod keywords;
pub mod storage;
pub mod teach;

use fault::{LoadFault, PhotoFault, Reason};
use import::{ImportReply, ImportRequest};
use keywords::NamePath;
use serde::{Deserialize, Serialize};
use teach::{TeachReply, TeachRequest};

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "a variant's text names its fields")]
#[allow(clippy::large_enum_variant, reason = "messages are few, and none is kept; on 32 bits it is none")]
pub enum Request {
    /// Fetch, verify and build the model whose manifest is at this absolute URL, and run it on `device`;
    /// on the processor on so many threads, or as many as can be started. Unless it is `agreed`, or was loaded here
    /// before, nothing but the manifest is fetched, and [`Reply::AskFirst`] answers. Sent once, and once more then.
    Load { manifest: String, device: Device, threads: usize, agreed: bool },
    /// Classify the photos beside this message, as many as `ids` and at most [`BackendInfo::batch`] of them, in one
    /// pass where that is a gain. For each comes [`Reply::Started`], perhaps some [`Reply::ForwardProgress`], then
    /// [`Reply::Done`] or [`Reply::Failed`] with its `id`.
    Classify { ids: Vec<u64>, top_k: usize },
    /// Take one class's logit for the photo beside this message apart. Answered by
    /// [`Reply::Explained`] or [`Reply::NotShown`].
    Explain { id: u64, class: usize },
    /// Show what the network sees of the photo beside this message. Answered by [`Reply::Input`] or
    /// [`Reply::NotShown`].
    ShowInput { id: u64 },
    /// Show all of the photo beside this message as it was decoded, upright, its long side at most `side` pixels.
    /// Answered by [`Reply::Whole`] or [`Reply::NotShown`].
    ShowWhole { id: u64, side: u32 },
    /// Find classes by a part of a name or of a WordNet id. Answered by [`Reply::ClassesFound`].
    FindClasses { query: String },
    /// Name what these classes, by their index, and these kinds, by their WordNet id or else their English name, are of;
    /// and say which of these `names` (WordNet id, English or Chinese name) no class and no kind has. Answered by
    /// [`Reply::PathsNamed`] with the same `number`.
    NamePaths { number: u64, classes: Vec<usize>, kinds: Vec<String>, names: Vec<String> },
    /// About a visitor's own classes.
    Teach(TeachRequest),
    /// About the import of a checkpoint, to a worker of its own.
    Import(ImportRequest),
}

/// What the network shall run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// Whichever is faster here, and right.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// Any GPU that WebGPU offers, a software implementation on the processor too; the processor where
    /// there is none or it computes wrongly.
    Webgpu,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "a variant's text names its fields")]
pub enum Reply {
    /// The worker's script runs, and fetches and starts its program. `worker.js` writes this one by hand.
    Begun,
    /// The worker's wasm runs and listens. Requests sent before this may be lost. As long as the worker lives it holds
    /// the browser's lock of this name (`navigator.locks`), where the browser has locks: whoever gets it knows that
    /// the worker has ended, however it did.
    Awake { lock: Option<String> },
    /// The visitor has to agree to this model first: it comes from elsewhere.
    AskFirst { offer: Offer },
    /// Where loading stands.
    Loading(Loading),
    /// The model answers photos from now on.
    Ready { model: ModelInfo, backend: BackendInfo, kept: Kept },
    /// The model could not be loaded; `message` says it in English, for clients without texts of their own.
    LoadFailed { fault: LoadFault, message: String },
    /// The worker has begun on this photo.
    Started { id: u64 },
    /// This share of the network has been computed for the photo, 0 to 1. Only on the processor.
    #[serde(rename = "through")]
    ForwardProgress { id: u64, share: f32 },
    /// The photo's answer.
    Done { id: u64, answer: Answer },
    /// The photo could not be answered; `message` says it in English, for clients without texts of their own.
    Failed { id: u64, fault: PhotoFault, message: String },
    /// The best of the classes that were searched for, and how many there are in all.
    ClassesFound { query: String, classes: Vec<ClassName>, count: usize },
    /// What the classes and kinds of [`Request::NamePaths`] are of, in their order; empty for what the model lacks.
    /// And its names that the model lacks.
    PathsNamed { number: u64, classes: Vec<NamePath>, kinds: Vec<NamePath>, unknown: Vec<String> },
    /// About a visitor's own classes.
    Teach(TeachReply),
    /// About the import of a checkpoint.
    Import(ImportReply),
    /// What each patch of the photo contributes to this class's logit.
    Explained { id: u64, class: usize, heat_map: HeatMap },
    /// The square that the network sees of the photo, `side` × `side` pixels in RGBA, beside this message.
    Input { id: u64, side: usize },
    /// All of the photo, `width` × `height` pixels in RGBA, beside this message; `side` as it was asked for.
    Whole { id: u64, side: u32, width: u32, height: u32 },
    /// A heat map, an input or a whole photo could not be had.
    NotShown { id: u64, fault: PhotoFault },
}

/// A class of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassName {
    /// Its number among the head's.
    pub index: usize,
    /// WordNet id; empty for a class that has none.
    pub wnid: String,
    /// English name.
    pub label: String,
    /// Chinese name; empty where there is none.
    pub label_zh: String,
}

/// A model that a visitor is asked about. What it says of itself is only text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Where its manifest is.
    pub manifest: String,
    /// Who serves it, such as `weights.example`.
    pub host: String,
    /// The model's own name.
    pub name: String,
    /// `q8_0`, `q4_0`, `f16` or `f32`.
    pub quantization: String,
    /// All shards together.
    pub bytes: u64,
}

/// How far loading has come, in bytes of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loading {
    /// What goes on.
    pub phase: Phase,
    /// All shards together.
    pub total: u64,
    /// Came over the network, checked or not, or were in the browser's storage when loading began.
    pub here: u64,
    /// Of those, what was in storage when loading began.
    pub stored: u64,
    /// Checked and in their final place in the model.
    pub built: u64,
    /// How fast `here` has grown over the last seconds; none until it can be estimated.
    pub bytes_per_second: Option<f64>,
}

/// What the worker is doing before it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Fetching the shards that storage lacks, checking each one's size and SHA-256, and building
    /// the model from those that are there.
    Download,
    /// The same with every shard in storage: no network.
    Read,
    /// Every byte is in place, but not all of the GPU's programs are compiled: `ready` of `total`, where that is
    /// known, else of 0. Compiling begins with the download.
    Compile {
        /// Kernels that are compiled.
        ready: usize,
        /// All that the network runs.
        total: usize,
    },
    /// Running the network once, so that the first photo is as quick as the rest.
    WarmUp,
}

/// Whether the browser keeps the weights for the next visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// All of them.
    Yes,
    /// The browser offers no storage here: a private window, or an address without https.
    NoStorage,
    /// The browser refused the space.
    NoRoom,
}

/// The loaded model, as the page names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The model's own name, such as `beitv2_large_patch16_224`.
    pub name: String,
    /// `q8_0`, `q4_0`, `f16` or `f32`.
    pub quantization: String,
    /// All shards together.
    pub bytes: u64,
    /// Values of all tensors.
    pub parameters: u64,
    /// Rows of the head.
    pub classes: usize,
    /// Side of the square the network sees, in pixels.
    pub image_size: usize,
    /// Absolute URL of the model card, where the manifest names one.
    pub card: Option<String>,
    /// What the weights are known by: the SHA-256 of their shards' SHA-256, each of which was checked. Lower-case
    /// hexadecimal.
    pub sha256: String,
}

/// What the network runs on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendInfo {
    /// `cpu` or `webgpu`.
    pub kind: String,
    /// The instruction set in use, such as `simd128`.
    pub detail: String,
    /// The worker's own among them.
    pub threads: usize,
    /// The most photos to ask for at a time: more than one where the device works on several at once.
    pub batch: usize,
    /// Why this one was chosen, the weightiest first.
    pub reasons: Vec<Reason>,
}

/// A photo's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Best first.
    pub predictions: Vec<Prediction>,
    /// How many classes the model has, where the photo most likely shows none of them. None where it shows one, or the
    /// model has no threshold for that.
    #[serde(default)]
    pub none_of: Option<u64>,
    /// The photo's width in pixels, upright.
    pub width: u32,
    /// The photo's height in pixels, upright.
    pub height: u32,
    /// Decoding and preprocessing the photo, in milliseconds.
    pub decode_ms: f64,
    /// The network alone, in milliseconds; of a pass with several photos, this one's share.
    pub ms: f64,
    /// How they divide into stages, where the device measures it.
    pub stages: Vec<StageTime>,
    /// The most specific kind of thing that holds most of the probability, where that is more than one
    /// class.
    pub kind: Option<Kind>,
    /// The photo's file in bytes.
    pub bytes: u64,
    /// SHA-256 of the photo's file, lower-case hexadecimal.
    pub sha256: String,
    /// How the file was read.
    pub reading: Reading,
}

/// How a photo was read, as far as a visitor has to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The kind of raw photo (such as `DNG`) whose preview was looked at.
    pub preview_of: Option<String>,
    /// Browsers show this file otherwise than the network has seen it: as it is stored where it was turned upright, or
    /// not at all.
    pub shown_otherwise: bool,
    /// Of so many hundredths of the picture, rounded up, the file has no data: 0 where it has all.
    pub missing_percent: u8,
}

/// Time that went to a part of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    /// Such as `attention`.
    pub name: String,
    /// Milliseconds.
    pub ms: f64,
}

/// A kind of thing that several classes are of, such as "dog", and its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    /// WordNet id.
    pub wnid: String,
    /// English name.
    pub label: String,
    /// Chinese name.
    pub label_zh: String,
    /// Sum of its classes' probabilities, 0 to 1.
    pub score: f32,
}

/// A logit taken apart: it is `constant` plus all contributions plus what 8-bit rounding changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeatMap {
    /// Patches along one side.
    pub grid: usize,
    /// Each patch's part of the logit, row by row: `grid` × `grid`.
    pub contributions: Vec<f32>,
    /// The part that no photo changes.
    pub constant: f32,
    /// The whole logit.
    pub logit: f32,
    /// Where the patches lie on the upright photo.
    pub seen: Area,
}

/// An area of a photo in its own pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// The left edge.
    pub x: f64,
    /// The upper edge.
    pub y: f64,
    /// To the right.
    pub width: f64,
    /// Down.
    pub height: f64,
}

/// One class and its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Row of the model's head.
    pub index: usize,
    /// WordNet id, such as `n02123045`; empty for a class that has none.
    pub wnid: String,
    /// English name.
    pub label: String,
    /// Chinese name.
    pub label_zh: String,
    /// Softmax probability, 0 to 1; calibrated where the model has a temperature.
    pub score: f32,
}

impl Request {
    /// The message's JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a request is plain data")
    }
}

impl Reply {
    /// The message's JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a reply is plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_crossing() {
        let requests = [
            Request::Load {
                manifest: "https://host/models/demo/manifest.json".into(),
                device: Device::Auto,
                threads: 2,
                agreed: false,
            },
            Request::Classify { ids: vec![7, 8], top_k: 5 },
            Request::Explain { id: 7, class: 281 },
        ];
        for request in requests {
            let back: Request = serde_json::from_str(&request.to_json()).unwrap();
            assert_eq!(back, request);
        }
        let replies = [
            Reply::Begun,
            Reply::Awake { lock: Some("beitscope-worker-1".into()) },
            Reply::Loading(Loading {
                phase: Phase::Download,
                total: 9,
                here: 3,
                stored: 2,
                built: 1,
                bytes_per_second: Some(0.5),
            }),
            Reply::Failed { id: 7, fault: PhotoFault::NotAPhoto, message: "Not a photo.".into() },
        ];
        for reply in replies {
            let back: Reply = serde_json::from_str(&reply.to_json()).unwrap();
            assert_eq!(back, reply);
        }
    }

    #[test]
    fn the_first_word_is_read_as_the_script_writes_it() {
        assert_eq!(serde_json::from_str::<Reply>(r#"{"type":"begun"}"#).unwrap(), Reply::Begun);
    }
}
