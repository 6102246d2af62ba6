//! A result as a link: one that came with the page's address, and one that the visitor makes.

use crate::record::Record;
use std::rc::Rc;

/// The result in the page's address.
#[derive(Clone, Debug, PartialEq)]
pub enum SharedRecord {
    None,
    Record(Rc<Record>),
    /// There is one, but it cannot be read.
    Damaged,
}

/// What became of a link to a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    None,
    /// It is in the clipboard.
    Copied,
    /// It is in the address bar, from where the visitor can copy it.
    InAddress,
}
