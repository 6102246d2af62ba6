//! Results that are taken away, and results that came with a link.

use super::{Effect, Engine, State};
use crate::photo::{Maker, Progress};
use crate::record::Record;
use std::rc::Rc;

/// The result in the page's address.
#[derive(Clone, Debug, PartialEq)]
pub enum Shared {
    None,
    Record(Rc<Record>),
    /// There is one, but it cannot be read.
    Damaged,
}

/// What became of a link to a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    None,
    /// It is in the clipboard.
    Copied,
    /// It is in the address bar, from where the visitor can copy it.
    InAddress,
}

impl State {
    /// What answers photos now, while the model is loaded.
    pub(super) fn maker(&self) -> Option<Maker> {
        match &self.engine {
            Engine::Ready { model, backend, .. } => {
                Some(Maker { model: model.clone(), backend: backend.clone() })
            }
            _ => None,
        }
    }

    /// A record of the result in the large view.
    pub(super) fn share(&mut self) -> Vec<Effect> {
        let record = self.viewed().and_then(|(_, photo)| match &photo.progress {
            Progress::Done(answer) => Some(Record::of(photo, answer, self.top_k, photo.maker.as_ref()?)),
            _ => None,
        });
        record.map(Effect::Share).into_iter().collect()
    }

    /// Whether an answer on this page agrees with the result that came with the address; none while no
    /// answer is of the same photo.
    pub fn agrees(&self) -> Option<bool> {
        let Shared::Record(record) = &self.shared else { return None };
        self.photos.iter().find_map(|photo| match &photo.progress {
            Progress::Done(answer) => record.agrees(answer),
            _ => None,
        })
    }
}
