//! Import of a checkpoint: fetched from a hub or read from the visitor's disk, quantised while it comes, and kept in
//! storage as a model.
//!
//! ```text
//! inspect: listing, small files ─▶ the checkpoint's beginning ─▶ offer
//!            hub_files              one plain GET
//! start:   lock ─▶ download, or read_file ─▶ incoming ─▶ conversion ─▶ SHA-256 ─▶ store_model: shards, manifest
//!                    requests: whole or parts  └ pieces: what is quantised, for the next attempt
//! ```

mod class_names;
mod download;
mod fault;
mod hub_files;
mod incoming;
mod inspect;
mod pieces;
mod read_file;
mod report;
mod requests;
mod start;
mod store_model;

pub use inspect::inspect;
pub use start::start;
