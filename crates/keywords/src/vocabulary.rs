//! The user's own keywords for classes.

use crate::name::Name;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

/// Keywords of the user's own, by class or kind.
///
/// A text of one class a line: its WordNet id, its English or its Chinese name, then its keywords, each after a tab.
/// `pets|cats|Minka` is a path. A class without keywords gets none. An entry for a kind holds for its classes that have
/// none of their own. Empty lines and those that begin with `#` say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// By class.
    entries: HashMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Its line in the text.
    line: u64,
    keywords: Vec<String>,
}

/// What is wrong with a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum VocabularyError {
    #[error("line {line}: expected a class, a tab and its keywords, each after a tab; got {text:?}")]
    NoTab { line: u64, text: String },
    #[error("line {line}: a class must stand before the first tab")]
    NoClass { line: u64 },
    #[error("line {line}: {class:?} has an entry already in line {first}")]
    Repeated { line: u64, first: u64, class: String },
}

impl Vocabulary {
    /// Reads a vocabulary.
    ///
    /// # Errors
    /// The first line of another form, or for a class that has one already.
    pub fn parse(text: &str) -> Result<Self, VocabularyError> {
        let mut entries = HashMap::new();
        for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            let (class, keywords) = text
                .split_once('\t')
                .ok_or_else(|| VocabularyError::NoTab { line, text: text.to_owned() })?;
            let class = class.trim().to_owned();
            if class.is_empty() {
                return Err(VocabularyError::NoClass { line });
            }
            let keywords = keywords.split('\t').map(str::trim).filter(|keyword| !keyword.is_empty());
            let keywords = keywords.map(str::to_owned).collect();
            match entries.entry(class) {
                Place::Vacant(place) => drop(place.insert(Entry { line, keywords })),
                Place::Occupied(place) => {
                    let (first, class) = (place.get().line, place.key().clone());
                    return Err(VocabularyError::Repeated { line, first, class });
                }
            }
        }
        Ok(Self { entries })
    }

    /// The classes and kinds of the entries, as the text has them and in its order.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.line);
        entries.into_iter().map(|(class, _)| class.as_str())
    }

    /// The keywords for the last of these names, which each are of the kind before: its own, else those of the nearest
    /// kind that has any entry. `None` where nothing is said.
    pub fn of(&self, path: &[Name]) -> Option<&[String]> {
        let entry = |name: &Name| {
            let found =
                [&name.wnid, &name.en, &name.zh].into_iter().filter_map(|name| self.entries.get(name));
            found.min_by_key(|entry| entry.line)
        };
        path.iter().rev().find_map(entry).map(|entry| entry.keywords.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_another_form_are_named() {
        let refused = |text: &str| Vocabulary::parse(text).unwrap_err().to_string();
        assert!(refused("# note\n\ntabby cat\n").starts_with("line 3: expected a class, a tab"));
        assert!(refused("\tcat").contains("line 1"));
        assert_eq!(refused("a\tb\n\na\tc"), "line 3: \"a\" has an entry already in line 1");
    }

    #[test]
    fn entries_are_found_by_any_name() {
        let vocabulary = Vocabulary::parse("\u{feff}tabby\tx\r\ntabbby\ty\r\n").unwrap();
        let names = [Name { wnid: "n1".into(), en: "tabby".into(), zh: String::new() }];
        assert!(vocabulary.classes().eq(["tabby", "tabbby"]));
        assert_eq!(vocabulary.of(&names).unwrap(), ["x"]);
        assert_eq!(vocabulary.of(&[]), None);
    }
}
