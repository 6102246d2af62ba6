//! Photos come in, wait for their turn, get their answers and go.

use super::super::queue::TIMED_PHOTOS;
use super::*;
use crate::photo::Picture;
use crate::status::Status;
use protocol::Reading;
use protocol::fault::{Foreign, PhotoFault};

#[test]
fn photos_dropped_before_the_model_is_ready_wait_for_it() {
    let mut state = State::default();
    state.update(Action::Opened);
    assert_eq!(arrive(&mut state, 1, &[1, 2]), []);
    assert_eq!(data_states(&state), ["queued", "queued"]);
    assert_eq!(
        state.update(Action::Worker(ready_reply())),
        [Effect::MeasureStorage, Effect::Classify(vec![1])]
    );
    assert_eq!(data_states(&state), ["running", "queued"]);
}

#[test]
fn one_photo_at_a_time_in_the_order_they_came() {
    let mut state = ready();
    assert_eq!(arrive(&mut state, 1, &[1, 2]), [Effect::Classify(vec![1])]);
    assert_eq!(arrive(&mut state, 2, &[3]), []);
    assert_eq!(state.counts().left, 3);
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(vec![2])]);
    let failed = Reply::Failed { id: 2, fault: PhotoFault::NotAPhoto, message: String::new() };
    assert_eq!(state.update(Action::Worker(failed)), [Effect::Classify(vec![3])]);
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
    let arrivals = vec![Arrival {
        id: 1,
        name: "holiday".into(),
        content: Content::Unusable(PhotoError::NothingInside),
    }];
    assert_eq!(state.update(Action::Arrived { batch: 1, arrivals }), []);
    assert_eq!(data_states(&state), ["error"]);
    assert_eq!(state.photos[0].preview, Preview::Unavailable);
}

#[test]
fn what_is_left_out_adds_up_until_all_is_cleared() {
    let mut state = ready();
    for name in ["a.mp4", "b.mp4"] {
        let mut left_out = archive::LeftOut::default();
        left_out.add(name, archive::Reason::Video);
        assert_eq!(state.update(Action::FilesLeftOut(left_out)), []);
    }
    assert_eq!(state.skipped.total(), 2);
    let names: Vec<_> = state.skipped.names().iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["a.mp4", "b.mp4"]);
    state.update(Action::Clear);
    assert!(state.skipped.is_empty());
}

#[test]
fn a_photo_removed_while_running_does_not_stop_the_queue() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    assert_eq!(state.update(Action::Remove(1)), [Effect::Forget(1), Effect::Focus(Focus::Remove(2))]);
    assert_eq!(data_states(&state), ["queued"], "the worker still has the first one");
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(vec![2])]);
}

#[test]
fn a_photo_in_flight_shows_how_far_through_the_network_it_is() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    for id in [1, 2] {
        assert_eq!(state.update(Action::Worker(Reply::ForwardProgress { id, share: 0.25 })), []);
    }
    let shown: Vec<_> = state.photos.iter().map(|photo| &photo.progress).collect();
    assert_eq!(shown, [&Progress::Running(0.25), &Progress::Queued], "the second one is not in flight");
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

/// An answer to a photo that browsers show otherwise than the network has seen it.
fn seen_otherwise(state: &mut State, id: PhotoId) -> Vec<Effect> {
    let reading = Reading { shown_otherwise: true, ..Reading::default() };
    let answer = Answer { reading, ..an_answer(vec![], 1.0) };
    state.update(Action::Worker(Reply::Done { id, answer }))
}

#[test]
fn a_card_shows_what_was_decoded_where_the_browser_shows_something_else() {
    let asks = |effects: &[Effect]| effects.contains(&Effect::ShowWhole { id: 1, side: CARD_SIDE });
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    state.update(Action::Previewed { id: 1, url: Some("blob:on its side".into()) });
    assert!(asks(&seen_otherwise(&mut state, 1)), "its picture is there already");
    let picture = Picture { width: 1, height: 1, rgba: [0; 4].into() };
    let on_input = Action::SawWhole { id: 1, side: CARD_SIDE, picture: picture.clone() };
    assert_eq!(state.update(on_input), [Effect::DrawPreview { id: 1, picture }]);
    state.update(Action::DecodedPreviewed { id: 1, url: "blob:upright".into() });
    assert_eq!(state.photos[0].preview, Preview::Shown("blob:upright".into()));
    // It went out of sight and comes back.
    state.update(Action::PreviewsDropped(vec![1]));
    assert!(asks(&state.update(Action::Previewed { id: 1, url: Some("blob:on its side".into()) })));
    assert_eq!(state.photos[0].preview, Preview::Unavailable, "never on its side again");
}

