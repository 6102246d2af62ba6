//! What is kept between visits: verified shards under their SHA-256, the manifests that name them, and measurements of
//! this machine.
//!
//! ```text
//! begin ──▶ shards, one after another ──▶ complete: the manifest takes the last one's place
//!   coming?of=…                             manifest?of=…, used?of=…; what no manifest names any more is removed
//! ```
//!
//! An import's entries (`import?of=…`, `piece?of=…`) are written by `import`, and removed here when it was abandoned.

use crate::checksum::checksum;
use crate::import_entry::ImportEntry;
use crate::note_names;
use crate::platform::{Bytes, Clock, Entry, Platform, Storage, StorageError};
use crate::timeout::timeout;
use beit::weights::{Manifest, Shard};
use protocol::Kept;
use protocol::import::ImportSource;
use protocol::storage::{Inventory, Key, StoredModel};
use std::cell::Cell;

/// Longer than any storage takes for a shard.
const TIMEOUT_MS: u32 = 10_000;
/// Longer than another tab takes to fetch a shard; after that it is fetched here as well.
const LOCK_TIMEOUT_MS: u32 = 120_000;

/// The storage during one load.
pub struct Store<'a, P: Platform> {
    platform: &'a P,
    kept: Cell<Kept>,
}

/// The lock of a shard, released when it is dropped.
type Lock<P> = <<P as Platform>::Storage as Storage>::Lock;

impl<'a, P: Platform> Store<'a, P> {
    pub async fn open(platform: &'a P) -> Self {
        let is_available = timeout(platform.clock(), TIMEOUT_MS, platform.storage().is_available()).await;
        let kept = if is_available == Some(true) { Kept::Yes } else { Kept::NoStorage };
        Self { platform, kept: Cell::new(kept) }
    }

    /// Whether all that was given so far is kept.
    pub fn kept(&self) -> Kept {
        self.kept.get()
    }

    fn storage(&self) -> Option<&P::Storage> {
        (self.kept() != Kept::NoStorage).then(|| self.platform.storage())
    }

    /// Whether there is an entry for this shard; its bytes may still turn out to be damaged.
    pub async fn has(&self, shard: &Shard) -> bool {
        let Some(storage) = self.storage() else { return false };
        self.in_time(storage.has(&shard_key(shard))).await.unwrap_or(false)
    }

    /// Whether there is an entry for every shard of a model.
    pub async fn has_all(&self, manifest: &Manifest) -> bool {
        for shard in &manifest.shards {
            if !self.has(shard).await {
                return false;
            }
        }
        true
    }

    /// The shard's bytes, if they are there and whole. A damaged entry is removed.
    pub async fn shard(&self, shard: &Shard) -> Option<P::Bytes> {
        let key = shard_key(shard);
        let Entry { bytes, checksum: kept } = self.read(&key).await?;
        let whole = shard.check_size(bytes.length()).is_ok()
            && match kept {
                // The SHA-256 was checked when it came from the network.
                Some(kept) => kept == checksum(&bytes),
                None => shard.check_digest(bytes.sha256().await).is_ok(),
            };
        if whole {
            return Some(bytes);
        }
        self.remove(&key).await;
        None
    }

    /// The entry's bytes, if they are as they were written by [`Store::keep`].
    pub async fn intact(&self, key: &Key) -> Option<P::Bytes> {
        let Entry { bytes, checksum: kept } = self.read(&key.path()).await?;
        (kept? == checksum(&bytes)).then_some(bytes)
    }

    /// Writes an import's entry with its checksum. Where room is short, models that were not used for the longest time
    /// make room, but not those that may be in use.
    ///
    /// # Errors
    /// When it can't be kept all the same.
    pub async fn keep(&self, key: &Key, bytes: &P::Bytes, of: &str) -> Result<(), StorageError> {
        let checksum = checksum(bytes);
        loop {
            match self.try_write(&key.path(), bytes, Some(&checksum)).await {
                Err(StorageError::NoRoom) if self.make_room(of, Inventory::makes_room_for_import).await => {}
                outcome => return outcome,
            }
        }
    }

    /// Removes an entry.
    pub async fn forget(&self, key: &Key) {
        self.remove(&key.path()).await;
    }

    /// How many bytes more storage takes, where the browser tells.
    pub async fn room(&self) -> Option<u64> {
        self.in_time(self.storage()?.room()).await.flatten()
    }

    /// The numbers of the pieces of an import that are in storage.
    pub async fn piece_numbers(&self, address: &str) -> Vec<u64> {
        let keys = self.keys().await.unwrap_or_default();
        let number = |key| match key {
            Key::Piece(of, number) if of == address => Some(number),
            _ => None,
        };
        keys.into_iter().filter_map(number).collect()
    }

