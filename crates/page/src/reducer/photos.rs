//! Which photos are on the page, and in which order.

use crate::effect::{Effect, Focus};
use crate::photo::{Arrival, PhotoId};
use crate::state::State;
use archive::LeftOut;
use std::rc::Rc;

impl State {
    pub(super) fn on_arrived(&mut self, batch: u64, arrivals: Vec<Arrival>) -> Vec<Effect> {
        self.dragging = false;
        self.empty_paste = false;
        if self.batch.0 != batch {
            self.batch = (batch, 0);
        }
        let (at, count) = (self.batch.1, arrivals.len());
        self.photos.splice(at..at, arrivals.into_iter().map(|arrival| Rc::new(arrival.into())));
        self.batch.1 += count;
        self.send_next()
    }

    pub(super) fn remove(&mut self, id: PhotoId) -> Vec<Effect> {
        let Some(at) = self.position(id) else { return vec![] };
        self.photos.remove(at);
        if at < self.batch.1 {
            self.batch.1 -= 1;
        }
        let viewed = self.viewer.as_ref().is_some_and(|viewer| viewer.id == id);
        let neighbour = self.photos.get(at).or(self.photos.last());
        let focus = neighbour.map_or(Focus::Picker, |photo| Focus::Remove(photo.id));
        let mut effects = vec![Effect::Forget(id)];
        if viewed {
            self.viewer = None;
            effects.push(Effect::CloseWhole);
        }
        effects.push(Effect::Focus(focus));
        effects
    }

    pub(super) fn clear(&mut self) -> Vec<Effect> {
        self.batch.1 = 0;
        self.skipped = LeftOut::default();
        self.stopped = false;
        self.listing.query.clear();
        let mut effects: Vec<_> = self.photos.drain(..).map(|photo| Effect::Forget(photo.id)).collect();
        effects.extend(self.viewer.take().map(|_| Effect::CloseWhole));
        effects.push(Effect::Focus(Focus::Picker));
        effects
    }
}
