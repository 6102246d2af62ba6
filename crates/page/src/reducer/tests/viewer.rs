//! The large view.

use super::*;
use protocol::fault::PhotoFault;
use protocol::{Area, ClassName, HeatMap};

fn map() -> HeatMap {
    let seen = Area { x: 0.0, y: 0.0, width: 4.0, height: 3.0 };
    HeatMap { grid: 1, contributions: vec![1.0], constant: 0.5, logit: 1.5, seen }
}

#[test]
fn a_class_is_explained_in_the_large_view() {
    let mut state = three_answers();
    let effects = state.update(Action::OpenViewer { id: 1, class: Some(1) });
    assert_eq!(effects, [Effect::OpenWhole(1), Effect::Explain { id: 1, class: 1 }]);
    let explanation = |state: &State| state.viewer.as_ref().unwrap().explanation.clone();
    assert_eq!(explanation(&state), Explanation::Waiting { class: 1 });
    let of = |id, class| Action::Worker(Reply::Explained { id, class, heat_map: map() });
    state.update(of(2, 1));
    state.update(of(1, 7));
    assert_eq!(explanation(&state), Explanation::Waiting { class: 1 }, "of another photo, another class");
    state.update(of(1, 1));
    assert_eq!(explanation(&state), Explanation::Shown { class: 1, map: Rc::new(map()) });
    state.update(Action::ToggleExplanation(1));
    assert_eq!(explanation(&state), Explanation::None, "the same click hides it");
}

#[test]
fn the_large_view_goes_on_in_the_order_of_the_list() {
    let mut state = three_answers();
    state.update(Action::OrderBy(SortOrder::Confidence));
    state.update(Action::OpenViewer { id: 2, class: Some(2) });
    assert_eq!(
        state.update(Action::StepViewer(1)),
        [Effect::OpenWhole(3), Effect::Explain { id: 3, class: 3 }]
    );
    assert_eq!(state.update(Action::StepViewer(9)), [], "there are not so many");
    state.update(Action::ToggleExplanation(3));
    assert_eq!(state.update(Action::StepViewer(1)), [Effect::OpenWhole(1)], "no heat map, no heat map");
    let closed = state.update(Action::CloseViewer);
    assert_eq!(closed, [Effect::CloseWhole, Effect::Focus(Focus::Open(1))]);
    assert_eq!(state.update(Action::CloseViewer), []);
}

#[test]
fn what_the_viewer_waits_for_is_told_to_fail() {
    let mut state = three_answers();
    state.update(Action::OpenViewer { id: 1, class: Some(1) });
    assert_eq!(state.update(Action::ToggleInput), [Effect::ShowInput(1)]);
    state.update(Action::Worker(Reply::NotShown { id: 1, fault: PhotoFault::Unreadable }));
    let viewer = state.viewer.clone().unwrap();
    assert_eq!(
        viewer.explanation,
        Explanation::Failed { class: 1, reason: NotShownReason::Photo(PhotoFault::Unreadable) }
    );
    assert_eq!(viewer.input, Input::Failed(NotShownReason::Photo(PhotoFault::Unreadable)));
    assert_eq!(state.update(Action::ToggleInput), [Effect::ShowInput(1)], "asked again");
    crash(&mut state);
    assert_eq!(state.viewer.clone().unwrap().input, Input::Failed(NotShownReason::NoModel));
    state.update(Action::ToggleExplanation(2));
    let explanation = state.viewer.unwrap().explanation;
    assert_eq!(explanation, Explanation::Failed { class: 2, reason: NotShownReason::NoModel });
}

#[test]
fn removing_the_photo_in_the_large_view_closes_it() {
    let mut state = three_answers();
    state.update(Action::OpenViewer { id: 2, class: None });
    let effects = state.update(Action::Remove(2));
    assert_eq!(effects, [Effect::Forget(2), Effect::CloseWhole, Effect::Focus(Focus::Remove(3))]);
    assert_eq!(state.viewer, None);
}