    /// Keeps a shard that was checked, of the model at this address. Where room is short, models that were not used for
    /// the longest time make room. After a refusal nothing more is tried.
    pub async fn keep_shard(&self, shard: &Shard, bytes: &P::Bytes, of: &str) {
        let (key, checksum) = (shard_key(shard), checksum(bytes));
        loop {
            match self.write(&key, bytes, Some(&checksum)).await {
                Ok(()) => return,
                Err(StorageError::NoRoom) if self.make_room(of, Inventory::makes_room).await => {}
                Err(refusal) => return self.give_up(&refusal),
            }
        }
    }

    /// One tab at a time has the lock of a shard: what it fetches, another need not fetch as well.
    pub async fn lock(&self, shard: &Shard) -> Option<Lock<P>> {
        // No use in that where nothing can be kept.
        if self.kept() != Kept::Yes {
            return None;
        }
        let name = format!("beitscope-shard-{}", shard.sha256);
        timeout(self.platform.clock(), LOCK_TIMEOUT_MS, self.platform.storage().lock(&name)).await.flatten()
    }

    /// The manifest of the model from this address that was last built whole.
    pub async fn manifest(&self, url: &str) -> Option<Manifest> {
        let entry = self.read(&Key::Manifest(url.into()).path()).await?;
        Manifest::parse(&entry.bytes.to_vec()).ok()
    }

    /// The model's shards are on their way: those that come stay until it is complete or given up.
    pub async fn begin(&self, url: &str, manifest: &Manifest) {
        self.put(&Key::Coming(url.into()), &json(manifest)).await;
        self.use_now(url).await;
    }

    /// An imported model lacks this shard: its manifest is removed, unless it is only that storage does not answer.
    pub async fn remove_incomplete(&self, address: &str, shard: &Shard) {
        let Some(storage) = self.storage() else { return };
        if self.in_time(storage.has(&shard_key(shard))).await == Some(false) {
            self.remove(&Key::Manifest(address.into()).path()).await;
        }
    }

    /// The model is built. Where every shard is kept it takes the place of the last one from this address.
    pub async fn complete(&self, url: &str, manifest: &Manifest) {
        if ImportSource::of(url).is_some() {
            // Its manifest stays as the import wrote it.
            return self.use_now(url).await;
        }
        if self.kept() == Kept::Yes {
            self.put(&Key::Manifest(url.into()), &json(manifest)).await;
            self.use_now(url).await;
        }
        if self.kept() == Kept::Yes {
            self.remove(&Key::Coming(url.into()).path()).await;
        }
    }

    /// The model was used today.
    pub async fn use_now(&self, url: &str) {
        self.put(&Key::Used(url.into()), self.platform.clock().today().to_string().as_bytes()).await;
    }

    /// Removes what is of no use: abandoned downloads, shards that no manifest names, measurements by another
    /// version of the program.
    pub async fn sweep(&self) {
        let Some(keys) = self.keys().await else { return };
        let mut inventory = self.inventory(&keys).await;
        let mut of_no_use: Vec<Key> = Vec::new();
        for model in inventory.take_abandoned(self.platform.clock().today()) {
            of_no_use.push(Key::Coming(model.url));
        }
        let imports = self.imports(&keys).await;
        // An import writes its shards before the manifest that names them.
        if !imports.iter().any(|(_, entry)| entry.storing) {
            of_no_use.extend(inventory.unnamed_shards().into_iter().map(Key::Shard));
        }
        let is_under_way = |address: &str| imports.iter().any(|(of, _)| of == address);
        of_no_use.extend(keys.into_iter().filter(|key| match key {
            Key::Note(name) => !note_names::is_current(name),
            // A model that is gone has no last use.
            Key::Used(url) => inventory.models.iter().all(|model| model.url != *url),
            Key::Import(address) | Key::Piece(address, _) => !is_under_way(address),
            Key::Shard(_) | Key::Manifest(_) | Key::Coming(_) => false,
        }));
        for key in of_no_use {
            self.remove(&key.path()).await;
        }
    }

    /// The imports that are under way: those that were abandoned are not among them.
    async fn imports(&self, keys: &[Key]) -> Vec<(String, ImportEntry)> {
        let mut imports = Vec::new();
        for key in keys {
            let Key::Import(address) = key else { continue };
            let entry =
                self.read(&key.path()).await.and_then(|entry| ImportEntry::parse(&entry.bytes.to_vec()));
            let entry = entry.filter(|entry| !entry.is_abandoned(self.platform.clock().today()));
            imports.extend(entry.map(|entry| (address.clone(), entry)));
        }
        imports
    }

