//! Keywords into photos: reads files, keeps what is planned of them, writes them, and undoes it.

mod changed;
mod folder;
mod writer;
mod zip_file;

pub use folder::can_write;

use crate::fetch::js_error_message;
use crate::photo_source::Source;
use changed::{changed, nothing};
use folder::{Folder, Place, is_same};
use js_sys::Uint8Array;
use page::photo::PhotoId;
use page::tagging::{LONGEST_VOCABULARY, Refusal, VocabularyRefusal};
use protocol::keywords::{
    Edit, Place as Destination, PlanOutcome, PlannedChange, WriterReply, WriterRequest,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File};
use writer::Writer;
use zip_file::ZipFile;

/// The page and the module are of different versions.
const OTHER_ANSWER: &str = "it answers something else";

/// What the dialog's effects need.
#[derive(Default)]
pub struct Tagger {
    writer: Writer,
    folder: RefCell<Option<Folder>>,
    plans: RefCell<HashMap<PhotoId, Plan>>,
    zip: RefCell<ZipFile>,
    /// Where files go in the zip file.
    names: RefCell<HashMap<PhotoId, String>>,
    journal: RefCell<HashMap<(u64, PhotoId), Entry>>,
}

/// A photo that is looked at.
pub struct Expected {
    pub id: PhotoId,
    /// In a folder, its file is one of this name, length and hash.
    pub name: Rc<str>,
    pub bytes: u64,
    pub sha256: String,
    /// The page's own file, for a zip file.
    pub source: Option<Source>,
}

/// How a photo or its sidecar changes.
struct Plan {
    change: PlannedChange,
    /// SHA-256 of the photo.
    sha256: String,
    /// Where it lies in the chosen folder.
    found: Option<Found>,
}

/// A photo in the chosen folder, as it was read.
#[derive(Clone)]
struct Found {
    place: Place,
    file: File,
    /// With its hash.
    sidecar: Option<(Place, File, String)>,
}

/// What was written and how to restore it.
#[derive(Clone)]
struct Entry {
    place: Place,
    /// It was not there before.
    is_new: bool,
    inverse: Vec<Edit>,
    sha256: String,
}

fn not_written(error: JsValue) -> Refusal {
    Refusal::NotWritten(js_error_message(error))
}

impl Tagger {
    /// Forgets what was planned.
    pub fn forget(&self) {
        self.plans.take();
        self.zip.take();
    }

    pub fn leave_folder(&self) {
        self.folder.take();
    }

    /// Lets the visitor choose a folder; its name.
    pub async fn pick_folder(&self) -> Option<String> {
        // A browser that refuses says so itself.
        let folder = Folder::choose().await.ok().flatten()?;
        let name = folder.name.clone();
        self.folder.replace(Some(folder));
        Some(name)
    }

    /// The text of a vocabulary, and what has an entry in it.
    pub async fn read_vocabulary(&self, file: &File) -> Result<(Rc<str>, Vec<String>), VocabularyRefusal> {
        if file.size() > LONGEST_VOCABULARY as f64 {
            return Err(VocabularyRefusal::Unreadable);
        }
        let content = JsFuture::from(file.array_buffer()).await.map_err(|_| VocabularyRefusal::Unreadable)?;
        let text = String::from_utf8(Uint8Array::new(&content).to_vec());
        let text = text.map_err(|_| VocabularyRefusal::NoText)?;
        let request = WriterRequest::ReadVocabulary { text: text.clone() };
        match self.writer.ask(&request, file, None).await {
            Ok(WriterReply::Vocabulary { classes }) => Ok((text.into(), classes)),
            Ok(WriterReply::NoVocabulary { fault }) => Err(VocabularyRefusal::Fault(fault)),
            Ok(WriterReply::Misunderstood { reason }) | Err(reason) => {
                Err(VocabularyRefusal::NoWriter(reason))
            }
            Ok(_) => Err(VocabularyRefusal::NoWriter(OTHER_ANSWER.into())),
        }
    }

    /// Finds out how a photo changes.
    pub async fn plan(&self, expected: Expected, request: &WriterRequest) -> Result<PlanOutcome, Refusal> {
        let Expected { id, name, bytes, sha256: expected, source } = expected;
        let places = self.folder.borrow().as_ref().map(|folder| folder.named(&name));
        let Some(places) = places else {
            let photo = match source {
                Some(source) => source.blob().await,
                None => None,
            };
            let photo = photo.ok_or(Refusal::Unreadable)?;
            let (sha256, outcome) = self.ask(request, &photo, None).await?;
            return self.keep(id, &expected, sha256, outcome, None);
        };
        let mut refusal = Refusal::NotInFolder;
        for place in places {
            if self.is_taken(&place) {
                continue;
            }
            let Ok(file) = place.file().await else {
                refusal = Refusal::Unreadable;
                continue;
            };
            if file.size() != bytes as f64 {
                refusal = Refusal::Changed;
                continue;
            }
            let beside = place.beside(&format!("{name}.xmp")).await.map_err(|_| Refusal::Unreadable)?;
            let mut sidecar = None;
            if let Some(beside) = beside {
                let file = beside.file().await.map_err(|_| Refusal::Unreadable)?;
                let hash = self.writer.hash(&file).await.map_err(Refusal::NoWriter)?;
                sidecar = Some((beside, file, hash));
            }
            let beside = sidecar.as_ref().map(|(_, file, _)| file);
            let (sha256, outcome) = self.ask(request, &file, beside).await?;
            if sha256 != expected {
                refusal = Refusal::Changed;
                continue;
            }
            return self.keep(id, &expected, sha256, outcome, Some(Found { place, file, sidecar }));
        }
        Err(refusal)
    }

