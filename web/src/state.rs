//! All that the page knows, and how it changes: one [`State`], one [`Action`], one pure function
//! [`State::update`] from a state and an action to the next state and the [`Effect`]s it asks for.

mod action;
mod arrangement;
mod crashes;
mod engine;
mod listing;
mod live;
mod preview;
mod queue;
mod takeaway;
mod viewer;

pub use action::{Action, Effect, Focus};
pub use crashes::Crashes;
pub use engine::{Breakdown, Engine, Problem};
pub use listing::{Drawn, Listing, Order, Viewport};
pub use live::{CAMERA, Live};
pub use preview::CARD_SIDE;
#[cfg(any(test, doc))]
pub use preview::VIEWER_SIDE;
pub use queue::Counts;
pub use takeaway::{LinkState, Shared};
pub use viewer::{Explanation, Input, Lack, Viewer, explained};

use crate::language::Language;
use crate::models::{ListFault, Listed};
use crate::photo::{Photo, PhotoId, Preview, Progress};
use crate::storage::Kept;
use archive::LeftOut;
use protocol::StageTime;
use protocol::fault::PhotoFault;
use std::collections::VecDeque;
use std::rc::Rc;

/// How many classes an answer shows unless the visitor wants more or fewer.
pub const DEFAULT_TOP_K: usize = 5;

/// How many classes the worker names: the most that can be shown.
pub const LISTED_CLASSES: usize = 10;

/// All that the page knows.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub engine: Engine,
    /// The models that the site offers.
    pub models: Rc<[Listed]>,
    /// Why their list is left aside, if it is.
    pub list_fault: Option<ListFault>,
    /// The manifest's absolute address of the model that was chosen, once it is.
    pub choice: Option<Rc<str>>,
    /// The same of the model from another site that the visitor has agreed to.
    agreed: Option<Rc<str>>,
    /// Newest batch first; inside a batch, in the order given.
    pub photos: Vec<Rc<Photo>>,
    /// The photos in the worker's hands. They may have been removed from the page meanwhile.
    pub in_flight: Vec<PhotoId>,
    /// So many photos go one by one before several go together again: a worker broke down over one of them.
    careful: usize,
    /// Files are being dragged over the page.
    pub dragging: bool,
    /// A paste held no photo.
    pub empty_paste: bool,
    pub listing: Listing,
    /// The photo in the large view, if any.
    pub viewer: Option<Viewer>,
    /// The visitor has stopped the queue.
    pub stopped: bool,
    /// How many classes an answer shows.
    pub top_k: usize,
    /// Files in dropped folders and archives that were left out.
    pub skipped: LeftOut,
    pub language: Language,
    /// The result that came with the page's address.
    pub shared: Shared,
    /// What became of the link that the visitor wanted.
    pub link: LinkState,
    /// The camera, while it is on.
    pub live: Option<Live>,
    /// What the diagnostics panel shows, once it was opened, and whether it was copied.
    pub diagnostics: (Option<Rc<str>>, bool),
    /// A new version of the page waits to be used.
    pub update_ready: bool,
    /// The batch of the newest photos, and how many of them the page still shows at the top.
    batch: (u64, usize),
    /// The network's milliseconds for the last photos.
    times: VecDeque<f64>,
    /// The same with decoding.
    whole_times: VecDeque<f64>,
    /// What the network's time for the last photo went to.
    pub stages: Vec<StageTime>,
    /// Workers that broke down.
    pub crashes: Crashes,
    /// What is in the browser's storage, once it was looked up.
    pub stored: Kept,
}

impl Default for State {
    fn default() -> Self {
        Self {
            engine: Engine::Choosing,
            models: Rc::default(),
            list_fault: None,
            choice: None,
            agreed: None,
            photos: Vec::new(),
            in_flight: Vec::new(),
            careful: 0,
            dragging: false,
            empty_paste: false,
            listing: Listing::default(),
            viewer: None,
            stopped: false,
            top_k: DEFAULT_TOP_K,
            skipped: LeftOut::default(),
            language: Language::default(),
            shared: Shared::None,
            link: LinkState::None,
            live: None,
            diagnostics: (None, false),
            update_ready: false,
            batch: (0, 0),
            times: VecDeque::new(),
            whole_times: VecDeque::new(),
            stages: Vec::new(),
            crashes: Crashes::default(),
            stored: Kept::default(),
        }
    }
}

