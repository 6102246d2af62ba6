//! Manifest URL → model: read from storage or fetch, verify, build, warm up.

use crate::digest::{PIECE, pieces};
use crate::fetch::{self, FetchError};
use crate::progress::Progress;
use crate::store::Store;
use beit::backend::{BackendError, Cpu};
use beit::builder::{BuildError, ModelBuilder};
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::{Loader, Manifest, ManifestError, WeightsError};
use futures_util::{StreamExt, stream};
use js_sys::Uint8Array;
use protocol::{Kept, ModelInfo};
use thiserror::Error;
use web_sys::RequestCache;

/// How many shards are fetched at a time.
const FETCHED_AT_ONCE: usize = 3;
/// How many are read from storage at a time: while one is built into the model, the next is hashed.
const READ_AT_ONCE: usize = 2;
/// Far above any real manifest: 1.2 GB in shards of 20 MiB need 12 KB.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A model that answers.
pub struct Loaded {
    pub model: Model<Cpu>,
    pub labels: Vec<Label>,
    pub info: ModelInfo,
    /// Whether the next visit finds the weights in the browser's storage.
    pub kept: Kept,
}

/// Why a model could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("The model could not be fetched: {0}. Check the connection and the address, then try again.")]
    Fetch(#[from] FetchError),
    #[error("{url} is not an address a manifest can be fetched from.")]
    Address { url: String },
    #[error(
        "{url} does not describe a model: {error}. Point `model` at a manifest.json that `beitscope convert` wrote."
    )]
    Manifest { url: String, error: ManifestError },
    #[error("The model's files were refused: {0}. Convert the checkpoint again with `beitscope convert`.")]
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

/// Loads the model whose manifest is at `manifest_url`, telling the page how far it is.
pub async fn load(manifest_url: &str, isa: kernels::Isa) -> Result<Loaded, LoadError> {
    let store = Store::open().await;
    let manifest = manifest(manifest_url, &store).await?;
    let shards = Shards::survey(manifest_url, &manifest, &store).await;
    let (model, labels) = build(&shards, isa).await?;
    shards.progress.warming_up();
    let size = model.config().image_size;
    model.logits(&Pixels { size, values: vec![0.0; 3 * size * size] }).await?;
    let card = manifest.card.as_deref().and_then(|card| beside(manifest_url, card).ok());
    let info = ModelInfo {
        name: manifest.name,
        quantization: manifest.quantization,
        bytes: manifest.bytes,
        parameters: model.config().parameters(),
        classes: labels.len(),
        image_size: size,
        card,
        sha256: manifest.sha256,
    };
    Ok(Loaded { model, labels, info, kept: store.kept() })
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

/// The shards of one manifest, and where each can be had.
struct Shards<'a> {
    manifest_url: &'a str,
    manifest: &'a Manifest,
    store: &'a Store,
    /// For each shard, whether it was in storage when loading began.
    stored: Vec<bool>,
    progress: Progress,
}

impl<'a> Shards<'a> {
    /// Looks up which shards are in storage.
    async fn survey(manifest_url: &'a str, manifest: &'a Manifest, store: &'a Store) -> Self {
        let mut stored = Vec::new();
        let mut bytes = 0;
        for shard in &manifest.shards {
            let found = store.has(shard).await;
            stored.push(found);
            bytes += if found { shard.bytes } else { 0 };
        }
        let progress = Progress::new(manifest.bytes, bytes);
        Self { manifest_url, manifest, store, stored, progress }
    }

    fn at_once(&self) -> usize {
        if self.stored.iter().all(|&stored| stored) { READ_AT_ONCE } else { FETCHED_AT_ONCE }
    }

    /// A shard's bytes, verified: from storage, or fetched and kept there for the next visit.
    async fn get(&self, number: usize) -> Result<Uint8Array, LoadError> {
        let shard = &self.manifest.shards[number];
        if self.stored[number] {
            if let Some(bytes) = self.store.shard(shard).await {
                return Ok(bytes);
            }
            self.progress.lost(shard.bytes);
        }
        let url = beside(self.manifest_url, &shard.name)?;
        let bytes = fetch::shard(&url, shard, &|bytes| self.progress.came(bytes)).await?;
        self.store.keep_shard(shard, &bytes).await;
        Ok(bytes)
    }
}

/// Gets several shards at a time, but takes them in order: each tensor goes to its final place as
/// soon as its last byte is there, and only the shards in flight are held beside the model.
async fn build(shards: &Shards<'_>, isa: kernels::Isa) -> Result<(Model<Cpu>, Vec<Label>), LoadError> {
    let numbers = 0..shards.manifest.shards.len();
    let in_order = stream::iter(numbers).map(|number| shards.get(number)).buffered(shards.at_once());
    let mut in_order = std::pin::pin!(in_order);
    let mut loader = Loader::new(shards.manifest.bytes);
    let mut builder = None;
    let mut scratch = vec![0; PIECE as usize];
    while let Some(bytes) = in_order.next().await {
        for piece in pieces(&bytes?) {
            let scratch = &mut scratch[..piece.length() as usize];
            piece.copy_to(scratch);
            let tensors = loader.push(scratch)?;
            if builder.is_none() {
                builder =
                    loader.header().map(|header| ModelBuilder::new(header.config.clone(), Cpu::new(isa)));
            }
            if let Some(builder) = &mut builder {
                tensors.into_iter().try_for_each(|tensor| builder.add(tensor))?;
            }
            shards.progress.built(u64::from(piece.length()));
        }
    }
    let header = loader.finish()?;
    let Some(builder) = builder else {
        return Err(WeightsError::Header("the file is empty".into()).into());
    };
    Ok((builder.finish()?, header.labels))
}

/// The address of a file beside the manifest. Names were checked to be plain file names.
fn beside(manifest_url: &str, name: &str) -> Result<String, LoadError> {
    let url = web_sys::Url::new_with_base(name, manifest_url);
    url.map(|url| url.href()).map_err(|_| LoadError::Address { url: manifest_url.into() })
}
