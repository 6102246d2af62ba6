//! The page's address: its parameters, and changes of it without loading anything.

use web_sys::{Url, UrlSearchParams};

/// The address that relative addresses of the page start from.
pub fn base_address() -> String {
    let document = web_sys::window().and_then(|window| window.document());
    document.and_then(|document| document.base_uri().ok().flatten()).unwrap_or_default()
}

/// A parameter of the page's address, where it is there and not empty.
pub fn parameter(name: &str) -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get(name).filter(|value| !value.is_empty())
}

/// The page's address, to be read or changed.
pub fn url() -> Option<Url> {
    Url::new(&web_sys::window()?.location().href().ok()?).ok()
}

/// Shows this address instead; nothing is loaded.
pub fn replace(address: &Url) -> Option<()> {
    let history = web_sys::window()?.history().ok()?;
    history.replace_state_with_url(&"".into(), "", Some(&address.href())).ok()
}
