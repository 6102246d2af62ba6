//! The worker and its model.

use super::*;
use protocol::fault::{LoadFault, PhotoFault};
use protocol::{Loading, Phase};

#[test]
fn a_photo_with_an_answer_or_a_lasting_error_is_not_tried_again() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    done(&mut state, 1, 40.0);
    state.update(Action::Worker(Reply::Failed {
        id: 2,
        fault: PhotoFault::NotAPhoto,
        message: String::new(),
    }));
    assert_eq!(state.update(Action::Retry(1)), []);
    assert_eq!(state.update(Action::Retry(2)), []);
    assert_eq!(data_states(&state), ["done", "error"]);
}

#[test]
fn a_worker_that_never_started_differs_from_one_that_crashed() {
    let mut state = State::default();
    state.update(Action::ModelChosen(Ok("https://host/m.json".into())));
    crash(&mut state);
    assert_eq!(state.engine, Engine::Failed(EngineError::NotStarted("unreachable".into())));
}

#[test]
fn a_failed_load_keeps_the_photos_for_the_next_try() {
    let mut state = State::default();
    arrive(&mut state, 1, &[1]);
    let failed = Reply::LoadFailed { fault: LoadFault::Address { url: "x".into() }, message: String::new() };
    assert_eq!(state.update(Action::Worker(failed)), [Effect::StopWorker]);
    assert_eq!(data_states(&state), ["queued"]);
    assert_eq!(state.update(Action::Reload), [Effect::StopWorker, Effect::ChooseModel]);
    assert_eq!(state.engine, Engine::Choosing);
    assert_eq!(
        state.update(Action::Worker(ready_reply())),
        [Effect::MeasureStorage, Effect::Classify(vec![1])]
    );
}

/// A GPU was lost, and the weights could not be had for the processor.
#[test]
fn a_model_that_is_lost_with_a_photo_in_flight_loses_no_photo() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    assert_eq!(data_states(&state), ["running", "queued"]);
    let fault = LoadFault::Unreachable { url: "x".into(), reason: "y".into() };
    let failed = Reply::LoadFailed { fault, message: String::new() };
    assert_eq!(state.update(Action::Worker(failed)), [Effect::StopWorker]);
    assert_eq!(data_states(&state), ["queued", "queued"]);
    state.update(Action::Reload);
    let effects = state.update(Action::Worker(ready_reply()));
    assert_eq!(effects, [Effect::MeasureStorage, Effect::Classify(vec![1])]);
}

#[test]
fn loading_is_shown_as_the_worker_tells_it() {
    let mut state = State::default();
    state.update(Action::Worker(Reply::Loading(LOADING)));
    assert_eq!(state.engine, Engine::Loading(LOADING));
}

const LOADING: Loading =
    Loading { phase: Phase::Download, total: 9, here: 3, stored: 0, built: 1, bytes_per_second: None };

#[test]
fn a_paused_download_keeps_the_photos_and_goes_on_with_a_new_worker() {
    let mut state = State::default();
    state.update(Action::ModelChosen(Ok("https://host/m.json".into())));
    assert_eq!(state.update(Action::PauseLoading), [], "there is no download yet");
    state.update(Action::Worker(Reply::Loading(LOADING)));
    arrive(&mut state, 1, &[1]);
    assert_eq!(state.update(Action::PauseLoading), [Effect::StopWorker, Effect::MeasureStorage]);
    assert_eq!(state.engine, Engine::Paused(LOADING));
    assert_eq!(data_states(&state), ["queued"]);
    assert_eq!(state.update(Action::ResumeLoading), [Effect::StartWorker]);
    assert_eq!(
        state.update(Action::Worker(ready_reply())),
        [Effect::MeasureStorage, Effect::Classify(vec![1])]
    );
}

#[test]
fn only_a_large_model_asks_the_browser_to_keep_its_storage() {
    let mut state = State::default();
    let Reply::Ready { mut model, backend, kept } = ready_reply() else { panic!("not ready") };
    model.bytes = 323_000_000;
    let effects = state.update(Action::Worker(Reply::Ready { model, backend, kept }));
    assert_eq!(effects, [Effect::MeasureStorage, Effect::PersistStorage]);
}

#[test]
fn storage_is_told_and_cleared_while_the_model_goes_on_answering() {
    let mut state = ready();
    let kept = crate::storage::StorageContents { bytes: Some(23_000_000), ..Default::default() };
    state.update(Action::StorageMeasured(kept.clone()));
    assert_eq!(state.stored, kept);
    assert_eq!(state.update(Action::ClearStorage), [Effect::ClearStorage]);
    assert!(matches!(state.engine, Engine::Ready { .. }));
}
