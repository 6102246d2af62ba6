//! Lets in what came: opens folders and archives, fetches addresses, and gives every photo its number, a
//! few at a time so that a thousand of them do not hold the page up.

use super::source::{self, Source};
use super::{Incoming, MOST_BYTES, folder, folder_of, named, zip};
use crate::fetch::{self, FetchFault};
use crate::photo::{ArchiveFault, Trouble};
use crate::shelf::Shelf;
use crate::state::Action;
use gloo::timers::future::TimeoutFuture;
use protocol::fault::PhotoFault;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{File, FileSystemEntry};
use yew::Callback;

/// How many photos become cards at once.
const AT_ONCE: usize = 8;

/// Lets a drop, a pick or a paste in. All of it arrives as one batch.
pub async fn admit(incoming: Vec<Incoming>, shelf: Rc<RefCell<Shelf>>, dispatch: Callback<Action>) {
    let batch = shelf.borrow_mut().next_batch();
    let mut door = Door { batch, shelf, dispatch, admitted: 0, skipped: 0, arrivals: Vec::new() };
    // A picker gives a folder's files without the folder.
    let folder = match incoming.first() {
        Some(Incoming::Inside(file)) => folder_of(file),
        _ => None,
    };
    for one in incoming {
        door.open(one).await;
    }
    if let Some(folder) = folder.filter(|_| door.admitted == 0) {
        door.trouble(folder, Trouble::NothingInside);
    }
    door.close();
}

struct Door {
    batch: u64,
    shelf: Rc<RefCell<Shelf>>,
    dispatch: Callback<Action>,
    arrivals: Vec<crate::photo::Arrival>,
    /// Photos let in.
    admitted: usize,
    skipped: usize,
}

impl Door {
    async fn open(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::File(file) if is_archive(&file) => self.archive(file).await,
            Incoming::File(file) => self.photo(Source::File(file)).await,
            Incoming::Inside(file) if is_photo(&file.name(), &file.type_()) => {
                self.photo(Source::File(file)).await;
            }
            Incoming::Inside(_) => self.skipped += 1,
            Incoming::Folder(folder) => self.folder(folder).await,
            Incoming::Address(address) => self.address(&address).await,
            Incoming::Unusable { name, trouble } => self.trouble(name, trouble),
        }
    }

    async fn folder(&mut self, folder: FileSystemEntry) {
        let name = folder.name();
        let Ok(files) = folder::walk(folder).await else {
            return self.trouble(name, Trouble::FolderUnreadable);
        };
        let (photos, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| is_photo(&file.name(), &file.type_()));
        self.skipped += others.len();
        if photos.is_empty() {
            self.trouble(name, Trouble::NothingInside);
        }
        for photo in photos {
            self.photo(Source::File(photo)).await;
        }
    }

    async fn archive(&mut self, archive: File) {
        let entries = match list(&archive).await {
            Ok(entries) => entries,
            Err(fault) => return self.trouble(archive.name(), Trouble::Archive(fault)),
        };
        // Macs add a hidden twin of every file.
        let wanted =
            |entry: &zip::Entry| is_photo(entry.file_name(), "") && !entry.name.starts_with("__MACOSX/");
        let (photos, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(wanted);
        self.skipped += others.len();
        if photos.is_empty() {
            self.trouble(archive.name(), Trouble::NothingInside);
        }
        for entry in photos {
            self.photo(Source::Packed { archive: archive.clone(), entry: Rc::new(entry) }).await;
        }
    }

    async fn address(&mut self, address: &str) {
        let url = web_sys::Url::new(address).ok();
        let (host, path) = url.map(|url| (url.host(), url.pathname())).unwrap_or_default();
        let name = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&host).to_owned();
        match fetch::blob(address, MOST_BYTES).await.map(|blob| named(&blob, &name)) {
            Ok(Some(file)) => self.photo(Source::File(file)).await,
            Err(FetchFault::TooLong(bytes)) => self.trouble(name, too_large(bytes)),
            Ok(None) | Err(FetchFault::NotFetched(_)) => self.trouble(name, Trouble::NotShared(host)),
        }
    }

    async fn photo(&mut self, source: Source) {
        self.admitted += 1;
        let arrival = self.shelf.borrow_mut().admit(source);
        self.arrivals.push(arrival);
        if self.arrivals.len() == AT_ONCE {
            self.let_in();
            // The page draws and answers clicks in between.
            TimeoutFuture::new(0).await;
        }
    }

    fn trouble(&mut self, name: String, trouble: Trouble) {
        let arrival = self.shelf.borrow_mut().turn_away(name, trouble);
        self.arrivals.push(arrival);
    }

    fn let_in(&mut self) {
        let arrivals = std::mem::take(&mut self.arrivals);
        self.dispatch.emit(Action::Arrived { batch: self.batch, arrivals });
    }

    fn close(mut self) {
        self.let_in();
        if self.skipped > 0 {
            self.dispatch.emit(Action::Skipped(self.skipped));
        }
    }
}

async fn list(archive: &File) -> Result<Vec<zip::Entry>, ArchiveFault> {
    let length = archive.size() as u64;
    let damaged = ArchiveFault::Damaged;
    let tail = source::bytes(archive, length.saturating_sub(zip::TAIL)..length).await.ok_or(damaged)?;
    let zip::Directory { offset, size } = zip::directory(&tail, length)?;
    zip::entries(&source::bytes(archive, offset..offset + size).await.ok_or(damaged)?)
}

/// What the worker would say of it.
fn too_large(bytes: u64) -> Trouble {
    let (megabytes, most_megabytes) = (bytes >> 20, MOST_BYTES >> 20);
    Trouble::Photo(PhotoFault::FileTooLarge { megabytes, most_megabytes })
}

fn is_archive(file: &File) -> bool {
    file.name().to_lowercase().ends_with(".zip") || file.type_() == "application/zip"
}

/// Whether a file among others in a folder looks like a photo, by its name or by the type that the browser gives it:
/// some know no type for HEIC and its like. Dropped by itself, any file is looked at.
pub fn is_photo(name: &str, media_type: &str) -> bool {
    const ENDINGS: [&str; 17] = [
        "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic",
        "heif", "hif", "jxl", "jp2",
    ];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    let hidden = name.starts_with('.');
    !hidden && (ENDINGS.contains(&ending.as_str()) || media_type.starts_with("image/") && ending != "svg")
}

#[cfg(test)]
mod tests {
    use super::is_photo;

    #[test]
    fn photos_are_told_by_name_or_type() {
        for (name, media_type) in [("a.JPG", ""), ("b.heic", ""), ("IMG_1", "image/jpeg"), ("c.d.webp", "")] {
            assert!(is_photo(name, media_type), "{name}");
        }
        for name in ["notes.txt", ".DS_Store", "._cat.jpg", "Thumbs.db", "jpg"] {
            assert!(!is_photo(name, ""), "{name}");
        }
        assert!(!is_photo("logo.svg", "image/svg+xml"));
    }
}
