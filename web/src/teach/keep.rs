//! The head in the browser's storage: it is small, and there the next time.

use web_sys::Storage;

const HEAD: &str = "beitscope.head";
const IN_USE: &str = "beitscope.head.in-use";

/// The head kept, in base64, and whether it was in use.
pub fn read() -> Option<(String, bool)> {
    let storage = storage()?;
    let head = storage.get_item(HEAD).ok()??;
    Some((head, storage.get_item(IN_USE).ok().flatten().is_some()))
}

/// Keeps a head; a browser that keeps nothing loses it with the page, which is what its visitor chose.
pub fn write(head: &str, in_use: bool) {
    if let Some(storage) = storage() {
        storage.set_item(HEAD, head).ok();
        if in_use { storage.set_item(IN_USE, "yes") } else { storage.remove_item(IN_USE) }.ok();
    }
}

pub fn forget() {
    if let Some(storage) = storage() {
        storage.remove_item(HEAD).ok();
        storage.remove_item(IN_USE).ok();
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
