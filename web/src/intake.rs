//! How photos come in: dropped anywhere on the page, picked, pasted, or tried from the samples.

use crate::fetch;
use crate::photo::Trouble;
use gloo::events::{EventListener, EventListenerOptions};
use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{
    ClipboardEvent, DataTransfer, DataTransferItem, DragEvent, Event, EventTarget, File, FileList,
    FilePropertyBag, HtmlInputElement,
};
use yew::Callback;

/// Something that came in.
pub enum Incoming {
    File(File),
    /// Something that can't be sent to the network. It gets a card all the same.
    Unusable {
        name: String,
        trouble: Trouble,
    },
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
                handlers.incoming.emit(dropped(&transfer));
            }
        }),
        on("paste", |event, handlers| {
            let clipboard = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
            let files = clipboard.and_then(|clipboard| clipboard.files()).map(listed).unwrap_or_default();
            if files.is_empty() {
                handlers.pasted_nothing.emit(());
            } else {
                event.prevent_default();
                handlers.incoming.emit(files);
            }
        }),
    ]
}

/// The picked files. The picker is emptied, so that the same file can be picked again.
pub fn picked(input: &HtmlInputElement) -> Vec<Incoming> {
    let files = input.files().map(listed).unwrap_or_default();
    input.set_value("");
    files
}

/// A sample photo of the page.
pub async fn sample(file: &str) -> Incoming {
    let failed = || Incoming::Unusable { name: file.to_owned(), trouble: Trouble::NotFetched };
    let Ok(blob) = fetch::blob(&format!("samples/{file}")).await else { return failed() };
    let options = FilePropertyBag::new();
    options.set_type(&blob.type_());
    File::new_with_blob_sequence_and_options(&Array::of1(&blob), file, &options)
        .map_or_else(|_| failed(), Incoming::File)
}

fn transfer(event: &Event) -> Option<DataTransfer> {
    event.dyn_ref::<DragEvent>()?.data_transfer()
}

fn carries_files(transfer: &DataTransfer) -> bool {
    transfer.types().iter().any(|kind| kind == "Files")
}

/// Everything in a drop: files, folders (which a browser lists as files that can't be read), and
/// one card for a drop without any.
fn dropped(transfer: &DataTransfer) -> Vec<Incoming> {
    let items = transfer.items();
    let items = (0..items.length()).filter_map(|at| items.get(at)).filter(|item| item.kind() == "file");
    let mut incoming: Vec<_> = items.filter_map(|item| item_of(&item)).collect();
    if incoming.is_empty() {
        incoming = transfer.files().map(listed).unwrap_or_default();
    }
    if incoming.is_empty() {
        incoming.push(Incoming::Unusable { name: String::new(), trouble: Trouble::NotAFile });
    }
    incoming
}

fn item_of(item: &DataTransferItem) -> Option<Incoming> {
    let folder = item.webkit_get_as_entry().ok().flatten().filter(|entry| entry.is_directory());
    match folder {
        Some(folder) => Some(Incoming::Unusable { name: folder.name(), trouble: Trouble::Folder }),
        None => item.get_as_file().ok().flatten().map(Incoming::File),
    }
}

fn listed(files: FileList) -> Vec<Incoming> {
    (0..files.length()).filter_map(|at| files.get(at)).map(Incoming::File).collect()
}
