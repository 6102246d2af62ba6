//! The page's address, and small files that lie beside it.

use js_sys::{JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamDefaultReader, Response, UrlSearchParams};

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

/// Why a text cannot be had.
#[derive(Debug, PartialEq)]
pub enum TextFault {
    /// For this reason.
    NotFetched(String),
    /// It is longer than expected.
    TooLong,
}

/// The text at this address, at most so many bytes of it: a server that sends more is cut off.
pub async fn text(address: &str, most: u64) -> Result<String, TextFault> {
    let body = response(address).await.map_err(TextFault::NotFetched)?.body();
    let mut bytes = Vec::new();
    let Some(body) = body else { return Ok(String::new()) };
    let broken = |error| TextFault::NotFetched(told(error));
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(broken)?;
        let member = |name: &str| Reflect::get(&part, &name.into()).unwrap_or_default();
        if member("done").is_truthy() {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        let part: Uint8Array = member("value").unchecked_into();
        if bytes.len() as u64 + u64::from(part.length()) > most {
            // The stream is given up either way.
            drop(reader.cancel());
            return Err(TextFault::TooLong);
        }
        bytes.extend(part.to_vec());
    }
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
