//! Manifest URL → model: fetch, verify, build, warm up.

use crate::fetch::{self, FetchError};
use crate::port;
use beit::backend::{BackendError, Cpu};
use beit::builder::{BuildError, ModelBuilder};
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::{Loader, Manifest, ManifestError, Shard, WeightsError};
use futures_util::{StreamExt, stream};
use protocol::{Loading, ModelInfo, Phase, Reply};
use std::cell::Cell;
use thiserror::Error;
use web_sys::RequestCache;

/// How many shards are fetched at a time.
const AT_ONCE: usize = 3;
/// Far above any real manifest: 1.2 GB in shards of 20 MiB need 12 KB.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// The page is told of progress each time this many bytes have come.
const REPORT_EVERY: u64 = 256 << 10;

/// A model that answers.
pub struct Loaded {
    pub model: Model<Cpu>,
    pub labels: Vec<Label>,
    pub info: ModelInfo,
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
    let json = fetch::bytes(manifest_url, MAX_MANIFEST_BYTES, RequestCache::NoCache, &|_| ()).await?;
    let manifest =
        Manifest::parse(&json).map_err(|error| LoadError::Manifest { url: manifest_url.into(), error })?;
    let progress = Progress { total: manifest.bytes, received: Cell::new(0), reported: Cell::new(0) };
    progress.report();
    let (model, labels) = build(manifest_url, &manifest, isa, &progress).await?;
    port::post(&Reply::Loading(Loading { phase: Phase::WarmUp, ..progress.loading() }));
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
    };
    Ok(Loaded { model, labels, info })
}

/// Fetches several shards at a time, but takes them in order: each tensor goes to its final place
/// as soon as its last byte is there, and only the shards in flight are held beside the model.
async fn build(
    manifest_url: &str,
    manifest: &Manifest,
    isa: kernels::Isa,
    progress: &Progress,
) -> Result<(Model<Cpu>, Vec<Label>), LoadError> {
    let count = |bytes: i64| progress.add(bytes);
    let fetch_one = |shard: &Shard| {
        let shard = shard.clone();
        let url = beside(manifest_url, &shard.name);
        let count = &count;
        async move { Ok::<_, LoadError>(fetch::shard(&url?, &shard, count).await?) }
    };
    let mut shards = std::pin::pin!(stream::iter(&manifest.shards).map(fetch_one).buffered(AT_ONCE));
    let mut loader = Loader::new(manifest.bytes);
    let mut builder = None;
    while let Some(bytes) = shards.next().await {
        let tensors = loader.push(&bytes?)?;
        if builder.is_none() {
            builder = loader.header().map(|header| ModelBuilder::new(header.config.clone(), Cpu::new(isa)));
        }
        if let Some(builder) = &mut builder {
            tensors.into_iter().try_for_each(|tensor| builder.add(tensor))?;
        }
    }
    let header = loader.finish()?;
    let Some(builder) = builder else {
        return Err(WeightsError::Header("the file is empty".into()).into());
    };
    Ok((builder.finish()?, header.labels))
}

/// Counts bytes and tells the page now and then.
struct Progress {
    total: u64,
    received: Cell<u64>,
    reported: Cell<u64>,
}

impl Progress {
    fn add(&self, bytes: i64) {
        self.received.set(self.received.get().saturating_add_signed(bytes));
        let news = self.received.get().abs_diff(self.reported.get());
        if news >= REPORT_EVERY || self.received.get() == self.total {
            self.report();
        }
    }

    fn report(&self) {
        self.reported.set(self.received.get());
        port::post(&Reply::Loading(self.loading()));
    }

    fn loading(&self) -> Loading {
        Loading { phase: Phase::Fetch, bytes: self.received.get(), total_bytes: self.total }
    }
}

/// The address of a file beside the manifest. Names were checked to be plain file names.
fn beside(manifest_url: &str, name: &str) -> Result<String, LoadError> {
    let url = web_sys::Url::new_with_base(name, manifest_url);
    url.map(|url| url.href()).map_err(|_| LoadError::Address { url: manifest_url.into() })
}
