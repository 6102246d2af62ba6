//! Answers → keywords → how a photo or its sidecar changes.

use crate::reasons::{not_embedded, not_merged};
use crate::sha256;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use keywords::{
    Answer, Change, Keywords, Language, Name, Rules, Splice, Vocabulary, apply, belongs_in_photo, embed,
    inverse, sidecar,
};
use protocol::keywords::{
    Edit, KeywordLanguage, NamedAnswer, NotEmbedded, NotMerged, Place, PlanOutcome, PlannedChange,
};

/// The keywords that answers give.
pub fn wanted(
    classes: &[NamedAnswer],
    kind: Option<&NamedAnswer>,
    threshold: f32,
    language: KeywordLanguage,
    vocabulary: Vocabulary,
) -> Keywords {
    let language = match language {
        KeywordLanguage::English => Language::English,
        KeywordLanguage::Chinese => Language::Chinese,
        KeywordLanguage::Both => Language::Both,
    };
    let classes: Vec<Answer> = classes.iter().map(answer).collect();
    let rules = Rules { threshold, language, vocabulary };
    keywords::keywords(&classes, kind.map(answer).as_ref(), &rules)
}

fn answer(named: &NamedAnswer) -> Answer {
    let name = |name: &protocol::keywords::Name| Name {
        wnid: name.wnid.clone(),
        en: name.en.clone(),
        zh: name.zh.clone(),
    };
    Answer { path: named.path.iter().map(name).collect(), score: named.score }
}

/// How a photo, or the sidecar that it has or gets, changes.
pub fn plan(photo: &[u8], beside: Option<&[u8]>, wanted: &Keywords) -> PlanOutcome {
    let mut note = None;
    if belongs_in_photo(photo, beside.is_some()) {
        match embed(photo, wanted) {
            Ok(None) => return unchanged(wanted),
            Ok(Some(change)) => return planned(Place::Photo, None, photo, change),
            Err(error) => note = not_embedded(error),
        }
    }
    match sidecar(beside, wanted) {
        Ok(None) => unchanged(wanted),
        Ok(Some(change)) => planned(Place::Sidecar, note, beside.unwrap_or_default(), change),
        Err(error) => PlanOutcome::Refused { why: not_merged(&error) },
    }
}

fn unchanged(wanted: &Keywords) -> PlanOutcome {
    if wanted.is_empty() { PlanOutcome::NoKeyword } else { PlanOutcome::Unchanged }
}

fn planned(place: Place, note: Option<NotEmbedded>, before: &[u8], change: Change) -> PlanOutcome {
    let changed = apply(before, &change.splices).zip(inverse(before, &change.splices));
    // What was made of these bytes fits them.
    let Some((after, inverse)) = changed else {
        return PlanOutcome::Refused { why: NotMerged::NotReadBack };
    };
    PlanOutcome::Change(PlannedChange {
        place,
        note,
        splices: change.splices.iter().map(edit).collect(),
        inverse: inverse.iter().map(edit).collect(),
        added: change.added.subjects,
        removed: change.removed.subjects,
        bytes: after.len() as u64,
        crc32: crc32fast::hash(&after),
        sha256_after: sha256(&after),
    })
}

fn edit(splice: &Splice) -> Edit {
    let Splice { at, removed, inserted } = splice;
    Edit { at: *at, removed: *removed, inserted: BASE64_STANDARD.encode(inserted) }
}
