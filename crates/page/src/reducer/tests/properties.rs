//! Whatever happens, in whatever order: no photo is lost, none is answered twice, and nothing waits for what can't come.

use super::*;
use crate::import::{ImportAction, ImportStage, NextStep};
use imports::offer_of;
use proptest::prelude::*;
use protocol::fault::{LoadFault, PhotoFault};
use protocol::import::{ImportFault, ImportReply, ImportSource};
use protocol::{Loading, Phase};
use std::collections::BTreeSet;
use tagging::TagBrowser;

const MANIFESTS: [&str; 2] = ["https://host/a.json", "https://elsewhere/b.json"];

/// What a worker was asked and has not answered yet.
#[derive(Clone, Debug, PartialEq)]
enum Request {
    Classify(PhotoId),
    Explain(PhotoId, usize),
    ShowInput(PhotoId),
}

/// The browser around the state, as far as it matters here.
#[derive(Default)]
struct Browser {
    state: State,
    /// The manifest that the worker loads or has loaded, while there is a worker.
    worker: Option<Option<Rc<str>>>,
    requests: Vec<Request>,
    /// Photos that were being unpacked for a worker that is gone.
    unpacking: Vec<PhotoId>,
    /// The import's worker, and whether it was asked for something.
    import_worker: Option<(u64, bool)>,
    /// The choice of a model goes on.
    choosing: bool,
    last_id: PhotoId,
    last_batch: u64,
    /// The photos that the visitor should see.
    photos: BTreeSet<PhotoId>,
    tags: TagBrowser,
}

impl Browser {
    fn update(&mut self, action: Action) {
        let may_ask_again = matches!(action, Action::Reclassify | Action::Worker(Reply::Ready { .. }));
        let answered = |state: &State| -> BTreeSet<PhotoId> {
            let done = |photo: &&Rc<Photo>| matches!(photo.progress, Progress::Done(_));
            state.photos.iter().filter(done).map(|photo| photo.id).collect()
        };
        let before = answered(&self.state);
        let said = format!("{action:?}");
        let engine = || (self.state.engine.clone(), self.state.in_flight.clone(), self.state.photos.clone());
        let is_import = matches!(action, Action::Import(_));
        let untouched = is_import.then(engine);
        for effect in self.state.update(action) {
            self.perform(effect, &before, may_ask_again);
        }
        let is_done = matches!(self.state.import.stage, ImportStage::Done { .. });
        if let Some((engine, in_flight, photos)) = untouched.filter(|_| !is_done) {
            assert_eq!(self.state.engine, engine, "after {said}");
            assert_eq!((&self.state.in_flight, &self.state.photos), (&in_flight, &photos), "after {said}");
        }
        let after = answered(&self.state);
        let lost = before.difference(&after).filter(|&id| self.photos.contains(id)).count();
        assert!(may_ask_again || lost == 0, "an answer is lost by {said}");
        self.check(&said);
    }

    fn perform(&mut self, effect: Effect, answered: &BTreeSet<PhotoId>, may_ask_again: bool) {
        match effect {
            Effect::ChooseModel => self.choosing = true,
            Effect::StartWorker | Effect::StopWorker => {
                self.lose_worker();
                self.worker = (effect == Effect::StartWorker).then_some(None);
            }
            Effect::Load { manifest, .. } => {
                *self.worker.as_mut().expect("a worker to load it") = Some(manifest);
            }
            Effect::Classify(ids) => {
                assert!(self.worker.is_some() && !ids.is_empty());
                for id in ids {
                    assert!(may_ask_again || !answered.contains(&id), "{id} is answered already");
                    self.ask(Request::Classify(id));
                }
            }
            Effect::StartImportWorker(number) => {
                let last = self.import_worker.replace((number, false));
                assert!(last.is_none_or(|(last, _)| last < number), "a number is used twice");
            }
            Effect::StopImportWorker => self.import_worker = None,
            Effect::InspectImport { .. } | Effect::RunImport(_) => {
                self.import_worker.as_mut().expect("a worker to import it").1 = true;
            }
            Effect::Explain { id, class } => self.requests.push(Request::Explain(id, class)),
            Effect::ShowInput(id) => self.requests.push(Request::ShowInput(id)),
            Effect::Tag(effect) => self.tags.perform(effect),
            _ => {}
        }
    }

    fn lose_worker(&mut self) {
        self.tags.lose_worker();
        let requests = std::mem::take(&mut self.requests);
        self.unpacking.extend(requests.iter().filter_map(|request| match request {
            Request::Classify(id) => Some(*id),
            _ => None,
        }));
    }

    fn ask(&mut self, request: Request) {
        assert!(!self.requests.contains(&request), "asked twice: {request:?}");
        self.requests.push(request);
    }

