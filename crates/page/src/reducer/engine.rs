//! The worker and its model: starting, loading, replies and crashes.

use crate::effect::Effect;
use crate::engine::{Engine, EngineError, WorkerFailure};
use crate::models::list::{ListFault, ModelList};
use crate::photo::{PhotoError, Progress, Provenance};
use crate::state::State;
use crate::viewer::NotShownReason;
use protocol::fault::LoadFault;
use protocol::import::Hubs;
use protocol::{Kept, Reply};
use std::rc::Rc;

/// From this size on the page asks the browser not to clear its storage by itself. Some browsers
/// put that to the visitor, which a small model is not worth.
const WORTH_PERSISTING: u64 = 64 << 20;

impl State {
    pub(super) fn on_models_listed(&mut self, list: Result<ModelList, ListFault>) -> Vec<Effect> {
        (self.models, self.hubs, self.list_fault) = match list {
            Ok(ModelList { models, hubs }) => (models.into(), hubs, None),
            Err(fault) => (Rc::default(), Hubs::default(), Some(fault)),
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
        self.choice = None;
        let mut effects = self.stop_worker(Engine::Choosing);
        effects.extend([Effect::ForgetNamedModel, Effect::ChooseModel]);
        effects
    }

    /// The visitor does without the chosen model, which is not in storage any more.
    pub(super) fn use_own_model(&mut self) -> Vec<Effect> {
        let Engine::Failed(EngineError::Load(LoadFault::NotImported { .. })) = self.engine else {
            return vec![];
        };
        self.choice = None;
        let mut effects = self.stop_worker(Engine::Choosing);
        effects.extend([Effect::ForgetModel, Effect::ChooseModel]);
        effects
    }

    /// What the site lists, the site answers for.
    fn load(&self) -> Vec<Effect> {
        let Some(manifest) = self.choice.clone() else { return vec![] };
        let agreed = self.agreed.as_ref() == Some(&manifest) || self.listed_choice().is_some();
        vec![Effect::Load { manifest, agreed }]
    }

    pub(super) fn on_model_chosen(&mut self, choice: Result<Rc<str>, EngineError>) -> Vec<Effect> {
        match choice {
            Ok(manifest) => {
                self.choice = Some(manifest);
                self.start_worker()
            }
            Err(error) => self.stop_worker(Engine::Failed(error)),
        }
    }

    /// Another model takes over. The photo in flight is classified by the new one; answers stay in sight until the new
    /// model is here and gives its own.
    pub(super) fn pick_model(&mut self, manifest: Rc<str>) -> Vec<Effect> {
        let same = self.choice.as_ref() == Some(&manifest);
        if same && !matches!(self.engine, Engine::Failed(_)) {
            return vec![];
        }
        match self.must_be_imported(&manifest) {
            Some(source) => self.ask_for_import(source),
            None => self.take_model(manifest),
        }
    }

    /// The model that was picked, or has just been imported, takes over.
    pub(super) fn take_model(&mut self, manifest: Rc<str>) -> Vec<Effect> {
        self.choice = Some(manifest.clone());
        let mut effects = vec![Effect::RememberModel(manifest)];
        effects.extend(self.start_worker());
        effects
    }

    /// Starts a worker in the place of the one that runs, if any.
    pub(super) fn start_worker(&mut self) -> Vec<Effect> {
        self.lose_worker(Engine::Starting);
        vec![Effect::StartWorker]
    }

    fn stop_worker(&mut self, engine: Engine) -> Vec<Effect> {
        self.lose_worker(engine);
        vec![Effect::StopWorker]
    }

    /// Requeues the photos in flight; what the large view waits for will not come.
    fn lose_worker(&mut self, engine: Engine) {
        self.engine = engine;
        for id in std::mem::take(&mut self.in_flight) {
            self.change(id, |photo| photo.progress = Progress::Queued);
        }
        self.on_not_shown(None, NotShownReason::NoModel);
    }

    /// Loads the model anew, whatever runs.
    pub(super) fn reload(&mut self) -> Vec<Effect> {
        self.crashes.reset_streak();
        let mut effects = self.stop_worker(Engine::Choosing);
        effects.push(Effect::ChooseModel);
        effects
    }

    pub(super) fn on_reply(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
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
                let others = |provenance: &Provenance| provenance.model.sha256 != model.sha256;
                self.requeue_answered(|photo| photo.provenance.as_ref().is_some_and(others));
                self.engine = Engine::Ready { model: Rc::new(model), backend: Rc::new(backend), kept };
                self.times.clear();
                self.whole_times.clear();
                self.request_frame();
                effects.extend(self.send_next());
                effects
            }
            Reply::LoadFailed { fault, .. } => self.stop_worker(Engine::Failed(EngineError::Load(fault))),
            // A photo was shown as running when it was sent.
            Reply::Begun | Reply::Started { .. } => vec![],
            Reply::ForwardProgress { id, share } => {
                if self.in_flight.contains(&id) {
                    self.change(id, |photo| photo.progress = Progress::Running(share));
                }
                vec![]
            }
            // Nobody waits for it: it is settled already.
            Reply::Done { id, .. } | Reply::Failed { id, .. } if !self.in_flight.contains(&id) => vec![],
            Reply::Done { id, answer } => {
                self.crashes.reset_streak();
                self.note_time(&answer);
                let provenance = self.provenance();
                self.change(id, |photo| photo.provenance = provenance);
                let mut effects = self.settle(id, Progress::Done(answer));
                effects.extend(self.preview_decoded(id));
                effects
            }
            Reply::Failed { id, fault, .. } => self.settle(id, Progress::Failed(PhotoError::Photo(fault))),
            Reply::Teach(reply) => vec![Effect::TeachReply(reply)],
            // Imports have a worker of their own.
            Reply::Import(_) => vec![],
            Reply::ClassesFound { query, classes, count } => {
                self.on_classes_found(&query, classes, count);
                vec![]
            }
            Reply::PathsNamed { number, classes, kinds, unknown } => {
                self.on_paths_named(number, &classes, &kinds, unknown)
            }
            Reply::Explained { id, class, heat_map } => {
                self.explained(id, class, heat_map);
                vec![]
            }
            // Its pixels come with an action of their own.
            Reply::Input { .. } | Reply::Whole { .. } => vec![],
            Reply::NotShown { id, fault } => {
                self.on_not_shown(Some(id), NotShownReason::Photo(fault));
                vec![]
            }
        }
    }

    /// Stops the loading. A download goes on from the shards that were checked.
    pub(super) fn pause(&mut self) -> Vec<Effect> {
        match self.engine {
            Engine::Loading(loading) => {
                let mut effects = self.stop_worker(Engine::Paused(loading));
                effects.push(Effect::MeasureStorage);
                effects
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

    /// What is in flight is requeued for the next worker, which is started at once where the last one had a model. A
    /// photo that several workers crashed on counts as failed; where worker after worker crashes, or one that has no
    /// model yet, it is left for the visitor to decide.
    pub(super) fn on_worker_failed(&mut self, failure: WorkerFailure) -> Vec<Effect> {
        let reason = match failure {
            WorkerFailure::Crashed(reason) => Some(reason),
            // The visitor may have stopped it meanwhile, with the one in its place.
            WorkerFailure::Replaced if !matches!(self.engine, Engine::Loading(_)) => return vec![],
            WorkerFailure::Replaced => None,
            WorkerFailure::Misunderstood(reason) => {
                return self.stop_worker(Engine::Failed(EngineError::Misunderstood(reason)));
            }
        };
        self.crashes.note();
        match self.in_flight[..] {
            [id] if self.crashes.gives_up_on(id) => {
                self.in_flight.clear();
                self.change(id, |photo| photo.progress = Progress::Failed(PhotoError::Crashed));
            }
            [_] => {}
            // Of several nobody knows which was to blame: they go one by one.
            _ => self.one_by_one += self.in_flight.len(),
        }
        let Some(reason) = reason else {
            self.lose_worker(Engine::Starting);
            return vec![];
        };
        let error = match self.engine {
            Engine::Ready { .. } if self.crashes.may_restart() => return self.start_worker(),
            Engine::Choosing | Engine::Starting => EngineError::NotStarted(reason),
            _ => EngineError::Crashed(reason),
        };
        self.stop_worker(Engine::Failed(error))
    }

    /// The browser has put the page away, with its worker ended, and shows it once more.
    pub(super) fn on_page_restored(&mut self) -> Vec<Effect> {
        match self.engine {
            Engine::Starting
            | Engine::Finding
            | Engine::Asking(_)
            | Engine::Loading(_)
            | Engine::Ready { .. } => self.start_worker(),
            Engine::Choosing | Engine::Paused(_) | Engine::Failed(_) => vec![],
        }
    }
}