#[test]
fn the_large_view_shows_what_was_decoded_where_the_browser_shows_something_else_or_nothing() {
    let picture = Picture { width: 1, height: 1, rgba: [0; 4].into() };
    let on_input = || Action::SawWhole { id: 1, side: VIEWER_SIDE, picture: picture.clone() };
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    seen_otherwise(&mut state, 1);
    let view = |id| Action::OpenViewer { id, class: None };
    assert_eq!(state.update(view(1)), [Effect::ShowWhole { id: 1, side: VIEWER_SIDE }]);
    assert_eq!(state.update(on_input()), [Effect::DrawWhole { id: 1, picture: picture.clone() }]);

    // The browser tries the file first, and can't show it.
    assert_eq!(state.update(view(2)), [Effect::OpenWhole(2)]);
    assert_eq!(state.update(Action::WholeFailed), [], "it has no answer yet");
    done(&mut state, 2, 1.0);
    assert_eq!(state.update(Action::WholeFailed), [Effect::ShowWhole { id: 2, side: VIEWER_SIDE }]);
    assert_eq!(state.update(on_input()), [], "another photo is in sight");
}

#[test]
fn a_photo_that_the_browser_cannot_show_gets_a_picture_with_its_answer() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2]);
    state.update(Action::Previewed { id: 1, url: None });
    let effects = done(&mut state, 1, 1.0);
    assert!(effects.contains(&Effect::ShowWhole { id: 1, side: CARD_SIDE }), "{effects:?}");
    // Out of sight nothing is made, and where the browser shows it nothing is asked for.
    let effects = done(&mut state, 2, 1.0);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::ShowWhole { .. })), "{effects:?}");
    assert_eq!(state.update(Action::Previewed { id: 2, url: Some("blob:2".into()) }), []);
}

#[test]
fn a_photo_whose_decoder_could_not_be_fetched_can_be_tried_again() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    let fault = PhotoFault::NoDecoder { format: Foreign::Heic, reason: "no network".into() };
    state.update(Action::Worker(Reply::Failed { id: 1, fault, message: String::new() }));
    assert_eq!(data_states(&state), ["error"]);
    assert_eq!(state.update(Action::Retry(1)), [Effect::Classify(vec![1])]);
}

#[test]
fn a_preview_that_cannot_be_shown_leaves_the_photo_in_the_queue() {
    let mut state = State::default();
    arrive(&mut state, 1, &[1, 2]);
    state.update(Action::Previewed { id: 1, url: None });
    state.update(Action::Previewed { id: 2, url: Some("blob:2".into()) });
    assert_eq!(state.photos[0].preview, Preview::Unavailable);
    assert_eq!(state.photos[1].preview, Preview::Shown("blob:2".into()));
    assert_eq!(data_states(&state), ["queued", "queued"]);
    state.update(Action::PreviewsDropped(vec![2]));
    assert_eq!(state.photos[1].preview, Preview::Wanted, "it is made again when it comes into sight");
}

#[test]
fn a_stopped_queue_keeps_its_photos_and_goes_on() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3]);
    state.update(Action::StopQueue(true));
    assert_eq!(done(&mut state, 1, 40.0), [], "the one in flight is finished, no other begins");
    assert_eq!(data_states(&state), ["done", "queued", "queued"]);
    assert_eq!(Status::of(&state), Status::Stopped { left: 2 });
    assert_eq!(state.seconds_left(), Some(2.0 * 0.041));
    assert_eq!(state.update(Action::StopQueue(false)), [Effect::Classify(vec![2])]);
    assert_eq!(done(&mut state, 2, 40.0), [Effect::Classify(vec![3])]);
}

