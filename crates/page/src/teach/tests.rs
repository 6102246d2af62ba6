use super::state::{PhotoState, TeachState, Training};
use protocol::fault::{PhotoFault, TeachFault};
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest};

fn fill(state: &mut TeachState, name: &str, photos: usize) -> Vec<u64> {
    let class = state.class_named(name);
    (0..photos).map(|i| state.add_photo(class, format!("{name}-{i}.jpg")).unwrap()).collect()
}

fn see_all(state: &mut TeachState) {
    while let Some(photo) = state.next_photo() {
        state.on_reply(TeachReply::FeaturesReady { photo });
    }
}

#[test]
fn photos_go_to_the_worker_one_by_one_and_then_training_can_begin() {
    let mut state = TeachState::default();
    let (cats, dogs) = (fill(&mut state, "cat", 2), fill(&mut state, "dog", 1));
    assert_eq!(state.classes.len(), 2, "the empty classes took the names");
    assert_eq!(state.next_photo(), Some(cats[0]));
    assert_eq!(state.next_photo(), None, "one is in flight");
    assert!(state.training_request().is_none() && state.left() == (3, 3));
    state.on_reply(TeachReply::FeaturesFailed { photo: cats[0], fault: PhotoFault::NotAPhoto });
    see_all(&mut state);
    assert_eq!(state.left(), (0, 2));
    let class = |name: &str, photos: &[u64]| TaughtClass { name: name.into(), photos: photos.to_vec() };
    let expected = TeachRequest::Train { classes: vec![class("cat", &cats[1..]), class("dog", &dogs)] };
    assert_eq!(state.training_request(), Some(expected));
    state.training = Training::Going(None);
    assert!(state.training_request().is_none(), "one training at a time");
}

#[test]
fn names_must_be_there_and_differ_and_two_classes_be_filled() {
    let mut state = TeachState::default();
    fill(&mut state, "cat", 1);
    see_all(&mut state);
    assert!(state.training_request().is_none());
    let other = state.classes[1].id;
    state.add_photo(other, "x.jpg".into());
    see_all(&mut state);
    assert!(state.training_request().is_none(), "unnamed");
    state.rename(other, " cat ".into());
    assert!(state.training_request().is_none(), "two alike");
    state.rename(other, "dog".into());
    assert!(state.training_request().is_some());
    state.add_class(String::new());
    assert!(state.training_request().is_some(), "an empty class is no hindrance");
    assert_eq!(state.remove_class(other).len(), 1);
    assert!(state.training_request().is_none());
}

#[test]
fn a_new_worker_looks_at_everything_again() {
    let mut state = TeachState::default();
    fill(&mut state, "cat", 2);
    see_all(&mut state);
    state.training = Training::Going(Some(0.5));
    state.reset_progress();
    assert_eq!((state.left(), &state.training), ((2, 2), &Training::None));
    assert!(state.classes[0].photos.iter().all(|photo| photo.state == PhotoState::Waiting));
}

#[test]
fn another_model_keeps_the_photos_and_nothing_that_was_learnt() {
    let mut state = TeachState::default();
    fill(&mut state, "cat", 2);
    see_all(&mut state);
    state.on_reply(TeachReply::OwnClasses { head: OwnHead { classes: vec![], file: "AA==".into() } });
    state.training = Training::Failed(TeachFault::Names);
    state.reset_for_model();
    assert_eq!((&state.own, state.in_use, &state.training), (&None, false, &Training::None));
    assert_eq!(state.left(), (2, 2), "to be looked at by the new model");
}

#[test]
fn the_head_that_answers_is_the_one_that_was_said() {
    let mut state = TeachState::default();
    let head = OwnHead { classes: vec!["a".into(), "b".into()], file: "AA==".into() };
    assert!(state.on_reply(TeachReply::OwnClasses { head: head.clone() }));
    assert!(state.in_use && state.own == Some(head.clone()));
    assert!(!state.on_reply(TeachReply::Refused { fault: TeachFault::Unreadable }));
    assert!(state.in_use && state.refused.is_some());
    assert!(state.on_reply(TeachReply::ModelsClasses));
    assert!(!state.in_use && state.own == Some(head) && state.refused.is_none());
}
