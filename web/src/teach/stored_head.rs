//! Heads in the browser's storage: each is small, fits one model alone, and is there the next time that model is
//! loaded.

use web_sys::Storage;

/// Followed by the SHA-256 of the model's weights.
const HEAD: &str = "beitscope.head.";
/// Where the page kept its one head before it kept one for each model. Whose it is, only the worker can tell.
const UNSORTED: &str = "beitscope.head";
/// Follows either when photos are answered with the head.
const IN_USE: &str = ".in-use";

/// A head in storage.
pub struct StoredHead {
    /// The head's file in base64.
    pub file: String,
    pub in_use: bool,
    /// It may be another model's.
    pub unsorted: bool,
}

/// The head kept for the model with these weights.
pub fn read(model: &str) -> Option<StoredHead> {
    let storage = storage()?;
    let read = |key: &str, in_use: &str, unsorted| {
        let file = storage.get_item(key).ok()??;
        Some(StoredHead { file, in_use: storage.get_item(in_use).ok().flatten().is_some(), unsorted })
    };
    let key = key(model);
    read(&key, &format!("{key}{IN_USE}"), false)
        .or_else(|| read(UNSORTED, &format!("{UNSORTED}{IN_USE}"), true))
}

/// Keeps a head; a browser that keeps nothing loses it with the page, which is what its visitor chose.
pub fn write(model: &str, head: &str, in_use: bool) {
    if let Some(storage) = storage() {
        let key = key(model);
        storage.set_item(&key, head).ok();
        let flag = format!("{key}{IN_USE}");
        if in_use { storage.set_item(&flag, "yes") } else { storage.remove_item(&flag) }.ok();
    }
}

pub fn forget(model: &str) {
    remove(&key(model));
}

/// The head from before is some model's now.
pub fn sorted() {
    remove(UNSORTED);
}

fn remove(key: &str) {
    if let Some(storage) = storage() {
        storage.remove_item(key).ok();
        storage.remove_item(&format!("{key}{IN_USE}")).ok();
    }
}

fn key(model: &str) -> String {
    format!("{HEAD}{model}")
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
