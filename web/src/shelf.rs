//! Keeps the photos' files and previews, which are the browser's and so no part of the state.

use crate::intake::Incoming;
use crate::photo::{Arrival, Content, PhotoId};
use std::collections::HashMap;
use std::rc::Rc;
use web_sys::{File, Url};

/// The files of the photos on the page.
#[derive(Default)]
pub struct Shelf {
    files: HashMap<PhotoId, (File, Rc<str>)>,
    last_id: PhotoId,
    last_batch: u64,
}

impl Shelf {
    /// A number for what comes in at once.
    pub fn next_batch(&mut self) -> u64 {
        self.last_batch += 1;
        self.last_batch
    }

    /// Takes something in: numbers it, and keeps a file under that number with an object URL for
    /// its preview.
    pub fn admit(&mut self, incoming: Incoming) -> Arrival {
        self.last_id += 1;
        let id = self.last_id;
        match incoming {
            Incoming::File(file) => {
                let name: Rc<str> = file.name().into();
                // Without a URL, the card shows its placeholder.
                let url: Rc<str> = Url::create_object_url_with_blob(&file).unwrap_or_default().into();
                self.files.insert(id, (file, url.clone()));
                Arrival { id, name, content: Content::File { url } }
            }
            Incoming::Unusable { name, trouble } => {
                Arrival { id, name: name.into(), content: Content::Unusable(trouble) }
            }
        }
    }

    /// A photo's file.
    pub fn file(&self, id: PhotoId) -> Option<&File> {
        self.files.get(&id).map(|(file, _)| file)
    }

    /// Lets go of a photo's file and preview.
    pub fn forget(&mut self, id: PhotoId) {
        if let Some((_, url)) = self.files.remove(&id) {
            // Only a malformed URL is refused, and then nothing is held by it.
            Url::revoke_object_url(&url).ok();
        }
    }
}
