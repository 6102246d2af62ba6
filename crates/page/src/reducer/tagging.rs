//! Keywords for photos: asked for, listed, written, undone. One photo is in hand at a time.

use crate::effect::{Effect, Focus};
use crate::engine::Engine;
use crate::photo::{Photo, Progress};
use crate::state::State;
use crate::tagging::{
    Candidate, InHand, Refusal, Row, RowOutcome, THRESHOLDS, TagAction, TagEffect, TagStage, TagTarget,
    Tagging, Task, Vocabulary, Work, Written,
};
use protocol::Answer;
use protocol::keywords::{NamePath, NamedAnswer, PlanOutcome, PlannedChange, WriterRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

impl State {
    pub(super) fn on_tagging(&mut self, action: TagAction) -> Vec<Effect> {
        let was_working = matches!(self.tagging.stage, TagStage::Working(_));
        // The button that the visitor has pressed is gone after these.
        let pressed = matches!(
            action,
            TagAction::Start
                | TagAction::Undo
                | TagAction::ListAgain
                | TagAction::UseZip
                | TagAction::FolderPicked(_)
                | TagAction::DropVocabulary
        );
        let effects = match action {
            TagAction::Open { can_write } => self.open_tagging(can_write),
            TagAction::Close => return self.close_tagging(),
            action => self.tagging.update(action),
        };
        if self.tagging.stage == TagStage::Naming && !matches!(self.engine, Engine::Ready { .. }) {
            // A worker that is being replaced would never answer.
            self.tagging.stage = TagStage::NoModel;
            return vec![];
        }
        let has_ended = was_working && matches!(self.tagging.stage, TagStage::Finished(_));
        let focus = (has_ended || pressed && !effects.is_empty()).then_some(Effect::Focus(Focus::Tagging));
        effects.into_iter().map(Effect::Tag).chain(focus).collect()
    }

    fn open_tagging(&mut self, can_write: bool) -> Vec<TagEffect> {
        if self.tagging.stage != TagStage::Closed {
            return vec![];
        }
        let Engine::Ready { model, .. } = &self.engine else {
            self.tagging.stage = TagStage::NoModel;
            return vec![];
        };
        let by_model = |photo: &Photo| photo.provenance.as_ref().is_some_and(|given| given.model == *model);
        let candidate = |photo: &Rc<Photo>| match &photo.progress {
            Progress::Done(answer) if by_model(photo) && answer.reading.missing_percent == 0 => {
                Some(Candidate::of(photo, answer))
            }
            _ => None,
        };
        let photos: Rc<[Candidate]> = self.photos.iter().filter_map(candidate).collect();
        self.tagging.without_answer = self.photos.len() - photos.len();
        self.tagging.photos = photos;
        self.tagging.can_write = can_write;
        self.tagging.name_paths()
    }

    fn close_tagging(&mut self) -> Vec<Effect> {
        if self.tagging.stage == TagStage::Closed {
            return vec![];
        }
        let tagging = &mut self.tagging;
        tagging.run += 1;
        tagging.stage = TagStage::Closed;
        (tagging.rows, tagging.photos) = (Rc::default(), Rc::default());
        tagging.planned.clear();
        tagging.target = TagTarget::Zip;
        tagging.refused_vocabulary = None;
        let forget = [TagEffect::Forget, TagEffect::LeaveFolder].map(Effect::Tag);
        forget.into_iter().chain([Effect::Focus(Focus::Export)]).collect()
    }

    /// The worker has said what the answers are of.
    pub(super) fn on_paths_named(
        &mut self,
        run: u64,
        classes: &[NamePath],
        kinds: &[NamePath],
        unknown: Vec<String>,
    ) -> Vec<Effect> {
        let effects = self.tagging.on_paths_named(run, classes, kinds, unknown);
        effects.into_iter().map(Effect::Tag).collect()
    }

    /// The worker that was asked is gone.
    pub(super) fn stop_naming(&mut self) {
        if self.tagging.stage == TagStage::Naming {
            self.tagging.stage = TagStage::NoModel;
        }
    }
}

impl Candidate {
    fn of(photo: &Photo, answer: &Answer) -> Self {
        // A photo that most likely shows none of the classes gets none of their names.
        let shown = answer.none_of.is_none();
        let name =
            |kind: &protocol::Kind| if kind.wnid.is_empty() { &kind.label } else { &kind.wnid }.clone();
        let classes = answer.predictions.iter().filter(|_| shown);
        Self {
            id: photo.id,
            name: photo.name.clone(),
            bytes: answer.bytes,
            sha256: answer.sha256.clone(),
            classes: classes.map(|one| (one.index, one.score)).collect(),
            kind: answer.kind.as_ref().filter(|_| shown).map(|kind| (name(kind), kind.score)),
            named: Vec::new(),
            named_kind: None,
        }
    }
}

impl Tagging {
    fn update(&mut self, action: TagAction) -> Vec<TagEffect> {
        let at_rest = matches!(self.stage, TagStage::Planning | TagStage::Planned | TagStage::Finished(_));
        match action {
            TagAction::Open { .. } | TagAction::Close => vec![],
            TagAction::SetThreshold(percent) if at_rest && THRESHOLDS.contains(&percent) => {
                self.rules.threshold = percent;
                self.plan()
            }
            TagAction::SetLanguage(language) if at_rest => {
                self.rules.language = language;
                self.plan()
            }
            TagAction::VocabularyRead { file, result } if at_rest => match result {
                Ok((text, classes)) => {
                    self.vocabulary = Some(Vocabulary { file, text, classes, unknown: Vec::new() });
                    self.refused_vocabulary = None;
                    self.name_paths()
                }
                Err(refusal) => {
                    self.refused_vocabulary = Some((file, refusal));
                    vec![]
                }
            },
            TagAction::DropVocabulary if at_rest && self.vocabulary.is_some() => {
                (self.vocabulary, self.refused_vocabulary) = (None, None);
                self.plan()
            }
            TagAction::PickFolder if at_rest && self.can_write => vec![TagEffect::PickFolder],
            TagAction::FolderPicked(name) if at_rest => {
                self.target = TagTarget::Folder(name);
                self.plan()
            }
            TagAction::UseZip if at_rest && self.target != TagTarget::Zip => {
                self.target = TagTarget::Zip;
                let mut effects = vec![TagEffect::LeaveFolder];
                effects.extend(self.plan());
                effects
            }
            TagAction::Planned { run, id, outcome } => self.on_planned(run, id, outcome),
            TagAction::Start if self.stage == TagStage::Planned && self.in_hand.is_none() => self.start(),
            TagAction::Stepped { run, id, result } => self.on_stepped(run, id, result),
            TagAction::Stop => {
                if let TagStage::Working(work) = &mut self.stage {
                    work.stopped = true;
                }
                vec![]
            }
            TagAction::Undo if at_rest && self.in_hand.is_none() && !self.written.is_empty() => {
                self.run += 1;
                self.stage = TagStage::Working(Work::begin(Task::Undo, self.written.len()));
                self.next_step()
            }
            TagAction::ListAgain if at_rest => self.plan(),
            TagAction::ListAgain
            | TagAction::SetThreshold(_)
            | TagAction::SetLanguage(_)
            | TagAction::VocabularyRead { .. }
            | TagAction::DropVocabulary
            | TagAction::PickFolder
            | TagAction::FolderPicked(_)
            | TagAction::UseZip
            | TagAction::Start
            | TagAction::Undo => vec![],
        }
    }

    fn name_paths(&mut self) -> Vec<TagEffect> {
        self.run += 1;
        self.stage = TagStage::Naming;
        self.rows = Rc::default();
        let (classes, kinds) = self.wanted_names();
        let names = self.vocabulary.as_ref().map(|own| own.classes.clone()).unwrap_or_default();
        vec![TagEffect::NamePaths { run: self.run, classes, kinds, names }]
    }

    /// What has to be named: each class and each kind once.
    fn wanted_names(&self) -> (Vec<usize>, Vec<String>) {
        let classes: BTreeSet<usize> =
            self.photos.iter().flat_map(|photo| &photo.classes).map(|&(index, _)| index).collect();
        let kinds: BTreeSet<&String> =
            self.photos.iter().filter_map(|photo| photo.kind.as_ref()).map(|(name, _)| name).collect();
        (classes.into_iter().collect(), kinds.into_iter().cloned().collect())
    }

    fn on_paths_named(
        &mut self,
        run: u64,
        classes: &[NamePath],
        kinds: &[NamePath],
        unknown: Vec<String>,
    ) -> Vec<TagEffect> {
        if run != self.run || self.stage != TagStage::Naming {
            return vec![];
        }
        if let Some(own) = &mut self.vocabulary {
            own.unknown = unknown;
        }
        let (indices, names) = self.wanted_names();
        let class_paths: BTreeMap<usize, &NamePath> = indices.into_iter().zip(classes).collect();
        let kind_paths: BTreeMap<String, &NamePath> = names.into_iter().zip(kinds).collect();
        let named = |path: Option<&&NamePath>, score: f32| {
            path.map(|&path| NamedAnswer { path: path.clone(), score })
        };
        let name = |photo: &Candidate| Candidate {
            named: photo
                .classes
                .iter()
                .filter_map(|(index, score)| named(class_paths.get(index), *score))
                .collect(),
            named_kind: photo.kind.as_ref().and_then(|(name, score)| named(kind_paths.get(name), *score)),
            ..photo.clone()
        };
        self.photos = self.photos.iter().map(name).collect();
        self.plan()
    }

    /// Lists what would change, anew.
    fn plan(&mut self) -> Vec<TagEffect> {
        self.run += 1;
        self.rows = Rc::default();
        self.planned.clear();
        self.stage = TagStage::Planning;
        let mut effects = vec![TagEffect::Forget];
        effects.extend(self.plan_next());
        effects
    }

    fn plan_next(&mut self) -> Option<TagEffect> {
        let Some(photo) = self.photos.get(self.planned.len()) else {
            self.rows = std::mem::take(&mut self.planned).into();
            self.stage = TagStage::Planned;
            return None;
        };
        let request = WriterRequest::Plan {
            classes: photo.named.clone(),
            kind: photo.named_kind.clone(),
            threshold: self.rules.probability(),
            language: self.rules.language,
            vocabulary: self.vocabulary.as_ref().map(|own| own.text.to_string()).unwrap_or_default(),
        };
        let Candidate { id, name, bytes, sha256, .. } = photo.clone();
        Some(TagEffect::Plan { run: self.run, id, name, bytes, sha256, request: Box::new(request) })
    }

    fn on_planned(&mut self, run: u64, id: u64, outcome: Result<PlanOutcome, Refusal>) -> Vec<TagEffect> {
        let asked = self.photos.get(self.planned.len()).filter(|photo| photo.id == id);
        let Some(photo) = asked.filter(|_| run == self.run && self.stage == TagStage::Planning) else {
            return vec![];
        };
        let row = Row { id, name: photo.name.clone(), outcome: outcome.into() };
        self.planned.push(row);
        self.plan_next().into_iter().collect()
    }

    fn start(&mut self) -> Vec<TagEffect> {
        let total = self.rows.iter().filter(|row| row.is_change()).count();
        if total == 0 {
            return vec![];
        }
        self.run += 1;
        let task = if self.target == TagTarget::Zip { Task::Zip } else { Task::Write };
        self.stage = TagStage::Working(Work::begin(task, total));
        let begin = (task == Task::Zip).then_some(TagEffect::BeginZip);
        begin.into_iter().chain(self.next_step()).collect()
    }

    /// The file that is next.
    fn next_file(&self, work: &Work) -> Option<Written> {
        if work.task == Task::Undo {
            // The last one first. What could not be restored stays in the list, behind those that are left.
            let at = self.written.len().checked_sub(work.failed.len() + 1)?;
            return self.written.get(at).cloned();
        }
        let row = self.rows.iter().filter(|row| row.is_change()).nth(work.done + work.failed.len())?;
        Some(Written { key: (self.run, row.id), name: row.name.clone() })
    }

    fn next_step(&mut self) -> Vec<TagEffect> {
        let TagStage::Working(work) = &self.stage else { return vec![] };
        let next = self.next_file(work).filter(|_| !work.stopped);
        let Some(file) = next else { return self.finish() };
        let (run, task, key) = (self.run, work.task, file.key);
        let id = key.1;
        self.in_hand = Some(InHand { run, id, task, file });
        vec![match task {
            Task::Zip => TagEffect::AddToZip { run, id },
            Task::Write => TagEffect::Write { run, id },
            Task::Undo => TagEffect::Undo { run, key },
        }]
    }

    fn finish(&mut self) -> Vec<TagEffect> {
        let TagStage::Working(work) = &self.stage else { return vec![] };
        let work = work.clone();
        // Half a zip file is of no use: the list stays.
        let effect = match (work.task, work.stopped || work.done == 0) {
            (Task::Zip, false) => Some(TagEffect::SaveZip),
            (Task::Zip, true) => Some(TagEffect::BeginZip),
            _ => None,
        };
        self.stage = TagStage::Finished(work);
        effect.into_iter().collect()
    }

    fn on_stepped(&mut self, run: u64, id: u64, result: Result<(), Refusal>) -> Vec<TagEffect> {
        let Some(InHand { task, file, .. }) = self.in_hand.take_if(|it| (it.run, it.id) == (run, id)) else {
            return vec![];
        };
        let name = file.name.clone();
        // Whatever the dialog does meanwhile: it was written, or restored.
        match (task, &result) {
            (Task::Write, Ok(())) => self.written.push(file),
            (Task::Undo, Ok(())) => self.written.retain(|written| written.key != file.key),
            _ => {}
        }
        match &mut self.stage {
            TagStage::Working(work) if run == self.run => match result {
                Ok(()) => work.done += 1,
                Err(why) => work.failed.push((name, why)),
            },
            _ => return vec![],
        }
        self.next_step()
    }
}

impl From<Result<PlanOutcome, Refusal>> for RowOutcome {
    fn from(outcome: Result<PlanOutcome, Refusal>) -> Self {
        match outcome {
            Ok(PlanOutcome::Change(PlannedChange { place, note, added, removed, .. })) => {
                Self::Change { place, note, added, removed }
            }
            Ok(PlanOutcome::Unchanged) => Self::Unchanged,
            Ok(PlanOutcome::NoKeyword) => Self::NoKeyword,
            Ok(PlanOutcome::Refused { why }) => Self::Refused(Refusal::Sidecar(why)),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}
