//! Which models there are and which one is loaded: the list `models/index.json`, the visitor's choice, and where it
//! is made.

mod choose;
mod list;
mod picker;
mod text;

pub use choose::{choose, foreign_host, forget_named, remember};
pub use list::{ListFault, Listed};
pub use picker::{ModelPicker, PickerProps};
pub use text::of as words;
