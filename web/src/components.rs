//! What the page is drawn from. Components get their words from the [`Text`] in
//! the context and emit actions through `dispatch`; they keep no state of the page's.

mod answer;
mod camera_view;
mod card;
mod class_search;
mod diagnostics_panel;
mod drag_overlay;
mod drop_zone;
mod explanation;
mod export_menu;
mod footer;
mod gallery;
mod header;
mod heat_overlay;
mod icon;
mod import_menu;
mod import_panel;
mod left_out_list;
mod model_picker;
mod pixels;
mod progress_bar;
mod record_view;
mod samples;
mod status_line;
mod storage_note;
mod tagging_dialog;
mod tagging_list;
mod tagging_vocabulary;
mod toolbar;
mod viewer;

pub use camera_view::CameraView;
pub use diagnostics_panel::DiagnosticsPanel;
pub use drag_overlay::DragOverlay;
pub use drop_zone::DropZone;
pub use footer::Footer;
pub use gallery::Gallery;
pub use header::Header;
pub use import_panel::ImportPanel;
pub use model_picker::{ModelPicker, PickerProps};
pub use record_view::RecordView;
pub use samples::Samples;
pub use storage_note::StorageNote;
pub use tagging_dialog::TaggingDialog;
pub use toolbar::Toolbar;
pub use viewer::Viewer;

use page::english::ENGLISH;
use page::text::Text;
use yew::{hook, use_context};

/// The page's words.
#[hook]
pub fn use_text() -> &'static Text {
    use_context().unwrap_or(&ENGLISH)
}
