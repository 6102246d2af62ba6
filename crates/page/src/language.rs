//! The languages that the page speaks.

/// A language that the page speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
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
    pub fn first_of(tags: impl IntoIterator<Item = String>) -> Option<Self> {
        tags.into_iter().find_map(|tag| match tag.split(['-', '_']).next()? {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_is_spoken() {
        let first = |tags: &[&str]| Language::first_of(tags.iter().map(|&tag| tag.to_owned()));
        assert_eq!(first(&["fr-ch", "zh-hant-tw", "en"]), Some(Language::Chinese));
        assert_eq!(first(&["en-us", "zh"]), Some(Language::English));
        assert_eq!(first(&["xx", ""]), None);
    }
}
