//! The worker and its model: how they start, report and break down.

use super::{Effect, Lack, State};
use crate::models::{ListFault, Listed};
use crate::photo::{Maker, Progress, Trouble};
use crate::threads::NoPlan;
use protocol::fault::LoadFault;
use protocol::{BackendInfo, Kept, Loading, ModelInfo, Offer, Reply};
use std::rc::Rc;

/// Where the worker and its model stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Engine {
    /// Reading which model to load.
    Choosing,
    /// Fetching and starting the worker's program.
    Starting,
    /// The worker asks for the model's manifest.
    Finding,
    /// The model comes from another site, and the visitor has not agreed to it yet.
    Asking(Rc<Offer>),
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
    /// The `model` parameter is no web address.
    BadModelAddress(String),
    /// The worker's program could not be started, for this reason.
    NotStarted(String),
    /// The worker broke down, with this message.
    Crashed(String),
    /// The worker and the page do not understand each other, for this reason.
    Misunderstood(String),
    /// What the worker says.
    Load(LoadFault),
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

/// So many workers are made anew one after another because their script does not begin.
const MOST_NOT_BEGUN: u32 = 2;

impl State {
    pub(super) fn listed_models(&mut self, list: Result<Vec<Listed>, ListFault>) -> Vec<Effect> {
        (self.models, self.list_fault) = match list {
            Ok(models) => (models.into(), None),
            Err(fault) => (Rc::default(), Some(fault)),
        };
        let mut effects = vec![Effect::MeasureStorage];
        // The list may come after the question.
        if matches!(self.engine, Engine::Asking(_)) && self.listed_choice().is_some() {
            effects.extend(self.agree());
        }
        effects
    }

    /// The visitor wants the model from another site, on this visit.
    pub(super) fn agree(&mut self) -> Vec<Effect> {
        let Engine::Asking(_) = self.engine else { return vec![] };
        self.engine = Engine::Finding;
        self.agreed = self.choice.clone();
        self.load()
    }

    /// The visitor wants the site's own model instead.
    pub(super) fn decline(&mut self) -> Vec<Effect> {
        let Engine::Asking(_) = self.engine else { return vec![] };
        self.engine = Engine::Choosing;
        self.choice = None;
        vec![Effect::StopWorker, Effect::ForgetNamedModel, Effect::ChooseModel]
    }

    /// What the site lists, the site answers for.
    fn load(&self) -> Vec<Effect> {
        let Some(manifest) = self.choice.clone() else { return vec![] };
        let agreed = self.agreed.as_ref() == Some(&manifest) || self.listed_choice().is_some();
        vec![Effect::Load { manifest, agreed }]
    }

    pub(super) fn chosen(&mut self, choice: Result<Rc<str>, Problem>) -> Vec<Effect> {
        match choice {
            Ok(manifest) => {
                self.choice = Some(manifest);
                self.start_worker()
            }
            Err(problem) => {
                self.engine = Engine::Failed(problem);
                vec![]
            }
        }
    }

    /// Another model takes over. The photo in hand is asked of the new one; answers stay in sight until the new
    /// model is here and gives its own.
    pub(super) fn pick_model(&mut self, manifest: Rc<str>) -> Vec<Effect> {
        let same = self.choice.as_ref() == Some(&manifest);
        if same && !matches!(self.engine, Engine::Failed(_)) {
            return vec![];
        }
        self.choice = Some(manifest.clone());
        self.wait_again();
        self.not_shown(None, Lack::NoModel);
        let mut effects = vec![Effect::RememberModel(manifest)];
        effects.extend(self.start_worker());
        effects
    }

    /// The chosen model's entry in the list.
    pub fn listed_choice(&self) -> Option<&Listed> {
        self.models.iter().find(|model| Some(&model.manifest) == self.choice.as_ref())
    }

    pub(super) fn start_worker(&mut self) -> Vec<Effect> {
        self.engine = Engine::Starting;
        vec![Effect::StartWorker]
    }

