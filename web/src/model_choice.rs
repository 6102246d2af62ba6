//! Which model to load: the one that the page's address names, else the one the visitor picked on an earlier visit,
//! else the first of the list, else the one that comes with the page.

use crate::fetch::{self, FetchFault};
use crate::page_address::{self, base_address, parameter};
use futures_util::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use page::engine::EngineError;
use page::models::list::{self, ListFault, Listed, ModelList};
use protocol::import::ImportSource;
use std::pin::pin;
use std::rc::Rc;
use web_sys::{Storage, Url};

/// The list of models, relative to the page.
const LIST: &str = "models/index.json";
/// What is loaded where there is no list to choose from.
const DEFAULT: &str = "models/demo/manifest.json";
/// How long the list is waited for before the page goes on without it.
const LIST_TIMEOUT_MS: u32 = 3_000;
/// The parameter of the page's address that names a manifest.
const PARAMETER: &str = "model";
/// Where the browser keeps the visitor's choice: the manifest's address.
const KEPT: &str = "beitscope.model";

/// Reads the page's address and the list of models, and reports each as soon as it is known: the chosen manifest's
/// absolute address, and the list.
pub async fn choose(
    on_chosen: impl Fn(Result<Rc<str>, EngineError>),
    on_listed: impl Fn(Result<ModelList, ListFault>),
) {
    let named = parameter(PARAMETER)
        .map(|address| resolve(&address, &base_address()).ok_or(EngineError::BadModelAddress(address)));
    // What the address names need not wait for the list.
    let mut waits = named.is_none();
    if let Some(named) = named {
        on_chosen(named);
    }
    let mut list = pin!(read());
    let list = match select(list.as_mut(), TimeoutFuture::new(LIST_TIMEOUT_MS)).await {
        Either::Left((list, _)) => list,
        Either::Right(_) => {
            // The visitor's choice needs no list. Without one the list has the say, however long it takes: another model
            // than the site wants would be worse than a wait.
            if let Some(kept) = kept_choice().filter(|_| waits) {
                waits = false;
                on_chosen(Ok(kept));
            }
            list.await
        }
    };
    let chosen = waits.then(|| chosen(list.as_ref().map(|list| &*list.models).unwrap_or_default()));
    on_listed(list);
    if let Some(chosen) = chosen {
        on_chosen(chosen);
    }
}

/// What to load, where the page's address names nothing.
fn chosen(listed: &[Listed]) -> Result<Rc<str>, EngineError> {
    let default = || resolve(DEFAULT, &base_address());
    let picked = list::pick(listed, kept_choice().as_deref()).or_else(default);
    picked.ok_or_else(|| EngineError::BadModelAddress(DEFAULT.into()))
}

/// The model that the visitor picked on an earlier visit. Anybody may have written into the browser's storage.
fn kept_choice() -> Option<Rc<str>> {
    let kept = storage().and_then(|storage| storage.get_item(KEPT).ok()?)?;
    match ImportSource::of(&kept) {
        // It comes from the browser's storage alone.
        Some(import) => Some(import.address().into()),
        None => resolve(&kept, &base_address()),
    }
}

/// Keeps the visitor's choice for the next visit. An address that names a model would have the last word then, so
/// the name is taken out of it.
pub fn remember(manifest: &str) {
    if let Some(storage) = storage() {
        // A browser that keeps nothing forgets the choice with the page.
        storage.set_item(KEPT, manifest).ok();
    }
    forget_named();
}

/// Chooses the site's own model on the next visit again.
pub fn forget() {
    if let Some(storage) = storage() {
        // As above.
        storage.remove_item(KEPT).ok();
    }
    forget_named();
}

/// Takes the model out of the page's address.
pub fn forget_named() {
    if let Some(address) = page_address::url().filter(|address| address.search_params().has(PARAMETER)) {
        address.search_params().delete(PARAMETER);
        // An address that cannot be changed keeps naming its model, no more.
        page_address::replace(&address);
    }
}

/// The list, its manifests' addresses made absolute.
async fn read() -> Result<ModelList, ListFault> {
    let unknown = || ListFault::NotFetched("the page has no address".into());
    let address = resolve(LIST, &base_address()).ok_or_else(unknown)?;
    let json = fetch::text(&address, list::LONGEST).await.map_err(|fault| match fault {
        FetchFault::TooLong(_) => ListFault::TooLong,
        FetchFault::NotFetched(reason) => ListFault::NotFetched(reason),
    })?;
    let mut list = list::parse(&json)?;
    for (at, model) in list.models.iter_mut().enumerate().filter(|(_, model)| model.source.is_none()) {
        let absolute = resolve(&model.manifest, &address);
        model.manifest = absolute.ok_or(ListFault::Entry { place: at + 1, field: "manifest" })?;
    }
    Ok(list)
}

/// `address` as an absolute web address.
fn resolve(address: &str, base: &str) -> Option<Rc<str>> {
    let url = Url::new_with_base(address, base).ok()?;
    matches!(url.protocol().as_str(), "http:" | "https:").then(|| url.href().into())
}

/// Who serves the model, if it is not the page's own origin. One that was imported is here.
pub fn foreign_host(manifest: &str) -> Option<String> {
    if ImportSource::of(manifest).is_some() {
        return None;
    }
    let (manifest, page) = (Url::new(manifest).ok()?, Url::new(&base_address()).ok()?);
    (manifest.origin() != page.origin()).then(|| manifest.host())
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