#[test]
fn a_photo_whose_zip_was_moved_away_keeps_its_answer_and_the_large_view_says_so() {
    let mut state = three_answers();
    state.update(Action::OpenViewer { id: 1, class: Some(1) });
    state.update(Action::PhotoNotReopened(1));
    assert_eq!(data_states(&state), ["done", "done", "done"]);
    let explanation = state.viewer.clone().unwrap().explanation;
    assert_eq!(
        explanation,
        Explanation::Failed { class: 1, reason: NotShownReason::Photo(PhotoFault::Unreadable) }
    );
}

#[test]
fn a_heat_map_that_fails_leaves_the_answer() {
    let mut state = three_answers();
    let answer = state.photos[0].progress.clone();
    state.update(Action::OpenViewer { id: 1, class: Some(1) });
    let fault = PhotoFault::Network { reason: "out of memory".into() };
    assert_eq!(state.update(Action::Worker(Reply::NotShown { id: 1, fault: fault.clone() })), []);
    assert_eq!(state.photos[0].progress, answer);
    let reason = NotShownReason::Photo(fault);
    assert_eq!(state.viewer.unwrap().explanation, Explanation::Failed { class: 1, reason });
}

/// A GPU was lost, the worker loads anew, and the visitor pauses that.
#[test]
fn the_large_view_waits_no_longer_for_a_worker_that_was_paused() {
    let mut state = three_answers();
    state.update(Action::OpenViewer { id: 1, class: Some(1) });
    state.update(Action::ToggleInput);
    let phase = protocol::Phase::Read;
    let loading = protocol::Loading { phase, total: 9, here: 9, stored: 9, built: 1, bytes_per_second: None };
    state.update(Action::Worker(Reply::Loading(loading)));
    state.update(Action::PauseLoading);
    let viewer = state.viewer.unwrap();
    let reason = NotShownReason::NoModel;
    assert_eq!(viewer.explanation, Explanation::Failed { class: 1, reason: reason.clone() });
    assert_eq!(viewer.input, Input::Failed(reason));
}

#[test]
fn clearing_closes_the_large_view() {
    let mut state = three_answers();
    state.update(Action::OpenViewer { id: 2, class: None });
    assert!(state.update(Action::Clear).contains(&Effect::CloseWhole));
    assert_eq!(state.viewer, None);
}

#[test]
fn any_class_is_searched_for_and_explained() {
    let mut state = three_answers();
    assert_eq!(state.update(Action::SearchClasses("sorrel".into())), [], "there is no large view");
    state.update(Action::OpenViewer { id: 1, class: None });
    let sorrel = ClassName { index: 339, wnid: "n1".into(), label: "sorrel".into(), label_zh: "".into() };
    let found = |query: &str| {
        let (query, classes) = (query.to_owned(), vec![sorrel.clone()]);
        Action::Worker(Reply::ClassesFound { query, classes, count: 1 })
    };
    let search = |state: &State| state.viewer.as_ref().unwrap().search.clone();
    assert_eq!(state.update(Action::SearchClasses("so".into())), [Effect::FindClasses("so".into())]);
    assert_eq!(state.update(Action::SearchClasses("sor".into())), [Effect::FindClasses("sor".into())]);
    state.update(found("so"));
    assert_eq!(search(&state).found, None, "of what stood there before");
    state.update(found("sor"));
    assert_eq!(search(&state).found.map(|found| found.count), Some(1));
    assert_eq!(state.update(Action::ToggleExplanation(339)), [Effect::Explain { id: 1, class: 339 }]);
    assert_eq!(state.update(Action::SearchClasses(" ".into())), []);
    assert_eq!(search(&state).found, None);
    let viewer = state.viewer.as_ref().unwrap();
    assert_eq!(crate::viewer::explained(&[], viewer), Some(sorrel), "its name is still known");
    // Another model has other classes.
    let Reply::Ready { mut model, backend, kept } = ready_reply() else { panic!("not ready") };
    model.sha256 = "22".repeat(32);
    state.update(Action::Worker(Reply::Ready { model, backend, kept }));
    assert_eq!(search(&state), Default::default());
}