    /// What holds after every action.
    fn check(&self, after: &str) {
        let state = &self.state;
        let ids: Vec<_> = ids(state);
        assert_eq!(ids.len(), self.photos.len(), "after {after}");
        assert!(ids.iter().all(|id| self.photos.contains(id)), "after {after}");
        for photo in &state.photos {
            let in_hand = state.in_flight.contains(&photo.id);
            let running = matches!(photo.progress, Progress::Running(_));
            assert_eq!(running, in_hand, "{} after {after}", photo.id);
        }
        for id in &state.in_flight {
            assert!(
                self.requests.contains(&Request::Classify(*id)),
                "{id} is not with the worker after {after}"
            );
        }
        let ready = matches!(state.engine, Engine::Ready { .. });
        let waiting = state.photos.iter().any(|photo| photo.progress == Progress::Queued);
        if ready && !state.stopped && waiting {
            assert!(!state.in_flight.is_empty(), "the queue stands still after {after}");
        }
        self.tags.check(&state.tagging, after);
        let import = &state.import;
        assert_eq!(import.has_worker(), self.import_worker.is_some(), "{:?} after {after}", import.stage);
        let Some(viewer) = &state.viewer else { return };
        assert!(self.photos.contains(&viewer.id), "a photo that is gone is viewed after {after}");
        if let Explanation::Waiting { class } = viewer.explanation {
            assert!(self.requests.contains(&Request::Explain(viewer.id, class)), "no heat map after {after}");
        }
        if viewer.input == Input::Waiting {
            assert!(self.requests.contains(&Request::ShowInput(viewer.id)), "no input after {after}");
        }
    }

    fn worker_says(&mut self, reply: Reply) {
        self.update(Action::Worker(reply));
    }

    fn ready(&mut self, batch: usize) {
        let Reply::Ready { mut model, mut backend, kept } = ready_reply() else { unreachable!() };
        if let Some(Some(manifest)) = &self.worker {
            (model.sha256, backend.batch) = (manifest.to_string(), batch);
            self.worker_says(Reply::Ready { model, backend, kept });
        }
    }

