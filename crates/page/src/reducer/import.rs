//! The import of a checkpoint: asked for, offered, run by a worker of its own, paused, taken into use. Until its model
//! is in storage nothing here touches the model that answers photos, nor their queue.

use crate::effect::{Effect, Focus};
use crate::engine::WorkerFailure;
use crate::import::{ImportAction, ImportStage, NextStep, reference};
use crate::state::State;
use protocol::Reply;
use protocol::import::{ImportFault, ImportOffer, ImportReply, ImportSource};
use std::rc::Rc;

impl State {
    pub(super) fn on_import(&mut self, action: ImportAction) -> Vec<Effect> {
        match action {
            ImportAction::Ask(source) => self.ask_for_import(source),
            ImportAction::AskFor { text, quantization } => match reference::parse(&text) {
                Some(checkpoint) => self.ask_for_import(ImportSource { checkpoint, quantization }),
                None => self.refuse_reference(text, quantization),
            },
            ImportAction::FileGiven { name, quantization } => {
                let source = ImportSource { checkpoint: format!("file:{name}"), quantization };
                if !self.import_blocks(&source) {
                    self.import.file = Some(source.checkpoint.as_str().into());
                }
                self.ask_for_import(source)
            }
            ImportAction::FileGivenAgain => self.on_file_given_again(),
            ImportAction::Start => match &self.import.stage {
                ImportStage::Offered(offer) if offer.missing_bytes == 0 => self.run_import(offer.clone()),
                _ => vec![],
            },
            ImportAction::Pause => self.pause_import(),
            ImportAction::Resume => match &self.import.stage {
                ImportStage::Paused { offer, .. } if !self.import.wants_file() => {
                    self.run_import(offer.clone())
                }
                _ => vec![],
            },
            ImportAction::Retry => match self.import.next_step() {
                Some(NextStep::GoOn | NextStep::TryAgain) => self.retry_import(),
                Some(NextStep::ChooseFile | NextStep::None) | None => vec![],
            },
            ImportAction::Cancel => match self.import.under_way().map(|offer| offer.source.address()) {
                Some(address) => self.discard_import(&address),
                None => self.close_import(),
            },
            ImportAction::Close => match self.import.under_way() {
                // Its parts are in storage: it goes on or is discarded.
                Some(_) => vec![],
                None => self.close_import(),
            },
            ImportAction::Worker(worker, reply) if self.is_import_worker(worker) => {
                self.on_import_worker(reply)
            }
            ImportAction::WorkerFailed(worker, failure) if self.is_import_worker(worker) => match failure {
                WorkerFailure::Crashed(reason) | WorkerFailure::Misunderstood(reason) => {
                    self.fail_import(ImportFault::Crashed { reason })
                }
                // The next one asks what to do once it is awake.
                WorkerFailure::Replaced => vec![],
            },
            ImportAction::PageRestored(worker) if self.is_import_worker(worker) => self.start_import_worker(),
            // Of a worker before this one.
            ImportAction::Worker(..) | ImportAction::WorkerFailed(..) | ImportAction::PageRestored(_) => {
                vec![]
            }
        }
    }

    /// What the visit before has left: shown once, and not over what the visitor has asked for meanwhile.
    pub(super) fn find_unfinished_import(&mut self, imports: &[Rc<ImportOffer>]) {
        let is_first = !std::mem::replace(&mut self.import.looked, true);
        if is_first
            && self.import.stage == ImportStage::Closed
            && let Some(offer) = imports.first()
        {
            self.enter(ImportStage::Paused { offer: offer.clone(), received: offer.resumed_bytes });
        }
    }

    /// All weights are about to be removed from storage, and what an import has put there with them.
    pub(super) fn end_import_before_clearing(&mut self) -> Vec<Effect> {
        if self.import.under_way().is_none() {
            return vec![];
        }
        self.enter(ImportStage::Closed);
        vec![Effect::StopImportWorker]
    }

    /// Whether the model at this address is an imported one that is not in storage as a whole.
    pub(super) fn must_be_imported(&self, manifest: &str) -> Option<ImportSource> {
        let is_whole = |address: &str| {
            self.stored.models.iter().any(|model| &*model.manifest == address && model.here == model.bytes)
        };
        ImportSource::of(manifest).filter(|_| !is_whole(manifest))
    }

    pub(super) fn ask_for_import(&mut self, source: ImportSource) -> Vec<Effect> {
        if self.import_blocks(&source) {
            self.import.refused = true;
            return vec![Effect::Focus(Focus::Import)];
        }
        match &self.import.stage {
            ImportStage::Running { .. } => vec![Effect::Focus(Focus::Import)],
            ImportStage::Paused { offer, .. } if !self.import.wants_file() => self.run_import(offer.clone()),
            ImportStage::Paused { .. } => vec![Effect::Focus(Focus::Import)],
            _ if self.import.lacks_file(&source) => {
                let file = source.checkpoint.trim_start_matches("file:").to_owned();
                self.refuse(source, ImportFault::Unreadable { file })
            }
            _ => self.inspect(source),
        }
    }

    /// Whether another import has to end before this one.
    fn import_blocks(&self, source: &ImportSource) -> bool {
        let is_held = matches!(self.import.stage, ImportStage::Running { .. } | ImportStage::Paused { .. });
        is_held && self.import.under_way().is_some_and(|offer| offer.source != *source)
    }

    fn refuse_reference(&mut self, got: String, quantization: String) -> Vec<Effect> {
        let source = ImportSource { checkpoint: got.clone(), quantization };
        if self.import_blocks(&source) {
            return self.ask_for_import(source);
        }
        let reason = "a model is named by hub, owner and name".to_owned();
        self.refuse(source, ImportFault::NotAReference { got, reason })
    }

