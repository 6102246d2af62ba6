//! Where a photo's bytes come from when they are wanted.

use super::zip::{Entry, Packing};
use js_sys::{Array, Reflect, Uint8Array};
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, ReadableStream, ReadableStreamDefaultReader, ReadableWritablePair, WritableStream,
};

/// Larger files are no photos that anything here reads.
const MAX_UNPACKED: u64 = 256 << 20;

/// A photo that has come in. The browser keeps files on disk: holding one costs no memory.
#[derive(Clone)]
pub enum Source {
    File(File),
    Packed { archive: File, entry: Rc<Entry> },
}

impl Source {
    /// The file's name, without folders.
    pub fn name(&self) -> String {
        match self {
            Self::File(file) => file.name(),
            Self::Packed { entry, .. } => entry.file_name().to_owned(),
        }
    }

    /// The photo's file. One out of an archive is unpacked anew each time, so that a thousand of them
    /// take no memory.
    pub async fn blob(&self) -> Option<Blob> {
        match self {
            Self::File(file) => Some(file.clone().unchecked_into()),
            Self::Packed { archive, entry } => unpack(archive, entry).await,
        }
    }
}

async fn unpack(archive: &Blob, entry: &Entry) -> Option<Blob> {
    if entry.size > MAX_UNPACKED || entry.packed > MAX_UNPACKED {
        return None;
    }
    let header = bytes(archive, entry.header()).await?;
    let data = entry.data(&header)?;
    if data.end as f64 > archive.size() {
        return None;
    }
    let packed = slice(archive, data)?;
    match entry.packing {
        Packing::Stored => Some(packed),
        Packing::Deflated => inflate(&packed, entry.size).await,
    }
}

/// A part of a blob, by reference.
fn slice(blob: &Blob, range: Range<u64>) -> Option<Blob> {
    blob.slice_with_f64_and_f64(range.start as f64, range.end as f64).ok()
}

/// A part of a blob, in memory.
pub async fn bytes(blob: &Blob, range: Range<u64>) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(slice(blob, range)?.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

#[wasm_bindgen]
extern "C" {
    /// <https://developer.mozilla.org/docs/Web/API/DecompressionStream>
    type DecompressionStream;
    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn readable(this: &DecompressionStream) -> ReadableStream;
    #[wasm_bindgen(method, getter)]
    fn writable(this: &DecompressionStream) -> WritableStream;
}

/// Unpacks with the browser's own inflater, and no more than the archive has announced.
async fn inflate(packed: &Blob, size: u64) -> Option<Blob> {
    let inflater = DecompressionStream::new("deflate-raw").ok()?;
    let pair = ReadableWritablePair::new(&inflater.readable(), &inflater.writable());
    let stream = packed.stream().pipe_through(&pair);
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let (parts, mut length) = (Array::new(), 0);
    loop {
        let part = JsFuture::from(reader.read()).await.ok()?;
        if Reflect::get(&part, &"done".into()).ok()?.is_truthy() {
            break;
        }
        let part: Uint8Array = Reflect::get(&part, &"value".into()).ok()?.unchecked_into();
        length += u64::from(part.length());
        if length > size {
            // It is given up either way.
            drop(reader.cancel());
            return None;
        }
        parts.push(&part);
    }
    if length == size { Blob::new_with_u8_array_sequence(&parts).ok() } else { None }
}
