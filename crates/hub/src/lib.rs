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
mod digest;
mod error;
mod event;
mod http;
mod hub;
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
mod urls;

pub use error::Error;
pub use event::{Download, Event};
pub use hub::Hub;
pub use reference::Reference;
pub use retry::Retries;
pub use settings::Settings;

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