    /// What the visitor asks for can't even be looked up.
    fn refuse(&mut self, source: ImportSource, fault: ImportFault) -> Vec<Effect> {
        let stop = self.import.has_worker().then_some(Effect::StopImportWorker);
        self.enter(ImportStage::Failed { source, offer: None, fault });
        stop.into_iter().chain([Effect::Focus(Focus::Import)]).collect()
    }

    fn inspect(&mut self, source: ImportSource) -> Vec<Effect> {
        self.enter(ImportStage::Inspecting(source));
        self.start_import_worker()
    }

    fn run_import(&mut self, offer: Rc<ImportOffer>) -> Vec<Effect> {
        self.enter(ImportStage::Running { offer, progress: None });
        let mut effects = self.start_import_worker();
        // The button that began it is gone.
        effects.push(Effect::Focus(Focus::Import));
        effects
    }

    /// Each step gets a worker of its own: the one before may have died with the page, or with its memory used up.
    fn start_import_worker(&mut self) -> Vec<Effect> {
        self.import.worker += 1;
        vec![Effect::StartImportWorker(self.import.worker)]
    }

    fn retry_import(&mut self) -> Vec<Effect> {
        let ImportStage::Failed { source, offer, .. } = &self.import.stage else { return vec![] };
        match offer.clone() {
            Some(offer) => self.run_import(offer),
            None => self.inspect(source.clone()),
        }
    }

    fn on_file_given_again(&mut self) -> Vec<Effect> {
        let (source, offer) = match &self.import.stage {
            ImportStage::Paused { offer, .. } => (&offer.source, Some(offer)),
            ImportStage::Failed { source, offer, .. } => (source, offer.as_ref()),
            _ => return vec![],
        };
        if !source.is_file() {
            return vec![];
        }
        self.import.file = Some(source.checkpoint.as_str().into());
        match offer.cloned() {
            Some(offer) => self.run_import(offer),
            None => self.inspect(source.clone()),
        }
    }

    fn pause_import(&mut self) -> Vec<Effect> {
        let ImportStage::Running { offer, progress } = &self.import.stage else { return vec![] };
        let received = progress.as_ref().map_or(offer.resumed_bytes, |progress| progress.received);
        let offer = offer.clone();
        self.enter(ImportStage::Paused { offer, received });
        vec![Effect::StopImportWorker, Effect::Focus(Focus::Import)]
    }

    fn discard_import(&mut self, address: &str) -> Vec<Effect> {
        self.enter(ImportStage::Closed);
        vec![Effect::StopImportWorker, Effect::RemoveImport(address.into()), Effect::Focus(Focus::Models)]
    }

    fn close_import(&mut self) -> Vec<Effect> {
        if self.import.stage == ImportStage::Closed {
            return vec![];
        }
        let stop = self.import.has_worker().then_some(Effect::StopImportWorker);
        self.enter(ImportStage::Closed);
        stop.into_iter().chain([Effect::Focus(Focus::Models)]).collect()
    }

    fn is_import_worker(&self, number: u64) -> bool {
        self.import.has_worker() && self.import.worker == number
    }

    fn on_import_worker(&mut self, reply: Reply) -> Vec<Effect> {
        match (reply, &mut self.import.stage) {
            (Reply::Awake { .. }, ImportStage::Inspecting(source)) => {
                vec![Effect::InspectImport { source: source.clone(), hubs: self.hubs.clone() }]
            }
            (Reply::Awake { .. }, ImportStage::Running { offer, .. }) => {
                vec![Effect::RunImport(offer.clone())]
            }
            (Reply::Import(ImportReply::Offer(offer)), ImportStage::Inspecting(_)) => {
                self.enter(ImportStage::Offered(Rc::new(offer)));
                vec![Effect::StopImportWorker, Effect::Focus(Focus::Import)]
            }
            (Reply::Import(ImportReply::Progress(new)), ImportStage::Running { progress, .. }) => {
                *progress = Some(new);
                vec![]
            }
            (Reply::Import(ImportReply::Done { manifest }), ImportStage::Running { offer, .. }) => {
                let (name, bytes) = (offer.name.as_str().into(), offer.kept_bytes);
                self.enter(ImportStage::Done { name, bytes });
                let mut effects =
                    vec![Effect::StopImportWorker, Effect::PersistStorage, Effect::MeasureStorage];
                effects.extend(self.take_model(manifest.into()));
                effects
            }
            (Reply::Import(ImportReply::Failed { fault, .. }), _) => self.fail_import(fault),
            _ => vec![],
        }
    }

    fn fail_import(&mut self, fault: ImportFault) -> Vec<Effect> {
        let (source, offer) = match &self.import.stage {
            ImportStage::Inspecting(source) => (source.clone(), None),
            ImportStage::Running { offer, .. } => (offer.source.clone(), Some(offer.clone())),
            _ => return vec![],
        };
        // Who waits for an offer is told; one that fails after minutes takes the focus from nobody.
        let focus = offer.is_none().then_some(Effect::Focus(Focus::Import));
        if matches!(fault, ImportFault::Unreadable { .. }) {
            self.import.file = None;
        }
        self.enter(ImportStage::Failed { source, offer, fault });
        [Effect::StopImportWorker].into_iter().chain(focus).collect()
    }

    fn enter(&mut self, stage: ImportStage) {
        self.import.stage = stage;
        self.import.refused = false;
        self.import.looked = true;
    }
}
