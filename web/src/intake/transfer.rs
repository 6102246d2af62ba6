//! What a drop or a paste holds.

use super::Incoming;
use page::data_address;
use page::photo::PhotoError;
use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, DataTransferItem, DomParser, Element, File, FileList, SupportedType};

/// More pictures of a document are not fetched.
const MOST_PICTURES: usize = 200;

/// Everything in a drop: files, folders, else pictures by their addresses, and one card for a drop without any. Folders
/// have to be asked for now: once the event is over, the browser has forgotten them.
pub fn dropped(transfer: &DataTransfer) -> Vec<Incoming> {
    let items = transfer.items();
    let items = (0..items.length()).filter_map(|at| items.get(at)).filter(|item| item.kind() == "file");
    let mut incoming: Vec<_> = items.filter_map(|item| item_of(&item)).collect();
    if incoming.is_empty() {
        incoming = transfer.files().map(files).unwrap_or_default().into_iter().map(Incoming::File).collect();
    }
    if incoming.is_empty() {
        incoming = addresses(transfer, &["text/uri-list", "text/plain"]);
    }
    if incoming.is_empty() {
        incoming.push(Incoming::Unusable { name: String::new(), error: PhotoError::NotAFile });
    }
    incoming
}

/// The clipboard's files; without any, the pictures of the document or the address it holds.
pub fn pasted(clipboard: &DataTransfer) -> Vec<Incoming> {
    let files = clipboard.files().map(files).unwrap_or_default();
    if !files.is_empty() {
        return files.into_iter().map(Incoming::File).collect();
    }
    addresses(clipboard, &["text/plain"])
}

/// The list's files.
pub fn files(list: FileList) -> Vec<File> {
    (0..list.length()).filter_map(|at| list.get(at)).collect()
}

fn item_of(item: &DataTransferItem) -> Option<Incoming> {
    let folder = item.webkit_get_as_entry().ok().flatten().filter(|entry| entry.is_directory());
    match folder {
        Some(folder) => Some(Incoming::Folder(folder)),
        None => item.get_as_file().ok().flatten().map(Incoming::File),
    }
}

/// The addresses of pictures: those of a document, since a picture that is a link has the link's address in the other
/// forms; else the one in these. Of a document whose pictures can't be had, a card each says so.
fn addresses(transfer: &DataTransfer, forms: &[&str]) -> Vec<Incoming> {
    let pictures = transfer.get_data("text/html").map(|html| pictures(&html)).unwrap_or_default();
    if pictures.iter().any(|address| can_be_fetched(address)) {
        return pictures.into_iter().map(Incoming::Address).collect();
    }
    let address = forms.iter().find_map(|form| address(transfer, form));
    address.map_or(pictures, |address| vec![address]).into_iter().map(Incoming::Address).collect()
}

/// The address that a drop or a paste holds in this form.
fn address(transfer: &DataTransfer, form: &str) -> Option<String> {
    let text = transfer.get_data(form).ok()?;
    // A list of addresses may begin with comments.
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    can_be_fetched(line).then(|| line.to_owned())
}

fn can_be_fetched(address: &str) -> bool {
    if data_address::is_data(address) {
        return data_address::picture(address).is_some();
    }
    let url = web_sys::Url::new(address).ok();
    url.is_some_and(|url| matches!(url.protocol().as_str(), "http:" | "https:"))
}

/// The absolute addresses of a document's pictures. The document is read apart from the page: nothing in it runs or is
/// loaded.
fn pictures(html: &str) -> Vec<String> {
    let parsed = DomParser::new().and_then(|parser| parser.parse_from_string(html, SupportedType::TextHtml));
    let Ok(images) = parsed.and_then(|document| document.query_selector_all("img[src]")) else {
        return Vec::new();
    };
    let mut addresses: Vec<String> = Vec::new();
    for at in 0..images.length() {
        let image = images.get(at).and_then(|image| image.dyn_into::<Element>().ok());
        let Some(source) = image.and_then(|image| image.get_attribute("src")) else { continue };
        let source = source.trim();
        // Where a relative address starts from is not known.
        let absolute = web_sys::Url::new(source).is_ok();
        if absolute && addresses.len() < MOST_PICTURES && !addresses.iter().any(|known| known == source) {
            addresses.push(source.to_owned());
        }
    }
    addresses
}
