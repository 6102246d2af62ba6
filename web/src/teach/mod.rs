//! "Teach": a visitor's own classes. Photos stay in the page, features in the worker; only the trained head, a few
//! kilobytes, is kept in the browser's storage.

mod desk;
mod keep;
mod panel;
mod text;
mod view;

pub use panel::{Ask, Replies, Teach};

#[cfg(test)]
mod tests;
