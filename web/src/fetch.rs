//! The page's address, and small files that lie beside it.

use js_sys::JsString;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response, UrlSearchParams};

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

/// The text at this address, or why it cannot be had.
pub async fn text(address: &str) -> Result<String, String> {
    let body = response(address).await?.text().map_err(told)?;
    let text = JsFuture::from(body).await.map_err(told)?;
    Ok(text.as_string().unwrap_or_default())
}

/// The bytes at this address, or why they cannot be had.
pub async fn blob(address: &str) -> Result<Blob, String> {
    let body = response(address).await?.blob().map_err(told)?;
    JsFuture::from(body).await.map_err(told)?.dyn_into().map_err(told)
}

async fn response(address: &str) -> Result<Response, String> {
    let window = web_sys::window().ok_or("there is no window")?;
    let response = JsFuture::from(window.fetch_with_str(address)).await.map_err(told)?;
    let response: Response = response.dyn_into().map_err(told)?;
    if response.ok() { Ok(response) } else { Err(format!("HTTP {}", response.status())) }
}

/// What a JavaScript error says.
pub fn told(error: JsValue) -> String {
    match error.dyn_into::<js_sys::Error>() {
        Ok(error) => String::from(error.message()),
        Err(other) => {
            other.dyn_into::<JsString>().map(String::from).unwrap_or_else(|_| "unknown error".into())
        }
    }
}
