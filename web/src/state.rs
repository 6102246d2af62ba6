//! All that the page knows, and how it changes: one [`State`], one [`Action`], one pure function
//! [`State::update`] from a state and an action to the next state and the [`Effect`]s it asks for.

mod arrangement;
mod engine;
mod queue;

pub use engine::{Breakdown, Engine, Problem};
pub use queue::Counts;

use crate::model_choice::Choice;
use crate::photo::{Arrival, Photo, PhotoId, Preview, Progress};
use protocol::Reply;
use std::collections::VecDeque;
use std::rc::Rc;

/// All that the page knows.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub engine: Engine,
    /// The model that was chosen, once it is.
    pub choice: Option<Rc<Choice>>,
    /// Newest batch first; inside a batch, in the order given.
    pub photos: Vec<Rc<Photo>>,
    /// The photo in the worker's hands. It may have been removed from the page meanwhile.
    pub in_flight: Option<PhotoId>,
    /// Files are being dragged over the page.
    pub dragging: bool,
    /// A paste held no photo.
    pub empty_paste: bool,
    /// The batch of the newest photos, and how many of them the page still shows at the top.
    batch: (u64, usize),
    /// The network's milliseconds for the last photos.
    times: VecDeque<f64>,
    /// The worker has answered a photo since it was started, so that starting it again may help.
    proven: bool,
    /// Bytes of weights in the browser's storage, once they were counted.
    pub stored: Option<u64>,
}

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The page has been opened.
    Opened,
    /// The model has been chosen, or could not be.
    Chosen(Result<Choice, Problem>),
    /// The worker sent a message.
    Worker(Reply),
    /// The worker sent something that is no message, or broke down.
    WorkerBroke(Breakdown),
    /// Load the model again after a failure.
    Reload,
    /// Stop loading for now.
    Pause,
    /// Go on loading.
    Resume,
    /// So many bytes of weights are in the browser's storage; none where there is no storage.
    StorageMeasured(Option<u64>),
    /// The visitor wants the storage back. A model that is loaded goes on answering.
    ClearStorage,
    /// Things came in. Those of one drop, pick or paste share a batch number, and later batches
    /// have greater ones.
    Arrived {
        batch: u64,
        arrivals: Vec<Arrival>,
    },
    /// The clipboard held no photo.
    PastedNothing,
    /// The browser could, or could not, show the photo.
    Previewed {
        id: PhotoId,
        shown: bool,
    },
    /// Classify this photo again.
    Retry(PhotoId),
    Remove(PhotoId),
    Clear,
    /// Files came over the page, or left it.
    Dragging(bool),
    /// The visitor wants to try this sample photo.
    TrySample(&'static str),
}

/// What a change of state asks of the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Find out which model to load and answer with [`Action::Chosen`].
    ChooseModel,
    /// Start a worker; one that runs is ended.
    StartWorker,
    /// End the worker.
    StopWorker,
    /// Ask the worker to load the manifest at this absolute address.
    Load { manifest: String },
    /// Count the weights in the browser's storage and answer with [`Action::StorageMeasured`].
    MeasureStorage,
    /// Ask the browser not to clear its storage by itself.
    PersistStorage,
    /// Remove the weights from the browser's storage, then measure it.
    ClearStorage,
    /// Send this photo to the worker.
    Classify(PhotoId),
    /// Let go of this photo's file and preview.
    Forget(PhotoId),
    /// Fetch this sample and let it arrive like any other photo.
    FetchSample(&'static str),
    /// Move the keyboard's focus, since what had it is gone.
    Focus(Focus),
}

/// Where the keyboard's focus goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The button that removes this photo.
    Remove(PhotoId),
    /// The file picker.
    Picker,
}

impl Focus {
    /// The `id` of the element that takes the focus.
    pub fn element_id(self) -> String {
        match self {
            Self::Remove(id) => format!("remove-{id}"),
            Self::Picker => "picker".into(),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            engine: Engine::Choosing,
            choice: None,
            photos: Vec::new(),
            in_flight: None,
            dragging: false,
            empty_paste: false,
            batch: (0, 0),
            times: VecDeque::new(),
            proven: false,
            stored: None,
        }
    }
}

impl State {
    /// Takes in what happened. Pure: the same state and action give the same state and effects.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Opened => vec![Effect::ChooseModel],
            Action::Chosen(choice) => self.chosen(choice),
            Action::Worker(reply) => self.told(reply),
            Action::WorkerBroke(breakdown) => self.broke(breakdown),
            Action::Reload => {
                self.engine = Engine::Choosing;
                vec![Effect::StopWorker, Effect::ChooseModel]
            }
            Action::Pause => self.pause(),
            Action::Resume => self.resume(),
            Action::StorageMeasured(bytes) => {
                self.stored = bytes;
                vec![]
            }
            Action::ClearStorage => vec![Effect::ClearStorage],
            Action::Arrived { batch, arrivals } => self.arrived(batch, arrivals),
            Action::PastedNothing => {
                self.empty_paste = true;
                vec![]
            }
            Action::Previewed { id, shown } => {
                self.change(id, |photo| {
                    photo.preview = match photo.preview.url() {
                        Some(url) if shown => Preview::Shown(url.clone()),
                        _ => Preview::Unavailable,
                    };
                });
                vec![]
            }
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
            Action::Clear => {
                self.batch.1 = 0;
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
