//! Keywords: what is asked for, in which order, and what can be undone.

use super::*;
use crate::tagging::{
    Refusal, RowOutcome, TagAction, TagEffect, TagStage, TagTarget, Tagging, Task, VocabularyRefusal,
};
use protocol::keywords::{KeywordLanguage, Name, NamePath, Place, PlanOutcome, PlannedChange, WriterRequest};
use std::collections::BTreeSet;

/// The browser's side of the dialog: what it was asked and has not answered, and what is written in its folder.
#[derive(Default)]
pub(super) struct TagBrowser {
    naming: Vec<(u64, usize, usize)>,
    planning: Vec<(u64, PhotoId)>,
    steps: Vec<(u64, PhotoId, Task, (u64, PhotoId))>,
    written: BTreeSet<(u64, PhotoId)>,
}

impl TagBrowser {
    pub(super) fn perform(&mut self, effect: TagEffect) {
        match effect {
            TagEffect::NamePaths { run, classes, kinds, .. } => {
                self.naming.push((run, classes.len(), kinds.len()));
            }
            TagEffect::Plan { run, id, .. } => self.planning.push((run, id)),
            TagEffect::AddToZip { run, id } => self.step(run, id, Task::Zip, (run, id)),
            TagEffect::Write { run, id } => self.step(run, id, Task::Write, (run, id)),
            TagEffect::Undo { run, key } => self.step(run, key.1, Task::Undo, key),
            _ => {}
        }
    }

    fn step(&mut self, run: u64, id: PhotoId, task: Task, key: (u64, PhotoId)) {
        assert!(self.steps.is_empty(), "two files are written at once");
        self.steps.push((run, id, task, key));
    }

    /// The worker is gone, and what it was asked.
    pub(super) fn lose_worker(&mut self) {
        self.naming.clear();
    }

    /// Something that the visitor does.
    pub(super) fn visitor(which: u8) -> TagAction {
        match which % 16 {
            0..=3 => TagAction::Open { can_write: which < 128 },
            4 if which < 64 => TagAction::Close,
            5 => TagAction::SetThreshold(if which < 64 { 10 } else { which }),
            6 => TagAction::SetLanguage(KeywordLanguage::Both),
            7 => TagAction::PickFolder,
            8 => TagAction::FolderPicked("2024".into()),
            9 => TagAction::UseZip,
            10 | 11 => TagAction::Start,
            12 if which < 64 => TagAction::Stop,
            13 => TagAction::ListAgain,
            14 if which < 64 => vocabulary(Ok(("cat\tMinka".into(), vec!["cat".into()]))),
            14 if which < 128 => vocabulary(Err(VocabularyRefusal::NoText)),
            14 => TagAction::DropVocabulary,
            _ => TagAction::Undo,
        }
    }

    /// Answers what it was asked first, well or badly.
    pub(super) fn answer(&mut self, how: u8) -> Option<Action> {
        if !self.naming.is_empty() {
            let (number, classes, kinds) = self.naming.remove(0);
            let [classes, kinds] = [classes, kinds].map(|count| vec![path("x"); count]);
            let unknown = vec![];
            return Some(Action::Worker(Reply::PathsNamed { number, classes, kinds, unknown }));
        }
        if !self.planning.is_empty() {
            let (run, id) = self.planning.remove(0);
            let outcome = match how % 4 {
                0 => Err(Refusal::Unreadable),
                1 => Ok(PlanOutcome::Unchanged),
                _ => Ok(change("x")),
            };
            return Some(Action::Tag(TagAction::Planned { run, id, outcome }));
        }
        let (run, id, task, key) = self.steps.pop()?;
        let result = if how.is_multiple_of(4) { Err(Refusal::Changed) } else { Ok(()) };
        match (task, &result) {
            (Task::Write, Ok(())) => assert!(self.written.insert(key)),
            (Task::Undo, Ok(())) => assert!(self.written.remove(&key), "what is not there is undone"),
            _ => {}
        }
        Some(Action::Tag(TagAction::Stepped { run, id, result }))
    }

