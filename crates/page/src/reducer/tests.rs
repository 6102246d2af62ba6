//! The state's tests, by what they are about, and the states they begin with.

mod crashes;
mod engine;
mod imports;
mod listing;
mod models;
mod properties;
mod queue;
mod tagging;
mod viewer;

use crate::action::Action;
use crate::camera::CAMERA;
use crate::effect::{Effect, Focus};
use crate::engine::{Engine, EngineError, WorkerFailure};
use crate::listing::SortOrder;
use crate::models::list::{ListFault, Listed, ModelList};
use crate::photo::{Arrival, CARD_SIDE, Content, Photo, PhotoError, PhotoId, Preview, Progress, VIEWER_SIDE};
use crate::sharing::SharedRecord;
use crate::state::{Counts, State};
use crate::viewer::{Explanation, Input, NotShownReason, Viewer};
use protocol::{Answer, BackendInfo, Kept, ModelInfo, Prediction, Reply};
use std::rc::Rc;

/// A state with the model ready, reached the way the page reaches it.
fn ready() -> State {
    let mut state = State::default();
    let manifest: Rc<str> = "https://host/models/demo/manifest.json".into();
    assert_eq!(state.update(Action::Opened), [Effect::ChooseModel]);
    assert_eq!(state.update(Action::ModelChosen(Ok(manifest.clone()))), [Effect::StartWorker]);
    assert_eq!(
        state.update(Action::Worker(Reply::Awake { lock: None })),
        [Effect::Load { manifest, agreed: false }]
    );
    state.update(Action::Worker(ready_reply()));
    state
}

fn ready_reply() -> Reply {
    let model = ModelInfo {
        name: "tiny".into(),
        quantization: "q8_0".into(),
        bytes: 23_000_000,
        parameters: 21_600_000,
        classes: 200,
        image_size: 112,
        card: None,
        sha256: "00".repeat(32),
    };
    let backend =
        BackendInfo { kind: "cpu".into(), detail: "simd128".into(), threads: 1, batch: 1, reasons: vec![] };
    Reply::Ready { model, backend, kept: Kept::Yes }
}

fn arrive(state: &mut State, batch: u64, ids: &[PhotoId]) -> Vec<Effect> {
    let arrival = |&id: &PhotoId| Arrival { id, name: format!("{id}.jpg").into(), content: Content::File };
    state.update(Action::Arrived { batch, arrivals: ids.iter().map(arrival).collect() })
}

fn done(state: &mut State, id: PhotoId, ms: f64) -> Vec<Effect> {
    let prediction =
        Prediction { index: 3, wnid: "n1".into(), label: "cat".into(), label_zh: "猫".into(), score: 0.5 };
    answered(state, id, vec![prediction], ms)
}

fn answered(state: &mut State, id: PhotoId, predictions: Vec<Prediction>, ms: f64) -> Vec<Effect> {
    let answer = an_answer(predictions, ms);
    state.update(Action::Worker(Reply::Done { id, answer }))
}

fn an_answer(predictions: Vec<Prediction>, ms: f64) -> Answer {
    Answer {
        reading: protocol::Reading::default(),
        predictions,
        none_of: None,
        width: 4,
        height: 3,
        decode_ms: 1.0,
        stages: vec![],
        ms,
        kind: None,
        bytes: 9,
        sha256: "00".repeat(32),
    }
}

fn crash(state: &mut State) -> Vec<Effect> {
    state.update(Action::WorkerFailed(WorkerFailure::Crashed("unreachable".into())))
}

fn ids(state: &State) -> Vec<PhotoId> {
    state.photos.iter().map(|photo| photo.id).collect()
}

fn data_states(state: &State) -> Vec<&'static str> {
    state.photos.iter().map(|photo| photo.progress.data_state()).collect()
}

/// Answers photos 1, 2 and 3 with a cat (0.4), a dog (0.9) and a cat (0.6).
fn three_answers() -> State {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3]);
    for (id, label, label_zh, score) in [(1, "cat", "猫", 0.4), (2, "dog", "狗", 0.9), (3, "cat", "猫", 0.6)]
    {
        let (label, label_zh) = (label.into(), label_zh.into());
        let prediction = Prediction { index: id as usize, wnid: "n1".into(), label, label_zh, score };
        answered(&mut state, id, vec![prediction], 40.0);
    }
    state
}

fn listed(state: &State) -> Vec<PhotoId> {
    state.listed().iter().map(|photo| photo.id).collect()
}
