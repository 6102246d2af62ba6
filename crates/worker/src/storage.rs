//! The Cache API. Entries of it rather than OPFS files: both hold gigabytes, but a page can clear a cache while
//! a worker reads it, and two tabs that write the same shard write the same bytes.

use crate::bytes::JsBytes;
use crate::lock::HeldLock;
use crate::network::js_error_message;
use crate::shard_reader::{ReaderFailed, ShardReader};
use crate::worker_scope;
use engine::platform::{Entry, Storage, StorageError};
use js_sys::{Array, Reflect, Uint8Array};
use protocol::storage::{Key, SHARD_CACHE};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, DomException, Headers, Request, Response, ResponseInit};

/// The header of a kept shard that has its checksum; `reader.js` knows it too.
const CHECKSUM: &str = "x-checksum";

#[derive(Default)]
pub struct BrowserStorage {
    cache: RefCell<Option<Cache>>,
    /// Reads shards while the worker's own thread is busy.
    reader: RefCell<Option<Rc<ShardReader>>>,
    /// It could not: shards are read on the worker's own thread.
    without_reader: Cell<bool>,
}

impl Storage for BrowserStorage {
    type Bytes = JsBytes;
    type Lock = HeldLock;

    async fn is_available(&self) -> bool {
        // Anew for each load: another tab may have deleted the cache meanwhile, and what is written to a deleted one is lost.
        self.cache.take();
        self.cache().await.is_ok()
    }

    async fn keys(&self) -> Result<Vec<String>, StorageError> {
        let keys = JsFuture::from(self.cache().await?.keys()).await.map_err(failed)?;
        let requests =
            Array::from(&keys).into_iter().filter_map(|request| request.dyn_into::<Request>().ok());
        // What is no key of ours has no path to be asked for by.
        Ok(requests.filter_map(|request| Some(Key::of(&request.url())?.path())).collect())
    }

    async fn has(&self, key: &str) -> bool {
        match self.cache().await {
            Ok(cache) => entry(&cache, key).await.is_some(),
            Err(_) => false,
        }
    }

    async fn read(&self, key: &str) -> Result<Option<Entry<JsBytes>>, StorageError> {
        // Looked up first: a thread is started for what is there alone.
        let Some(entry) = entry(&self.cache().await?, key).await else { return Ok(None) };
        if matches!(Key::of(key), Some(Key::Shard(_)))
            && let Some(reader) = self.reader()
        {
            match reader.read(key).await {
                Ok(entry) => return Ok(entry),
                Err(ReaderFailed) => self.give_up_reader(),
            }
        }
        let checksum = entry.headers().get(CHECKSUM).ok().flatten();
        let buffer = JsFuture::from(entry.array_buffer().map_err(failed)?).await.map_err(failed)?;
        Ok(Some(Entry { bytes: JsBytes::new(Uint8Array::new(&buffer)), checksum }))
    }

    async fn write(&self, key: &str, bytes: &JsBytes, checksum: Option<&str>) -> Result<(), StorageError> {
        let cache = self.cache().await?;
        let response = response(bytes, checksum).map_err(failed)?;
        JsFuture::from(cache.put_with_str(key, &response)).await.map_err(refused)?;
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StorageError> {
        JsFuture::from(self.cache().await?.delete_with_str(key)).await.map_err(failed)?;
        Ok(())
    }

    async fn room(&self) -> Option<u64> {
        let estimate = worker_scope::scope().navigator().storage().estimate().ok()?;
        let estimate = JsFuture::from(estimate).await.ok()?;
        let number = |name: &str| Reflect::get(&estimate, &name.into()).ok()?.as_f64();
        Some((number("quota")? - number("usage")?).max(0.0) as u64)
    }

    async fn lock(&self, name: &str) -> Option<HeldLock> {
        HeldLock::wait(name).await
    }

    fn reads_done(&self) {
        self.reader.take();
    }
}

impl BrowserStorage {
    /// Opened once a load.
    async fn cache(&self) -> Result<Cache, StorageError> {
        let opened = self.cache.borrow().clone();
        if let Some(cache) = opened {
            return Ok(cache);
        }
        let cache = open().await?;
        self.cache.replace(Some(cache.clone()));
        Ok(cache)
    }

    fn give_up_reader(&self) {
        self.without_reader.set(true);
        self.reader.take();
    }

    /// The thread that reads, started with the first shard of a load.
    fn reader(&self) -> Option<Rc<ShardReader>> {
        if self.without_reader.get() {
            return None;
        }
        let mut reader = self.reader.borrow_mut();
        if reader.is_none() {
            *reader = ShardReader::start().map(Rc::new);
        }
        reader.clone()
    }
}

async fn open() -> Result<Cache, StorageError> {
    // Without a secure context there is no `caches` to ask.
    if !worker_scope::scope().is_secure_context() {
        return Err(StorageError::Failed("the page is not secure".into()));
    }
    let opened = worker_scope::scope().caches().map_err(failed)?.open(SHARD_CACHE);
    JsFuture::from(opened).await.map_err(failed)?.dyn_into().map_err(failed)
}

async fn entry(cache: &Cache, key: &str) -> Option<Response> {
    JsFuture::from(cache.match_with_str(key)).await.ok()?.dyn_into().ok()
}

fn response(bytes: &JsBytes, checksum: Option<&str>) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    if let Some(checksum) = checksum {
        headers.set(CHECKSUM, checksum)?;
    }
    headers.set("content-type", "application/octet-stream")?;
    // Tells how much is kept without reading it.
    headers.set("content-length", &bytes.0.length().to_string())?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    Response::new_with_opt_js_u8_array_and_init(Some(&bytes.0), &init)
}

fn refused(error: JsValue) -> StorageError {
    match error.dyn_ref::<DomException>().map(DomException::name).as_deref() {
        Some("QuotaExceededError") => StorageError::NoRoom,
        _ => failed(error),
    }
}

fn failed(error: JsValue) -> StorageError {
    StorageError::Failed(js_error_message(error))
}
