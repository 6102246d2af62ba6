//! An import that was agreed to, from the lock to the model in storage.

use super::download::download;
use super::incoming::Incoming;
use super::pieces::Pieces;
use super::read_file::read_file;
use super::report::Report;
use super::store_model::store_model;
use crate::platform::{Clock, Platform, Storage};
use crate::store::Store;
use checkpoint::{Quantization, Settings};
use futures_util::future::{Either, select};
use protocol::Kept;
use protocol::import::{ImportFault, ImportOffer, ImportPhase};
use std::pin::pin;

/// Who has not got the lock after so many milliseconds waits for another tab.
const LOCK_IS_HELD_AFTER_MS: u32 = 300;

/// Imports what was offered. Afterwards the model is in storage, under its source's address.
pub async fn start<P: Platform>(
    platform: &P,
    offer: ImportOffer,
    file: Option<&P::Photo>,
) -> Result<(), ImportFault> {
    let quantization: Quantization =
        offer.source.quantization.parse().map_err(|reason| ImportFault::Format { reason })?;
    let store = Store::open(platform).await;
    if store.kept() == Kept::NoStorage {
        return Err(ImportFault::NoStorage);
    }
    let _lock = lock(platform, &offer).await;
    if is_stored(&store, &offer).await {
        Pieces::open(&store, platform, &offer).await.end().await;
        return Ok(());
    }
    let settings = settings(&offer, quantization);
    let mut incoming = Incoming::open(platform, &store, &offer, settings).await?;
    let came = match offer.source.is_file() {
        true => read_file(&mut incoming, &offer, file).await,
        false => download(platform, &mut incoming, &offer).await,
    };
    if let Err(fault) = came {
        if is_checkpoints_fault(&fault) {
            incoming.pieces().end().await;
        }
        return Err(fault);
    }
    let (model, mut pieces, mut report) = match incoming.finish().await {
        Ok(finished) => finished,
        Err(fault) => {
            Pieces::open(&store, platform, &offer).await.end().await;
            return Err(fault);
        }
    };
    report.phase(ImportPhase::Store);
    store_model(&store, &mut pieces, &model, &offer).await
}

/// Waits for the lock of this model's import, which one tab has at a time; none where the machine has no locks.
async fn lock<P: Platform>(platform: &P, offer: &ImportOffer) -> Option<<P::Storage as Storage>::Lock> {
    let name = offer.source.lock();
    let granted = pin!(platform.storage().lock(&name));
    match select(granted, pin!(platform.clock().sleep(LOCK_IS_HELD_AFTER_MS))).await {
        Either::Left((lock, _)) => lock,
        Either::Right((_, granted)) => {
            Report::new(platform, offer.download_bytes, offer.resumed_bytes).phase(ImportPhase::Waiting);
            granted.await
        }
    }
}

/// Whether the model is there whole, of this very checkpoint. Of a file without a known hash nobody can say.
async fn is_stored<P: Platform>(store: &Store<'_, P>, offer: &ImportOffer) -> bool {
    let Some(sha256) = &offer.sha256 else { return false };
    let Some(manifest) = store.manifest(&offer.source.address()).await else { return false };
    manifest.source.as_ref().is_some_and(|source| source.sha256 == *sha256) && store.has_all(&manifest).await
}

/// As the offer says.
fn settings(offer: &ImportOffer, quantization: Quantization) -> Settings {
    Settings {
        name: Some(offer.name.clone()),
        license: offer.license.clone(),
        short_side: Some(offer.preprocessing.short_side as usize),
        mean: Some(offer.preprocessing.mean),
        std: Some(offer.preprocessing.std),
        ..Settings::new(quantization)
    }
}

/// Whether another attempt with what came would fail in the same way.
fn is_checkpoints_fault(fault: &ImportFault) -> bool {
    matches!(fault, ImportFault::Damaged { .. } | ImportFault::Format { .. } | ImportFault::Refused { .. })
}
