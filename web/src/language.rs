//! Which language the page speaks: the `lang` parameter of its address, else the browser's first language
//! that it knows, else English.

use crate::chinese::CHINESE;
use crate::english::ENGLISH;
use crate::text::Text;
use web_sys::Url;

/// A language that the page speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    pub fn text(self) -> &'static Text {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }

    /// One of two texts, in English where the other is missing.
    pub fn pick(self, english: &Option<String>, chinese: &Option<String>) -> Option<String> {
        match self {
            Self::Chinese => chinese.clone().or_else(|| english.clone()),
            Self::English => english.clone(),
        }
    }

    /// The one that a switch leads to.
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// The first of these BCP 47 tags that the page speaks.
    fn first_of(tags: impl IntoIterator<Item = String>) -> Option<Self> {
        tags.into_iter().find_map(|tag| match tag.split(['-', '_']).next()? {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        })
    }

    /// The visitor's.
    pub fn of_visitor() -> Self {
        let asked = address().and_then(|address| address.search_params().get("lang"));
        let browser = web_sys::window().map(|window| window.navigator().languages()).unwrap_or_default();
        let tags = asked.into_iter().chain(browser.iter().filter_map(|tag| tag.as_string()));
        Self::first_of(tags.map(|tag| tag.to_lowercase())).unwrap_or_default()
    }

    /// Tells browser and screen readers, and keeps it in the address where the visitor has chosen it.
    pub fn announce(self, chosen: bool) {
        let Some(window) = web_sys::window() else { return };
        if let Some(document) = window.document() {
            document.set_title(self.text().title);
            if let Some(root) = document.document_element() {
                // A page without the attribute is read all the same.
                root.set_attribute("lang", self.text().tag).ok();
            }
        }
        if let Some(address) = address().filter(|_| chosen) {
            address.search_params().set("lang", self.text().tag);
            let history = window.history();
            // An address that cannot be changed forgets the choice, no more.
            history.map(|history| history.replace_state_with_url(&"".into(), "", Some(&address.href()))).ok();
        }
    }
}

fn address() -> Option<Url> {
    Url::new(&web_sys::window()?.location().href().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_is_spoken() {
        let first = |tags: &[&str]| Language::first_of(tags.iter().map(|&tag| tag.to_owned()));
        assert_eq!(first(&["fr-ch", "zh-hant-tw", "en"]), Some(Language::Chinese));
        assert_eq!(first(&["en-us", "zh"]), Some(Language::English));
        assert_eq!(first(&["de", ""]), None);
    }
}