    /// What holds after every action.
    pub(super) fn check(&self, tagging: &Tagging, after: &str) {
        let waits = match tagging.stage {
            TagStage::Naming => self.naming.iter().any(|&(run, ..)| run == tagging.run),
            TagStage::Planning => self.planning.iter().any(|&(run, _)| run == tagging.run),
            TagStage::Working(_) => self.steps.iter().any(|&(run, ..)| run == tagging.run),
            _ => true,
        };
        assert!(waits, "{:?} stands still after {after}", tagging.stage);
        let known: BTreeSet<_> = tagging.written.iter().map(|file| file.key).collect();
        assert_eq!(known, self.written, "what can be undone is not what was written after {after}");
    }
}

fn vocabulary(result: Result<(Rc<str>, Vec<String>), VocabularyRefusal>) -> TagAction {
    TagAction::VocabularyRead { file: "own.txt".into(), result }
}

fn path(name: &str) -> NamePath {
    vec![Name { wnid: String::new(), en: name.into(), zh: String::new() }]
}

fn change(keyword: &str) -> PlanOutcome {
    PlanOutcome::Change(PlannedChange {
        place: Place::Photo,
        note: None,
        splices: vec![],
        inverse: vec![],
        added: vec![keyword.into()],
        removed: vec![],
        bytes: 1,
        crc32: 1,
        sha256_after: String::new(),
    })
}

fn tag(state: &mut State, action: TagAction) -> Vec<TagEffect> {
    let effects = state.update(Action::Tag(action));
    let ours = |effect| match effect {
        Effect::Tag(effect) => Some(effect),
        Effect::Focus(Focus::Tagging) => None,
        other => panic!("{other:?}"),
    };
    effects.into_iter().filter_map(ours).collect()
}

fn named(state: &mut State) -> Vec<Effect> {
    let number = state.tagging.run;
    let classes = ["cat", "dog", "cat"].map(path).to_vec();
    let unknown = vec!["emu".into()];
    state.update(Action::Worker(Reply::PathsNamed { number, classes, kinds: vec![], unknown }))
}

fn planned(state: &mut State, id: PhotoId, outcome: Result<PlanOutcome, Refusal>) -> Vec<TagEffect> {
    let run = state.tagging.run;
    tag(state, TagAction::Planned { run, id, outcome })
}

fn stepped(state: &mut State, id: PhotoId, result: Result<(), Refusal>) -> Vec<TagEffect> {
    let run = state.tagging.run;
    tag(state, TagAction::Stepped { run, id, result })
}

/// The dialog with three photos, of which the third keeps its keywords.
fn listed_state() -> State {
    let mut state = three_answers();
    tag(&mut state, TagAction::Open { can_write: true });
    named(&mut state);
    for (id, outcome) in [(1, change("cat")), (2, change("dog")), (3, PlanOutcome::Unchanged)] {
        planned(&mut state, id, Ok(outcome));
    }
    assert_eq!(state.tagging.stage, TagStage::Planned);
    state
}

/// The same with the first two written into a folder.
fn written_state() -> State {
    let mut state = listed_state();
    tag(&mut state, TagAction::FolderPicked("2024".into()));
    for id in 1..=3 {
        planned(&mut state, id, Ok(change("x")));
    }
    tag(&mut state, TagAction::Start);
    stepped(&mut state, 1, Ok(()));
    stepped(&mut state, 2, Err(Refusal::Changed));
    stepped(&mut state, 3, Ok(()));
    state
}

#[test]
fn photos_are_named_then_looked_at_one_after_another() {
    let mut state = three_answers();
    let asked = tag(&mut state, TagAction::Open { can_write: false });
    let run = state.tagging.run;
    assert_eq!(asked, [TagEffect::NamePaths { run, classes: vec![1, 2, 3], kinds: vec![], names: vec![] }]);
    let effects = named(&mut state);
    let [Effect::Tag(TagEffect::Forget), Effect::Tag(TagEffect::Plan { id: 1, request, sha256, .. })] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(*sha256, "00".repeat(32));
    let WriterRequest::Plan { classes, kind, threshold, language, vocabulary } = &**request else { panic!() };
    assert_eq!(vocabulary, "");
    assert_eq!((classes[0].path[0].en.as_str(), classes[0].score, kind), ("cat", 0.4, &None));
    assert_eq!((*threshold, *language), (0.3, KeywordLanguage::English));
    assert!(matches!(&planned(&mut state, 1, Ok(change("cat")))[..], [TagEffect::Plan { id: 2, .. }]));
    assert_eq!(planned(&mut state, 1, Ok(change("cat"))), [], "answered already");
    planned(&mut state, 2, Err(Refusal::Unreadable));
    assert_eq!((state.tagging.progress(), state.tagging.rows.len()), ((2, 3), 0));
    planned(&mut state, 3, Ok(PlanOutcome::NoKeyword));
    let outcomes: Vec<_> = state.tagging.rows.iter().map(|row| row.outcome.clone()).collect();
    assert!(matches!(outcomes[0], RowOutcome::Change { .. }));
    assert_eq!(outcomes[1..], [RowOutcome::Refused(Refusal::Unreadable), RowOutcome::NoKeyword]);
}

