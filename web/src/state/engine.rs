//! The worker and its model: how they start, report and break down.

use super::{Effect, Lack, State};
use crate::model_choice::Choice;
use crate::photo::{Progress, Trouble};
use crate::threads::NoPlan;
use protocol::{BackendInfo, Kept, Loading, ModelInfo, Reply};
use std::rc::Rc;

/// Where the worker and its model stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Engine {
    /// Reading which model to load.
    Choosing,
    /// Fetching and starting the worker's program.
    Starting,
    /// The worker fetches and builds the model.
    Loading(Loading),
    /// The visitor stopped the loading here. The worker is gone; the shards it had checked are in
    /// the browser's storage, where there is one.
    Paused(Loading),
    Ready {
        model: Rc<ModelInfo>,
        backend: Rc<BackendInfo>,
        /// Whether the next visit finds the weights in the browser's storage.
        kept: Kept,
    },
    Failed(Problem),
}

/// Why there is no working model.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// No build of the worker can run.
    NoWorker(NoPlan),
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

/// How the worker broke down.
#[derive(Clone, Debug, PartialEq)]
pub enum Breakdown {
    /// An error nobody caught, with its message.
    Crashed(String),
    /// A message that the page cannot read, for this reason.
    Misunderstood(String),
}

/// From this size on the page asks the browser not to clear its storage by itself. Some browsers
/// put that to the visitor, which a small model is not worth.
const WORTH_PERSISTING: u64 = 64 << 20;

impl State {
    pub(super) fn chosen(&mut self, choice: Result<Choice, Problem>) -> Vec<Effect> {
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

    pub(super) fn start_worker(&mut self) -> Vec<Effect> {
        self.engine = Engine::Starting;
        self.proven = false;
        vec![Effect::StartWorker]
    }

    pub(super) fn told(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Awake => {
                let manifest = self.choice.as_ref().map(|choice| choice.manifest.clone());
                manifest.map(|manifest| Effect::Load { manifest }).into_iter().collect()
            }
            Reply::Loading(loading) => {
                self.engine = Engine::Loading(loading);
                vec![]
            }
            Reply::Ready { model, backend, kept } => {
                let mut effects = vec![Effect::MeasureStorage];
                if kept == Kept::Yes && model.bytes >= WORTH_PERSISTING {
                    effects.push(Effect::PersistStorage);
                }
                self.engine = Engine::Ready { model: Rc::new(model), backend: Rc::new(backend), kept };
                self.times.clear();
                self.whole_times.clear();
                self.want_frame();
                effects.extend(self.send_next());
                effects
            }
            Reply::LoadFailed { message } => {
                self.engine = Engine::Failed(Problem::Told(message));
                vec![Effect::StopWorker]
            }
            // It was shown as running when it was sent.
            Reply::Started { .. } => vec![],
            Reply::Done { id, answer } => {
                self.proven = true;
                self.note_time(&answer);
                self.settle(id, Progress::Done(answer))
            }
            Reply::Failed { id, message } => self.settle(id, Progress::Failed(Trouble::Told(message))),
            Reply::Teach(reply) => vec![Effect::TellTeacher(reply)],
            Reply::Explained { id, class, heat_map } => {
                self.explained(id, class, heat_map);
                vec![]
            }
            // Its pixels come with an action of their own.
            Reply::Input { .. } => vec![],
            Reply::NotShown { id, message } => {
                self.not_shown(Some(id), Lack::Told(message));
                vec![]
            }
        }
    }

    /// Stops the loading. A download goes on from the shards that were checked.
    pub(super) fn pause(&mut self) -> Vec<Effect> {
        match self.engine {
            Engine::Loading(loading) => {
                self.engine = Engine::Paused(loading);
                // A photo that was in hand when its GPU failed.
                if let Some(id) = self.in_flight.take() {
                    self.change(id, |photo| photo.progress = Progress::Queued);
                }
                vec![Effect::StopWorker, Effect::MeasureStorage]
            }
            _ => vec![],
        }
    }

    pub(super) fn resume(&mut self) -> Vec<Effect> {
        match self.engine {
            Engine::Paused(_) => self.start_worker(),
            _ => vec![],
        }
    }

    /// The photo in hand fails and can be tried again. A worker that had answered before is started
    /// anew for the photos that wait; one that never did is left for the visitor to decide.
    pub(super) fn broke(&mut self, breakdown: Breakdown) -> Vec<Effect> {
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
}
