//! A checkpoint from a model hub, as a verified file in the cache that the hub's own library uses.
//!
//! ```text
//! "hf:OWNER/NAME" → Reference → listing → the checkpoint among its files → cache, or transfer → verified path
//!                   reference   hugging_face, modelscope     choose        *_cache     transfer
//! ```
//! - [`mod@reference`]: what the user names: hub, repository, revision, file.
//! - [`settings`]: what the environment says: endpoints, tokens, caches, proxies.
//! - `hugging_face`, `modelscope`: each hub's API and cache layout, and nothing else knows them.
//! - `split`: the parts of a checkpoint in several files, fetched one after another.
//! - `transfer`: one file over HTTP, resumed after interruptions, checked against the hub's hash.
//! - `http`: one request: proxies, redirects, statuses. The token never leaves the hub's own origin.
//!
//! Why HTTP is spoken here, through `ureq`, rather than by the crate `hf-hub`: its blocking client (0.5) checks no
//! hash, resumes without a validator, and knows neither `HF_HUB_CACHE`, `HF_TOKEN` nor `HF_HUB_OFFLINE`; its successor
//! (1.0) keeps no partial file and brings an async runtime and a content-defined-chunking client with it; and neither
//! can serve ModelScope. `ureq` with rustls and ring adds twelve crates.
//!
//! ```no_run
//! let reference: hub::Reference = "hf:timm/beitv2_large_patch16_224.in1k_ft_in22k_in1k".parse()?;
//! let download = hub::download(&reference, &hub::Settings::from_env()?, &|event| eprintln!("{event:?}"))?;
//! println!("{}", download.path.display());
//! # Ok::<(), hub::Error>(())
//! ```

mod choose;
mod digest;
mod error;
mod http;
mod hugging_face;
mod hugging_face_cache;
mod lock;
mod modelscope;
mod modelscope_cache;
pub mod reference;
mod retry;
mod session;
pub mod settings;
mod split;
mod transfer;
mod url;

pub use error::Error;
pub use reference::{Hub, Reference};
pub use retry::Retries;
pub use settings::Settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A checkpoint on this machine. Of a split one this is the index, the parts lie beside it and their bytes count too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Where it lies: a path inside the hub's cache that ends in the repository's own file name.
    pub path: PathBuf,
    /// The file's path in the repository.
    pub file: String,
    /// The commit it is of, where the hub says.
    pub commit: Option<String>,
    /// Its length, with that of its parts.
    pub bytes: u64,
    /// How many of them came over the network this time; 0 when the cache had it.
    pub transferred: u64,
}

/// What [`download`] is doing.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// This file of the repository is taken; `others` could have been.
    Chosen { file: &'a str, others: &'a [String] },
    /// The checkpoint is split: part `number` of `of` comes next.
    Part { file: &'a str, number: usize, of: usize },
    /// Another process is fetching the same file; its end is waited for.
    Waiting,
    /// Bytes that are on this machine are held against the hub's hash: so many of them by now.
    Checking { done: u64, total: u64 },
    /// So many bytes are here by now; the first of these events tells how many an earlier run left.
    Transfer { done: u64, total: u64 },
    /// The transfer failed and goes on, where it stopped, after this pause.
    Retry { error: &'a Error, pause: Duration },
    /// The bytes that an earlier run left are of another file; all are fetched anew.
    Restart,
    /// The cache's copy is not what the hub has; it is fetched anew and replaced.
    Stale { path: &'a Path },
    /// The hub can't be asked; the copy that the cache has is taken as it is.
    Unreachable { error: &'a Error, path: &'a Path },
}

/// Gives the checkpoint that `reference` names, from the hub's cache if it is there, else over the network.
///
/// A file is only given out when its length and hash are the hub's. An interrupted transfer leaves its bytes in the
/// cache, and the next call goes on from there.
///
/// # Errors
/// See [`Error`]: each is a sentence that says what to do.
pub fn download(
    reference: &Reference,
    settings: &Settings,
    notify: &dyn Fn(Event),
) -> Result<Download, Error> {
    let one = |reference: &Reference| match reference.hub {
        Hub::HuggingFace => hugging_face::download(reference, settings, notify),
        Hub::ModelScope => modelscope::download(reference, settings, notify),
    };
    let mut download = one(reference)?;
    if !split::is_index(&download.file) {
        return Ok(download);
    }
    let parts = split::parts(&download)?;
    // The parts of the commit that the index is of. ModelScope tells the commit that last changed a file, which is not
    // one for all of them.
    let revision = match reference.hub {
        Hub::HuggingFace => download.commit.clone(),
        Hub::ModelScope => reference.revision.clone(),
    };
    for (i, file) in parts.iter().enumerate() {
        notify(Event::Part { file, number: i + 1, of: parts.len() });
        let part =
            one(&Reference { file: Some(file.clone()), revision: revision.clone(), ..reference.clone() })?;
        download.bytes += part.bytes;
        download.transferred += part.transferred;
    }
    Ok(download)
}
