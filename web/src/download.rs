//! Saves a file, or puts text into the clipboard.

use gloo::timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// The browser reads the file when it likes; by then it has.
const READ_BY_MS: u32 = 60_000;

/// Saves text as a file.
pub fn text(name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    blob(name, &Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &options)?)
}

/// Saves a blob as a file.
pub fn blob(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let url = Url::create_object_url_with_blob(blob)?;
    let link: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Timeout::new(READ_BY_MS, move || {
        // Only a malformed URL is refused, and then nothing is held by it.
        Url::revoke_object_url(&url).ok();
    })
    .forget();
    Ok(())
}

/// Puts text into the clipboard; browsers allow it in secure contexts only.
pub async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window().filter(|window| window.is_secure_context()) else { return false };
    JsFuture::from(window.navigator().clipboard().write_text(text)).await.is_ok()
}
