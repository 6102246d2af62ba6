//! What a model answers with.

use crate::kinds::Kind;
use crate::labels::Label;

/// The classes of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// One for each row of the head.
    pub labels: Vec<Label>,
    /// The model's own kinds; without them, those of ImageNet-1k are meant.
    pub kinds: Vec<Kind>,
}
