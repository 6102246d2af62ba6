//! Keywords merged into XMP: which come, which go.

use super::XmpError;
use super::document::{Document, parse};
use super::edit::Edits;
use super::encoding::{Encoding, decode};
use super::packet::{Shell, keep_length, without_padding};
use super::property::Name;
use crate::Keywords;

/// No XMP of a photo is longer, unless it is to harm.
const MOST_BYTES: u64 = 16 << 20;

/// XMP with other keywords.
#[derive(Debug)]
pub struct Merged {
    pub bytes: Vec<u8>,
    /// The same without padding, for where there is little room.
    pub shortest: Vec<u8>,
    pub added: Keywords,
    pub removed: Keywords,
}

/// What happens to a list of keywords.
struct Plan {
    /// Come, and are listed as added.
    add: Vec<String>,
    /// Go: an earlier answer's.
    remove: Vec<String>,
    /// Listed as added afterwards.
    listed: Vec<String>,
}

impl Plan {
    /// `present` are the keywords that are there, `listed` those that were added before.
    ///
    /// One that was added and is gone was removed by somebody, who does not want it: it stays listed and does not come
    /// back.
    fn new(present: &[String], listed: &[String], wanted: &[String]) -> Self {
        let remove: Vec<String> = listed
            .iter()
            .filter(|keyword| present.contains(keyword) && !wanted.contains(keyword))
            .cloned()
            .collect();
        let add: Vec<String> = wanted
            .iter()
            .filter(|keyword| !present.contains(keyword) && !listed.contains(keyword))
            .cloned()
            .collect();
        let kept = listed.iter().filter(|keyword| !remove.contains(keyword));
        let listed = kept.chain(&add).cloned().collect();
        Self { add, remove, listed }
    }

    fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Merges keywords into XMP: those of `wanted` that are not there come, those that came earlier and are not wanted any
/// more go, and all else stays. `None` if nothing changes. `shell` is for new XMP, where `xmp` is none or blank.
///
/// # Errors
/// When the XMP that is there can't be merged with.
pub fn merge(xmp: Option<&[u8]>, wanted: &Keywords, shell: Shell) -> Result<Option<Merged>, XmpError> {
    if xmp.is_some_and(|xmp| xmp.len() as u64 > MOST_BYTES) {
        return Err(XmpError::TooLong { most: MOST_BYTES });
    }
    let mut decoded = decode(xmp.unwrap_or_default())?;
    if decoded.text.trim().is_empty() {
        decoded = decode(shell.empty().as_bytes())?;
    }
    let text = &decoded.text;
    let is_utf8 = decoded.encoding == Encoding::Utf8;
    let document = parse(text, is_utf8)?;
    let list = |name| values(&document, name);
    let subjects = Plan::new(&list(Name::Subject), &list(Name::AddedSubject), &wanted.subjects);
    let paths = Plan::new(&list(Name::Path), &list(Name::AddedPath), &wanted.paths);
    if subjects.is_empty() && paths.is_empty() {
        return Ok(None);
    }
    let mut edits = Edits::new(text, &document);
    edits.change(Name::Subject, &subjects.remove, &subjects.add);
    edits.change(Name::Path, &paths.remove, &paths.add);
    edits.change(Name::AddedSubject, &subjects.remove, &subjects.add);
    edits.change(Name::AddedPath, &paths.remove, &paths.add);
    let edited = edits.apply();
    check(&document, &edited, is_utf8, [&subjects, &paths])?;
    let bytes = decoded.encode(&keep_length(text, edited.clone(), decoded.encoding));
    Ok(Some(Merged {
        bytes,
        shortest: decoded.encode(&without_padding(&edited)),
        added: Keywords { subjects: subjects.add, paths: paths.add },
        removed: Keywords { subjects: subjects.remove, paths: paths.remove },
    }))
}

/// The keywords in XMP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Whoever added them.
    pub all: Keywords,
    /// Those that this crate added. One that is not among all was removed by somebody.
    pub added: Keywords,
}

/// Reads the keywords in XMP.
///
/// # Errors
/// When it can't be read.
pub fn listed(xmp: &[u8]) -> Result<Listed, XmpError> {
    let decoded = decode(xmp)?;
    let document = parse(&decoded.text, decoded.encoding == Encoding::Utf8)?;
    let keywords =
        |subjects, paths| Keywords { subjects: values(&document, subjects), paths: values(&document, paths) };
    Ok(Listed {
        all: keywords(Name::Subject, Name::Path),
        added: keywords(Name::AddedSubject, Name::AddedPath),
    })
}

fn values(document: &Document, name: Name) -> Vec<String> {
    let properties = document.properties.iter().filter(|property| property.name == name);
    properties.flat_map(|property| property.values()).map(str::to_owned).collect()
}

/// Reads the edited text: it must say what was there, less and more what was planned.
fn check(old: &Document, edited: &str, is_utf8: bool, [subjects, paths]: [&Plan; 2]) -> Result<(), XmpError> {
    let new = parse(edited, is_utf8).map_err(|_| XmpError::NotReadBack)?;
    let sorted = |mut keywords: Vec<String>| {
        keywords.sort();
        keywords
    };
    for (name, plan) in [(Name::Subject, subjects), (Name::Path, paths)] {
        let mut expected = values(old, name);
        expected.retain(|keyword| !plan.remove.contains(keyword));
        expected.extend(plan.add.iter().cloned());
        if sorted(values(&new, name)) != sorted(expected) {
            return Err(XmpError::NotReadBack);
        }
    }
    for (name, plan) in [(Name::AddedSubject, subjects), (Name::AddedPath, paths)] {
        let is = values(&new, name);
        if !is.iter().all(|keyword| plan.listed.contains(keyword))
            || !plan.listed.iter().all(|keyword| is.contains(keyword))
        {
            return Err(XmpError::NotReadBack);
        }
    }
    Ok(())
}
