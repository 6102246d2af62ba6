//! Which language the page speaks: the `lang` parameter of its address, else the browser's first language
//! that it knows, else English.

use crate::page_address;
use page::language::Language;

/// The visitor's language.
pub fn detect() -> Language {
    let asked = page_address::url().and_then(|address| address.search_params().get("lang"));
    let browser = web_sys::window().map(|window| window.navigator().languages()).unwrap_or_default();
    let tags = asked.into_iter().chain(browser.iter().filter_map(|tag| tag.as_string()));
    Language::first_of(tags.map(|tag| tag.to_lowercase())).unwrap_or_default()
}

/// Sets it for browser and screen readers, and keeps it in the address where the visitor has chosen it.
pub fn announce(language: Language, chosen: bool) {
    let Some(window) = web_sys::window() else { return };
    if let Some(document) = window.document() {
        document.set_title(language.text().title);
        if let Some(root) = document.document_element() {
            // A page without the attribute is read all the same.
            root.set_attribute("lang", language.text().tag).ok();
        }
    }
    if let Some(address) = page_address::url().filter(|_| chosen) {
        address.search_params().set("lang", language.text().tag);
        // An address that cannot be changed forgets the choice, no more.
        page_address::replace(&address);
    }
}
