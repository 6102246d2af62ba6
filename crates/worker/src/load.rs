//! Manifest URL → model: read from storage or fetch, verify, build, warm up.

use crate::fetch::{self, FetchError};
use crate::network::Network;
use crate::placing::{Placed, place};
use crate::shards::Shards;
use crate::store::Store;
use beit::backend::BackendError;
use beit::builder::BuildError;
use beit::weights::{Manifest, ManifestError, WeightsError};
use protocol::fault::Reason;
use protocol::{Device, Kept, ModelInfo};
use thiserror::Error;
use web_sys::RequestCache;

/// Far above any real manifest: 1.2 GB in shards of 20 MiB need 12 KB.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A model that answers.
pub struct Loaded {
    pub network: Network,
    pub info: ModelInfo,
    /// Whether the next visit finds the weights in the browser's storage.
    pub kept: Kept,
    /// Why it runs where it does, where there is something to say.
    pub reason: Option<Reason>,
}

/// Why a model could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("{url} is no address")]
    Address { url: String },
    #[error("{url} describes no model: {error}")]
    Manifest { url: String, error: ManifestError },
    #[error("the files were refused: {0}")]
    Build(#[from] BuildError),
}

impl From<WeightsError> for LoadError {
    fn from(error: WeightsError) -> Self {
        Self::Build(error.into())
    }
}

impl From<BackendError> for LoadError {
    fn from(error: BackendError) -> Self {
        Self::Build(error.into())
    }
}

/// Loads the model whose manifest is at `manifest_url` to where `device` says, telling the page how far it is.
pub async fn load(manifest_url: &str, device: Device) -> Result<Loaded, LoadError> {
    let store = Store::open().await;
    let manifest = manifest(manifest_url, &store).await?;
    let shards = Shards::new(manifest_url, &manifest, &store);
    let Placed { network, reason } = place(&shards, device).await?;
    let card = manifest.card.as_deref().and_then(|card| beside(manifest_url, card).ok());
    let info = ModelInfo {
        name: manifest.name,
        quantization: manifest.quantization,
        bytes: manifest.bytes,
        parameters: network.config().parameters(),
        classes: network.classes(),
        image_size: network.config().image_size,
        card,
        sha256: manifest.sha256,
    };
    Ok(Loaded { network, info, kept: store.kept(), reason })
}

/// The manifest as the server has it; without a network, as it was the last time.
async fn manifest(url: &str, store: &Store) -> Result<Manifest, LoadError> {
    let parse =
        |json: &[u8]| Manifest::parse(json).map_err(|error| LoadError::Manifest { url: url.into(), error });
    match fetch::bytes(url, MAX_MANIFEST_BYTES, RequestCache::NoCache, &|_| ()).await {
        Ok(json) => {
            let json = json.to_vec();
            let manifest = parse(&json)?;
            store.keep_manifest(url, &json).await;
            Ok(manifest)
        }
        Err(error @ FetchError::Unreachable { .. }) => match store.manifest(url).await {
            Some(json) => parse(&json),
            None => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// The address of a file beside the manifest. Names were checked to be plain file names.
pub fn beside(manifest_url: &str, name: &str) -> Result<String, LoadError> {
    let url = web_sys::Url::new_with_base(name, manifest_url);
    url.map(|url| url.href()).map_err(|_| LoadError::Address { url: manifest_url.into() })
}
