mod models;

use super::queue::TIMED_PHOTOS;
use super::*;
use crate::photo::{Arrival, Content, Trouble};
use crate::status::Status;
use protocol::{Answer, Area, BackendInfo, HeatMap, Kept, Loading, ModelInfo, Phase, Prediction, Reply};

/// A state with the model ready, reached the way the page reaches it.
fn ready() -> State {
    let mut state = State::default();
    let manifest: Rc<str> = "https://host/models/demo/manifest.json".into();
    assert_eq!(state.update(Action::Opened), [Effect::ChooseModel]);
    assert_eq!(state.update(Action::Chosen(Ok(manifest.clone()))), [Effect::StartWorker]);
    assert_eq!(state.update(Action::Worker(Reply::Awake)), [Effect::Load { manifest }]);
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
    let backend = BackendInfo {
        kind: "cpu".into(),
        detail: "simd128".into(),
        threads: 1,
        batch: 1,
        reason: "The only one.".into(),
    };
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
    let answer = Answer {
        predictions,
        width: 4,
        height: 3,
        decode_ms: 1.0,
        stages: vec![],
        ms,
        kind: None,
        bytes: 9,
        sha256: "00".repeat(32),
    };
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
    assert_eq!(
        state.update(Action::Worker(ready_reply())),
        [Effect::MeasureStorage, Effect::Classify(vec![1])]
    );
    assert_eq!(hooks(&state), ["running", "queued"]);
}

#[test]
fn one_photo_at_a_time_in_the_order_they_came() {
    let mut state = ready();
    assert_eq!(arrive(&mut state, 1, &[1, 2]), [Effect::Classify(vec![1])]);
    assert_eq!(arrive(&mut state, 2, &[3]), []);
    assert_eq!(state.counts().left, 3);
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(vec![2])]);
    let failed = Reply::Failed { id: 2, message: "Not a photo.".into() };
    assert_eq!(state.update(Action::Worker(failed)), [Effect::Classify(vec![3])]);
    assert_eq!(done(&mut state, 3, 40.0), []);
    assert_eq!(state.counts(), Counts { left: 0, done: 2, failed: 1 });
}

/// A state whose model runs on a GPU, which takes eight photos in one pass.
fn on_gpu() -> State {
    let mut state = ready();
    let Reply::Ready { model, mut backend, kept } = ready_reply() else { panic!("not ready") };
    backend.batch = 8;
    state.update(Action::Worker(Reply::Ready { model, backend, kept }));
    state
}

#[test]
fn photos_that_wait_for_a_gpu_go_together() {
    let mut state = on_gpu();
    assert_eq!(arrive(&mut state, 1, &[1]), [Effect::Classify(vec![1])], "alone: nothing else waits");
    assert_eq!(arrive(&mut state, 2, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), []);
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify((2..=9).collect())]);
    assert_eq!(
        hooks(&state),
        ["running"; 8].into_iter().chain(["queued", "queued", "done"]).collect::<Vec<_>>()
    );
    let failed = Reply::Failed { id: 3, message: "Not a photo.".into() };
    assert_eq!(state.update(Action::Worker(failed)), [], "the others of the pass are still in hand");
    state.update(Action::Remove(4));
    for id in [2, 4, 5, 6, 7, 8] {
        assert_eq!(done(&mut state, id, 40.0), []);
    }
    assert_eq!(state.update(Action::Stop(true)), []);
    assert_eq!(done(&mut state, 9, 40.0), [], "the visitor has stopped the queue");
    assert_eq!(state.update(Action::Stop(false)), [Effect::Classify(vec![10, 11])]);
    assert_eq!(state.counts(), Counts { left: 2, done: 7, failed: 1 });
}