#[test]
fn photos_without_an_answer_of_this_model_and_of_none_of_its_classes_get_no_names() {
    let mut state = three_answers();
    arrive(&mut state, 2, &[4, 5, 6]);
    let mut of_a_part = an_answer(vec![], 1.0);
    of_a_part.reading.missing_percent = 50;
    state.update(Action::Worker(Reply::Done { id: 6, answer: of_a_part }));
    let mut none = an_answer(vec![], 1.0);
    none.none_of = Some(200);
    none.predictions = vec![Prediction {
        index: 7,
        wnid: "n1".into(),
        label: "lynx".into(),
        label_zh: String::new(),
        score: 0.4,
    }];
    state.update(Action::Worker(Reply::Done { id: 4, answer: none }));
    let asked = tag(&mut state, TagAction::Open { can_write: false });
    let TagEffect::NamePaths { classes, .. } = &asked[0] else { panic!() };
    assert_eq!((classes, state.tagging.without_answer), (&vec![1, 2, 3], 2));
    assert_eq!(state.tagging.progress().1, 4, "the keywords of an earlier answer go");

    let mut state = State::default();
    assert_eq!(tag(&mut state, TagAction::Open { can_write: true }), []);
    assert_eq!(state.tagging.stage, TagStage::NoModel);
}

