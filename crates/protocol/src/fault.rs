//! What can go wrong in the worker, and why it runs where it does: kinds, not sentences, so that the page says them
//! in the visitor's language. A `reason` is a program's or a browser's own word, in English, for whoever mends it.

mod english;

use serde::{Deserialize, Serialize};

/// Why a photo could not be answered, or nothing shown of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PhotoFault {
    NoModel,
    /// The browser would not read the file.
    Unreadable,
    Empty,
    /// It begins like no format that is known.
    NotAPhoto,
    /// A known format that has no decoder here.
    Unsupported {
        format: Foreign,
    },
    /// What decodes this format could not be fetched.
    NoDecoder {
        format: Foreign,
        reason: String,
    },
    /// A readable format in a variant that its decoder lacks.
    Variant {
        format: String,
    },
    /// A camera's raw photo of this kind, without a preview that is large enough.
    NoPreview {
        raw: String,
    },
    Truncated {
        format: String,
    },
    Damaged {
        format: String,
    },
    TooManyPixels {
        width: u32,
        height: u32,
        most_megapixels: u64,
    },
    FileTooLarge {
        megabytes: u64,
        most_megabytes: u64,
    },
    OutOfMemory {
        width: u32,
        height: u32,
    },
    Network {
        reason: String,
    },
    /// The GPU failed on it, and the network could not be loaded to the processor.
    FallbackFailed {
        fault: LoadFault,
    },
}

/// A format that people take for a photo and no decoder of ours reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foreign {
    Avif,
    Heic,
    JpegXl,
    Jpeg2000,
    JpegXr,
    OpenExr,
    Svg,
    Pdf,
    Psd,
    Cur,
    Icns,
    Matroska,
    Video,
}

/// Why a model could not be loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadFault {
    /// The worker's program could not be started.
    NotStarted { reason: String },
    /// `what` could not be fetched: no answer.
    Unreachable { url: String, reason: String },
    /// The server answered with this HTTP status.
    Status { url: String, status: u16 },
    /// It sent more than it should.
    TooLong { url: String, limit: u64 },
    /// The connection broke in the middle.
    Broken { url: String, reason: String },
    /// Nothing came for so long.
    Stalled { url: String, seconds: u32 },
    /// A web page came in the file's place: a network that wants its terms agreed to, or a server's start page.
    WebPage { url: String },
    /// A shard has the wrong size or hash, again and again.
    DamagedShard { reason: String },
    /// This is no address of a manifest.
    Address { url: String },
    /// What is there describes no model.
    Manifest { url: String, reason: String },
    /// The files make no network.
    Refused { reason: String },
    /// The model was imported here, and is not in storage any more. `address` is that of an
    /// [`ImportSource`](crate::import::ImportSource).
    NotImported { address: String },
}

/// Why a visitor's own classes could not be learnt or used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TeachFault {
    NoModel,
    Unreadable,
    /// A class without a name, or two with the same.
    Names,
    /// Some photos were not looked at yet.
    NoFeatures,
    /// Fewer than two classes with photos.
    TooFew,
    /// The file holds no head.
    NotAHead {
        reason: String,
    },
    /// The head was made for one model, and another is loaded.
    OtherModel {
        made_for: String,
        loaded: String,
    },
    Unusable {
        reason: String,
    },
    Network {
        reason: String,
    },
}

/// Why the network runs where it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    NoGpu {
        reason: String,
    },
    /// The only GPU is one that is imitated on the processor.
    SoftwareGpu {
        name: String,
    },
    /// The GPU refused to be used.
    GpuRefused {
        name: String,
        reason: String,
    },
    GpuFailed {
        name: String,
        reason: String,
    },
    /// On a small network, with this cosine to the right answer; none where it gave no number.
    GpuWrong {
        name: String,
        cosine: Option<f64>,
    },
    /// On the model that was loaded.
    GpuWrongOnModel {
        name: String,
    },
    /// Both were timed, or one was and the other estimated.
    Compared {
        name: String,
        gpu_ms: f64,
        cpu_ms: f64,
    },
    /// It failed on a photo.
    GpuLost {
        reason: String,
    },
    /// It failed on a photo and was tried again.
    GpuAgain,
    /// On the other device photos took so long, and not as long as predicted.
    WrongForecast {
        predicted_ms: f64,
        observed_ms: f64,
    },
    /// Not all threads could be started.
    FewerThreads {
        reason: String,
    },
    /// A faster build of the worker could not be started.
    FallbackBuild {
        reason: String,
    },
    /// Of this build's instructions, the fastest were measured.
    Fastest {
        chosen: String,
        slower: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `worker.js` writes this one by hand.
    #[test]
    fn the_fault_before_the_worker_runs_is_read_as_its_script_writes_it() {
        let fault: LoadFault = serde_json::from_str(r#"{"kind":"not_started","reason":"404"}"#).unwrap();
        assert_eq!(fault, LoadFault::NotStarted { reason: "404".into() });
    }

    #[test]
    fn kinds_survive_the_crossing() {
        let fault = LoadFault::Status { url: "https://host/m.json".into(), status: 404 };
        let moved = PhotoFault::FallbackFailed { fault };
        assert_eq!(
            serde_json::from_str::<PhotoFault>(&serde_json::to_string(&moved).unwrap()).unwrap(),
            moved
        );
        let foreign = PhotoFault::Unsupported { format: Foreign::Jpeg2000 };
        let json = serde_json::to_string(&foreign).unwrap();
        assert_eq!(serde_json::from_str::<PhotoFault>(&json).unwrap(), foreign);
    }
}
