//! Shards → model: each from storage or over the network, verified, built in order.

use crate::checksum::{PIECE, pieces};
use crate::error::LoadError;
use crate::fetch;
use crate::platform::{Bytes, Network, Platform, Storage};
use crate::progress::{ByteProgress, report_warm_up};
use crate::store::Store;
use beit::backend::Backend;
use beit::builder::ModelBuilder;
use beit::classes::Classes;
use beit::config::Config;
use beit::model::Model;
use beit::weights::{Loader, Manifest, WeightsError};
use futures_util::{StreamExt, stream};
use protocol::import::ImportSource;
use std::cell::Cell;

/// How many shards are fetched at a time.
const FETCHED_AT_ONCE: usize = 2;
/// How many are read from storage at a time: while one is built into the model, the next two come.
const READ_AT_ONCE: usize = 3;

/// The shards of one manifest, and where each can be had.
pub struct Shards<'a, P: Platform> {
    pub platform: &'a P,
    pub manifest_url: &'a str,
    pub manifest: &'a Manifest,
    pub store: &'a Store<'a, P>,
}

impl<P: Platform> Shards<'_, P> {
    /// Tells the page that the network runs for the first time.
    pub fn warming_up(&self) {
        report_warm_up(self.platform, self.manifest.bytes);
    }

    /// Builds the model on the backend that `backend` gives for its shape, once the header is here.
    ///
    /// Gets several shards at a time, but takes them in order: each tensor goes to its final place as soon as
    /// its last byte is there, and only the shards in flight are held beside the model.
    pub async fn build<B: Backend>(
        &self,
        backend: impl FnOnce(&Config) -> B,
    ) -> Result<(Model<B>, Classes), LoadError> {
        let reads = ShardReads::begin(self).await;
        let built = self.build_from(&reads, backend).await;
        self.platform.storage().reads_done();
        built
    }

    async fn build_from<B: Backend>(
        &self,
        reads: &ShardReads<'_, P>,
        backend: impl FnOnce(&Config) -> B,
    ) -> Result<(Model<B>, Classes), LoadError> {
        let numbers = 0..self.manifest.shards.len();
        let in_order = stream::iter(numbers).map(|number| reads.get(number)).buffered(reads.at_once());
        let mut in_order = std::pin::pin!(in_order);
        let mut building =
            Building { loader: Loader::new(self.manifest.bytes), backend: Some(backend), builder: None };
        let mut scratch = vec![0; PIECE as usize];
        while let Some(bytes) = in_order.next().await {
            let bytes = bytes?;
            for (at, length) in pieces(bytes.length()) {
                let piece = &mut scratch[..length];
                bytes.copy_to(at, piece);
                building.push(piece)?;
                reads.progress.built(length as u64);
            }
            bytes.free();
        }
        building.finish()
    }
}

/// A model of which some shards are built.
struct Building<B: Backend, F> {
    loader: Loader,
    /// Makes the backend, once the model's shape is known.
    backend: Option<F>,
    builder: Option<ModelBuilder<B>>,
}

impl<B: Backend, F: FnOnce(&Config) -> B> Building<B, F> {
    /// The next bytes of the weights.
    fn push(&mut self, piece: &[u8]) -> Result<(), LoadError> {
        let tensors = self.loader.push(piece)?;
        if let Some(header) = self.loader.header()
            && let Some(backend) = self.backend.take()
        {
            self.builder = Some(ModelBuilder::new(header.config.clone(), backend(&header.config)));
        }
        if let Some(builder) = &mut self.builder {
            tensors.into_iter().try_for_each(|tensor| builder.add(tensor))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(Model<B>, Classes), LoadError> {
        let header = self.loader.finish()?;
        let Some(builder) = self.builder else {
            return Err(WeightsError::Header("the file is empty".into()).into());
        };
        Ok((builder.finish()?, Classes { labels: header.labels, kinds: header.kinds }))
    }
}

/// One reading of all shards.
struct ShardReads<'a, P: Platform> {
    shards: &'a Shards<'a, P>,
    /// For each shard, whether it was in storage at the beginning.
    stored: Vec<bool>,
    progress: ByteProgress<'a, P>,
    /// Whether the manifest is stored, so that no other tab removes its shards meanwhile.
    begun: Cell<bool>,
}

impl<'a, P: Platform> ShardReads<'a, P> {
    /// Looks up which shards are in storage.
    async fn begin(shards: &'a Shards<'a, P>) -> Self {
        let mut stored = Vec::new();
        let mut bytes = 0;
        for shard in &shards.manifest.shards {
            let found = shards.store.has(shard).await;
            stored.push(found);
            bytes += if found { shard.bytes } else { 0 };
        }
        let progress = ByteProgress::new(shards.platform, shards.manifest.bytes, bytes);
        Self { shards, stored, progress, begun: Cell::new(false) }
    }

    fn at_once(&self) -> usize {
        if self.stored.iter().all(|&stored| stored) { READ_AT_ONCE } else { FETCHED_AT_ONCE }
    }

    /// A shard's bytes, verified: from storage, or fetched and kept there for the next visit. They are kept at once, before
    /// those of earlier shards are here: a page may be closed at any moment.
    async fn get(&self, number: usize) -> Result<P::Bytes, LoadError> {
        let Shards { platform, manifest_url, manifest, store } = self.shards;
        let shard = &manifest.shards[number];
        if self.stored[number] {
            if let Some(bytes) = store.shard(shard).await {
                return Ok(bytes);
            }
            self.progress.lost(shard.bytes);
        }
        if ImportSource::of(manifest_url).is_some() {
            // It can be fetched nowhere, so the rest of the model is of no use.
            store.remove_incomplete(manifest_url, shard).await;
            return Err(LoadError::NotImported { address: (*manifest_url).into() });
        }
        // Another tab may be fetching it this moment.
        let _lock = store.lock(shard).await;
        if let Some(bytes) = store.shard(shard).await {
            self.progress.came(bytes.length() as i64);
            return Ok(bytes);
        }
        let url = beside(*platform, manifest_url, &shard.name)?;
        let bytes = fetch::shard(*platform, &url, shard, &|bytes| self.progress.came(bytes)).await?;
        if !self.begun.replace(true) {
            store.begin(manifest_url, manifest).await;
        }
        store.keep_shard(shard, &bytes, manifest_url).await;
        Ok(bytes)
    }
}

/// The address of a file beside the manifest. Names were checked to be plain file names.
pub fn beside(platform: &impl Platform, manifest_url: &str, name: &str) -> Result<String, LoadError> {
    let resolved = platform.network().resolve(name, manifest_url);
    resolved.ok_or_else(|| LoadError::Address { url: manifest_url.into() })
}