#[test]
fn another_threshold_lists_anew_and_what_comes_late_is_left_aside() {
    let mut state = three_answers();
    tag(&mut state, TagAction::Open { can_write: true });
    named(&mut state);
    let old = state.tagging.run;
    let effects = tag(&mut state, TagAction::SetThreshold(50));
    let [TagEffect::Forget, TagEffect::Plan { id: 1, request, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(matches!(**request, WriterRequest::Plan { threshold: 0.5, .. }));
    let late = TagAction::Planned { run: old, id: 1, outcome: Ok(change("cat")) };
    assert_eq!((tag(&mut state, late), state.tagging.progress().0), (vec![], 0));
    for odd in [0, 5, 33, 100] {
        assert_eq!(tag(&mut state, TagAction::SetThreshold(odd)), [], "{odd}");
    }
}

#[test]
fn a_zip_file_gets_each_changed_file_and_is_saved_once() {
    let mut state = listed_state();
    let started = tag(&mut state, TagAction::Start);
    let run = state.tagging.run;
    assert_eq!(started, [TagEffect::BeginZip, TagEffect::AddToZip { run, id: 1 }]);
    assert_eq!(tag(&mut state, TagAction::Start), []);
    assert_eq!(stepped(&mut state, 1, Ok(())), [TagEffect::AddToZip { run, id: 2 }]);
    assert_eq!(stepped(&mut state, 2, Ok(())), [TagEffect::SaveZip]);
    assert_eq!(stepped(&mut state, 2, Ok(())), []);
    let TagStage::Finished(work) = &state.tagging.stage else { panic!() };
    assert_eq!((work.done, work.total, state.tagging.written.len()), (2, 2, 0));
}

#[test]
fn a_zip_file_that_was_stopped_or_has_nothing_is_not_saved() {
    let mut state = listed_state();
    tag(&mut state, TagAction::Start);
    tag(&mut state, TagAction::Stop);
    assert_eq!(stepped(&mut state, 1, Ok(())), [TagEffect::BeginZip]);
    let mut state = listed_state();
    tag(&mut state, TagAction::Start);
    stepped(&mut state, 1, Err(Refusal::Changed));
    assert_eq!(stepped(&mut state, 2, Err(Refusal::Changed)), [TagEffect::BeginZip]);
}

#[test]
fn a_folder_is_written_and_undone_from_the_last_one_on() {
    let mut state = written_state();
    let run = state.tagging.run;
    let TagStage::Finished(work) = &state.tagging.stage else { panic!() };
    assert_eq!((work.done, &work.failed), (2, &vec![("2.jpg".into(), Refusal::Changed)]));
    assert_eq!(state.tagging.target, TagTarget::Folder("2024".into()));
    assert_eq!(tag(&mut state, TagAction::Undo), [TagEffect::Undo { run: run + 1, key: (run, 3) }]);
    assert_eq!(
        stepped(&mut state, 3, Err(Refusal::Changed)),
        [TagEffect::Undo { run: run + 1, key: (run, 1) }]
    );
    assert_eq!(stepped(&mut state, 1, Ok(())), []);
    assert_eq!(state.tagging.written.len(), 1, "what could not be restored can be tried again");
    assert!(!tag(&mut state, TagAction::ListAgain).is_empty());
}

#[test]
fn a_file_that_is_written_when_the_dialog_is_closed_can_be_undone() {
    let mut state = listed_state();
    tag(&mut state, TagAction::FolderPicked("2024".into()));
    for id in 1..=3 {
        planned(&mut state, id, Ok(change("x")));
    }
    tag(&mut state, TagAction::Start);
    let run = state.tagging.run;
    assert_eq!(
        state.update(Action::Tag(TagAction::Close)),
        [Effect::Tag(TagEffect::Forget), Effect::Tag(TagEffect::LeaveFolder), Effect::Focus(Focus::Export)]
    );
    tag(&mut state, TagAction::Stepped { run, id: 1, result: Ok(()) });
    assert_eq!(state.tagging.written.len(), 1);
    assert_eq!(state.tagging.stage, TagStage::Closed);
}

#[test]
fn a_worker_that_is_gone_names_nothing() {
    let mut state = three_answers();
    tag(&mut state, TagAction::Open { can_write: true });
    crash(&mut state);
    assert_eq!(state.tagging.stage, TagStage::NoModel);
}

#[test]
fn folders_are_for_browsers_that_write_into_them() {
    let mut state = three_answers();
    tag(&mut state, TagAction::Open { can_write: false });
    named(&mut state);
    assert_eq!(tag(&mut state, TagAction::PickFolder), []);
}

#[test]
fn own_keywords_list_anew_and_what_the_model_does_not_know_is_told() {
    let mut state = listed_state();
    let classes = vec!["cat".to_owned(), "emu".to_owned()];
    let asked = tag(&mut state, vocabulary(Ok(("cat\tMinka\nemu\tx".into(), classes.clone()))));
    assert!(matches!(&asked[..], [TagEffect::NamePaths { names, .. }] if *names == classes));
    let effects = named(&mut state);
    let [_, Effect::Tag(TagEffect::Plan { request, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert!(matches!(&**request, WriterRequest::Plan { vocabulary, .. } if vocabulary.starts_with("cat")));
    let own = state.tagging.vocabulary.clone().unwrap();
    assert_eq!((&*own.file, &own.unknown[..]), ("own.txt", &["emu".to_owned()][..]));

    assert_eq!(tag(&mut state, vocabulary(Err(VocabularyRefusal::NoText))), []);
    assert_eq!(state.tagging.refused_vocabulary, Some(("own.txt".into(), VocabularyRefusal::NoText)));
    assert_eq!(state.tagging.vocabulary, Some(own), "a file that can't be used changes nothing");
    state.update(Action::Tag(TagAction::Close));
    assert!(state.tagging.vocabulary.is_some() && state.tagging.refused_vocabulary.is_none());

    assert_eq!(tag(&mut state, TagAction::DropVocabulary), [], "the dialog is closed");
    tag(&mut state, TagAction::Open { can_write: true });
    named(&mut state);
    let effects = tag(&mut state, TagAction::DropVocabulary);
    assert!(matches!(&effects[1], TagEffect::Plan { request, .. }
        if matches!(&**request, WriterRequest::Plan { vocabulary, .. } if vocabulary.is_empty())));
}

#[test]
fn own_keywords_without_a_worker_leave_nobody_waiting() {
    let mut state = listed_state();
    crash(&mut state);
    assert_eq!(tag(&mut state, vocabulary(Ok(("".into(), vec![])))), []);
    assert_eq!(state.tagging.stage, TagStage::NoModel);
}