#[test]
fn of_a_pass_that_broke_the_worker_only_the_photo_to_blame_fails() {
    let mut state = on_gpu();
    arrive(&mut state, 1, &[1]);
    done(&mut state, 1, 40.0);
    assert_eq!(arrive(&mut state, 2, &[2, 3, 4]), [Effect::Classify(vec![2, 3, 4])]);
    done(&mut state, 2, 40.0);
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    assert_eq!(hooks(&state), ["done", "queued", "queued", "done"]);
    let Reply::Ready { model, mut backend, kept } = ready_reply() else { panic!("not ready") };
    backend.batch = 8;
    let again = Action::Worker(Reply::Ready { model, backend, kept });
    assert!(state.update(again.clone()).contains(&Effect::Classify(vec![3])), "one by one");
    done(&mut state, 3, 40.0);
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    assert_eq!(hooks(&state), ["done", "done", "error", "done"]);
    state.update(again);
    assert_eq!(arrive(&mut state, 3, &[5, 6]), [Effect::Classify(vec![5, 6])], "together again");
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
        vec![Arrival { id: 1, name: "holiday".into(), content: Content::Unusable(Trouble::NothingInside) }];
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
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(vec![2])]);
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
    assert_eq!(
        state.update(Action::Worker(ready_reply())),
        [Effect::MeasureStorage, Effect::Classify(vec![3])]
    );
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
    assert_eq!(state.update(Action::Retry(2)), [Effect::Classify(vec![2])]);

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
    state.update(Action::Chosen(Ok("https://host/m.json".into())));
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
    assert_eq!(
        state.update(Action::Worker(ready_reply())),
        [Effect::MeasureStorage, Effect::Classify(vec![1])]
    );
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
    state.update(Action::Chosen(Ok("https://host/m.json".into())));
    assert_eq!(state.update(Action::Pause), [], "there is no download yet");
    state.update(Action::Worker(Reply::Loading(LOADING)));
    arrive(&mut state, 1, &[1]);
    assert_eq!(state.update(Action::Pause), [Effect::StopWorker, Effect::MeasureStorage]);
    assert_eq!(state.engine, Engine::Paused(LOADING));
    assert_eq!(hooks(&state), ["queued"]);
    assert_eq!(state.update(Action::Resume), [Effect::StartWorker]);
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
    state.update(Action::StorageMeasured { bytes: Some(23_000_000), models: Rc::default() });
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
    state.update(Action::Previewed { id: 1, url: None });
    state.update(Action::Previewed { id: 2, url: Some("blob:2".into()) });
    assert_eq!(state.photos[0].preview, Preview::Unavailable);
    assert_eq!(state.photos[1].preview, Preview::Shown("blob:2".into()));
    assert_eq!(hooks(&state), ["queued", "queued"]);
    state.update(Action::PreviewsDropped(vec![2]));
    assert_eq!(state.photos[1].preview, Preview::Wanted, "it is made again when it comes into sight");
}

#[test]
fn a_stopped_queue_keeps_its_photos_and_goes_on() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3]);
    state.update(Action::Stop(true));
    assert_eq!(done(&mut state, 1, 40.0), [], "the one in hand is finished, no other begins");
    assert_eq!(hooks(&state), ["done", "queued", "queued"]);
    assert_eq!(Status::of(&state), Status::Stopped { left: 2 });
    assert_eq!(state.seconds_left(), Some(2.0 * 0.041));
    assert_eq!(state.update(Action::Stop(false)), [Effect::Classify(vec![2])]);
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

#[test]
fn the_list_is_searched_by_label_in_both_languages_and_by_name() {
    let mut state = three_answers();
    for (query, expected) in
        [("CAT", &[1, 3][..]), ("狗", &[2]), ("2.jpg", &[2]), (" ", &[1, 2, 3]), ("x", &[])]
    {
        state.update(Action::Search(query.into()));
        assert_eq!(listed(&state), expected, "{query}");
    }
}

#[test]
fn the_list_is_ordered_as_asked_with_unanswered_photos_last() {
    let mut state = three_answers();
    state.update(Action::Stop(true));
    arrive(&mut state, 2, &[4]);
    for (order, expected) in [
        (Order::Own, [4, 1, 2, 3]),
        (Order::Name, [1, 2, 3, 4]),
        (Order::Label, [1, 3, 2, 4]),
        (Order::Confidence, [2, 3, 1, 4]),
    ] {
        state.update(Action::OrderBy(order));
        assert_eq!(listed(&state), expected, "{order:?}");
    }
}

#[test]
fn photos_are_moved_by_mouse_and_by_key() {
    let mut state = three_answers();
    state.update(Action::MoveTo { id: 3, target: 1 });
    assert_eq!(listed(&state), [3, 1, 2]);
    assert_eq!(state.update(Action::Nudge { id: 3, by: 1 }), [Effect::Focus(Focus::Open(3))]);
    assert_eq!(listed(&state), [1, 3, 2]);
    assert_eq!(state.update(Action::Nudge { id: 1, by: -1 }), [], "it is the first");
    state.update(Action::OrderBy(Order::Label));
    assert_eq!(state.update(Action::Nudge { id: 1, by: 1 }), [], "labels rule");
}

