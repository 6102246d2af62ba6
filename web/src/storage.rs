//! The weights that the worker keeps in the browser's storage, as the page sees them.

use js_sys::{Array, Function, JsString, Promise, Reflect};
use page::storage::{ModelInStorage, StorageContents};
use protocol::import::ImportOffer;
use protocol::storage::{Inventory, Key, SHARD_CACHE, StoredModel};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, CacheStorage, Request, Response};

/// Of a manifest that the worker has checked and kept.
#[derive(Deserialize)]
struct Manifest {
    name: String,
    quantization: String,
    bytes: u64,
    sha256: String,
    shards: Vec<Shard>,
}

/// Of the entry of an import that is under way, which has more in it for the worker.
#[derive(Deserialize)]
struct Unfinished {
    #[serde(flatten)]
    offer: ImportOffer,
    /// When it last went on, in milliseconds since 1970.
    #[serde(default)]
    updated: u64,
}

#[derive(Deserialize)]
struct Shard {
    sha256: String,
}

/// Looks up what is in storage.
pub async fn measure() -> StorageContents {
    contents().await.unwrap_or_default()
}

async fn contents() -> Option<StorageContents> {
    let cache = open().await?;
    let (mut shards, mut manifests, mut used) = (HashMap::new(), Vec::new(), HashMap::new());
    let (mut imports, mut pieces) = (Vec::new(), 0);
    for key in keys(&cache).await? {
        // An entry that another tab removed meanwhile holds nothing.
        let Some(response) = entry(&cache, &key).await else { continue };
        if let Some((url, is_coming)) = key.as_manifest() {
            let manifest = manifest(&response).await;
            manifests.extend(manifest.map(|manifest| (url.to_owned(), is_coming, manifest)));
        }
        match key {
            Key::Shard(sha256) => {
                shards.insert(sha256, size(&response).unwrap_or(0));
            }
            Key::Used(url) => {
                let since_1970 = text(&response).await.and_then(|text| text.parse().ok());
                used.extend(since_1970.map(|ms: u64| (url, ms)));
            }
            Key::Import(_) => {
                let json = text(&response).await;
                let unfinished = json.and_then(|json| serde_json::from_str::<Unfinished>(&json).ok());
                imports.extend(unfinished);
            }
            Key::Piece(..) => pieces += size(&response).unwrap_or(0),
            Key::Manifest(_) | Key::Coming(_) | Key::Note(_) => {}
        }
    }
    let held = held_locks().await;
    // The others are another tab's, and go on there.
    imports.retain(|import| !held.contains(&import.offer.source.lock()));
    imports.sort_by_key(|import| std::cmp::Reverse(import.updated));
    let imports = imports.into_iter().map(|import| Rc::new(import.offer)).collect();
    // Of a model whose next version is on its way, the one that is here is listed.
    manifests.sort_by_key(|(_, is_coming, _)| *is_coming);
    let mut listed = HashSet::new();
    manifests.retain(|(url, ..)| listed.insert(url.clone()));
    let today = js_sys::Date::now() as u64;
    let model = |(url, _, manifest): (String, bool, Manifest)| ModelInStorage {
        here: manifest.shards.iter().filter_map(|shard| shards.get(&shard.sha256)).sum(),
        days: used.get(&url).map(|used| today.saturating_sub(*used) / (24 * 60 * 60 * 1_000)),
        manifest: url.into(),
        name: manifest.name,
        quantization: manifest.quantization,
        bytes: manifest.bytes,
        sha256: manifest.sha256,
    };
    let mut models: Vec<_> = manifests.into_iter().map(model).filter(|model| model.here > 0).collect();
    models.sort_by(|a, b| {
        a.days.unwrap_or(u64::MAX).cmp(&b.days.unwrap_or(u64::MAX)).then(a.name.cmp(&b.name))
    });
    let bytes = shards.values().sum::<u64>() + pieces;
    Some(StorageContents { bytes: Some(bytes), models: models.into(), imports })
}

