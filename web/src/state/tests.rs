use super::queue::TIMED_PHOTOS;
use super::*;
use crate::photo::{Content, Trouble};
use protocol::{Answer, BackendInfo, Kept, Loading, ModelInfo, Phase, Prediction};

/// A state with the model ready, reached the way the page reaches it.
fn ready() -> State {
    let mut state = State::default();
    let choice = Choice { manifest: "https://host/models/demo/manifest.json".into(), note: None };
    assert_eq!(state.update(Action::Opened), [Effect::ChooseModel]);
    assert_eq!(state.update(Action::Chosen(Ok(choice.clone()))), [Effect::StartWorker]);
    assert_eq!(state.update(Action::Worker(Reply::Awake)), [Effect::Load { manifest: choice.manifest }]);
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
    };
    let backend = BackendInfo {
        kind: "cpu".into(),
        detail: "simd128".into(),
        threads: 1,
        reason: "The only one.".into(),
    };
    Reply::Ready { model, backend, kept: Kept::Yes }
}

fn arrive(state: &mut State, batch: u64, ids: &[PhotoId]) -> Vec<Effect> {
    let arrival = |&id: &PhotoId| Arrival {
        id,
        name: format!("{id}.jpg").into(),
        content: Content::File { url: format!("blob:{id}").into() },
    };
    state.update(Action::Arrived { batch, arrivals: ids.iter().map(arrival).collect() })
}

fn done(state: &mut State, id: PhotoId, ms: f64) -> Vec<Effect> {
    let prediction =
        Prediction { index: 3, wnid: "n1".into(), label: "cat".into(), label_zh: "猫".into(), score: 0.5 };
    let answer = Answer { predictions: vec![prediction], width: 4, height: 3, decode_ms: 1.0, ms };
    state.update(Action::Worker(Reply::Done { id, answer }))
}

fn crash(state: &mut State) -> Vec<Effect> {
    state.update(Action::WorkerBroke(Breakdown::Crashed("unreachable".into())))
}

fn ids(state: &State) -> Vec<PhotoId> {
    state.photos.iter().map(|photo| photo.id).collect()
}

fn hooks(state: &State) -> Vec<&'static str> {
    state.photos.iter().map(|photo| photo.progress.hook()).collect()
}

#[test]
fn photos_dropped_before_the_model_is_ready_wait_for_it() {
    let mut state = State::default();
    state.update(Action::Opened);
    assert_eq!(arrive(&mut state, 1, &[1, 2]), []);
    assert_eq!(hooks(&state), ["queued", "queued"]);
    assert_eq!(state.update(Action::Worker(ready_reply())), [Effect::MeasureStorage, Effect::Classify(1)]);
    assert_eq!(hooks(&state), ["running", "queued"]);
}

#[test]
fn one_photo_at_a_time_in_the_order_they_came() {
    let mut state = ready();
    assert_eq!(arrive(&mut state, 1, &[1, 2]), [Effect::Classify(1)]);
    assert_eq!(arrive(&mut state, 2, &[3]), []);
    assert_eq!(state.counts().left, 3);
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(2)]);
    let failed = Reply::Failed { id: 2, message: "Not a photo.".into() };
    assert_eq!(state.update(Action::Worker(failed)), [Effect::Classify(3)]);
    assert_eq!(done(&mut state, 3, 40.0), []);
    assert_eq!(state.counts(), Counts { left: 0, done: 2, failed: 1 });
}

#[test]
fn the_newest_batch_stands_on_top_in_its_own_order() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    arrive(&mut state, 2, &[3, 4]);
    arrive(&mut state, 2, &[5]);
    assert_eq!(ids(&state), [3, 4, 5, 1, 2]);
}

#[test]
fn a_batch_that_loses_photos_on_the_way_keeps_its_place() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    arrive(&mut state, 2, &[2, 3]);
    state.update(Action::Remove(2));
    arrive(&mut state, 2, &[4]);
    assert_eq!(ids(&state), [3, 4, 1]);
    state.update(Action::Clear);
    arrive(&mut state, 2, &[5]);
    assert_eq!(ids(&state), [5]);
}

#[test]
fn what_is_not_a_file_gets_a_card_and_is_not_sent() {
    let mut state = ready();
    let arrivals =
        vec![Arrival { id: 1, name: "holiday".into(), content: Content::Unusable(Trouble::Folder) }];
    assert_eq!(state.update(Action::Arrived { batch: 1, arrivals }), []);
    assert_eq!(hooks(&state), ["error"]);
    assert_eq!(state.photos[0].preview, Preview::Unavailable);
}

#[test]
fn a_photo_removed_while_running_does_not_stop_the_queue() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    assert_eq!(state.update(Action::Remove(1)), [Effect::Forget(1), Effect::Focus(Focus::Remove(2))]);
    assert_eq!(hooks(&state), ["queued"], "the worker still has the first one in hand");
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(2)]);
}

#[test]
fn focus_moves_to_a_neighbour_or_back_to_the_picker() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    assert!(state.update(Action::Remove(2)).contains(&Effect::Focus(Focus::Remove(1))));
    assert!(state.update(Action::Remove(1)).contains(&Effect::Focus(Focus::Picker)));
    assert_eq!(state.update(Action::Remove(1)), [], "it is gone already");
}

#[test]
fn clearing_lets_go_of_every_file() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    let expected = [Effect::Forget(1), Effect::Forget(2), Effect::Focus(Focus::Picker)];
    assert_eq!(state.update(Action::Clear), expected);
    assert!(state.photos.is_empty());
}

