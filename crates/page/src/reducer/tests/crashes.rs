//! Workers that crash.

use super::*;

/// The next worker has its model.
fn started(state: &mut State) -> Vec<Effect> {
    state.update(Action::Worker(ready_reply())).into_iter().skip(1).collect()
}

#[test]
fn the_photo_in_flight_goes_to_the_next_worker() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3]);
    done(&mut state, 1, 40.0);
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    assert_eq!((data_states(&state), state.crashes.total()), (vec!["done", "queued", "queued"], 1));
    assert_eq!(state.engine, Engine::Starting);
    assert_eq!(started(&mut state), [Effect::Classify(vec![2])]);
    assert_eq!(done(&mut state, 2, 40.0), [Effect::Classify(vec![3])]);
}

#[test]
fn a_photo_that_three_workers_crashed_on_fails_and_the_queue_goes_on() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    for _ in 0..2 {
        assert_eq!(crash(&mut state), [Effect::StartWorker]);
        assert_eq!(started(&mut state), [Effect::Classify(vec![1])]);
    }
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    assert_eq!(state.photos[0].progress, Progress::Failed(PhotoError::Crashed));
    assert_eq!(started(&mut state), [Effect::Classify(vec![2])]);
    done(&mut state, 2, 40.0);
    // The visitor's own wish gets three tries again.
    assert_eq!(state.update(Action::Retry(1)), [Effect::Classify(vec![1])]);
    crash(&mut state);
    assert_eq!(started(&mut state), [Effect::Classify(vec![1])]);
    done(&mut state, 1, 40.0);
    assert_eq!(data_states(&state), ["done", "done"]);
}

#[test]
fn worker_after_worker_that_crashes_is_left_for_the_visitor_to_decide() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3, 4]);
    for _ in 0..8 {
        assert_eq!(crash(&mut state), [Effect::StartWorker]);
        started(&mut state);
    }
    assert_eq!(crash(&mut state), [Effect::StopWorker]);
    assert_eq!(state.engine, Engine::Failed(EngineError::Crashed("unreachable".into())));
    assert_eq!(data_states(&state), ["error", "error", "error", "queued"]);
    assert_eq!(state.update(Action::Reload), [Effect::StopWorker, Effect::ChooseModel]);
    state.update(Action::Worker(ready_reply()));
    assert_eq!(crash(&mut state), [Effect::StartWorker], "tries are counted anew");
}

#[test]
fn a_worker_that_crashes_before_it_has_a_model_is_not_started_again_unasked() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    crash(&mut state);
    assert_eq!(crash(&mut state), [Effect::StopWorker]);
    assert_eq!(state.engine, Engine::Failed(EngineError::NotStarted("unreachable".into())));
    assert_eq!(data_states(&state), ["queued"], "the photo waits");
}

#[test]
fn a_worker_that_crashes_with_nothing_in_flight_is_started_again() {
    let mut state = ready();
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    arrive(&mut state, 1, &[1]);
    assert_eq!(started(&mut state), [Effect::Classify(vec![1])]);
}

#[test]
fn a_worker_that_is_replaced_while_it_loads_is_asked_for_everything_anew() {
    let mut state = State::default();
    state.update(Action::ModelChosen(Ok("https://host/m.json".into())));
    let loading = protocol::Loading {
        phase: protocol::Phase::Download,
        total: 9,
        here: 3,
        stored: 0,
        built: 1,
        bytes_per_second: None,
    };
    arrive(&mut state, 1, &[1]);
    state.update(Action::Worker(Reply::Loading(loading)));
    assert_eq!(state.update(Action::WorkerFailed(WorkerFailure::Replaced)), [], "another one starts already");
    assert_eq!((&state.engine, state.crashes.total()), (&Engine::Starting, 1));
    let load = Effect::Load { manifest: "https://host/m.json".into(), agreed: false };
    assert_eq!(state.update(Action::Worker(Reply::Awake { lock: None })), [load]);
    state.update(Action::Worker(Reply::Loading(loading)));
    assert_eq!(crash(&mut state), [Effect::StopWorker]);
    assert!(matches!(state.engine, Engine::Failed(EngineError::Crashed(_))));
    assert_eq!(data_states(&state), ["queued"]);
}

#[test]
fn a_page_that_was_put_away_starts_its_worker_again_and_keeps_its_photos() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    assert_eq!(state.update(Action::PageRestored), [Effect::StartWorker]);
    assert_eq!(data_states(&state), ["queued", "queued"]);
    let mut failed = State::default();
    failed.update(Action::Worker(Reply::LoadFailed {
        fault: protocol::fault::LoadFault::Address { url: "x".into() },
        message: String::new(),
    }));
    assert_eq!(failed.update(Action::PageRestored), []);
}

/// It was being unpacked when its worker crashed, and was unpacked for the next one before that failed.
#[test]
fn a_failure_to_unpack_for_an_earlier_worker_leaves_the_answer() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    crash(&mut state);
    assert_eq!(started(&mut state), [Effect::Classify(vec![1])]);
    done(&mut state, 1, 40.0);
    assert_eq!(state.update(Action::PhotoUnreadable(1, PhotoError::NotUnpacked)), []);
    assert_eq!(data_states(&state), ["done"]);
}
