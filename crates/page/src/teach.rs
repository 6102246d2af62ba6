//! "Teach": a visitor's own classes. Photos stay in the page, features in the worker; only the trained head, a few
//! kilobytes, is kept in the browser's storage.

pub mod state;
pub mod text;

#[cfg(test)]
mod tests;
