//! How photos come in: dropped anywhere on the page, picked, pasted, or tried from the samples.

mod admit;
mod folder;
mod transfer;

pub use admit::{Receivers, admit};
pub use archive::is_photo;

use crate::fetch;
use gloo::events::{EventListener, EventListenerOptions};
use js_sys::Array;
use page::photo::PhotoError;
use wasm_bindgen::JsCast;
use web_sys::{
    Blob, ClipboardEvent, DataTransfer, DragEvent, Event, EventTarget, File, FilePropertyBag,
    FileSystemEntry, HtmlInputElement,
};
use yew::Callback;

/// The longest file that is fetched from an address: the worker takes none that is longer
/// (`beit::decode::MAX_FILE_BYTES`).
const MOST_BYTES: u64 = 256 << 20;

/// Something that came in.
pub enum Incoming {
    /// A photo, or an archive of photos.
    File(File),
    /// A folder, with all that is below it.
    Folder(FileSystemEntry),
    /// A file out of a picked folder: left out, and counted, where it is no photo and no archive.
    Inside(File),
    /// The address of a picture.
    Address(String),
    /// Something that can't be sent to the network. It gets a card all the same.
    Unusable { name: String, error: PhotoError },
}

/// What the page listens for as a whole.
#[derive(Clone)]
pub struct Handlers {
    pub incoming: Callback<Vec<Incoming>>,
    /// Files came over the page, or left it.
    pub dragging: Callback<bool>,
    /// A paste held no photo.
    pub pasted_nothing: Callback<()>,
}

/// Listens for drops and pastes anywhere on the page, until the listeners are dropped. What misses
/// the drop zone is taken too: by default, the browser would leave the page and open the file.
pub fn listen(target: &EventTarget, handlers: &Handlers) -> Vec<EventListener> {
    let on = |name: &'static str, handle: fn(&Event, &Handlers)| {
        let handlers = handlers.clone();
        let options = EventListenerOptions::enable_prevent_default();
        EventListener::new_with_options(target, name, options, move |event| handle(event, &handlers))
    };
    vec![
        on("dragenter", |event, handlers| {
            event.prevent_default();
            if transfer(event).is_some_and(|transfer| carries_files(&transfer)) {
                handlers.dragging.emit(true);
            }
        }),
        on("dragover", |event, _| event.prevent_default()),
        on("dragleave", |event, handlers| {
            // Between two elements of the page, the drag goes on.
            let left = event.dyn_ref::<DragEvent>().is_none_or(|drag| drag.related_target().is_none());
            if left {
                handlers.dragging.emit(false);
            }
        }),
        on("drop", |event, handlers| {
            event.prevent_default();
            handlers.dragging.emit(false);
            if let Some(transfer) = transfer(event) {
                handlers.incoming.emit(transfer::dropped(&transfer));
            }
        }),
        on("paste", |event, handlers| {
            // What is pasted into the search field is meant for it.
            let target = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if target.is_some_and(|input| input.type_() == "search") {
                return;
            }
            let clipboard = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
            let incoming = clipboard.as_ref().map(transfer::pasted).unwrap_or_default();
            if incoming.is_empty() {
                handlers.pasted_nothing.emit(());
            } else {
                event.prevent_default();
                handlers.incoming.emit(incoming);
            }
        }),
    ]
}

/// The picked files, or those of a picked folder. The picker is emptied, so that the same file can be
/// picked again.
pub fn picked(input: &HtmlInputElement) -> Vec<Incoming> {
    let files = input.files().map(transfer::files).unwrap_or_default();
    let incoming = if input.webkitdirectory() { Incoming::Inside } else { Incoming::File };
    input.set_value("");
    files.into_iter().map(incoming).collect()
}

/// The folder that a picked file lies in.
pub fn folder_of(file: &File) -> Option<String> {
    path_of(file)?.rsplit('/').nth(1).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A picked file's place in the folder that was picked.
fn path_of(file: &File) -> Option<String> {
    let path = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok()?.as_string()?;
    Some(path).filter(|path| !path.is_empty())
}

/// A sample photo of the page.
pub async fn sample(file: &str) -> Incoming {
    let failed = || Incoming::Unusable { name: file.to_owned(), error: PhotoError::NotFetched };
    let Ok(blob) = fetch::blob(&format!("samples/{file}"), MOST_BYTES).await else { return failed() };
    named(&blob, file).map_or_else(failed, Incoming::File)
}

/// A file of this name with a blob's content.
pub fn named(blob: &Blob, name: &str) -> Option<File> {
    let options = FilePropertyBag::new();
    options.set_type(&blob.type_());
    File::new_with_blob_sequence_and_options(&Array::of1(blob), name, &options).ok()
}

fn transfer(event: &Event) -> Option<DataTransfer> {
    event.dyn_ref::<DragEvent>()?.data_transfer()
}

fn carries_files(transfer: &DataTransfer) -> bool {
    transfer.types().iter().any(|kind| kind == "Files")
}

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_is_decoded_is_a_photo_in_a_folder_too() {
        for ending in beit::decode::ENDINGS {
            assert!(archive::is_photo(&format!("a.{ending}"), ""), "{ending}");
        }
    }

    #[test]
    fn nothing_is_fetched_that_the_worker_refuses() {
        assert_eq!(super::MOST_BYTES, beit::decode::MAX_FILE_BYTES);
        assert!(include_str!("../embed/fetched.js").contains("const MOST_BYTES = 256 * 2 ** 20;"));
    }
}
