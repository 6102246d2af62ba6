//! Which picture a card and the large view show: the browser's own where that is the photo as the network has seen it,
//! else the photo as it was decoded for the network.

use crate::effect::Effect;
use crate::photo::{CARD_SIDE, Photo, PhotoId, Picture, Preview, Progress, VIEWER_SIDE};
use crate::state::State;
use std::rc::Rc;

impl State {
    /// The browser has made its picture, or could not.
    pub(super) fn on_previewed(&mut self, id: PhotoId, url: Option<Rc<str>>) -> Vec<Effect> {
        self.change(id, |photo| {
            let url = url.filter(|_| !is_shown_otherwise(photo));
            photo.preview = url.map_or(Preview::Unavailable, Preview::Shown);
        });
        self.preview_decoded(id)
    }

    /// Asks for the photo as it was decoded, if the card is to show that. Cards that are out of sight ask when they come
    /// into it.
    pub(super) fn preview_decoded(&self, id: PhotoId) -> Vec<Effect> {
        let is_in_sight = |photo: &&Photo| photo.preview != Preview::Wanted;
        let photo = self.photo(id).filter(is_in_sight).filter(|photo| wants_decoded(photo));
        photo.map(|_| Effect::ShowWhole { id, side: CARD_SIDE }).into_iter().collect()
    }

    /// The photo as it was decoded has come.
    pub(super) fn on_decoded(&self, id: PhotoId, side: u32, picture: Picture) -> Option<Effect> {
        if side == VIEWER_SIDE {
            let is_viewed = self.viewer.as_ref().is_some_and(|viewer| viewer.id == id);
            return is_viewed.then_some(Effect::DrawWhole { id, picture });
        }
        self.photo(id).filter(|photo| wants_decoded(photo)).map(|_| Effect::DrawPreview { id, picture })
    }

    /// Opens the photo for the large view: the file itself where the browser shows it as the network has seen it.
    pub(super) fn open_whole(&self, id: PhotoId) -> Effect {
        match self.photo(id) {
            Some(photo) if is_shown_otherwise(photo) => Effect::ShowWhole { id, side: VIEWER_SIDE },
            _ => Effect::OpenWhole(id),
        }
    }

    /// The browser can't show the photo in the large view.
    pub(super) fn whole_failed(&mut self) -> Option<Effect> {
        let viewer = self.viewer.as_mut()?;
        viewer.url = None;
        let id = viewer.id;
        let is_answered = self.photo(id).is_some_and(|photo| matches!(photo.progress, Progress::Done(_)));
        is_answered.then_some(Effect::ShowWhole { id, side: VIEWER_SIDE })
    }
}

fn is_shown_otherwise(photo: &Photo) -> bool {
    matches!(&photo.progress, Progress::Done(answer) if answer.reading.shown_otherwise)
}

/// Also where the browser can't show the photo at all.
fn wants_decoded(photo: &Photo) -> bool {
    let is_unavailable = photo.preview == Preview::Unavailable && matches!(photo.progress, Progress::Done(_));
    is_unavailable || is_shown_otherwise(photo)
}
