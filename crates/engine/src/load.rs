//! Manifest address → model on a device: the current version, or the last one that was loaded whole.

use crate::error::LoadError;
use crate::fetch;
use crate::on_device::OnDevice;
use crate::platform::{Network, Platform};
use crate::select_device::{DeviceChoice, DeviceRequest, Selected, select_device};
use crate::shards::{Shards, beside};
use crate::store::Store;
use beit::weights::Manifest;
use protocol::fault::Reason;
use protocol::import::ImportSource;
use protocol::{Kept, ModelInfo, Offer};

/// Far above any real manifest: 1.2 GB in shards of 20 MiB need 12 KB.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// A server that does not answer for so long is not waited for where the model is stored already.
const CACHED_MODEL_TIMEOUT_MS: u32 = 3_000;

/// A model that answers.
pub struct Loaded {
    pub network: OnDevice,
    pub info: ModelInfo,
    /// Whether the next visit finds the weights in the browser's storage.
    pub kept: Kept,
    /// Why it runs where it does, where there is something to say.
    pub reason: Option<Reason>,
    pub choice: Option<DeviceChoice>,
}

/// The manifests that were found for an address.
pub struct Found {
    /// The one to load.
    pub manifest: Manifest,
    /// The one that was last loaded whole, if it is another.
    last_good: Option<Manifest>,
    /// Whether this very model was loaded here before.
    pub is_known: bool,
}

/// Looks the manifest up: as the server has it, and where that can't be had, as it was when the model was last loaded.
/// A server that fails, a network that is silent and one that answers something else do not come before a model that is
/// complete on this device.
pub async fn find<P: Platform>(platform: &P, url: &str, store: &Store<'_, P>) -> Result<Found, LoadError> {
    if ImportSource::of(url).is_some() {
        return find_imported(url, store).await;
    }
    let kept = store.manifest(url).await;
    let json = match kept {
        Some(_) => fetch::small(platform, url, MAX_MANIFEST_BYTES, CACHED_MODEL_TIMEOUT_MS).await,
        None => fetch::small_with_retries(platform, url, MAX_MANIFEST_BYTES).await,
    };
    let parse = |json: Vec<u8>| {
        Manifest::parse(&json).map_err(|error| LoadError::Manifest { url: url.into(), error })
    };
    let fetched = json.map_err(LoadError::from).and_then(parse);
    match (fetched, kept) {
        (Ok(manifest), Some(kept)) if kept.identity() == manifest.identity() => {
            Ok(Found { manifest, last_good: None, is_known: true })
        }
        (Ok(manifest), last_good) => Ok(Found { manifest, last_good, is_known: false }),
        (Err(error), Some(kept)) => {
            platform.warn(&format!("the model as it was last loaded is used: {error}"));
            Ok(Found { manifest: kept, last_good: None, is_known: true })
        }
        (Err(error), None) => Err(error),
    }
}

/// An imported model is in storage, whole, or nowhere.
async fn find_imported<P: Platform>(url: &str, store: &Store<'_, P>) -> Result<Found, LoadError> {
    let not_imported = || LoadError::NotImported { address: url.into() };
    let manifest = store.manifest(url).await.ok_or_else(not_imported)?;
    if !store.has_all(&manifest).await {
        return Err(not_imported());
    }
    Ok(Found { manifest, last_good: None, is_known: true })
}

impl Found {
    /// What a visitor is asked about before a byte of it is fetched.
    pub fn offer(&self, platform: &impl Platform, url: &str) -> Offer {
        let Manifest { name, quantization, bytes, .. } = &self.manifest;
        Offer {
            manifest: url.into(),
            host: platform.network().host(url).unwrap_or_default(),
            name: name.clone(),
            quantization: quantization.clone(),
            bytes: *bytes,
        }
    }

    /// Loads it to where `wanted` says, telling the page how far it is. Where a new version can't be had whole, the last
    /// one is loaded.
    pub async fn load<P: Platform>(
        self,
        platform: &P,
        url: &str,
        store: &Store<'_, P>,
        wanted: DeviceRequest,
    ) -> Result<Loaded, LoadError> {
        let Self { manifest, last_good, .. } = self;
        match (load_version(platform, url, store, manifest, wanted).await, last_good) {
            (Err(error), Some(last_good)) if !is_devices_fault(&error) => {
                platform
                    .warn(&format!("the new version of the model can't be loaded, the last one is: {error}"));
                load_version(platform, url, store, last_good, wanted).await
            }
            (outcome, _) => outcome,
        }
    }
}

fn is_devices_fault(error: &LoadError) -> bool {
    error.device_failure().is_some() || matches!(error, LoadError::NoGpu)
}

async fn load_version<P: Platform>(
    platform: &P,
    url: &str,
    store: &Store<'_, P>,
    manifest: Manifest,
    wanted: DeviceRequest,
) -> Result<Loaded, LoadError> {
    let shards = Shards { platform, manifest_url: url, manifest: &manifest, store };
    let Selected { mut network, reason, choice } = select_device(&shards, wanted).await?;
    store.complete(url, &manifest).await;
    network.classifier.set_calibration(manifest.calibration.clone());
    let card = manifest.card.as_deref().and_then(|card| beside(platform, url, card).ok());
    let info = ModelInfo {
        sha256: manifest.identity(),
        name: manifest.name,
        quantization: manifest.quantization,
        bytes: manifest.bytes,
        parameters: network.classifier.config().parameters(),
        classes: network.classifier.labels().len(),
        image_size: network.classifier.config().image_size,
        card,
    };
    Ok(Loaded { network, info, kept: store.kept(), reason, choice })
}

/// Loads the model whose manifest is at this address, which was agreed to.
pub async fn load<P: Platform>(platform: &P, url: &str, wanted: DeviceRequest) -> Result<Loaded, LoadError> {
    let store = Store::open(platform).await;
    find(platform, url, &store).await?.load(platform, url, &store, wanted).await
}