/// Nothing was in flight, so no reply moves it on.
#[test]
fn a_queue_that_was_stopped_before_its_model_came_can_be_resumed() {
    let mut state = State::default();
    arrive(&mut state, 1, &[1, 2]);
    state.update(Action::StopQueue(true));
    assert_eq!(state.update(Action::Worker(ready_reply())), [Effect::MeasureStorage]);
    assert_eq!(Status::of(&state), Status::Stopped { left: 2 });
    assert_eq!(state.update(Action::StopQueue(false)), [Effect::Classify(vec![1])]);
}

#[test]
fn the_cameras_pictures_wait_for_photos_and_make_no_cards() {
    let mut state = ready();
    state.update(Action::SwitchCamera(true));
    assert_eq!(state.update(Action::CameraFrame), [], "it is not live yet");
    state.update(Action::SetLive(true));
    assert_eq!(state.update(Action::CameraFrame), [Effect::Classify(vec![CAMERA])]);
    assert_eq!(arrive(&mut state, 1, &[1]), [], "the picture is in flight");
    assert_eq!(done(&mut state, CAMERA, 40.0), [Effect::Classify(vec![1])], "then the photo");
    let live = state.live.clone().unwrap();
    assert_eq!((live.wanted, live.answer.is_some(), state.photos.len()), (0, true, 1));
    assert_eq!(state.update(Action::CameraFrame), [], "the photo is in flight");
    done(&mut state, 1, 40.0);
    assert_eq!(state.live.as_ref().unwrap().wanted, 1, "the worker has time again");
    assert_eq!(
        state.update(Action::SwitchCamera(false)),
        [Effect::Forget(CAMERA), Effect::Focus(Focus::Camera)]
    );
    assert_eq!(state.live, None);
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

/// A state whose model runs on a GPU, which takes eight photos in one pass.
fn on_gpu() -> State {
    let mut state = ready();
    state.update(Action::Worker(ready_on_gpu()));
    state
}

fn ready_on_gpu() -> Reply {
    let Reply::Ready { model, mut backend, kept } = ready_reply() else { panic!("not ready") };
    backend.batch = 8;
    Reply::Ready { model, backend, kept }
}

#[test]
fn photos_that_wait_for_a_gpu_go_together() {
    let mut state = on_gpu();
    assert_eq!(arrive(&mut state, 1, &[1]), [Effect::Classify(vec![1])], "alone: nothing else waits");
    assert_eq!(arrive(&mut state, 2, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), []);
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify((2..=9).collect())]);
    assert_eq!(
        data_states(&state),
        ["running"; 8].into_iter().chain(["queued", "queued", "done"]).collect::<Vec<_>>()
    );
    let failed = Reply::Failed { id: 3, fault: PhotoFault::NotAPhoto, message: String::new() };
    assert_eq!(state.update(Action::Worker(failed)), [], "the others of the batch are still in flight");
    state.update(Action::Remove(4));
    for id in [2, 4, 5, 6, 7, 8] {
        assert_eq!(done(&mut state, id, 40.0), []);
    }
    assert_eq!(state.update(Action::StopQueue(true)), []);
    assert_eq!(done(&mut state, 9, 40.0), [], "the visitor has stopped the queue");
    assert_eq!(state.update(Action::StopQueue(false)), [Effect::Classify(vec![10, 11])]);
    assert_eq!(state.counts(), Counts { left: 2, done: 7, failed: 1 });
}

#[test]
fn the_photos_of_a_batch_that_crashed_the_worker_go_one_by_one() {
    let mut state = on_gpu();
    arrive(&mut state, 1, &[1, 2, 3, 4]);
    done(&mut state, 1, 40.0);
    assert_eq!(crash(&mut state), [Effect::StartWorker]);
    assert_eq!(data_states(&state), ["done", "queued", "queued", "queued"]);
    assert!(state.update(Action::Worker(ready_on_gpu())).contains(&Effect::Classify(vec![2])));
    assert_eq!(done(&mut state, 2, 40.0), [Effect::Classify(vec![3])]);
    assert_eq!(done(&mut state, 3, 40.0), [Effect::Classify(vec![4])]);
    done(&mut state, 4, 40.0);
    assert_eq!(arrive(&mut state, 2, &[5, 6]), [Effect::Classify(vec![5, 6])], "together again");
}
