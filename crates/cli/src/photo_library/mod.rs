//! `beitscope index`, `find` and `duplicates`: a folder of photos, and what is asked of it.

pub mod duplicates;
pub mod find;
pub mod index;
mod listing;
mod look;
mod place;
mod report;
mod store;
