//! Takes in what was dropped, picked or pasted: opens folders and archives, fetches addresses, and gives every photo its
//! number, a few at a time so that a thousand of them do not hold the page up.

mod archives;

use super::{Incoming, MOST_BYTES, folder, folder_of, named, path_of};
use crate::fetch::{self, FetchFault};
use crate::photo_files::PhotoFiles;
use crate::photo_source::{self, Source};
use archive::{ArchiveFault, ArchiveFormat, Kind, LeftOut, Reason};
use archives::Nested;
use gloo::timers::future::TimeoutFuture;
use js_sys::{Array, Uint8Array};
use page::import::is_checkpoint;
use page::photo::{Arrival, PhotoError};
use page::{data_address, shortcut};
use protocol::fault::PhotoFault;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{Blob, BlobPropertyBag, File, FileSystemEntry};
use yew::Callback;

/// How many photos become cards at once.
const AT_ONCE: usize = 8;
/// More photos than a visitor can mean at once; the rest is counted.
const MOST_PHOTOS: usize = 20_000;
/// So many of what is rejected get a card that says why; the rest is counted with the others.
const MOST_CARDS: usize = 100;

/// Where things go.
pub struct Receivers {
    /// Photos, and cards that say why something is none, with their batch's number.
    pub on_arrived: Callback<(u64, Vec<Arrival>)>,
    /// A checkpoint to import.
    pub on_checkpoint: Callback<File>,
}

/// Takes a drop, a pick or a paste in. All of it arrives as one batch, whose number goes with what arrives. Gives the
/// files that were left out.
pub async fn admit(incoming: Vec<Incoming>, files: Rc<RefCell<PhotoFiles>>, receivers: Receivers) -> LeftOut {
    let batch = files.borrow_mut().next_batch();
    let mut intake = Intake {
        batch,
        files,
        receivers,
        arrivals: Vec::new(),
        admitted: 0,
        cards: 0,
        nested: Nested::default(),
        left_out: LeftOut::default(),
    };
    // A picker gives a folder's files without the folder.
    let folder = match incoming.first() {
        Some(Incoming::Inside(file)) => folder_of(file),
        _ => None,
    };
    for one in incoming {
        intake.open(one).await;
    }
    if let Some(folder) = folder {
        intake.nothing_inside(folder, (0, 0));
    }
    intake.flush();
    intake.left_out
}

/// What one drop, pick or paste brings in.
struct Intake {
    batch: u64,
    files: Rc<RefCell<PhotoFiles>>,
    receivers: Receivers,
    arrivals: Vec<Arrival>,
    /// Photos taken in.
    admitted: usize,
    /// Cards for what was not.
    cards: usize,
    /// Archives in archives that were opened.
    nested: Nested,
    left_out: LeftOut,
}

