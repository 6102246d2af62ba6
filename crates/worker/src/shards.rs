//! Shards → model: each from storage or over the network, verified, built in order.

use crate::digest::{PIECE, pieces};
use crate::fetch;
use crate::load::{LoadError, beside};
use crate::lock::Held;
use crate::progress::Progress;
use crate::reader::Reader;
use crate::store::Store;
use beit::backend::Backend;
use beit::builder::ModelBuilder;
use beit::config::Config;
use beit::labels::Label;
use beit::model::Model;
use beit::weights::{Loader, Manifest, WeightsError};
use futures_util::{StreamExt, stream};
use js_sys::{Function, Reflect, Uint8Array};
use protocol::Kept;
use wasm_bindgen::JsCast;

/// How many shards are fetched at a time.
const FETCHED_AT_ONCE: usize = 2;
/// How many are read from storage at a time: while one is built into the model, the next two come.
const READ_AT_ONCE: usize = 3;

/// The shards of one manifest, and where each can be had.
pub struct Shards<'a> {
    manifest_url: &'a str,
    manifest: &'a Manifest,
    store: &'a Store,
}

impl<'a> Shards<'a> {
    pub fn new(manifest_url: &'a str, manifest: &'a Manifest, store: &'a Store) -> Self {
        Self { manifest_url, manifest, store }
    }

    /// `q8_0`, `q4_0`, `f16` or `f32`.
    pub fn quantization(&self) -> &str {
        &self.manifest.quantization
    }

    /// Of all shards.
    pub fn bytes(&self) -> u64 {
        self.manifest.bytes
    }

    /// SHA-256 of the weights.
    pub fn sha256(&self) -> &str {
        &self.manifest.sha256
    }

    pub fn store(&self) -> &Store {
        self.store
    }

    /// Tells the page that the network runs for the first time.
    pub fn warming_up(&self) {
        Progress::warming_up(self.manifest.bytes);
    }

    /// Builds the model on the backend that `backend` gives for its shape, once the header is here.
    ///
    /// Gets several shards at a time, but takes them in order: each tensor goes to its final place as soon as
    /// its last byte is there, and only the shards in flight are held beside the model.
    pub async fn build<B: Backend>(
        &self,
        backend: impl FnOnce(&Config) -> B,
    ) -> Result<(Model<B>, Vec<Label>), LoadError> {
        let pass = Pass::begin(self).await;
        let numbers = 0..self.manifest.shards.len();
        let in_order = stream::iter(numbers).map(|number| pass.get(number)).buffered(pass.at_once());
        let mut in_order = std::pin::pin!(in_order);
        let mut loader = Loader::new(self.manifest.bytes);
        let (mut backend, mut builder) = (Some(backend), None);
        let mut scratch = vec![0; PIECE as usize];
        while let Some(bytes) = in_order.next().await {
            let bytes = bytes?;
            for piece in pieces(&bytes) {
                let scratch = &mut scratch[..piece.length() as usize];
                piece.copy_to(scratch);
                let tensors = loader.push(scratch)?;
                if let Some(header) = loader.header()
                    && let Some(backend) = backend.take()
                {
                    builder = Some(ModelBuilder::new(header.config.clone(), backend(&header.config)));
                }
                if let Some(builder) = &mut builder {
                    tensors.into_iter().try_for_each(|tensor| builder.add(tensor))?;
                }
                pass.progress.built(u64::from(piece.length()));
            }
            free(&bytes);
        }
        let header = loader.finish()?;
        let Some(builder) = builder else {
            return Err(WeightsError::Header("the file is empty".into()).into());
        };
        Ok((builder.finish()?, header.labels))
    }
}

/// Gives an array's memory back at once, where the browser can: its garbage collector would let several shards
/// pile up.
fn free(bytes: &Uint8Array) {
    let buffer = bytes.buffer();
    let transfer = Reflect::get(&buffer, &"transfer".into());
    if let Some(transfer) = transfer.ok().and_then(|transfer| transfer.dyn_into::<Function>().ok()) {
        // A refusal leaves it to the garbage collector.
        transfer.call1(&buffer, &0.into()).ok();
    }
}

/// One reading of all shards.
struct Pass<'a> {
    shards: &'a Shards<'a>,
    /// For each shard, whether it was in storage at the beginning.
    stored: Vec<bool>,
    /// Reads those that are.
    reader: Option<Reader>,
    progress: Progress,
}

impl<'a> Pass<'a> {
    /// Looks up which shards are in storage.
    async fn begin(shards: &'a Shards<'a>) -> Self {
        let mut stored = Vec::new();
        let mut bytes = 0;
        for shard in &shards.manifest.shards {
            let found = shards.store.has(shard).await;
            stored.push(found);
            bytes += if found { shard.bytes } else { 0 };
        }
        let reader = if bytes > 0 { Reader::start() } else { None };
        Self { shards, stored, reader, progress: Progress::new(shards.manifest.bytes, bytes) }
    }

    fn at_once(&self) -> usize {
        if self.stored.iter().all(|&stored| stored) { READ_AT_ONCE } else { FETCHED_AT_ONCE }
    }

    /// A shard's bytes, verified: from storage, or fetched and kept there for the next visit.
    async fn get(&self, number: usize) -> Result<Uint8Array, LoadError> {
        let Shards { manifest_url, manifest, store } = self.shards;
        let shard = &manifest.shards[number];
        if self.stored[number] {
            if let Some(bytes) = store.shard(shard, self.reader.as_ref()).await {
                return Ok(bytes);
            }
            self.progress.lost(shard.bytes);
        }
        // Another tab may be fetching it this moment. No use in that where nothing can be kept.
        let _lock = match store.kept() {
            Kept::Yes => Some(Held::wait(&format!("beitscope-shard-{}", shard.sha256)).await),
            Kept::NoStorage | Kept::NoRoom => None,
        };
        if let Some(bytes) = store.shard(shard, None).await {
            self.progress.came(i64::from(bytes.length()));
            return Ok(bytes);
        }
        let url = beside(manifest_url, &shard.name)?;
        let bytes = fetch::shard(&url, shard, &|bytes| self.progress.came(bytes)).await?;
        store.keep_shard(shard, &bytes).await;
        Ok(bytes)
    }
}
