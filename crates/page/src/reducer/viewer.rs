//! The large view of one photo, with what the network made of it.

use crate::effect::{Effect, Focus};
use crate::engine::Engine;
use crate::photo::{PhotoId, Progress};
use crate::sharing::LinkState;
use crate::state::State;
use crate::viewer::{ClassSearch, Explanation, FoundClasses, Input, NotShownReason, Viewer};
use protocol::{ClassName, HeatMap};
use std::rc::Rc;

impl State {
    /// Opens the large view of a photo, where asked for with one class's heat map.
    pub(super) fn view(&mut self, id: PhotoId, class: Option<usize>) -> Vec<Effect> {
        if self.position(id).is_none() {
            return vec![];
        }
        let strength = self.viewer.as_ref().map_or(70, |viewer| viewer.strength);
        self.link = LinkState::None;
        self.viewer = Some(Viewer::of(id, strength));
        let mut effects = vec![self.open_whole(id)];
        effects.extend(class.into_iter().flat_map(|class| self.explain(class)));
        effects
    }

    pub(super) fn close_viewer(&mut self) -> Vec<Effect> {
        let Some(viewer) = self.viewer.take() else { return vec![] };
        vec![Effect::CloseWhole, Effect::Focus(Focus::Open(viewer.id))]
    }

    /// Goes on to the next photo of the list, or back with −1. With a heat map in sight, the next photo
    /// shows its own of its best class.
    pub(super) fn step(&mut self, by: isize) -> Vec<Effect> {
        let Some(viewer) = &self.viewer else { return vec![] };
        let (id, explained) = (viewer.id, viewer.explanation != Explanation::None);
        let listed = self.listed();
        let Some(at) = listed.iter().position(|photo| photo.id == id) else { return vec![] };
        let Some(next) = at.checked_add_signed(by).and_then(|at| listed.get(at)) else { return vec![] };
        let best = match &next.progress {
            Progress::Done(answer) if explained => answer.predictions.first().map(|best| best.index),
            _ => None,
        };
        self.view(next.id, best)
    }

    /// Shows the heat map of a class, or hides it if it is the one in sight.
    pub(super) fn explain(&mut self, class: usize) -> Vec<Effect> {
        let ready = matches!(self.engine, Engine::Ready { .. });
        let Some(viewer) = &mut self.viewer else { return vec![] };
        if viewer.explanation.class() == Some(class) {
            viewer.explanation = Explanation::None;
            return vec![];
        }
        let found = viewer.search.found.iter().flat_map(|found| found.classes.iter());
        if let Some(picked) = found.into_iter().find(|found| found.index == class) {
            viewer.search.picked = Some(picked.clone());
        }
        if !ready {
            viewer.explanation = Explanation::Failed { class, reason: NotShownReason::NoModel };
            return vec![];
        }
        viewer.explanation = Explanation::Waiting { class };
        vec![Effect::Explain { id: viewer.id, class }]
    }

    /// Looks for classes that have this in a name.
    pub(super) fn search_classes(&mut self, query: String) -> Vec<Effect> {
        let ready = matches!(self.engine, Engine::Ready { .. });
        let Some(viewer) = &mut self.viewer else { return vec![] };
        viewer.search.query = query.clone();
        if query.trim().is_empty() || !ready {
            viewer.search.found = None;
            return vec![];
        }
        vec![Effect::FindClasses(query)]
    }

    /// Takes in what was found for the query that stands there now.
    pub(super) fn on_classes_found(&mut self, query: &str, classes: Vec<ClassName>, count: usize) {
        if let Some(viewer) = self.viewer.as_mut().filter(|viewer| viewer.search.query == query) {
            viewer.search.found = Some(FoundClasses { classes: classes.into(), count });
        }
    }

    pub(super) fn explained(&mut self, id: PhotoId, class: usize, map: HeatMap) {
        if let Some(viewer) = self.viewer.as_mut().filter(|viewer| viewer.id == id)
            && viewer.explanation == (Explanation::Waiting { class })
        {
            viewer.explanation = Explanation::Shown { class, map: Rc::new(map) };
        }
    }

    /// Shows what the network saw, or hides it.
    pub(super) fn toggle_input(&mut self) -> Vec<Effect> {
        let ready = matches!(self.engine, Engine::Ready { .. });
        let Some(viewer) = &mut self.viewer else { return vec![] };
        let (input, effects) = match viewer.input {
            Input::Shown { .. } | Input::Waiting => (Input::Hidden, vec![]),
            _ if ready => (Input::Waiting, vec![Effect::ShowInput(viewer.id)]),
            _ => (Input::Failed(NotShownReason::NoModel), vec![]),
        };
        viewer.input = input;
        effects
    }

    pub(super) fn on_input(&mut self, id: PhotoId, side: usize, rgba: Rc<[u8]>) {
        if let Some(viewer) = self.viewer.as_mut().filter(|viewer| viewer.id == id)
            && viewer.input == Input::Waiting
        {
            viewer.input = Input::Shown { side, rgba };
        }
    }

    /// These photos get other answers: what was shown of the old ones goes.
    pub(super) fn clear_explanation(&mut self, photos: &[PhotoId]) {
        if let Some(viewer) = self.viewer.as_mut().filter(|viewer| photos.contains(&viewer.id)) {
            (viewer.explanation, viewer.input) = (Explanation::None, Input::Hidden);
            // The classes are others now, too.
            viewer.search = ClassSearch::default();
        }
    }

    /// What the viewer waits for will not come: for this photo, or for any if the worker is gone.
    pub(super) fn on_not_shown(&mut self, id: Option<PhotoId>, reason: NotShownReason) {
        let Some(viewer) = &mut self.viewer else { return };
        if id.is_some_and(|id| id != viewer.id) {
            return;
        }
        if let Explanation::Waiting { class } = viewer.explanation {
            viewer.explanation = Explanation::Failed { class, reason: reason.clone() };
        }
        if viewer.input == Input::Waiting {
            viewer.input = Input::Failed(reason);
        }
    }
}
