//! Which small picture a card shows: the browser's own where that is the photo as the network has seen it, else what the
//! network saw.

use super::{Effect, State};
use crate::photo::{Photo, PhotoId, Preview, Progress};
use std::rc::Rc;

impl State {
    /// The browser has made its picture, or could not.
    pub(super) fn previewed(&mut self, id: PhotoId, url: Option<Rc<str>>) -> Vec<Effect> {
        self.change(id, |photo| {
            let url = url.filter(|_| !is_shown_otherwise(photo));
            photo.preview = url.map_or(Preview::Unavailable, Preview::Shown);
        });
        self.preview_input(id)
    }

    /// Asks for what the network saw, if the card is to show that. Cards that are out of sight ask when they come into it.
    pub(super) fn preview_input(&self, id: PhotoId) -> Vec<Effect> {
        let wants =
            |photo: &&Rc<Photo>| photo.id == id && photo.preview != Preview::Wanted && wants_input(photo);
        self.photos.iter().find(wants).map(|_| Effect::ShowInput(id)).into_iter().collect()
    }

    /// What the network saw has come.
    pub(super) fn draw_input(&self, id: PhotoId, side: usize, rgba: Rc<[u8]>) -> Vec<Effect> {
        let wants = |photo: &&Rc<Photo>| photo.id == id && wants_input(photo);
        self.photos.iter().find(wants).map(|_| Effect::PreviewInput { id, side, rgba }).into_iter().collect()
    }
}

fn is_shown_otherwise(photo: &Photo) -> bool {
    matches!(&photo.progress, Progress::Done(answer) if answer.reading.shown_otherwise)
}

/// Also where the browser can't show the photo at all.
fn wants_input(photo: &Photo) -> bool {
    let is_unavailable = photo.preview == Preview::Unavailable && matches!(photo.progress, Progress::Done(_));
    is_unavailable || is_shown_otherwise(photo)
}
