//! What the page is drawn from. Components get their words from the [`Text`](crate::text::Text) in
//! the context and tell what happens through `dispatch`; they keep no state.

mod answer;
mod card;
mod drag_veil;
mod drop_zone;
mod footer;
mod gallery;
mod header;
mod icon;
mod progress_bar;
mod samples;
mod status_line;
mod storage_note;

pub use drag_veil::DragVeil;
pub use drop_zone::DropZone;
pub use footer::Footer;
pub use gallery::Gallery;
pub use header::Header;
pub use samples::Samples;
pub use storage_note::StorageNote;

use crate::english::ENGLISH;
use crate::text::Text;
use yew::{hook, use_context};

/// The page's words.
#[hook]
fn use_text() -> &'static Text {
    use_context().unwrap_or(&ENGLISH)
}