impl State {
    /// Takes in what happened. Pure: the same state and action give the same state and effects.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Opened => vec![Effect::ChooseModel],
            Action::Listed(list) => self.listed_models(list),
            Action::Chosen(choice) => self.chosen(choice),
            Action::PickModel(manifest) => self.pick_model(manifest),
            Action::Worker(reply) => self.told(reply),
            Action::WorkerBroke(breakdown) => {
                self.not_shown(None, Lack::NoModel);
                self.broke(breakdown)
            }
            Action::Returned => self.returned(),
            Action::Reload => {
                self.crashes.forgive();
                self.engine = Engine::Choosing;
                vec![Effect::StopWorker, Effect::ChooseModel]
            }
            Action::Agree => self.agree(),
            Action::Decline => self.decline(),
            Action::Pause => self.pause(),
            Action::Resume => self.resume(),
            Action::StorageMeasured(kept) => {
                self.stored = kept;
                vec![]
            }
            Action::RemoveStored(manifest) => vec![Effect::RemoveStored(manifest)],
            Action::ClearStorage => vec![Effect::ClearStorage],
            Action::Arrived { batch, arrivals } => self.arrived(batch, arrivals),
            Action::PastedNothing => {
                self.empty_paste = true;
                vec![]
            }
            Action::Previewed { id, url } => self.previewed(id, url),
            Action::DecodedPreviewed { id, url } => {
                self.change(id, |photo| photo.preview = Preview::Shown(url));
                vec![]
            }
            Action::PreviewsDropped(ids) => {
                ids.into_iter().for_each(|id| self.change(id, |photo| photo.preview = Preview::Wanted));
                vec![]
            }
            Action::Skipped(files) => {
                self.skipped.append(files);
                vec![]
            }
            Action::Unreadable(id, trouble) => self.settle(id, Progress::Failed(trouble)),
            Action::NotReopened(id) => {
                self.not_shown(Some(id), Lack::Photo(PhotoFault::Unreadable));
                vec![]
            }
            Action::Stop(stopped) => {
                self.stopped = stopped;
                self.send_next()
            }
            Action::ShowClasses(top_k) => {
                self.top_k = top_k.clamp(1, LISTED_CLASSES);
                vec![]
            }
            Action::Search(query) => {
                self.listing.query = query;
                vec![]
            }
            Action::OrderBy(order) => {
                self.listing.order = order;
                vec![]
            }
            Action::Scrolled(viewport) => {
                self.scrolled(viewport);
                vec![]
            }
            Action::MoveTo { id, target } => self.move_to(id, target),
            Action::Nudge { id, by } => self.nudge(id, by),
            Action::View { id, class } => self.view(id, class),
            Action::CloseViewer => self.close_viewer(),
            Action::Step(by) => self.step(by),
            Action::WholeOpened { id, url } => {
                if let Some(viewer) = self.viewer.as_mut().filter(|viewer| viewer.id == id) {
                    viewer.url = Some(url);
                }
                vec![]
            }
            Action::WholeFailed => self.whole_failed().into_iter().collect(),
            Action::Explain(class) => self.explain(class),
            Action::Strength(strength) => {
                if let Some(viewer) = &mut self.viewer {
                    viewer.strength = strength.min(100);
                }
                vec![]
            }
            Action::ToggleInput => self.toggle_input(),
            Action::Speak { language, chosen } => {
                self.language = language;
                vec![Effect::Speak { language, chosen }]
            }
            Action::Export(format) => vec![Effect::Export(format)],
            Action::SavePicture => {
                self.viewer.as_ref().map(|viewer| Effect::SavePicture(viewer.id)).into_iter().collect()
            }
            Action::ShareResult => self.share(),
            Action::LinkMade { copied } => {
                self.link = if copied { LinkState::Copied } else { LinkState::InAddress };
                vec![]
            }
            Action::RecordCame(shared) => {
                self.shared = shared;
                vec![]
            }
            Action::DismissRecord => {
                self.shared = Shared::None;
                vec![Effect::ForgetRecord, Effect::Focus(Focus::Picker)]
            }
            Action::Camera(on) => self.switch_camera(on),
            Action::GoLive(live) => self.go_live(live),
            Action::Frame => self.send_frame(),
            Action::Diagnose => vec![Effect::Diagnose],
            Action::Diagnosed(facts) => {
                self.diagnostics = (Some(facts), false);
                vec![]
            }
            Action::CopyDiagnostics => {
                self.diagnostics.0.clone().map(Effect::CopyDiagnostics).into_iter().collect()
            }
            Action::DiagnosticsCopied(copied) => {
                self.diagnostics.1 = copied;
                vec![]
            }
            Action::UpdateReady => {
                self.update_ready = true;
                vec![]
            }
            Action::UpdateNow => vec![Effect::UpdateNow],
            Action::SawInput { id, side, rgba } => {
                self.saw(id, side, rgba);
                vec![]
            }
            Action::SawWhole { id, side, picture } => self.saw_whole(id, side, picture).into_iter().collect(),
            Action::Retry(id) => {
                self.change(id, |photo| {
                    if matches!(&photo.progress, Progress::Failed(trouble) if trouble.can_retry()) {
                        photo.progress = Progress::Queued;
                    }
                });
                match self.engine {
                    Engine::Failed(_) => self.update(Action::Reload),
                    _ => self.send_next(),
                }
            }
            Action::Remove(id) => self.remove(id),
            Action::AskTeacher(request, file) => vec![Effect::AskTeacher(request, file)],
            Action::Reclassify => self.reclassify(),
            Action::Clear => {
                self.batch.1 = 0;
                self.skipped = LeftOut::default();
                self.stopped = false;
                self.listing.query.clear();
                let mut effects: Vec<_> =
                    self.photos.drain(..).map(|photo| Effect::Forget(photo.id)).collect();
                effects.push(Effect::Focus(Focus::Picker));
                effects
            }
            Action::Dragging(dragging) => {
                self.dragging = dragging;
                vec![]
            }
            Action::TrySample(file) => vec![Effect::FetchSample(file)],
        }
    }

    fn position(&self, id: PhotoId) -> Option<usize> {
        self.photos.iter().position(|photo| photo.id == id)
    }

    /// Changes a photo, if the page still has it.
    fn change(&mut self, id: PhotoId, change: impl FnOnce(&mut Photo)) {
        if let Some(at) = self.position(id) {
            change(Rc::make_mut(&mut self.photos[at]));
        }
    }
}

#[cfg(test)]
mod tests;
