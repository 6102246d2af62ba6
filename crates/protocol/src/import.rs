//! Import of a checkpoint: fetched from a model hub or read from the visitor's disk, quantised while it comes, and kept
//! in the browser's storage as a model like any other.
//!
//! An import runs in a worker of its own, beside the one that answers photos. To pause it, the page ends that worker:
//! what was quantised until then is in storage, and the next worker goes on from there.

mod english;

use serde::{Deserialize, Serialize};

/// How addresses of imported models begin. Nothing can be fetched from such an address: the model is in storage or
/// nowhere.
const SCHEME: &str = "import:";

/// What is imported, and how it is rounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSource {
    /// `hf:OWNER/NAME[/FILE][@REVISION]`, `modelscope:…`, or `file:NAME` for a file beside the message.
    pub checkpoint: String,
    /// `q8_0`, `q4_0`, `f16` or `f32`.
    pub quantization: String,
}

impl ImportSource {
    /// What stands for the manifest's address: `import:hf:OWNER/NAME#q8_0`.
    pub fn address(&self) -> String {
        format!("{SCHEME}{}#{}", self.checkpoint, self.quantization)
    }

    /// The source of a model with this address; none if it was not imported.
    pub fn of(address: &str) -> Option<Self> {
        let (checkpoint, quantization) = address.strip_prefix(SCHEME)?.rsplit_once('#')?;
        Some(Self { checkpoint: checkpoint.into(), quantization: quantization.into() })
    }

    /// The name of the browser's lock that whoever imports this holds.
    pub fn lock(&self) -> String {
        format!("beitscope-import-{}", self.address())
    }

    /// Whether it is a file of the visitor's own.
    pub fn is_file(&self) -> bool {
        self.checkpoint.starts_with("file:")
    }
}

/// From the page to the import's worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(missing_docs, reason = "a variant's text names its fields")]
#[allow(
    clippy::large_enum_variant,
    reason = "messages are few, and none is kept; smaller in 32-bit programs"
)]
pub enum ImportRequest {
    /// Look up what the import would fetch and keep. Of the checkpoint itself only its first part is fetched, which
    /// describes the tensors. `hubs` are the hubs' addresses, where the site names others than their own. Answered by
    /// [`ImportReply::Offer`] or [`ImportReply::Failed`].
    Inspect { source: ImportSource, hubs: Hubs },
    /// Import what was offered, on so many threads, going on where an earlier attempt ended. A file's
    /// `File` is beside both requests.
    Start { offer: ImportOffer, threads: usize },
}

/// Addresses of the hubs' servers, such as `https://hf-mirror.com`; none for the hub's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hubs {
    /// In place of `https://huggingface.co`.
    #[serde(default)]
    pub hf: Option<String>,
    /// In place of `https://modelscope.cn`.
    #[serde(default)]
    pub modelscope: Option<String>,
}

/// From the import's worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[expect(missing_docs, reason = "a variant's text names its fields")]
#[allow(
    clippy::large_enum_variant,
    reason = "messages are few, and none is kept; smaller in 32-bit programs"
)]
pub enum ImportReply {
    /// What the visitor is asked about.
    Offer(ImportOffer),
    /// How far it has come.
    Progress(ImportProgress),
    /// The model is in storage, whole and checked, under this address.
    Done { manifest: String },
    /// It could not be imported; `message` says it in English.
    Failed { fault: ImportFault, message: String },
}

/// An import before it begins. Also kept in storage while one is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportOffer {
    /// What was asked for.
    pub source: ImportSource,
    /// Where the checkpoint is fetched, of one commit where the hub names it; empty for the visitor's own file.
    pub url: String,
    /// Who serves it, such as `huggingface.co`; empty for the visitor's own file.
    pub host: String,
    /// The repository's page for people; empty for the visitor's own file.
    pub page: String,
    /// The checkpoint's file name.
    pub file: String,
    /// The model's name.
    pub name: String,
    /// SPDX expression or the hub's own word for the weights' licence, where it tells one.
    pub license: Option<String>,
    /// The checkpoint's length in bytes.
    pub download_bytes: u64,
    /// About as many bytes as the quantised model has.
    pub kept_bytes: u64,
    /// Of the checkpoint, what an earlier attempt has fetched and quantised.
    pub resumed_bytes: u64,
    /// The bytes that storage lacks for it; 0 where there is room, or the browser does not tell.
    pub missing_bytes: u64,
    /// SHA-256 of the checkpoint in lower-case hexadecimal, where the hub tells it.
    pub sha256: Option<String>,
    /// Values of all tensors.
    pub parameters: u64,
    /// Rows of the head.
    pub classes: u64,
    /// Side of the square the network sees, in pixels.
    pub image_size: u64,
    /// How photos are prepared.
    pub preprocessing: ImportPreprocessing,
}

