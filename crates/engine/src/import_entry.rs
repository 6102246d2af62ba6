//! What storage says of an import that is under way.

use protocol::import::ImportOffer;
use protocol::storage::ABANDONED_MS;
use serde::{Deserialize, Serialize};

/// The entry under [`Key::Import`](protocol::storage::Key::Import): the offer, and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportEntry {
    /// What was agreed to; its `resumed_bytes` are those that the pieces hold.
    #[serde(flatten)]
    pub offer: ImportOffer,
    /// So many pieces, from number 0 on, belong to it. Others are left over from an earlier one.
    pub pieces: u64,
    /// Bytes of the pieces.
    pub piece_bytes: u64,
    /// The checkpoint's entity tag, where its host told one.
    pub etag: Option<String>,
    /// When it last went on, in milliseconds since 1970.
    pub updated: u64,
    /// Its shards are being written: no manifest names them yet.
    pub storing: bool,
}

impl ImportEntry {
    pub fn new(offer: ImportOffer, today: u64) -> Self {
        let offer = ImportOffer { resumed_bytes: 0, ..offer };
        Self { offer, pieces: 0, piece_bytes: 0, etag: None, updated: today, storing: false }
    }

    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry is plain data")
    }

    /// Whether it imports this very file.
    pub fn is_of(&self, offer: &ImportOffer) -> bool {
        let same_file = match (&self.offer.sha256, &offer.sha256) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.offer.url == offer.url,
            _ => false,
        };
        same_file && self.offer.file == offer.file && self.offer.download_bytes == offer.download_bytes
    }

    /// It was not gone on with for so long that it will not be.
    pub fn is_abandoned(&self, today: u64) -> bool {
        today.saturating_sub(self.updated) > ABANDONED_MS
    }
}
