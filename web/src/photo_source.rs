//! Where a photo's bytes come from when they are wanted.

use crate::inflate::{End, Format, inflate};
use archive::zip::{Entry, Method};
use js_sys::Uint8Array;
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File};

/// Larger files are no photos that anything here reads.
const MAX_UNPACKED: u64 = 256 << 20;

/// A photo that has come in. The browser keeps files on disk: holding one costs no memory.
#[derive(Clone)]
pub enum Source {
    File(File),
    /// A file in a zip file.
    Packed {
        archive: Blob,
        entry: Rc<Entry>,
    },
    /// A file that lies in a tar file as it is.
    Part {
        archive: Blob,
        range: Range<u64>,
        name: Rc<str>,
    },
}

impl Source {
    /// The file's name, without folders.
    pub fn name(&self) -> String {
        match self {
            Self::File(file) => file.name(),
            Self::Packed { entry, .. } => entry.file_name().to_owned(),
            Self::Part { name, .. } => name.to_string(),
        }
    }

    /// The photo's file. One out of an archive is unpacked anew each time, so that a thousand of them
    /// take no memory.
    pub async fn blob(&self) -> Option<Blob> {
        match self {
            Self::File(file) => Some(file.clone().unchecked_into()),
            Self::Packed { entry, .. } if entry.packed > MAX_UNPACKED => None,
            Self::Packed { archive, entry } => unpack(archive, entry, MAX_UNPACKED).await,
            Self::Part { archive, range, .. } => slice(archive, range.clone()),
        }
    }
}

/// A file of a zip file: a part of it where that is stored, else unpacked, at most so many bytes and no more than the
/// archive has announced.
pub async fn unpack(archive: &Blob, entry: &Entry, most: u64) -> Option<Blob> {
    let header = bytes(archive, entry.header()).await?;
    let data = entry.data(&header).ok()?;
    if data.end as f64 > archive.size() {
        return None;
    }
    let packed = slice(archive, data)?;
    match entry.method {
        Method::Stored => Some(packed),
        Method::Deflated if entry.size <= most => {
            let inflated = inflate(&packed, Format::Deflate, entry.size).await?;
            (inflated.end == End::Whole && inflated.length == entry.size).then_some(inflated.blob)
        }
        Method::Deflated | Method::Other(_) => None,
    }
}

/// A part of a blob, by reference.
pub fn slice(blob: &Blob, range: Range<u64>) -> Option<Blob> {
    blob.slice_with_f64_and_f64(range.start as f64, range.end as f64).ok()
}

/// A part of a blob, in memory.
pub async fn bytes(blob: &Blob, range: Range<u64>) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(slice(blob, range)?.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}
