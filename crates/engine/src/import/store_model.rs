//! A converted checkpoint → shards and manifest in storage.

use super::fault::{of_checkpoint, of_storage};
use super::pieces::Pieces;
use crate::platform::{Bytes, Platform, StorageError};
use crate::store::Store;
use checkpoint::streaming::StreamedModel;
use checkpoint::{MANIFEST, ShardSink};
use protocol::import::{ImportFault, ImportOffer};
use protocol::storage::Key;
use std::io;

/// Writes the model under the address that the offer's source stands for, in place of one that was there. The pieces stay
/// until the manifest is there, unless there is no room for both.
pub async fn store_model<P: Platform>(
    store: &Store<'_, P>,
    pieces: &mut Pieces<'_, P>,
    model: &StreamedModel,
    offer: &ImportOffer,
) -> Result<(), ImportFault> {
    let lacks = |error: &StorageError, written: u64| {
        of_storage(error, offer.kept_bytes.saturating_sub(written).max(1))
    };
    pieces.begin_storing().await.map_err(|error| lacks(&error, 0))?;
    let address = offer.source.address();
    let mut storage = ModelInStorage { store, pieces, address: &address, written: 0, refusal: None };
    let outcome = model.write(&mut storage).await;
    let ModelInStorage { written, refusal, .. } = storage;
    match (outcome, refusal) {
        (Ok(_), _) => {}
        (Err(_), Some(refusal)) => return Err(lacks(&refusal, written)),
        (Err(error), None) => return Err(of_checkpoint(error, &offer.host)),
    }
    store.use_now(&address).await;
    pieces.end().await;
    Ok(())
}

struct ModelInStorage<'a, 'b, P: Platform> {
    store: &'a Store<'a, P>,
    pieces: &'a mut Pieces<'b, P>,
    address: &'a str,
    written: u64,
    /// Why storage did not take a file.
    refusal: Option<StorageError>,
}

impl<P: Platform> ShardSink for ModelInStorage<'_, '_, P> {
    async fn put(&mut self, name: &str, file: Vec<u8>) -> io::Result<()> {
        let bytes = P::Bytes::from_slice(&file);
        // A shard may be as large as all memory that is left.
        drop(file);
        let key = match name {
            MANIFEST => Key::Manifest(self.address.into()),
            _ => Key::Shard(bytes.sha256().await),
        };
        let kept = self.keep(&key, &bytes).await;
        self.written += bytes.length();
        bytes.free();
        kept.map_err(|refusal| {
            self.refusal = Some(refusal);
            io::Error::from(io::ErrorKind::Other)
        })
    }
}

impl<P: Platform> ModelInStorage<'_, '_, P> {
    async fn keep(&mut self, key: &Key, bytes: &P::Bytes) -> Result<(), StorageError> {
        match self.store.keep(key, bytes, self.address).await {
            // All that the pieces hold is in memory.
            Err(StorageError::NoRoom) if self.pieces.remove_all().await? => {
                self.store.keep(key, bytes, self.address).await
            }
            outcome => outcome,
        }
    }
}
