//! Class names.

use serde::{Deserialize, Serialize};

/// One class: its WordNet id and its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// WordNet id, such as `n02123045`; empty for a class that has none.
    pub wnid: String,
    /// English name.
    pub en: String,
    /// Chinese name; empty where there is none.
    pub zh: String,
}
