//! What is listed, in which order, and shared.

use super::*;

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
    state.update(Action::StopQueue(true));
    arrive(&mut state, 2, &[4]);
    for (order, expected) in [
        (SortOrder::Own, [4, 1, 2, 3]),
        (SortOrder::Name, [1, 2, 3, 4]),
        (SortOrder::Label, [1, 3, 2, 4]),
        (SortOrder::Confidence, [2, 3, 1, 4]),
    ] {
        state.update(Action::OrderBy(order));
        assert_eq!(listed(&state), expected, "{order:?}");
    }
}

#[test]
fn what_is_none_of_the_classes_comes_after_what_is_surely_one() {
    let mut state = three_answers();
    arrive(&mut state, 2, &[4]);
    let prediction =
        Prediction { index: 9, wnid: "n1".into(), label: "ant".into(), label_zh: "蚁".into(), score: 0.99 };
    let answer = Answer { none_of: Some(200), ..an_answer(vec![prediction], 40.0) };
    state.update(Action::Worker(Reply::Done { id: 4, answer }));
    state.update(Action::StopQueue(true));
    arrive(&mut state, 3, &[5]);
    state.update(Action::OrderBy(SortOrder::Confidence));
    assert_eq!(listed(&state), [2, 3, 1, 4, 5]);
}

#[test]
fn photos_are_moved_by_mouse_and_by_key() {
    let mut state = three_answers();
    state.update(Action::MoveTo { id: 3, target: 1 });
    assert_eq!(listed(&state), [3, 1, 2]);
    assert_eq!(state.update(Action::Nudge { id: 3, by: 1 }), [Effect::Focus(Focus::Open(3))]);
    assert_eq!(listed(&state), [1, 3, 2]);
    assert_eq!(state.update(Action::Nudge { id: 1, by: -1 }), [], "it is the first");
    state.update(Action::OrderBy(SortOrder::Label));
    assert_eq!(state.update(Action::Nudge { id: 1, by: 1 }), [], "labels rule");
}

#[test]
fn a_result_is_shared_with_what_it_came_from_and_checked_against() {
    let mut state = three_answers();
    state.update(Action::OpenViewer { id: 2, class: None });
    let effects = state.update(Action::ShareResult);
    let [Effect::Share(record)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((record.file.as_str(), record.model.as_str()), ("2.jpg", "tiny"));
    assert_eq!(state.agrees(), None, "no result came with the address");
    state.update(Action::RecordRead(SharedRecord::Record(Rc::new(record.clone()))));
    // All three have the same hash here, and the first of them another answer.
    assert_eq!(state.agrees(), Some(false));
    assert_eq!(state.update(Action::DismissRecord), [Effect::ForgetRecord, Effect::Focus(Focus::Picker)]);
    assert_eq!(state.shared, SharedRecord::None);
}