    /// Removes the model that `choose` gives, for the one that comes from this address.
    async fn make_room(
        &self,
        coming: &str,
        choose: impl for<'i> Fn(&'i Inventory, &str) -> Option<&'i StoredModel>,
    ) -> bool {
        let Some(keys) = self.keys().await else { return false };
        let mut inventory = self.inventory(&keys).await;
        let Some(oldest) = choose(&inventory, coming).cloned() else { return false };
        self.platform.warn(&format!("{} makes room in the browser's storage", oldest.url));
        inventory.models.retain(|model| *model != oldest);
        let url = oldest.url.clone();
        let key = if oldest.is_coming { Key::Coming(url) } else { Key::Manifest(url) };
        self.remove(&key.path()).await;
        // Those of no manifest at all may be an import's, whose manifest comes last.
        let freed = inventory.unnamed_shards().into_iter().filter(|shard| oldest.shards.contains(shard));
        for sha256 in freed {
            self.remove(&Key::Shard(sha256).path()).await;
        }
        // A storage that removes nothing must not be asked again and again.
        self.keys().await.is_some_and(|after| after.len() < keys.len())
    }

    async fn keys(&self) -> Option<Vec<Key>> {
        let paths = self.in_time(self.storage()?.keys()).await?.ok()?;
        Some(paths.iter().filter_map(|path| Key::of(path)).collect())
    }

    /// What these entries come to.
    async fn inventory(&self, keys: &[Key]) -> Inventory {
        let mut inventory = Inventory::default();
        for key in keys {
            if let Key::Shard(sha256) = key {
                inventory.shards.push(sha256.clone());
            }
            let Some((url, is_coming)) = key.as_manifest() else { continue };
            // One that can't be read names nothing.
            let entry = self.read(&key.path()).await.map(|entry| entry.bytes.to_vec());
            let Some(manifest) = entry.and_then(|json| Manifest::parse(&json).ok()) else { continue };
            let used = self.used(url).await;
            let shards = manifest.shards.into_iter().map(|shard| shard.sha256).collect();
            inventory.models.push(StoredModel { url: url.into(), shards, used, is_coming });
        }
        inventory
    }

    async fn used(&self, url: &str) -> u64 {
        let entry = self.read(&Key::Used(url.into()).path()).await;
        let text = entry.and_then(|entry| String::from_utf8(entry.bytes.to_vec()).ok());
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// A measurement of this machine, by its name.
    pub async fn note(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.read(&Key::Note(name.into()).path()).await?.bytes.to_vec())
    }

    pub async fn keep_note(&self, name: &str, text: &[u8]) {
        self.put(&Key::Note(name.into()), text).await;
    }

    pub async fn remove_note(&self, name: &str) {
        self.remove(&Key::Note(name.into()).path()).await;
    }

    async fn put(&self, key: &Key, bytes: &[u8]) {
        if let Err(refusal) = self.write(&key.path(), &P::Bytes::from_slice(bytes), None).await {
            self.give_up(&refusal);
        }
    }

    async fn write(&self, key: &str, bytes: &P::Bytes, checksum: Option<&str>) -> Result<(), StorageError> {
        // Without storage, and after a refusal, nothing is tried and nothing more is said.
        if self.kept() != Kept::Yes {
            return Ok(());
        }
        self.try_write(key, bytes, checksum).await
    }

    async fn try_write(
        &self,
        key: &str,
        bytes: &P::Bytes,
        checksum: Option<&str>,
    ) -> Result<(), StorageError> {
        let written = self.in_time(self.platform.storage().write(key, bytes, checksum)).await;
        written.unwrap_or_else(|| Err(StorageError::Failed("it does not answer".into())))
    }

    fn give_up(&self, refusal: &StorageError) {
        let reason = match refusal {
            StorageError::NoRoom => "there is no room",
            StorageError::Failed(reason) => reason,
        };
        self.platform.warn(&format!("the weights are not kept: {reason}"));
        self.kept.set(Kept::NoRoom);
    }

    async fn read(&self, key: &str) -> Option<Entry<P::Bytes>> {
        self.in_time(self.storage()?.read(key)).await?.ok()?
    }

    async fn remove(&self, key: &str) {
        if let Some(storage) = self.storage() {
            // What can't be removed is found useless again the next time.
            self.in_time(storage.remove(key)).await;
        }
    }

    async fn in_time<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        timeout(self.platform.clock(), TIMEOUT_MS, future).await
    }
}

fn shard_key(shard: &Shard) -> String {
    Key::Shard(shard.sha256.clone()).path()
}

fn json(manifest: &Manifest) -> Vec<u8> {
    serde_json::to_vec(manifest).expect("a manifest is plain data")
}
