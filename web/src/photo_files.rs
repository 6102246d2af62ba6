//! The photos' files by number: they are the browser's and so no part of the state.

use crate::photo_source::Source;
use page::camera::CAMERA;
use page::photo::{Arrival, Content, PhotoError, PhotoId};
use std::collections::HashMap;
use web_sys::File;

/// The files of the photos on the page.
#[derive(Default)]
pub struct PhotoFiles {
    sources: HashMap<PhotoId, Source>,
    last_id: PhotoId,
    last_batch: u64,
}

impl PhotoFiles {
    /// A number for what comes in at once.
    pub fn next_batch(&mut self) -> u64 {
        self.last_batch += 1;
        self.last_batch
    }

    /// Numbers a photo and keeps where its file is.
    pub fn admit(&mut self, source: Source) -> Arrival {
        let id = self.next_id();
        let name = source.name().into();
        self.sources.insert(id, source);
        Arrival { id, name, content: Content::File }
    }

    /// Keeps the camera's picture of the moment, in place of the one before.
    pub fn frame(&mut self, picture: File) {
        self.sources.insert(CAMERA, Source::File(picture));
    }

    /// Numbers something that is no photo: it gets a card all the same.
    pub fn reject(&mut self, name: String, error: PhotoError) -> Arrival {
        Arrival { id: self.next_id(), name: name.into(), content: Content::Unusable(error) }
    }

    pub fn source(&self, id: PhotoId) -> Option<&Source> {
        self.sources.get(&id)
    }

    /// Lets go of a photo's file.
    pub fn forget(&mut self, id: PhotoId) {
        self.sources.remove(&id);
    }

    fn next_id(&mut self) -> PhotoId {
        self.last_id += 1;
        self.last_id
    }
}
