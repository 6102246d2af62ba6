//! The models that the site offers: their list `models/index.json`, and what is said of them.

pub mod list;
pub mod text;