#[test]
fn a_result_is_shared_with_what_it_came_from_and_checked_against() {
    let mut state = three_answers();
    state.update(Action::View { id: 2, class: None });
    let effects = state.update(Action::ShareResult);
    let [Effect::Share(record)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((record.file.as_str(), record.model.as_str()), ("2.jpg", "tiny"));
    assert_eq!(state.agrees(), None, "no result came with the address");
    state.update(Action::RecordCame(Shared::Record(Rc::new(record.clone()))));
    // All three have the same hash here, and the first of them another answer.
    assert_eq!(state.agrees(), Some(false));
    assert_eq!(state.update(Action::DismissRecord), [Effect::ForgetRecord, Effect::Focus(Focus::Picker)]);
    assert_eq!(state.shared, Shared::None);
}

#[test]
fn the_cameras_pictures_wait_for_photos_and_make_no_cards() {
    let mut state = ready();
    state.update(Action::Camera(true));
    assert_eq!(state.update(Action::Frame), [], "it is not live yet");
    state.update(Action::GoLive(true));
    assert_eq!(state.update(Action::Frame), [Effect::Classify(vec![CAMERA])]);
    assert_eq!(arrive(&mut state, 1, &[1]), [], "the picture is in hand");
    assert_eq!(done(&mut state, CAMERA, 40.0), [Effect::Classify(vec![1])], "then the photo");
    let live = state.live.clone().unwrap();
    assert_eq!((live.wanted, live.answer.is_some(), state.photos.len()), (0, true, 1));
    assert_eq!(state.update(Action::Frame), [], "the photo is in hand");
    done(&mut state, 1, 40.0);
    assert_eq!(state.live.as_ref().unwrap().wanted, 1, "the worker has time again");
    assert_eq!(state.update(Action::Camera(false)), [Effect::Forget(CAMERA), Effect::Focus(Focus::Camera)]);
    assert_eq!(state.live, None);
}

fn map() -> HeatMap {
    let seen = Area { x: 0.0, y: 0.0, width: 4.0, height: 3.0 };
    HeatMap { grid: 1, contributions: vec![1.0], constant: 0.5, logit: 1.5, seen }
}

#[test]
fn a_class_is_explained_in_the_large_view() {
    let mut state = three_answers();
    let effects = state.update(Action::View { id: 1, class: Some(1) });
    assert_eq!(effects, [Effect::OpenWhole(1), Effect::Explain { id: 1, class: 1 }]);
    let explanation = |state: &State| state.viewer.as_ref().unwrap().explanation.clone();
    assert_eq!(explanation(&state), Explanation::Waiting { class: 1 });
    let of = |id, class| Action::Worker(Reply::Explained { id, class, heat_map: map() });
    state.update(of(2, 1));
    state.update(of(1, 7));
    assert_eq!(explanation(&state), Explanation::Waiting { class: 1 }, "of another photo, another class");
    state.update(of(1, 1));
    assert_eq!(explanation(&state), Explanation::Shown { class: 1, map: Rc::new(map()) });
    state.update(Action::Explain(1));
    assert_eq!(explanation(&state), Explanation::None, "the same click hides it");
}

#[test]
fn the_large_view_goes_on_in_the_order_of_the_list() {
    let mut state = three_answers();
    state.update(Action::OrderBy(Order::Confidence));
    state.update(Action::View { id: 2, class: Some(2) });
    assert_eq!(state.update(Action::Step(1)), [Effect::OpenWhole(3), Effect::Explain { id: 3, class: 3 }]);
    assert_eq!(state.update(Action::Step(9)), [], "there are not so many");
    state.update(Action::Explain(3));
    assert_eq!(state.update(Action::Step(1)), [Effect::OpenWhole(1)], "no heat map, no heat map");
    let closed = state.update(Action::CloseViewer);
    assert_eq!(closed, [Effect::CloseWhole, Effect::Focus(Focus::Open(1))]);
    assert_eq!(state.update(Action::CloseViewer), []);
}

#[test]
fn what_the_viewer_waits_for_is_told_to_fail() {
    let mut state = three_answers();
    state.update(Action::View { id: 1, class: Some(1) });
    assert_eq!(state.update(Action::ToggleInput), [Effect::ShowInput(1)]);
    state.update(Action::Worker(Reply::NotShown { id: 1, message: "Gone.".into() }));
    let viewer = state.viewer.clone().unwrap();
    assert_eq!(viewer.explanation, Explanation::Failed { class: 1, reason: Lack::Told("Gone.".into()) });
    assert_eq!(viewer.input, Input::Failed(Lack::Told("Gone.".into())));
    assert_eq!(state.update(Action::ToggleInput), [Effect::ShowInput(1)], "asked again");
    crash(&mut state);
    assert_eq!(state.viewer.clone().unwrap().input, Input::Failed(Lack::NoModel));
    state.update(Action::Explain(2));
    let explanation = state.viewer.unwrap().explanation;
    assert_eq!(explanation, Explanation::Failed { class: 2, reason: Lack::NoModel });
}

#[test]
fn removing_the_photo_in_the_large_view_closes_it() {
    let mut state = three_answers();
    state.update(Action::View { id: 2, class: None });
    let effects = state.update(Action::Remove(2));
    assert_eq!(effects, [Effect::Forget(2), Effect::CloseWhole, Effect::Focus(Focus::Remove(3))]);
    assert_eq!(state.viewer, None);
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
