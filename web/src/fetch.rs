//! Downloads with limits on length and time.

use futures_util::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use js_sys::{Array, JsString, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob, BlobPropertyBag, ReadableStreamDefaultReader, RequestInit, Response};

/// After so many seconds without a byte a download is given up.
const STALL_SECONDS: u32 = 20;

/// Why something cannot be had.
#[derive(Debug, PartialEq)]
pub enum FetchFault {
    /// For this reason.
    NotFetched(String),
    /// It is longer than what is taken: so many bytes, or more.
    TooLong(u64),
}

/// The text at this address, at most so many bytes of it: a server that sends more is cut off.
pub async fn text(address: &str, most: u64) -> Result<String, FetchFault> {
    let mut bytes = Vec::new();
    download(address, most, |part| bytes.extend(part.to_vec())).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file at this address, at most so many bytes of it. They stay outside of this program's memory.
pub async fn blob(address: &str, most: u64) -> Result<Blob, FetchFault> {
    let parts = Array::new();
    let response = download(address, most, |part| {
        parts.push(part);
    })
    .await?;
    let options = BlobPropertyBag::new();
    options.set_type(&header(&response, "content-type").unwrap_or_default());
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(not_fetched)
}

/// Passes all parts of what is at this address on, as they come.
async fn download(
    address: &str,
    most: u64,
    mut take: impl FnMut(&Uint8Array),
) -> Result<Response, FetchFault> {
    let window = web_sys::window().ok_or_else(|| FetchFault::NotFetched("there is no window".to_owned()))?;
    let ended = Ended(AbortController::new().map_err(not_fetched)?);
    let options = RequestInit::new();
    options.set_signal(Some(&ended.0.signal()));
    let response = in_time(window.fetch_with_str_and_init(address, &options)).await?;
    let response: Response = response.dyn_into().map_err(not_fetched)?;
    if !response.ok() {
        return Err(FetchFault::NotFetched(format!("HTTP {}", response.status())));
    }
    check_length(announced(header(&response, "content-length").as_deref()), most)?;
    let Some(body) = response.body() else { return Ok(response) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut received = 0;
    loop {
        let part = in_time(reader.read()).await?;
        let member = |name: &str| Reflect::get(&part, &name.into()).unwrap_or_default();
        if member("done").is_truthy() {
            return Ok(response);
        }
        let part: Uint8Array = member("value").unchecked_into();
        received += u64::from(part.length());
        check_length(received, most)?;
        take(&part);
    }
}

/// Ends a request with this value: also one that is given up half-way goes on no longer. To one that is through it
/// does nothing.
struct Ended(AbortController);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a promise is kept with, unless that takes too long.
async fn in_time(promise: Promise) -> Result<JsValue, FetchFault> {
    match select(JsFuture::from(promise), TimeoutFuture::new(STALL_SECONDS * 1_000)).await {
        Either::Left((kept, _)) => kept.map_err(not_fetched),
        Either::Right(_) => Err(FetchFault::NotFetched(format!("no byte came for {STALL_SECONDS} s"))),
    }
}

fn check_length(bytes: u64, most: u64) -> Result<(), FetchFault> {
    if bytes > most { Err(FetchFault::TooLong(bytes)) } else { Ok(()) }
}

/// The length that a server announces; 0 where it announces none that can be read.
fn announced(content_length: Option<&str>) -> u64 {
    content_length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok()?
}

fn not_fetched(error: JsValue) -> FetchFault {
    FetchFault::NotFetched(js_error_message(error))
}

/// What a JavaScript error says.
pub fn js_error_message(error: JsValue) -> String {
    match error.dyn_into::<js_sys::Error>() {
        Ok(error) => String::from(error.message()),
        Err(other) => {
            other.dyn_into::<JsString>().map(String::from).unwrap_or_else(|_| "unknown error".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_told_by_what_is_announced_or_has_come() {
        assert_eq!(announced(Some("314572800")), 300 << 20);
        for unknown in [None, Some(""), Some("-1"), Some("many")] {
            assert_eq!(check_length(announced(unknown), 10), Ok(()), "{unknown:?}");
        }
        assert_eq!(check_length(10, 10), Ok(()));
        assert_eq!(check_length(11, 10), Err(FetchFault::TooLong(11)));
    }

    /// Other pages and the service worker wait as long.
    #[test]
    fn scripts_give_up_after_the_same_time() {
        let stall = format!("const STALL = {STALL_SECONDS}_000;");
        for script in [include_str!("../embed/fetched.js"), include_str!("../service-worker.js")] {
            assert!(script.contains(&stall));
        }
    }
}
