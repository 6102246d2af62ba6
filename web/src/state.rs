//! All that the page knows, and how it changes: one [`State`], one [`Action`], one pure function
//! [`State::update`] from a state and an action to the next state and the [`Effect`]s it asks for.

use crate::model_choice::Choice;
use crate::photo::{Arrival, Photo, PhotoId, Preview, Progress, Trouble};
use protocol::{BackendInfo, Loading, ModelInfo, Reply};
use std::collections::VecDeque;
use std::rc::Rc;

/// How many of the last photos speak for the time a photo takes.
const TIMED_PHOTOS: usize = 15;

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
}

/// Where the worker and its model stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Engine {
    /// Reading which model to load.
    Choosing,
    /// Fetching and starting the worker's program.
    Starting,
    /// The worker fetches and builds the model.
    Loading(Loading),
    Ready {
        model: Rc<ModelInfo>,
        backend: Rc<BackendInfo>,
    },
    Failed(Problem),
}

/// Why there is no working model.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// The browser knows none of the instruction sets that the workers are built for.
    NoSimd,
    /// The list of models could not be read, for this reason.
    NoIndex(String),
    /// The `model` parameter is no web address.
    BadModelAddress(String),
    /// The worker's program could not be started, for this reason.
    NotStarted(String),
    /// The worker broke down, with this message.
    Crashed(String),
    /// The worker and the page do not understand each other, for this reason.
    Misunderstood(String),
    /// The worker's own sentence.
    Told(String),
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

/// How the worker broke down.
#[derive(Clone, Debug, PartialEq)]
pub enum Breakdown {
    /// An error nobody caught, with its message.
    Crashed(String),
    /// A message that the page cannot read, for this reason.
    Misunderstood(String),
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

/// How many photos stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Queued or running.
    pub left: usize,
    pub done: usize,
    pub failed: usize,
}

impl Counts {
    pub fn all(&self) -> usize {
        self.left + self.done + self.failed
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
        }
    }
}

impl State {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for photo in &self.photos {
            match photo.progress {
                Progress::Queued | Progress::Running => counts.left += 1,
                Progress::Done(_) => counts.done += 1,
                Progress::Failed(_) => counts.failed += 1,
            }
        }
        counts
    }

    /// The photo being looked at.
    pub fn running(&self) -> Option<&Photo> {
        self.photos.iter().find(|photo| photo.progress == Progress::Running).map(Rc::as_ref)
    }

    /// The network's time for a photo in milliseconds: the median of the last ones.
    pub fn ms_per_photo(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.times.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }

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

    fn chosen(&mut self, choice: Result<Choice, Problem>) -> Vec<Effect> {
        match choice {
            Ok(choice) => {
                self.choice = Some(Rc::new(choice));
                self.start_worker()
            }
            Err(problem) => {
                self.engine = Engine::Failed(problem);
                vec![]
            }
        }
    }

    fn start_worker(&mut self) -> Vec<Effect> {
        self.engine = Engine::Starting;
        self.proven = false;
        vec![Effect::StartWorker]
    }

    fn told(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Awake => {
                let manifest = self.choice.as_ref().map(|choice| choice.manifest.clone());
                manifest.map(|manifest| Effect::Load { manifest }).into_iter().collect()
            }
            Reply::Loading(loading) => {
                self.engine = Engine::Loading(loading);
                vec![]
            }
            Reply::Ready { model, backend } => {
                self.engine = Engine::Ready { model: Rc::new(model), backend: Rc::new(backend) };
                self.times.clear();
                self.send_next()
            }
            Reply::LoadFailed { message } => {
                self.engine = Engine::Failed(Problem::Told(message));
                vec![Effect::StopWorker]
            }
            // It was shown as running when it was sent.
            Reply::Started { .. } => vec![],
            Reply::Done { id, answer } => {
                self.proven = true;
                self.times.push_back(answer.ms);
                if self.times.len() > TIMED_PHOTOS {
                    self.times.pop_front();
                }
                self.settle(id, Progress::Done(answer))
            }
            Reply::Failed { id, message } => self.settle(id, Progress::Failed(Trouble::Told(message))),
        }
    }

    /// The photo in hand fails and can be tried again. A worker that had answered before is started
    /// anew for the photos that wait; one that never did is left for the visitor to decide.
    fn broke(&mut self, breakdown: Breakdown) -> Vec<Effect> {
        if let Some(id) = self.in_flight.take() {
            self.change(id, |photo| photo.progress = Progress::Failed(Trouble::Crashed));
        }
        match breakdown {
            Breakdown::Crashed(_) if self.proven => self.start_worker(),
            Breakdown::Crashed(reason) => {
                let problem = match self.engine {
                    Engine::Choosing | Engine::Starting => Problem::NotStarted(reason),
                    _ => Problem::Crashed(reason),
                };
                self.engine = Engine::Failed(problem);
                vec![Effect::StopWorker]
            }
            Breakdown::Misunderstood(reason) => {
                self.engine = Engine::Failed(Problem::Misunderstood(reason));
                vec![Effect::StopWorker]
            }
        }
    }

    fn arrived(&mut self, batch: u64, arrivals: Vec<Arrival>) -> Vec<Effect> {
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

    fn remove(&mut self, id: PhotoId) -> Vec<Effect> {
        let Some(at) = self.position(id) else { return vec![] };
        self.photos.remove(at);
        if at < self.batch.1 {
            self.batch.1 -= 1;
        }
        let neighbour = self.photos.get(at).or(self.photos.last());
        let focus = neighbour.map_or(Focus::Picker, |photo| Focus::Remove(photo.id));
        vec![Effect::Forget(id), Effect::Focus(focus)]
    }

    /// The worker is done with this photo, whatever became of it.
    fn settle(&mut self, id: PhotoId, progress: Progress) -> Vec<Effect> {
        self.change(id, |photo| photo.progress = progress);
        if self.in_flight == Some(id) {
            self.in_flight = None;
        }
        self.send_next()
    }

    /// Sends the photo that has waited longest, if the worker has none in hand.
    fn send_next(&mut self) -> Vec<Effect> {
        if !matches!(self.engine, Engine::Ready { .. }) || self.in_flight.is_some() {
            return vec![];
        }
        let queued = self.photos.iter().filter(|photo| photo.progress == Progress::Queued);
        let Some(id) = queued.map(|photo| photo.id).min() else { return vec![] };
        self.in_flight = Some(id);
        self.change(id, |photo| photo.progress = Progress::Running);
        vec![Effect::Classify(id)]
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
