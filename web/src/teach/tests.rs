use super::desk::{Desk, PhotoState, Training};
use protocol::fault::{PhotoFault, TeachFault};
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest};

fn fill(desk: &mut Desk, name: &str, photos: usize) -> Vec<u64> {
    let class = desk.class_named(name);
    (0..photos).map(|i| desk.add_photo(class, format!("{name}-{i}.jpg")).unwrap()).collect()
}

fn see_all(desk: &mut Desk) {
    while let Some(photo) = desk.next_photo() {
        desk.told(TeachReply::FeaturesReady { photo });
    }
}

#[test]
fn photos_go_to_the_worker_one_by_one_and_then_the_lesson_is_ready() {
    let mut desk = Desk::default();
    let (cats, dogs) = (fill(&mut desk, "cat", 2), fill(&mut desk, "dog", 1));
    assert_eq!(desk.classes.len(), 2, "the empty classes took the names");
    assert_eq!(desk.next_photo(), Some(cats[0]));
    assert_eq!(desk.next_photo(), None, "one is in hand");
    assert!(desk.lesson().is_none() && desk.left() == (3, 3));
    desk.told(TeachReply::FeaturesFailed { photo: cats[0], fault: PhotoFault::NotAPhoto });
    see_all(&mut desk);
    assert_eq!(desk.left(), (0, 2));
    let class = |name: &str, photos: &[u64]| TaughtClass { name: name.into(), photos: photos.to_vec() };
    let expected = TeachRequest::Train { classes: vec![class("cat", &cats[1..]), class("dog", &dogs)] };
    assert_eq!(desk.lesson(), Some(expected));
    desk.training = Training::Going(None);
    assert!(desk.lesson().is_none(), "one lesson at a time");
}

#[test]
fn names_must_be_there_and_differ_and_two_classes_be_filled() {
    let mut desk = Desk::default();
    fill(&mut desk, "cat", 1);
    see_all(&mut desk);
    assert!(desk.lesson().is_none());
    let other = desk.classes[1].id;
    desk.add_photo(other, "x.jpg".into());
    see_all(&mut desk);
    assert!(desk.lesson().is_none(), "unnamed");
    desk.rename(other, " cat ".into());
    assert!(desk.lesson().is_none(), "two alike");
    desk.rename(other, "dog".into());
    assert!(desk.lesson().is_some());
    desk.add_class(String::new());
    assert!(desk.lesson().is_some(), "an empty class is no hindrance");
    assert_eq!(desk.remove_class(other).len(), 1);
    assert!(desk.lesson().is_none());
}

#[test]
fn a_new_worker_looks_at_everything_again() {
    let mut desk = Desk::default();
    fill(&mut desk, "cat", 2);
    see_all(&mut desk);
    desk.training = Training::Going(Some(0.5));
    desk.forgotten();
    assert_eq!((desk.left(), &desk.training), ((2, 2), &Training::None));
    assert!(desk.classes[0].photos.iter().all(|photo| photo.state == PhotoState::Waiting));
}

#[test]
fn another_model_keeps_the_photos_and_nothing_that_was_learnt() {
    let mut desk = Desk::default();
    fill(&mut desk, "cat", 2);
    see_all(&mut desk);
    desk.told(TeachReply::OwnClasses { head: OwnHead { classes: vec![], file: "AA==".into() } });
    desk.training = Training::Failed(TeachFault::Names);
    desk.other_model();
    assert_eq!((&desk.own, desk.in_use, &desk.training), (&None, false, &Training::None));
    assert_eq!(desk.left(), (2, 2), "to be looked at by the new model");
}

#[test]
fn the_head_that_answers_is_the_one_that_was_said() {
    let mut desk = Desk::default();
    let head = OwnHead { classes: vec!["a".into(), "b".into()], file: "AA==".into() };
    assert!(desk.told(TeachReply::OwnClasses { head: head.clone() }));
    assert!(desk.in_use && desk.own == Some(head.clone()));
    assert!(!desk.told(TeachReply::Refused { fault: TeachFault::Unreadable }));
    assert!(desk.in_use && desk.refused.is_some());
    assert!(desk.told(TeachReply::ModelsClasses));
    assert!(!desk.in_use && desk.own == Some(head) && desk.refused.is_none());
}
