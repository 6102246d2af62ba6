//! The list is scrolled, and photos are moved in it.

use crate::effect::{Effect, Focus};
use crate::listing::{SortOrder, Viewport};
use crate::photo::PhotoId;
use crate::state::State;

impl State {
    /// The window shows another part of the list. Returns whether another part has to be drawn.
    pub fn scrolled(&mut self, viewport: Viewport) -> bool {
        let total = self.listed().len();
        let sizes = |viewport: &Viewport| (viewport.row, viewport.gap);
        let before = (self.drawn(total), self.listing.viewport.as_ref().map(sizes));
        self.listing.viewport = Some(viewport);
        before != (self.drawn(total), Some(sizes(&viewport)))
    }

    /// Puts a photo where another one is; the ones in between move up.
    pub(super) fn move_to(&mut self, id: PhotoId, target: PhotoId) -> Vec<Effect> {
        if let (Some(from), Some(to)) = (self.position(id), self.position(target)) {
            let photo = self.photos.remove(from);
            self.photos.insert(to, photo);
            // Later arrivals go on top of what the visitor arranged.
            self.batch.1 = 0;
        }
        vec![]
    }

    /// Moves a photo one place on, or back with −1.
    pub(super) fn nudge(&mut self, id: PhotoId, by: isize) -> Vec<Effect> {
        if self.listing.order != SortOrder::Own {
            return vec![];
        }
        let listed = self.listed();
        let at = listed.iter().position(|photo| photo.id == id);
        let target = at.and_then(|at| at.checked_add_signed(by)).and_then(|at| listed.get(at));
        let Some(target) = target else { return vec![] };
        self.move_to(id, target.id);
        vec![Effect::Focus(Focus::Open(id))]
    }
}