    /// Whether another photo's plan is about this file.
    fn is_taken(&self, place: &Place) -> bool {
        let plans = self.plans.borrow();
        let mut found = plans.values().filter_map(|plan| plan.found.as_ref());
        found.any(|found| found.place.handle == place.handle)
    }

    async fn ask(
        &self,
        request: &WriterRequest,
        photo: &Blob,
        sidecar: Option<&File>,
    ) -> Result<(String, PlanOutcome), Refusal> {
        match self.writer.ask(request, photo, sidecar).await {
            Ok(WriterReply::Planned { sha256, outcome }) => Ok((sha256, outcome)),
            Ok(WriterReply::Misunderstood { reason }) | Err(reason) => Err(Refusal::NoWriter(reason)),
            Ok(_) => Err(Refusal::NoWriter(OTHER_ANSWER.into())),
        }
    }

    fn keep(
        &self,
        id: PhotoId,
        expected: &str,
        sha256: String,
        outcome: PlanOutcome,
        found: Option<Found>,
    ) -> Result<PlanOutcome, Refusal> {
        if sha256 != expected {
            return Err(Refusal::Changed);
        }
        if let PlanOutcome::Change(change) = &outcome {
            self.plans.borrow_mut().insert(id, Plan { change: change.clone(), sha256, found });
        }
        Ok(outcome)
    }

    /// Begins a zip file with files at these names.
    pub fn begin_zip(&self, names: HashMap<PhotoId, String>) {
        self.zip.take();
        self.names.replace(names);
    }

    pub async fn add_to_zip(&self, id: PhotoId, source: Option<Source>) -> Result<(), Refusal> {
        let source = source.ok_or(Refusal::Unreadable)?;
        let photo = source.blob().await.ok_or(Refusal::Unreadable)?;
        let (change, sha256) = {
            let plans = self.plans.borrow();
            let plan = plans.get(&id).ok_or(Refusal::Unreadable)?;
            (plan.change.clone(), plan.sha256.clone())
        };
        // Browsers refuse to read a file that has changed on the disk.
        if self.writer.hash(&photo).await.ok() != Some(sha256) {
            return Err(Refusal::Changed);
        }
        let name = self.names.borrow().get(&id).cloned().ok_or(Refusal::Unreadable)?;
        self.zip.borrow_mut().add(&name, &photo, &change).map_err(not_written)
    }

    /// Downloads the zip file.
    pub fn save_zip(&self) -> Result<(), JsValue> {
        self.zip.take().save()
    }

    /// Writes what was planned into the folder, and notes how to restore it.
    pub async fn write(&self, run: u64, id: PhotoId) -> Result<(), Refusal> {
        let (change, sha256, found) = {
            let plans = self.plans.borrow();
            let plan = plans.get(&id).ok_or(Refusal::Unreadable)?;
            let found = plan.found.clone().ok_or(Refusal::NotInFolder)?;
            (plan.change.clone(), plan.sha256.clone(), found)
        };
        let (place, seen, before) = match (change.place, found.sidecar) {
            (Destination::Photo, _) => (found.place, found.file, sha256),
            (Destination::Sidecar, Some((place, file, hash))) => (place, file, hash),
            (Destination::Sidecar, None) => return self.write_new(run, id, &found.place, &change).await,
        };
        let now = place.file().await.map_err(|_| Refusal::Changed)?;
        if !is_same(&now, &seen) || self.writer.hash(&now).await.ok() != Some(before) {
            return Err(Refusal::Changed);
        }
        let after = changed(&now, &change.splices).map_err(not_written)?;
        self.replace(&place, &after, &now).await?;
        self.note(run, id, place, false, &change);
        Ok(())
    }

    /// Writes a sidecar where there was none.
    async fn write_new(
        &self,
        run: u64,
        id: PhotoId,
        photo: &Place,
        change: &PlannedChange,
    ) -> Result<(), Refusal> {
        let name = format!("{}.xmp", photo.handle.name());
        if photo.beside(&name).await.map_err(not_written)?.is_some() {
            return Err(Refusal::Changed);
        }
        let content = nothing().and_then(|empty| changed(&empty, &change.splices)).map_err(not_written)?;
        let place = photo.create_beside(&name).await.map_err(not_written)?;
        let seen = place.file().await.map_err(not_written)?;
        if let Err(refusal) = self.replace(&place, &content, &seen).await {
            // It is empty, and of this page.
            place.remove().await.ok();
            return Err(refusal);
        }
        self.note(run, id, place, true, change);
        Ok(())
    }

    async fn replace(&self, place: &Place, content: &Blob, seen: &File) -> Result<(), Refusal> {
        let is_written = place.replace(content, seen).await.map_err(not_written)?;
        if is_written { Ok(()) } else { Err(Refusal::Changed) }
    }

    fn note(&self, run: u64, id: PhotoId, place: Place, is_new: bool, change: &PlannedChange) {
        let (inverse, sha256) = (change.inverse.clone(), change.sha256_after.clone());
        self.journal.borrow_mut().insert((run, id), Entry { place, is_new, inverse, sha256 });
    }

    /// Restores what was written, if it still is that.
    pub async fn undo(&self, key: (u64, PhotoId)) -> Result<(), Refusal> {
        let entry = self.journal.borrow().get(&key).cloned().ok_or(Refusal::Changed)?;
        let now = entry.place.file().await.map_err(|_| Refusal::Changed)?;
        if self.writer.hash(&now).await.map_err(Refusal::NoWriter)? != entry.sha256 {
            return Err(Refusal::Changed);
        }
        if entry.is_new {
            entry.place.remove().await.map_err(not_written)?;
        } else {
            let before = changed(&now, &entry.inverse).map_err(not_written)?;
            self.replace(&entry.place, &before, &now).await?;
        }
        self.journal.borrow_mut().remove(&key);
        Ok(())
    }
}
