//! Unpacks with the browser's own inflater.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStream, ReadableStreamDefaultReader, ReadableWritablePair, WritableStream};

/// So many unpacked bytes at a time are handed to the browser, which may keep a blob's on disk.
const PIECE: u64 = 16 << 20;

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

/// How bytes are packed.
#[derive(Clone, Copy)]
pub enum Format {
    /// A file in a zip file.
    Deflate,
    /// A file of its own.
    Gzip,
}

/// What came out, and whether that is all.
pub struct Inflated {
    pub blob: Blob,
    pub length: u64,
    pub end: End,
}

/// What ended the unpacking.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    Whole,
    /// The packed bytes are damaged or cut short.
    Damaged,
    /// More came out than is taken.
    TooLong,
}

/// Unpacks, at most so many bytes. None where the browser can't.
pub async fn inflate(packed: &Blob, format: Format, most: u64) -> Option<Inflated> {
    let name = match format {
        Format::Deflate => "deflate-raw",
        Format::Gzip => "gzip",
    };
    let inflater = DecompressionStream::new(name).ok()?;
    let pair = ReadableWritablePair::new(&inflater.readable(), &inflater.writable());
    let stream = packed.stream().pipe_through(&pair);
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let (blobs, mut parts) = (Array::new(), Array::new());
    let (mut length, mut piece) = (0, 0);
    let end = loop {
        let Ok(part) = JsFuture::from(reader.read()).await else { break End::Damaged };
        if Reflect::get(&part, &"done".into()).ok()?.is_truthy() {
            break End::Whole;
        }
        let part: Uint8Array = Reflect::get(&part, &"value".into()).ok()?.unchecked_into();
        let bytes = u64::from(part.length());
        if length + bytes > most {
            // It is given up either way.
            drop(reader.cancel());
            break End::TooLong;
        }
        (length, piece) = (length + bytes, piece + bytes);
        parts.push(&part);
        if piece >= PIECE {
            blobs.push(&Blob::new_with_u8_array_sequence(&parts).ok()?.into());
            (parts, piece) = (Array::new(), 0);
        }
    };
    blobs.push(&Blob::new_with_u8_array_sequence(&parts).ok()?.into());
    let blob = Blob::new_with_blob_sequence(&blobs).ok()?;
    Some(Inflated { blob, length, end })
}
