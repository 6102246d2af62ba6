//! A checkpoint from a model hub, as a verified file in the cache that the hub's own library uses.
//!
//! ```text
//! "hf:OWNER/NAME" → Reference → listing → the checkpoint among its files → cache, or transfer → verified path
//!                   reference   hugging_face, modelscope     choose        *_cache     transfer
//! ```
//! - [`mod@reference`]: what the user names: hub, repository, revision, file.
//! - `listing`: a repository's files, as each hub's API lists them; `choose` finds the checkpoint among them. With
//!   `reference` that is what is left without the feature `client`, for programs that fetch by other means.
//! - `settings`: what the environment says: endpoints, tokens, caches, proxies.
//! - `hugging_face`, `modelscope`: what each hub's answers mean and how its cache is laid out.
//! - `split`: the parts of a checkpoint in several files, fetched one after another.
//! - `transfer`: one file over HTTP, resumed after interruptions, checked against the hub's hash; into a file of the cache
//!   (`partial_file`), or handed on as it comes ([`stream()`]).
//! - `http`: one request: proxies, redirects, statuses. The token never leaves the hub's own origin.
//!
//! Why HTTP is spoken here, through `ureq`, rather than by the crate `hf-hub`: its blocking client (0.5) checks no
//! hash, resumes without a validator, and knows neither `HF_HUB_CACHE`, `HF_TOKEN` nor `HF_HUB_OFFLINE`; its successor
//! (1.0) keeps no partial file and brings an async runtime and a content-defined-chunking client with it; and neither
//! can serve ModelScope. `ureq` with rustls and ring adds twelve crates. URLs are parsed by the crate `url`.
//!
//! ```no_run
//! let reference: hub::Reference = "hf:timm/beitv2_large_patch16_224.in1k_ft_in22k_in1k".parse()?;
//! let download = hub::download(&reference, &hub::Settings::from_env()?, &|event| eprintln!("{event:?}"))?;
//! println!("{}", download.path.display());
//! # Ok::<(), hub::Error>(())
//! ```

#![warn(missing_docs)]

mod choose;
mod content_hash;
mod error;
#[cfg(feature = "client")]
mod event;
#[cfg(feature = "client")]
mod hasher;
#[cfg(feature = "client")]
mod http;
mod hub;
#[cfg(feature = "client")]
mod hugging_face;
#[cfg(feature = "client")]
mod hugging_face_cache;
mod listing;
#[cfg(feature = "client")]
mod lock;
#[cfg(feature = "client")]
mod modelscope;
#[cfg(feature = "client")]
mod modelscope_cache;
mod part_names;
#[cfg(feature = "client")]
mod partial_file;
mod percent_encoding;
pub mod reference;
#[cfg(feature = "client")]
mod retry;
#[cfg(feature = "client")]
mod session;
#[cfg(feature = "client")]
pub mod settings;
#[cfg(feature = "client")]
mod split;
#[cfg(feature = "client")]
mod stream;
#[cfg(feature = "client")]
mod transfer;
#[cfg(feature = "client")]
mod urls;

pub use choose::{Choice, choose};
pub use content_hash::ContentHash;
pub use error::Error;
#[cfg(feature = "client")]
pub use event::{Download, Event};
pub use hub::Hub;
pub use listing::{ListedFile, Listing};
pub use part_names::is_index;
pub use reference::Reference;
#[cfg(feature = "client")]
pub use retry::Retries;
#[cfg(feature = "client")]
pub use settings::Settings;
#[cfg(feature = "client")]
pub use stream::{Receiver, RemoteFile, stream};

/// Gives the checkpoint that `reference` names, from the hub's cache if it is there, else over the network.
///
/// A file is only given out when its length and hash are the hub's. An interrupted transfer leaves its bytes in the
/// cache, and the next call goes on from there.
///
/// # Errors
/// See [`Error`]: each is a sentence that says what to do.
#[cfg(feature = "client")]
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
    if !part_names::is_index(&download.file) {
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
