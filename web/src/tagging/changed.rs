//! A changed file, made of parts of the old one: no byte of it is copied into the page's memory.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use js_sys::{Array, Uint8Array};
use protocol::keywords::Edit;
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag};

/// The file with these changes, of which one follows the other.
pub fn changed(file: &Blob, edits: &[Edit]) -> Result<Blob, JsValue> {
    let parts = Array::new();
    let mut done = 0.0;
    for edit in edits {
        parts.push(&JsValue::from(file.slice_with_f64_and_f64(done, edit.at as f64)?));
        let inserted = BASE64_STANDARD.decode(&edit.inserted).map_err(|error| error.to_string())?;
        parts.push(&Uint8Array::from(inserted.as_slice()));
        done = edit.at as f64 + edit.removed as f64;
    }
    parts.push(&JsValue::from(file.slice_with_f64(done)?));
    let options = BlobPropertyBag::new();
    options.set_type(&file.type_());
    Blob::new_with_blob_sequence_and_options(&parts, &options)
}

/// A file of nothing, which a new sidecar is made of.
pub fn nothing() -> Result<Blob, JsValue> {
    Blob::new()
}
