//! The zip file that is downloaded: headers, and between them parts of the photos' files by reference. What was unpacked
//! from an archive is in the browser's keeping as long as the zip file is.

use super::changed::{changed, nothing};
use crate::download;
use archive::zip::{Modified, NewEntry, ZipWriter};
use js_sys::{Array, Date, Uint8Array};
use protocol::keywords::{Place, PlannedChange};
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag};

const NAME: &str = "beitscope-keywords.zip";

#[derive(Default)]
pub struct ZipFile {
    writer: ZipWriter,
    parts: Array,
}

impl ZipFile {
    /// Puts a photo with its keywords, or its new sidecar, at this name.
    pub fn add(&mut self, name: &str, photo: &Blob, change: &PlannedChange) -> Result<(), JsValue> {
        let (name, before) = match change.place {
            Place::Photo => (name.to_owned(), photo.clone()),
            Place::Sidecar => (format!("{name}.xmp"), nothing()?),
        };
        let file = changed(&before, &change.splices)?;
        if file.size() != change.bytes as f64 {
            return Err("it has another length".into());
        }
        let entry = NewEntry { name, crc32: change.crc32, bytes: change.bytes, modified: now() };
        let header = self.writer.header(entry).ok_or("its name is too long")?;
        self.parts.push(&Uint8Array::from(header.as_slice()));
        self.parts.push(&file);
        Ok(())
    }

    /// Downloads it.
    pub fn save(self) -> Result<(), JsValue> {
        self.parts.push(&Uint8Array::from(self.writer.end().as_slice()));
        let options = BlobPropertyBag::new();
        options.set_type("application/zip");
        download::blob(NAME, &Blob::new_with_blob_sequence_and_options(&self.parts, &options)?)
    }
}

fn now() -> Modified {
    let now = Date::new_0();
    let (hour, minute, second) = (now.get_hours(), now.get_minutes(), now.get_seconds());
    Modified::new(now.get_full_year(), now.get_month() + 1, now.get_date(), hour, minute, second)
}
