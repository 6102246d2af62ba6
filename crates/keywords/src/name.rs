//! What a class or a kind is called.

/// A class's or a kind's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// WordNet id, such as `n02123045`; empty where there is none.
    pub wnid: String,
    /// English.
    pub en: String,
    /// Chinese; empty where there is none.
    pub zh: String,
}