    pub(super) fn told(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Begun => {
                self.not_begun = 0;
                vec![]
            }
            Reply::Awake { .. } => {
                self.engine = Engine::Finding;
                self.load()
            }
            Reply::AskFirst { offer } => {
                self.engine = Engine::Asking(Rc::new(offer));
                if self.listed_choice().is_some() { self.agree() } else { vec![] }
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
                let others = |maker: &Maker| maker.model.sha256 != model.sha256;
                self.ask_again(|photo| photo.maker.as_ref().is_some_and(others));
                self.engine = Engine::Ready { model: Rc::new(model), backend: Rc::new(backend), kept };
                self.times.clear();
                self.whole_times.clear();
                self.want_frame();
                effects.extend(self.send_next());
                effects
            }
            Reply::LoadFailed { fault, .. } => {
                // A GPU may have been lost with photos in hand. What is still said of them is not heard any more.
                self.wait_again();
                self.not_shown(None, Lack::NoModel);
                self.engine = Engine::Failed(Problem::Load(fault));
                vec![Effect::StopWorker]
            }
            // It was shown as running when it was sent.
            Reply::Started { .. } => vec![],
            Reply::ForwardProgress { id, share } => {
                if self.in_flight.contains(&id) {
                    self.change(id, |photo| photo.progress = Progress::Running(share));
                }
                vec![]
            }
            Reply::Done { id, answer } => {
                self.crashes.forgive();
                self.note_time(&answer);
                let maker = self.maker();
                self.change(id, |photo| photo.maker = maker);
                let mut effects = self.settle(id, Progress::Done(answer));
                effects.extend(self.preview_decoded(id));
                effects
            }
            Reply::Failed { id, fault, .. } => self.settle(id, Progress::Failed(Trouble::Photo(fault))),
            Reply::Teach(reply) => vec![Effect::TellTeacher(reply)],
            Reply::Explained { id, class, heat_map } => {
                self.explained(id, class, heat_map);
                vec![]
            }
            // Its pixels come with an action of their own.
            Reply::Input { .. } | Reply::Whole { .. } => vec![],
            Reply::NotShown { id, fault } => {
                self.not_shown(Some(id), Lack::Photo(fault));
                vec![]
            }
        }
    }

    /// Stops the loading. A download goes on from the shards that were checked.
    pub(super) fn pause(&mut self) -> Vec<Effect> {
        match self.engine {
            Engine::Loading(loading) => {
                self.engine = Engine::Paused(loading);
                // Photos may have been in hand when their GPU failed.
                self.wait_again();
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

    /// What is in hand waits for the next worker, which is started at once where the last one had a model. A photo
    /// that several workers broke down over gets a sentence; where worker after worker breaks down, or one that has
    /// no model yet, it is left for the visitor to decide.
    pub(super) fn broke(&mut self, breakdown: Breakdown) -> Vec<Effect> {
        let reason = match breakdown {
            Breakdown::Crashed(reason) => reason,
            Breakdown::Misunderstood(reason) => {
                self.wait_again();
                self.engine = Engine::Failed(Problem::Misunderstood(reason));
                return vec![Effect::StopWorker];
            }
        };
        self.crashes.note();
        match self.in_flight[..] {
            [id] if self.crashes.is_too_much(id) => {
                self.in_flight.clear();
                self.change(id, |photo| photo.progress = Progress::Failed(Trouble::Crashed));
            }
            [_] => self.wait_again(),
            // Of several nobody knows which was to blame: they go one by one.
            _ => {
                self.careful += self.in_flight.len();
                self.wait_again();
            }
        }
        let problem = match self.engine {
            Engine::Ready { .. } if self.crashes.may_go_on() => return self.start_worker(),
            // Most often memory ran short: shared memory may not grow beyond what was set aside.
            Engine::Loading(_) if !self.without_threads => {
                self.without_threads = true;
                return self.start_worker();
            }
            Engine::Choosing | Engine::Starting => Problem::NotStarted(reason),
            _ => Problem::Crashed(reason),
        };
        self.engine = Engine::Failed(problem);
        vec![Effect::StopWorker]
    }

    /// The worker's script has not begun: another worker may get it. After some it is the network that is slow.
    pub(super) fn not_begun(&mut self) -> Vec<Effect> {
        if self.engine != Engine::Starting || self.not_begun >= MOST_NOT_BEGUN {
            return vec![];
        }
        self.not_begun += 1;
        self.start_worker()
    }

    /// The browser has put the page away, with its worker ended, and shows it once more.
    pub(super) fn returned(&mut self) -> Vec<Effect> {
        match self.engine {
            Engine::Starting
            | Engine::Finding
            | Engine::Asking(_)
            | Engine::Loading(_)
            | Engine::Ready { .. } => {
                self.wait_again();
                self.not_shown(None, Lack::NoModel);
                self.start_worker()
            }
            Engine::Choosing | Engine::Paused(_) | Engine::Failed(_) => vec![],
        }
    }

    /// What the worker had in hand waits for the next one.
    fn wait_again(&mut self) {
        for id in std::mem::take(&mut self.in_flight) {
            self.change(id, |photo| photo.progress = Progress::Queued);
        }
    }
}