#[test]
fn a_crash_fails_the_photo_in_hand_and_the_others_go_on() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3]);
    done(&mut state, 1, 40.0);
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    assert_eq!(hooks(&state), ["done", "error", "queued"]);
    assert_eq!(state.engine, Engine::Starting);
    assert_eq!(state.update(Action::Worker(ready_reply())), [Effect::MeasureStorage, Effect::Classify(3)]);
}

#[test]
fn a_worker_that_never_answered_is_not_started_again_and_again() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    assert_eq!(crash(&mut state), [Effect::StopWorker]);
    assert_eq!(state.engine, Engine::Failed(Problem::Crashed("unreachable".into())));
    assert_eq!(hooks(&state), ["error", "queued"]);
    assert_eq!(state.update(Action::Reload), [Effect::StopWorker, Effect::ChooseModel]);
}

#[test]
fn a_photo_whose_worker_crashed_can_be_tried_again() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    done(&mut state, 1, 40.0);
    arrive(&mut state, 2, &[2]);
    crash(&mut state);
    state.update(Action::Worker(ready_reply()));
    assert_eq!(state.update(Action::Retry(2)), [Effect::Classify(2)]);

    crash(&mut state);
    let again = state.update(Action::Retry(2));
    assert_eq!(again, [Effect::StopWorker, Effect::ChooseModel], "there is no worker: get one first");
    assert_eq!(hooks(&state), ["queued", "done"]);
}

#[test]
fn a_photo_with_an_answer_or_a_lasting_trouble_is_not_tried_again() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    done(&mut state, 1, 40.0);
    state.update(Action::Worker(Reply::Failed { id: 2, message: "Not a photo.".into() }));
    assert_eq!(state.update(Action::Retry(1)), []);
    assert_eq!(state.update(Action::Retry(2)), []);
    assert_eq!(hooks(&state), ["done", "error"]);
}

#[test]
fn a_worker_that_never_woke_is_told_apart_from_one_that_crashed() {
    let mut state = State::default();
    state.update(Action::Chosen(Ok(Choice { manifest: "https://host/m.json".into(), note: None })));
    crash(&mut state);
    assert_eq!(state.engine, Engine::Failed(Problem::NotStarted("unreachable".into())));
}

#[test]
fn a_failed_load_keeps_the_photos_for_the_next_try() {
    let mut state = State::default();
    arrive(&mut state, 1, &[1]);
    let failed = Reply::LoadFailed { message: "The server is down.".into() };
    assert_eq!(state.update(Action::Worker(failed)), [Effect::StopWorker]);
    assert_eq!(hooks(&state), ["queued"]);
    assert_eq!(state.update(Action::Reload), [Effect::StopWorker, Effect::ChooseModel]);
    assert_eq!(state.engine, Engine::Choosing);
    assert_eq!(state.update(Action::Worker(ready_reply())), [Effect::MeasureStorage, Effect::Classify(1)]);
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
    let choice = Choice { manifest: "https://host/m.json".into(), note: None };
    state.update(Action::Chosen(Ok(choice)));
    assert_eq!(state.update(Action::Pause), [], "there is no download yet");
    state.update(Action::Worker(Reply::Loading(LOADING)));
    arrive(&mut state, 1, &[1]);
    assert_eq!(state.update(Action::Pause), [Effect::StopWorker, Effect::MeasureStorage]);
    assert_eq!(state.engine, Engine::Paused(LOADING));
    assert_eq!(hooks(&state), ["queued"]);
    assert_eq!(state.update(Action::Resume), [Effect::StartWorker]);
    assert_eq!(state.update(Action::Worker(ready_reply())), [Effect::MeasureStorage, Effect::Classify(1)]);
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
    state.update(Action::StorageMeasured(Some(23_000_000)));
    assert_eq!(state.stored, Some(23_000_000));
    assert_eq!(state.update(Action::ClearStorage), [Effect::ClearStorage]);
    assert!(matches!(state.engine, Engine::Ready { .. }));
}

#[test]
fn the_time_a_photo_takes_is_the_median_of_the_last_ones() {
    let mut state = ready();
    assert_eq!(state.ms_per_photo(), None);
    for (id, ms) in (1..).zip([900.0, 40.0, 44.0]) {
        arrive(&mut state, id, &[id]);
        done(&mut state, id, ms);
    }
    assert_eq!(state.ms_per_photo(), Some(44.0));
    for id in 4..4 + TIMED_PHOTOS as u64 {
        arrive(&mut state, id, &[id]);
        done(&mut state, id, 50.0);
    }
    assert_eq!(state.ms_per_photo(), Some(50.0), "the first ones are forgotten");
}

#[test]
fn a_preview_that_cannot_be_shown_leaves_the_photo_in_the_queue() {
    let mut state = State::default();
    arrive(&mut state, 1, &[1, 2]);
    state.update(Action::Previewed { id: 1, shown: false });
    state.update(Action::Previewed { id: 2, shown: true });
    assert_eq!(state.photos[0].preview, Preview::Unavailable);
    assert_eq!(state.photos[1].preview, Preview::Shown("blob:2".into()));
    assert_eq!(hooks(&state), ["queued", "queued"]);
}

#[test]
fn an_arrival_ends_the_drag_and_the_note_about_an_empty_paste() {
    let mut state = ready();
    state.update(Action::Dragging(true));
    state.update(Action::PastedNothing);
    assert!(state.dragging && state.empty_paste);
    arrive(&mut state, 1, &[1]);
    assert!(!state.dragging && !state.empty_paste);
}
