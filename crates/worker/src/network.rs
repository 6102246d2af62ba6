//! `fetch`. A request or a body that is dropped is aborted, and its connection closed.

use crate::bytes::JsBytes;
use crate::worker_scope;
use engine::platform::{Body, Caching, Get, Network, Response};
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, Headers, ReadableStream, ReadableStreamDefaultReader, RequestCache, RequestInit, Url,
};

/// Firefox receives all that a server sends, however slowly it is read (`docs/performance.md`).
const PART_BYTES: u64 = 32 << 20;

#[derive(Default)]
pub struct BrowserNetwork;

impl Network for BrowserNetwork {
    type Bytes = JsBytes;
    type Body = BrowserBody;

    async fn get(&self, get: Get<'_>) -> Result<Response<BrowserBody>, String> {
        let Get { url, from, length, caching } = get;
        let request = Request(AbortController::new().map_err(js_error_message)?);
        let options = RequestInit::new();
        options.set_signal(Some(&request.0.signal()));
        options.set_cache(match caching {
            Caching::Usual => RequestCache::Default,
            Caching::Confirmed => RequestCache::NoCache,
            Caching::Nothing => RequestCache::Reload,
            Caching::NotKept => RequestCache::NoStore,
        });
        if from > 0 || length.is_some() {
            let last = length.map(|length| (from + length - 1).to_string()).unwrap_or_default();
            let headers = Headers::new().map_err(js_error_message)?;
            headers.set("range", &format!("bytes={from}-{last}")).map_err(js_error_message)?;
            options.set_headers(&headers);
        }
        let response = JsFuture::from(worker_scope::scope().fetch_with_str_and_init(url, &options));
        let response: web_sys::Response = response.await.map_err(js_error_message)?.unchecked_into();
        let header = |name| response.headers().get(name).ok().flatten();
        // Another origin's server may hide most of the headers.
        let range = header("content-range").unwrap_or_default();
        let (from, length) = match response.status() {
            206 => (first_byte(&range).unwrap_or(from), whole_length(&range)),
            _ => (0, header("content-length").and_then(|length| length.parse().ok())),
        };
        let media_type =
            header("content-type").map(|media| media.split(';').next().unwrap_or_default().trim().into());
        let reader = response.body().map(|body| Reader::of(&body));
        Ok(Response {
            status: response.status(),
            from,
            length,
            etag: header("etag"),
            retry_after: header("retry-after").and_then(|seconds| seconds.trim().parse().ok()),
            url: Some(response.url()).filter(|url| !url.is_empty()),
            media_type,
            body: BrowserBody { reader, _request: request },
        })
    }

    fn resolve(&self, name: &str, base: &str) -> Option<String> {
        Url::new_with_base(name, base).ok().map(|url| url.href())
    }

    fn part_bytes(&self) -> u64 {
        PART_BYTES
    }

    fn host(&self, url: &str) -> Option<String> {
        Url::new(url).ok().map(|url| url.host())
    }

    fn site_address(&self, path: &str) -> Option<String> {
        worker_scope::site_address(path)
    }
}

/// `bytes 100-199/200` begins at 100.
fn first_byte(content_range: &str) -> Option<u64> {
    content_range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// `bytes 100-199/200` is of 200 bytes.
fn whole_length(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.trim().parse().ok()
}

/// Ends with this value, wherever it stands.
struct Request(AbortController);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[wasm_bindgen]
extern "C" {
    type ByteStream;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn byte_reader(this: &ByteStream, options: &JsValue) -> Result<ByteReader, JsValue>;

    /// A `ReadableStreamBYOBReader`
    type ByteReader;

    #[wasm_bindgen(method)]
    fn read(this: &ByteReader, into: &Uint8Array) -> Promise;

    #[wasm_bindgen(method)]
    fn cancel(this: &ByteReader) -> Promise;
}

/// What takes the bytes of a body.
enum Reader {
    /// Into memory that is used again.
    Bytes(ByteReader),
    /// Into memory of its own for each part: not every browser has the former.
    Parts(ReadableStreamDefaultReader),
}

impl Reader {
    fn of(body: &ReadableStream) -> Self {
        let options = Object::new();
        // A plain object takes any property.
        Reflect::set(&options, &"mode".into(), &"byob".into()).ok();
        match body.unchecked_ref::<ByteStream>().byte_reader(&options) {
            Ok(reader) => Self::Bytes(reader),
            Err(_) => Self::Parts(body.get_reader().unchecked_into()),
        }
    }
}

pub struct BrowserBody {
    /// None for a response without a body.
    reader: Option<Reader>,
    _request: Request,
}

impl Body for BrowserBody {
    type Bytes = JsBytes;

    async fn next(&mut self) -> Result<Option<JsBytes>, String> {
        let part = match &self.reader {
            None => return Ok(None),
            Some(Reader::Bytes(reader)) => reader.read(&JsBytes::array_for_chunk()),
            Some(Reader::Parts(reader)) => reader.read(),
        };
        let part = JsFuture::from(part).await.map_err(js_error_message)?;
        if member(&part, "done").is_truthy() {
            return Ok(None);
        }
        let array = member(&part, "value").unchecked_into::<Uint8Array>();
        Ok(Some(match &self.reader {
            Some(Reader::Bytes(_)) => JsBytes::of_chunk(array),
            _ => JsBytes::new(array),
        }))
    }
}

impl Drop for BrowserBody {
    fn drop(&mut self) {
        let cancelled = match &self.reader {
            None => return,
            Some(Reader::Bytes(reader)) => reader.cancel(),
            Some(Reader::Parts(reader)) => reader.cancel(),
        };
        // The promise is of no interest; one that is refused has to be heard all the same.
        let cancelled = JsFuture::from(cancelled);
        spawn_local(async { drop(cancelled.await) });
    }
}

fn member(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// The message of a JavaScript error.
pub fn js_error_message(error: JsValue) -> String {
    member(&error, "message").as_string().unwrap_or_else(|| "no reason given".into())
}