/// How photos are prepared for an imported network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportPreprocessing {
    /// Length of a photo's short side before its middle is cut out, in pixels.
    pub short_side: u64,
    /// Of the channels red, green and blue, 0 to 1.
    pub mean: [f32; 3],
    /// Standard deviation of the channels red, green and blue, 0 to 1.
    pub std: [f32; 3],
    /// The hub's file that tells it, such as `config.json`; none where it is BEiTv2's usual one.
    pub from: Option<String>,
}

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// What goes on.
    pub phase: ImportPhase,
    /// Bytes of the checkpoint that were fetched and quantised, those of earlier attempts too.
    pub received: u64,
    /// The checkpoint's length in bytes.
    pub total: u64,
    /// How fast `received` has grown over the last seconds; none until it can be estimated.
    pub bytes_per_second: Option<f64>,
    /// The host can't send the rest alone, so everything is fetched once more.
    pub restarted: bool,
}

/// What the import's worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportPhase {
    /// Another tab imports the same model; this one takes over if that ends.
    Waiting,
    /// Fetching and quantising.
    Download,
    /// The connection broke, and is tried again soon.
    Reconnecting,
    /// Every byte came and is the hub's: the model is written to storage.
    Store,
}

/// Why a checkpoint could not be imported. A `reason` is a program's or a browser's own word, in English.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the English texts say it")]
pub enum ImportFault {
    /// The text names no model on a hub.
    NotAReference { got: String, reason: String },
    /// No answer: no connection, or a host that lets no page of another site read its files (CORS); a browser does
    /// not tell which.
    Unreachable { host: String, reason: String },
    /// 401 or 403: only some may have it.
    NoAccess { page: String, host: String, status: u16 },
    /// 404: no such model, revision or file.
    NotFound { checkpoint: String, host: String },
    /// 429.
    TooManyRequests { host: String, seconds: Option<u64> },
    /// Another HTTP status.
    Status { host: String, status: u16 },
    /// The connection broke or fell silent again and again. What came is kept.
    Interrupted { host: String, received: u64, total: u64, reason: String },
    /// The hub's answer is not what its interface promises.
    Answer { host: String, reason: String },
    /// No file of the repository looks like a checkpoint.
    NoCheckpoint { page: String },
    /// The checkpoint is split over several files.
    Split { page: String },
    /// The file can't be read as a checkpoint here.
    Format { reason: String },
    /// It is a checkpoint of another kind of network, or its tensors don't fit.
    Refused { reason: String },
    /// What came is not what the hub has hashed. It was thrown away.
    Damaged { host: String, expected: String, got: String },
    /// The browser has no room for it.
    NoRoom { missing: u64 },
    /// The browser keeps nothing here: a private window, or an address without https.
    NoStorage,
    /// The visitor's file could not be read: moved, changed or deleted meanwhile.
    Unreadable { file: String },
    /// The network needs more memory than there is.
    OutOfMemory { reason: String },
    /// The worker ended. What came is kept.
    Crashed { reason: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_what_was_imported() {
        for checkpoint in ["hf:timm/x", "modelscope:damo/y/z.pth@v1.0", "file:my #1 model.pth"] {
            let source = ImportSource { checkpoint: checkpoint.into(), quantization: "q8_0".into() };
            assert_eq!(ImportSource::of(&source.address()), Some(source.clone()));
            assert_eq!(source.is_file(), checkpoint.starts_with("file"));
        }
        for address in ["https://host/manifest.json#q8_0", "import:hf:timm/x"] {
            assert_eq!(ImportSource::of(address), None, "{address}");
        }
    }
}
