//! What can be wrong with examples, or with a head's file.

use thiserror::Error;

/// Why examples can't be trained on, or a head can't be read or used.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum HeadError {
    #[error("{what}: expected {expected}, got {got}")]
    Shape { what: &'static str, expected: usize, got: usize },
    #[error("a head needs at least two classes, got {got}")]
    TooFewClasses { got: usize },
    /// By the class's number.
    #[error("class {class} has no example")]
    NoExample { class: usize },
    #[error("example {example} holds features that are not finite")]
    NotFinite { example: usize },
    #[error("C: expected a positive number, got {got}")]
    Penalty { got: f64 },
    /// The bytes are no head that this version reads.
    #[error("this is not a head: {reason}")]
    File { reason: String },
    #[error(
        "the head was made for the model {expected}, but {got} is loaded: its features mean something else"
    )]
    OtherModel { expected: String, got: String },
}

impl HeadError {
    pub(crate) fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), Self> {
        if expected == got { Ok(()) } else { Err(Self::Shape { what, expected, got }) }
    }

    pub(crate) fn file(reason: impl Into<String>) -> Self {
        Self::File { reason: reason.into() }
    }
}
