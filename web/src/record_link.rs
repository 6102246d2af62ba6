//! A [`Record`] in the fragment of the page's address.

use crate::page_address;
use page::record::{KEY, Record};
use page::sharing::SharedRecord;
use std::rc::Rc;

/// The record in the page's address, if there is one.
pub fn read() -> SharedRecord {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
    let Some(text) = hash.trim_start_matches('#').strip_prefix(KEY) else { return SharedRecord::None };
    let json = js_sys::decode_uri_component(text).ok().map(String::from);
    json.and_then(|json| Record::read(&json))
        .map_or(SharedRecord::Damaged, |record| SharedRecord::Record(Rc::new(record)))
}

/// Puts a record into the page's address, and gives that address.
pub fn write(record: &Record) -> Option<String> {
    let text = String::from(js_sys::encode_uri_component(&record.to_json()));
    set_fragment(&format!("{KEY}{text}"))
}

/// Takes the record out of the page's address.
pub fn remove() {
    set_fragment("");
}

fn set_fragment(fragment: &str) -> Option<String> {
    let address = page_address::url()?;
    address.set_hash(fragment);
    page_address::replace(&address)?;
    Some(address.href())
}