/// Removes a model from storage, and the shards that no other one has.
pub async fn remove(manifest: &str) {
    let Some(cache) = open().await else { return };
    let Some(keys) = keys(&cache).await else { return };
    let mut inventory = Inventory::default();
    for key in keys {
        if let Key::Shard(sha256) = &key {
            inventory.shards.push(sha256.clone());
        }
        let Some((url, is_coming)) = key.as_manifest() else { continue };
        let Some(response) = entry(&cache, &key).await else { continue };
        let Some(Manifest { shards, .. }) = self::manifest(&response).await else { continue };
        let shards = shards.into_iter().map(|shard| shard.sha256).collect();
        inventory.models.push(StoredModel { url: url.into(), shards, used: 0, is_coming });
    }
    inventory.take(manifest);
    let url = manifest.to_owned();
    let mut gone = vec![Key::Manifest(url.clone()), Key::Coming(url.clone()), Key::Used(url)];
    gone.extend(inventory.unnamed_shards().into_iter().map(Key::Shard));
    for key in gone {
        // What can't be removed is still listed afterwards.
        JsFuture::from(cache.delete_with_str(&key.path())).await.ok();
    }
}

/// Removes what is in storage of an unfinished import.
pub async fn remove_import(address: &str) {
    let Some(cache) = open().await else { return };
    for key in keys(&cache).await.unwrap_or_default() {
        if matches!(&key, Key::Import(of) | Key::Piece(of, _) if of == address) {
            // What can't be removed is found again on the next visit.
            JsFuture::from(cache.delete_with_str(&key.path())).await.ok();
        }
    }
}

/// Removes all weights from storage.
pub async fn clear() {
    if let Some(caches) = caches() {
        // What can't be removed is still counted afterwards, so the page does not say otherwise.
        JsFuture::from(caches.delete(SHARD_CACHE)).await.ok();
    }
}

/// Asks the browser not to clear this site's storage by itself when disk space runs short.
pub async fn persist() {
    let Some(window) = web_sys::window().filter(|window| window.is_secure_context()) else { return };
    if let Ok(asked) = window.navigator().storage().persist() {
        // A refusal changes nothing for the visitor: the weights are kept as long as there is room.
        JsFuture::from(asked).await.ok();
    }
}

async fn open() -> Option<Cache> {
    JsFuture::from(caches()?.open(SHARD_CACHE)).await.ok()?.dyn_into().ok()
}

async fn keys(cache: &Cache) -> Option<Vec<Key>> {
    let requests = JsFuture::from(cache.keys()).await.ok()?;
    let requests =
        Array::from(&requests).into_iter().filter_map(|request| request.dyn_into::<Request>().ok());
    Some(requests.filter_map(|request| Key::of(&request.url())).collect())
}

async fn entry(cache: &Cache, key: &Key) -> Option<Response> {
    JsFuture::from(cache.match_with_str(&key.path())).await.ok()?.dyn_into().ok()
}

async fn manifest(response: &Response) -> Option<Manifest> {
    serde_json::from_str(&text(response).await?).ok()
}

async fn text(response: &Response) -> Option<String> {
    let text: JsString = JsFuture::from(response.text().ok()?).await.ok()?.dyn_into().ok()?;
    Some(text.into())
}

/// The worker writes each entry's size beside it, so that nobody has to read it.
fn size(response: &Response) -> Option<u64> {
    response.headers().get("content-length").ok()??.parse().ok()
}

/// The names of the browser's locks that are held, in whatever tab.
async fn held_locks() -> HashSet<String> {
    names_of_held_locks().await.unwrap_or_default()
}

async fn names_of_held_locks() -> Option<HashSet<String>> {
    let navigator = web_sys::window()?.navigator();
    let member = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
    let locks = member(&navigator, "locks").filter(JsValue::is_truthy)?;
    let query: Function = member(&locks, "query")?.dyn_into().ok()?;
    let asked: Promise = query.call0(&locks).ok()?.dyn_into().ok()?;
    let held = member(&JsFuture::from(asked).await.ok()?, "held")?;
    Some(Array::from(&held).iter().filter_map(|lock| member(&lock, "name")?.as_string()).collect())
}

fn caches() -> Option<CacheStorage> {
    web_sys::window().filter(|window| window.is_secure_context())?.caches().ok()
}