    /// Answers the request at this place, well or badly.
    fn answer(&mut self, place: usize, how: u8) {
        if self.requests.is_empty() || !matches!(self.state.engine, Engine::Ready { .. }) {
            return;
        }
        let request = self.requests.remove(place % self.requests.len());
        let fault = PhotoFault::NotAPhoto;
        let seen = protocol::Area { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
        let map = protocol::HeatMap { grid: 1, contributions: vec![1.0], constant: 0.0, logit: 1.0, seen };
        self.update(match (request, how % 4) {
            (Request::Classify(id), 0) => Action::PhotoUnreadable(id, PhotoError::NotUnpacked),
            (Request::Classify(id), 1) => Action::Worker(Reply::Failed { id, fault, message: String::new() }),
            (Request::Classify(id), _) => Action::Worker(Reply::Done { id, answer: an_answer(vec![], 1.0) }),
            (Request::Explain(id, _) | Request::ShowInput(id), 0) => Action::PhotoNotReopened(id),
            (Request::Explain(id, _) | Request::ShowInput(id), 1) => {
                Action::Worker(Reply::NotShown { id, fault })
            }
            (Request::Explain(id, class), _) => Action::Worker(Reply::Explained { id, class, heat_map: map }),
            (Request::ShowInput(id), _) => Action::SawInput { id, side: 1, rgba: Rc::from([0; 4]) },
        });
    }

    /// The worker comes a step further on its way to a model.
    fn load_on(&mut self) {
        match (&self.state.engine, &self.worker) {
            (Engine::Starting, Some(None)) => self.worker_says(Reply::Awake { lock: None }),
            (Engine::Finding, Some(Some(_))) => self.worker_says(Reply::Loading(LOADING)),
            (Engine::Loading(_), Some(_)) => self.ready(1),
            _ => {}
        }
    }

    fn import(&mut self, action: ImportAction) {
        self.update(Action::Import(action));
    }

    /// The import's worker says what it can at this point, or something of a worker before it.
    fn import_on(&mut self, how: u8) {
        let Some((number, is_asked)) = self.import_worker else {
            return self.import(ImportAction::Worker(u64::from(how % 4), Reply::Awake { lock: None }));
        };
        let number = if how % 8 == 7 { number - 1 } else { number };
        let reply = match (&self.state.import.stage, is_asked) {
            (_, false) => Reply::Awake { lock: None },
            (ImportStage::Inspecting(source), true) => Reply::Import(ImportReply::Offer(offer_of(source))),
            (ImportStage::Running { offer, .. }, true) => {
                Reply::Import(ImportReply::Done { manifest: offer.source.address() })
            }
            (stage, true) => unreachable!("a worker in {stage:?}"),
        };
        self.import(match how % 8 {
            5 => {
                let fault = ImportFault::NoRoom { missing: 9 };
                let reply = Reply::Import(ImportReply::Failed { fault, message: String::new() });
                ImportAction::Worker(number, reply)
            }
            6 => ImportAction::WorkerFailed(number, WorkerFailure::Crashed("x".into())),
            _ => ImportAction::Worker(number, reply),
        });
    }

    /// Something the visitor does about an import.
    fn import_step(&mut self, which: u8) {
        let (which, place) = (which % 16, which / 16);
        let source = |checkpoint: String| ImportSource { checkpoint, quantization: "q8_0".into() };
        let quantization = || "q8_0".to_owned();
        self.import(match which {
            0 => ImportAction::Ask(source(format!("hf:a/b{}", place % 2))),
            1 => ImportAction::AskFor { text: "nothing".into(), quantization: quantization() },
            2 => ImportAction::FileGiven { name: format!("{}.pth", place % 2), quantization: quantization() },
            3 => ImportAction::Ask(source("file:0.pth".into())),
            4 => ImportAction::FileGivenAgain,
            5..8 => ImportAction::Start,
            8 => ImportAction::Pause,
            9 => ImportAction::Resume,
            10 => ImportAction::Retry,
            11 if place < 4 => ImportAction::Cancel,
            12 => ImportAction::Close,
            13 => ImportAction::PageRestored(self.import_worker.map_or(1, |(number, _)| number)),
            14 if place < 4 => return self.update(Action::ClearStorage),
            15 => return self.update(Action::PickModel("import:hf:a/b0#q8_0".into())),
            _ => return,
        });
    }

    /// The import that there is comes to its end, and it ends well if it can.
    fn finish_import(&mut self) {
        for _ in 0..12 {
            match &self.state.import.stage {
                ImportStage::Inspecting(_) | ImportStage::Running { .. } => self.import_on(0),
                ImportStage::Offered(_) => self.import(ImportAction::Start),
                ImportStage::Paused { .. } if self.state.import.wants_file() => {
                    self.import(ImportAction::FileGivenAgain);
                }
                ImportStage::Paused { .. } => self.import(ImportAction::Resume),
                ImportStage::Failed { .. } => match self.state.import.next_step() {
                    Some(NextStep::ChooseFile) => self.import(ImportAction::FileGivenAgain),
                    Some(NextStep::None) | None => self.import(ImportAction::Cancel),
                    Some(_) => self.import(ImportAction::Retry),
                },
                ImportStage::Done { .. } | ImportStage::Closed => self.import(ImportAction::Close),
            }
        }
        assert_eq!(self.state.import.stage, ImportStage::Closed);
    }

    fn arrive(&mut self, count: u8) {
        self.last_batch += 1;
        let arrivals: Vec<_> = (0..count)
            .map(|at| {
                self.last_id += 1;
                let unusable = (at == 2).then_some(Content::Unusable(PhotoError::NotAFile));
                let content = unusable.unwrap_or(Content::File);
                Arrival { id: self.last_id, name: "a.jpg".into(), content }
            })
            .collect();
        self.photos.extend(arrivals.iter().map(|arrival| arrival.id));
        self.update(Action::Arrived { batch: self.last_batch, arrivals });
    }

    /// One of many things happens.
    fn step(&mut self, (what, which): (u8, u8)) {
        let place = usize::from(which >> 2);
        let id = self.state.photos.get(place % self.state.photos.len().max(1)).map_or(99, |photo| photo.id);
        let crash = |reason: &str| WorkerFailure::Crashed(reason.into());
        // What upsets everything comes less often, so that most of the time something is going on.
        let is_upset = matches!(what, 12..=16 | 23..=29);
        match what {
            _ if is_upset && which % 4 > 0 => {}
            0 | 1 => self.arrive(which % 4),
            2 => {
                self.photos.remove(&id);
                self.update(Action::Remove(id));
            }
            3 if which < 64 => {
                self.photos.clear();
                self.update(Action::Clear);
            }
            4 | 5 => self.update(Action::OpenViewer { id, class: (which & 1 > 0).then_some(place % 3) }),
            6 => self.update(Action::ToggleExplanation(place % 3)),
            7 => self.update(Action::ToggleInput),
            8 => self.update(Action::StepViewer(if which & 1 > 0 { 1 } else { -1 })),
            9 if which < 64 => self.update(Action::CloseViewer),
            10 => self.update(Action::StopQueue(which & 1 > 0)),
            11 => self.update(Action::Retry(id)),
            12 => self.update(Action::PickModel(MANIFESTS[place % 2].into())),
            13 => self.update(Action::Reload),
            14 => self.update(Action::PauseLoading),
            15 => self.update(Action::ResumeLoading),
            16 => self.update(if place & 1 > 0 { Action::AcceptOffer } else { Action::DeclineOffer }),
            17 => self.update(Action::Reclassify),
            18 => self.update(Action::SwitchCamera(which & 1 > 0)),
            19 => self.update(Action::SetLive(which & 1 > 0)),
            20 => self.update(Action::CameraFrame),
            21 => self.update(Action::MoveTo { id, target: self.state.photos.first().map_or(0, |p| p.id) }),
            // From here on the browser and the worker.
            22 if self.choosing => {
                self.choosing = false;
                let broken = || EngineError::BadModelAddress("x".into());
                let choice = if which < 200 { Ok(MANIFESTS[place % 2].into()) } else { Err(broken()) };
                self.update(Action::ModelChosen(choice));
            }
            23 => self.update(Action::PageRestored),
            24 if self.worker.is_some() => self.update(Action::WorkerFailed(crash("x"))),
            // The worker crashes and is replaced without being asked for.
            25 if matches!(self.state.engine, Engine::Loading(_)) => {
                self.lose_worker();
                self.worker = Some(None);
                self.update(Action::WorkerFailed(WorkerFailure::Replaced));
            }
            26 if matches!(self.state.engine, Engine::Loading(_) | Engine::Finding) => {
                let fault = LoadFault::Refused { reason: "x".into() };
                self.worker_says(Reply::LoadFailed { fault, message: String::new() });
            }
            27 if matches!(self.state.engine, Engine::Finding) => {
                let manifest = MANIFESTS[1].into();
                let (name, quantization) = ("b".into(), "q8_0".into());
                let offer = protocol::Offer { manifest, host: "h".into(), name, quantization, bytes: 1 };
                self.worker_says(Reply::AskFirst { offer });
            }
            // The GPU is lost: the worker loads anew, with photos in flight.
            28 if matches!(self.state.engine, Engine::Ready { .. }) => {
                self.worker_says(Reply::Loading(LOADING));
            }
            29 if self.worker.is_some() => {
                self.update(Action::WorkerFailed(WorkerFailure::Misunderstood("x".into())));
            }
            30 if !self.unpacking.is_empty() => {
                let id = self.unpacking.remove(place % self.unpacking.len());
                self.update(Action::PhotoUnreadable(id, PhotoError::NotUnpacked));
            }
            31 if matches!(self.state.engine, Engine::Ready { .. }) => self.ready(1 + place % 4),
            32..44 => self.load_on(),
            44..56 => self.answer(place, which >> 4),
            56..60 => self.import_step(which),
            60..64 => self.import_on(which),
            64..72 => self.update(Action::Tag(TagBrowser::visitor(which))),
            72.. => {
                if let Some(action) = self.tags.answer(which) {
                    self.update(action);
                }
            }
            _ => {}
        }
    }

    /// From now on all goes well, and the visitor wants to see answers.
    fn finish(&mut self) {
        self.finish_import();
        self.update(Action::SwitchCamera(false));
        self.update(Action::StopQueue(false));
        for _ in 0..10 * (self.photos.len() + 10) {
            match &self.state.engine {
                Engine::Choosing => {
                    assert!(self.choosing, "no model is being chosen");
                    self.choosing = false;
                    self.update(Action::ModelChosen(Ok(MANIFESTS[0].into())));
                }
                Engine::Asking(_) => self.update(Action::AcceptOffer),
                Engine::Paused(_) => self.update(Action::ResumeLoading),
                Engine::Failed(_) => self.update(Action::Reload),
                Engine::Ready { .. } => self.answer(0, 3),
                Engine::Starting | Engine::Finding | Engine::Loading(_) => self.load_on(),
            }
        }
        assert_eq!(self.state.counts().left, 0, "{:?}", self.state.engine);
        let waits = |viewer: &Viewer| {
            matches!(viewer.explanation, Explanation::Waiting { .. }) || viewer.input == Input::Waiting
        };
        assert!(!self.state.viewer.as_ref().is_some_and(waits));
    }
}

const LOADING: Loading =
    Loading { phase: Phase::Download, total: 9, here: 3, stored: 0, built: 1, bytes_per_second: None };

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_photo_is_lost_or_answered_twice_and_the_large_view_does_not_wait_in_vain(
        steps in prop::collection::vec((0u8..84, any::<u8>()), 0..250),
    ) {
        let mut browser = Browser::default();
        browser.update(Action::Opened);
        steps.into_iter().for_each(|step| browser.step(step));
        browser.finish();
    }
}
