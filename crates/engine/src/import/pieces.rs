//! What an import has quantised, kept in storage for the next attempt.

use crate::import_entry::ImportEntry;
use crate::platform::{Bytes, Clock, Platform, StorageError};
use crate::store::Store;
use protocol::import::ImportOffer;
use protocol::storage::Key;

/// The pieces of one import, and the entry that tells how many there are.
pub struct Pieces<'a, P: Platform> {
    store: &'a Store<'a, P>,
    platform: &'a P,
    address: String,
    entry: ImportEntry,
}

impl<'a, P: Platform> Pieces<'a, P> {
    /// Those of an earlier attempt at what is offered; none if there was none, or it was of another file.
    pub async fn open(store: &'a Store<'a, P>, platform: &'a P, offer: &ImportOffer) -> Self {
        let address = offer.source.address();
        let kept = store.intact(&Key::Import(address.clone())).await;
        let kept = kept.and_then(|json| ImportEntry::parse(&json.to_vec()));
        let fresh = || ImportEntry::new(offer.clone(), platform.clock().today());
        let entry = kept.filter(|entry| entry.is_of(offer)).unwrap_or_else(fresh);
        Self { store, platform, address, entry }
    }

    /// Bytes of the checkpoint that they hold.
    pub fn file_bytes(&self) -> u64 {
        self.entry.offer.resumed_bytes
    }

    /// Bytes in storage.
    pub fn bytes(&self) -> u64 {
        self.entry.piece_bytes
    }

    pub fn etag(&self) -> Option<&str> {
        self.entry.etag.as_deref()
    }

    pub fn set_etag(&mut self, etag: Option<String>) {
        self.entry.etag = etag;
    }

    /// All of them, as far as they are there and whole. They stay outside the program's memory.
    pub async fn read(&self) -> Vec<P::Bytes> {
        let mut pieces = Vec::new();
        for number in 0..self.entry.pieces {
            let Some(piece) = self.store.intact(&self.key(number)).await else { break };
            pieces.push(piece);
        }
        pieces
    }

    /// Says in storage that this import is under way, with its first `pieces` pieces that hold so many bytes of the
    /// checkpoint. Those of another file, or more than these, are removed.
    pub async fn begin(
        &mut self,
        offer: &ImportOffer,
        pieces: &[u64],
        file_bytes: u64,
    ) -> Result<(), StorageError> {
        let resumed_bytes = file_bytes;
        self.entry.offer = ImportOffer { resumed_bytes, ..offer.clone() };
        self.entry.pieces = pieces.len() as u64;
        self.entry.piece_bytes = pieces.iter().sum();
        self.entry.storing = false;
        self.write_entry().await?;
        self.remove_from(self.entry.pieces).await;
        Ok(())
    }

    /// Keeps the next piece, with which `file_bytes` of the checkpoint are quantised.
    pub async fn keep(&mut self, piece: &[u8], file_bytes: u64) -> Result<(), StorageError> {
        let bytes = P::Bytes::from_slice(piece);
        let kept = self.store.keep(&self.key(self.entry.pieces), &bytes, &self.address).await;
        bytes.free();
        kept?;
        self.entry.pieces += 1;
        self.entry.piece_bytes += piece.len() as u64;
        self.entry.offer.resumed_bytes = file_bytes;
        self.write_entry().await
    }

    /// The shards are being written from now on: until a manifest names them, this entry keeps them.
    pub async fn begin_storing(&mut self) -> Result<(), StorageError> {
        self.entry.storing = true;
        self.write_entry().await
    }

    /// Makes room: what they hold is in memory, or of no use. Says whether there were any.
    pub async fn remove_all(&mut self) -> Result<bool, StorageError> {
        let had_some = self.entry.pieces > 0;
        self.entry.pieces = 0;
        self.entry.piece_bytes = 0;
        self.entry.offer.resumed_bytes = 0;
        self.write_entry().await?;
        self.remove_from(0).await;
        Ok(had_some)
    }

    /// The import is over: nothing of it stays.
    pub async fn end(&self) {
        // The entry first: pieces without one are swept.
        self.store.forget(&Key::Import(self.address.clone())).await;
        self.remove_from(0).await;
    }

    async fn remove_from(&self, first: u64) {
        let numbers = self.store.piece_numbers(&self.address).await;
        for number in numbers.into_iter().filter(|number| *number >= first) {
            self.store.forget(&self.key(number)).await;
        }
    }

    async fn write_entry(&mut self) -> Result<(), StorageError> {
        self.entry.updated = self.platform.clock().today();
        let json = P::Bytes::from_slice(&self.entry.json());
        self.store.keep(&Key::Import(self.address.clone()), &json, &self.address).await
    }

    fn key(&self, number: u64) -> Key {
        Key::Piece(self.address.clone(), number)
    }
}