impl Intake {
    async fn open(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::File(file) => self.file(file).await,
            Incoming::Inside(file) => self.inside(file).await,
            Incoming::Folder(folder) => self.folder(folder).await,
            Incoming::Address(address) => self.address(&address).await,
            Incoming::Unusable { name, error } => self.add_error_card(name, error),
        }
    }

    /// A file that was given by itself: what is no archive is looked at whatever its name says.
    async fn file(&mut self, file: File) {
        let name = file.name();
        if shortcut::is_shortcut(&name)
            && file.size() <= shortcut::LONGEST as f64
            && let Some(bytes) = photo_source::bytes(&file, 0..shortcut::LONGEST).await
            && let Some(address) = shortcut::address(&bytes)
        {
            return self.address(&address).await;
        }
        let named = match Kind::of(&name, &file.type_()) {
            Kind::Photo => return self.photo(Source::File(file)).await,
            Kind::Archive(format) => Some(format),
            Kind::Other(_) => None,
        };
        let head = photo_source::bytes(&file, 0..ArchiveFormat::HEAD).await.unwrap_or_default();
        if named.is_none() && is_checkpoint(&name, &head) {
            return self.receivers.on_checkpoint.emit(file);
        }
        let by_content = || ArchiveFormat::by_content(&head).or_else(|| ArchiveFormat::of_program(&head));
        let Some(format) = named.or_else(by_content) else {
            return self.photo(Source::File(file)).await;
        };
        let before = self.taken();
        match self.archive(file.clone().into(), format, 0).await {
            Ok(()) => self.nothing_inside(name, before),
            // It only begins like one.
            Err(fault)
                if named.is_none()
                    && !matches!(fault, ArchiveFault::Foreign(_))
                    && self.taken() == before =>
            {
                self.photo(Source::File(file)).await;
            }
            Err(fault) => self.add_error_card(name, PhotoError::Archive(fault)),
        }
    }

    /// A file out of a folder.
    async fn inside(&mut self, file: File) {
        let name = path_of(&file).unwrap_or_else(|| file.name());
        match Kind::of(&name, &file.type_()) {
            Kind::Photo => self.photo(Source::File(file)).await,
            Kind::Archive(format) => {
                if let Err(fault) = self.archive(file.into(), format, 0).await {
                    self.reject(&name, PhotoError::Archive(fault), Reason::Nested);
                }
            }
            Kind::Other(reason) => self.leave_out(&name, reason),
        }
    }

    async fn folder(&mut self, folder: FileSystemEntry) {
        let (name, before) = (folder.name(), self.taken());
        let found = folder::walk(folder, MOST_PHOTOS).await;
        for folder in found.unlisted {
            self.reject(&folder, PhotoError::FolderUnreadable, Reason::Folder);
        }
        for file in found.files {
            self.inside(file).await;
        }
        self.left_out.append(found.left_out);
        self.nothing_inside(name, before);
    }

    async fn address(&mut self, address: &str) {
        if data_address::is_data(address) {
            return self.data(address).await;
        }
        let url = web_sys::Url::new(address).ok();
        let (scheme, host, path) =
            url.map(|url| (url.protocol(), url.host(), url.pathname())).unwrap_or_default();
        let name = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&host).to_owned();
        if !matches!(scheme.as_str(), "http:" | "https:") {
            return self.add_error_card(name, PhotoError::NotReadable { scheme });
        }
        match fetch::blob(address, MOST_BYTES).await.map(|blob| named(&blob, &name)) {
            Ok(Some(file)) => self.photo(Source::File(file)).await,
            Err(FetchFault::TooLong(bytes)) => self.add_error_card(name, too_large(bytes)),
            Ok(None) | Err(FetchFault::NotFetched(_)) => {
                self.add_error_card(name, PhotoError::NotShared(host))
            }
        }
    }

    /// A picture that is its own address.
    async fn data(&mut self, address: &str) {
        let file = data_address::picture(address).and_then(|data| {
            let options = BlobPropertyBag::new();
            options.set_type(&data.media_type);
            let parts = Array::of1(&Uint8Array::from(data.bytes.as_slice()));
            named(&Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?, &data.name())
        });
        match file {
            Some(file) => self.photo(Source::File(file)).await,
            None => self.add_error_card(String::new(), PhotoError::Photo(PhotoFault::NotAPhoto)),
        }
    }

    async fn photo(&mut self, source: Source) {
        if self.admitted == MOST_PHOTOS {
            return self.leave_out(&source.name(), Reason::Beyond);
        }
        self.admitted += 1;
        let arrival = self.files.borrow_mut().admit(source);
        self.arrivals.push(arrival);
        if self.arrivals.len() >= AT_ONCE {
            self.flush();
            // The page draws and answers clicks in between.
            TimeoutFuture::new(0).await;
        }
    }

    fn add_error_card(&mut self, name: String, error: PhotoError) {
        self.cards += 1;
        let arrival = self.files.borrow_mut().reject(name, error);
        self.arrivals.push(arrival);
    }

    /// Something out of a folder or an archive that would be looked at if it could: a card, and counted.
    fn reject(&mut self, path: &str, error: PhotoError, reason: Reason) {
        self.leave_out(path, reason);
        if self.cards < MOST_CARDS {
            self.add_error_card(archive::file_name(path).to_owned(), error);
        }
    }

    fn leave_out(&mut self, path: &str, reason: Reason) {
        self.left_out.add(path, reason);
    }

    fn count_left_out(&mut self, reason: Reason, files: u64) {
        self.left_out.count(reason, files);
    }

    /// How many were taken in so far, and how many got a card that says why not.
    fn taken(&self) -> (usize, usize) {
        (self.admitted, self.cards)
    }

    /// Says so of a folder or an archive that nothing has come out of since `before`.
    fn nothing_inside(&mut self, name: String, before: (usize, usize)) {
        if self.taken() == before {
            self.add_error_card(name, PhotoError::NothingInside);
        }
    }

    fn flush(&mut self) {
        let arrivals = std::mem::take(&mut self.arrivals);
        self.receivers.on_arrived.emit((self.batch, arrivals));
    }
}

/// What the worker would say of it.
fn too_large(bytes: u64) -> PhotoError {
    let (megabytes, most_megabytes) = (bytes >> 20, MOST_BYTES >> 20);
    PhotoError::Photo(PhotoFault::FileTooLarge { megabytes, most_megabytes })
}
