//! The classes' names, from a file or from what is known without one.

pub mod imagenet_22k;

use crate::CheckpointError;
use beit::classes::Classes;
use beit::labels::{Label, imagenet_1k, imagenet_index};
use serde::Deserialize;
use std::path::Path;

/// Classes of ImageNet-1k.
const IMAGENET_CLASSES: usize = 1000;

/// A head's classes.
#[derive(Debug)]
pub struct Labels {
    /// One label for each row of the head; kinds where they are ImageNet-22k's.
    pub classes: Classes,
    /// Where they come from, for a note to the user.
    pub origin: Origin,
}

/// Where the classes' names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The labels file that was given.
    File,
    /// The checkpoint's own `meta.CLASSES`.
    Checkpoint,
    /// ImageNet-1k's own, by the number of classes.
    Imagenet1k,
    /// ImageNet-22k's of fall 2011, likewise.
    Imagenet22k,
    /// There was nothing to go by: "class 0", "class 1"….
    Numbered,
}

/// Names for a head of `classes` rows: those in `file`, else ImageNet's for 1000 or 21,841 classes, else the
/// checkpoint's own (`carried`), else numbers.
///
/// # Errors
/// When the file can't be read, is of none of the known forms, or has another number of classes.
pub fn find(file: Option<&Path>, carried: &[String], classes: usize) -> Result<Labels, CheckpointError> {
    let (labels, origin) = names(file, carried, classes)?;
    let kinds = imagenet_22k::kinds_over(&labels);
    Ok(Labels { classes: Classes { labels, kinds }, origin })
}

fn names(
    file: Option<&Path>,
    carried: &[String],
    classes: usize,
) -> Result<(Vec<Label>, Origin), CheckpointError> {
    if let Some(path) = file {
        let bytes = std::fs::read(path).map_err(CheckpointError::io("read", path))?;
        let labels = read(path, bytes)?;
        if labels.len() != classes {
            let expected = format!("{classes}, one for each row of the head");
            let got = labels.len().to_string();
            return Err(CheckpointError::Labels { path: path.to_owned(), expected, got });
        }
        return Ok((labels, Origin::File));
    }
    Ok(match classes {
        IMAGENET_CLASSES => (imagenet_1k().to_vec(), Origin::Imagenet1k),
        imagenet_22k::CLASSES if let Some(known) = imagenet_22k::built_in() => {
            (known.labels.clone(), Origin::Imagenet22k)
        }
        _ if carried.len() == classes => {
            (carried.iter().map(|name| named(name)).collect(), Origin::Checkpoint)
        }
        _ => ((0..classes).map(|i| named(&format!("class {i}"))).collect(), Origin::Numbered),
    })
}

/// Whether [`find`] does not know the names of a head of `classes` rows though somebody does: those of ImageNet-22k,
/// without the feature of that name.
pub(crate) fn must_be_given(classes: usize) -> bool {
    classes == imagenet_22k::CLASSES && imagenet_22k::built_in().is_none()
}

/// The names in a labels file, of any of the forms that [`find`] takes; `path` is only what messages call it.
///
/// # Errors
/// When the bytes are of none of the known forms.
pub fn read(path: &Path, bytes: Vec<u8>) -> Result<Vec<Label>, CheckpointError> {
    let fault = |expected, got| CheckpointError::Labels { path: path.to_owned(), expected, got };
    let text = String::from_utf8(bytes).map_err(|_| fault("UTF-8 text".into(), "other bytes".into()))?;
    parse(&text).map_err(|Fault { expected, got }| fault(expected, got))
}

struct Fault {
    expected: String,
    got: String,
}

/// Reads one of: a JSON list of objects (`imagenet_index`, `wnid`, `en`, `zh`: enough of them to know
/// the class), a JSON list of names, lines of `wnid TAB English TAB Chinese`, lines of WordNet
/// ids, or lines of names.
fn parse(text: &str) -> Result<Vec<Label>, Fault> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['[', '{']) {
        let items: Vec<Item> = serde_json::from_str(text).map_err(|e| Fault {
            expected: "a list of names or of {imagenet_index, wnid, en, zh}".into(),
            got: e.to_string(),
        })?;
        return items.into_iter().enumerate().map(|(row, item)| item.label(row)).collect();
    }
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    Ok(lines.map(line).collect())
}

/// One entry of a JSON list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Name(String),
    Class {
        imagenet_index: Option<usize>,
        wnid: Option<String>,
        #[serde(alias = "label", alias = "name")]
        en: Option<String>,
        #[serde(alias = "label_zh")]
        zh: Option<String>,
    },
}

impl Item {
    fn label(self, row: usize) -> Result<Label, Fault> {
        let (imagenet_index, wnid, en, zh) = match self {
            Self::Name(name) => return Ok(named(&name)),
            Self::Class { imagenet_index, wnid, en, zh } => (imagenet_index, wnid, en, zh),
        };
        let mut label = match (imagenet_index, &wnid) {
            (Some(index), wnid) => {
                let known = imagenet_1k().get(index);
                let known = known.filter(|known| wnid.as_ref().is_none_or(|wnid| known.wnid == *wnid));
                known.cloned().ok_or_else(|| Fault {
                    expected: format!("an ImageNet-1k index and its wnid in entry {row}"),
                    got: format!("{index} and {}", wnid.as_deref().unwrap_or("none")),
                })?
            }
            (None, Some(wnid)) => known(wnid),
            (None, None) => named(""),
        };
        if let Some(en) = en {
            label.en = en;
        }
        if let Some(zh) = zh {
            label.zh = zh;
        }
        if label.en.is_empty() {
            let expected = format!(
                "a name, or the index of an ImageNet-1k class or the wnid of an ImageNet class, in entry {row}"
            );
            return Err(Fault { expected, got: wnid.unwrap_or_else(|| "neither".into()) });
        }
        Ok(label)
    }
}

fn line(line: &str) -> Label {
    let mut columns = line.split('\t').map(str::trim);
    let (first, en, zh) = (columns.next().unwrap_or_default(), columns.next(), columns.next());
    match en {
        None if is_wnid(first) => {
            let label = known(first);
            if label.en.is_empty() { Label { en: first.to_owned(), ..label } } else { label }
        }
        None => named(first),
        Some(en) => {
            Label { wnid: first.to_owned(), en: en.to_owned(), zh: zh.unwrap_or_default().to_owned() }
        }
    }
}

/// `n` and eight digits.
fn is_wnid(text: &str) -> bool {
    text.len() == 9 && text.starts_with('n') && text[1..].bytes().all(|b| b.is_ascii_digit())
}

/// ImageNet's class, or one that has only its id.
fn known(wnid: &str) -> Label {
    let known = imagenet_index(wnid).map(|index| &imagenet_1k()[index]);
    let known = known.or_else(|| imagenet_22k::label(wnid)).cloned();
    known.unwrap_or_else(|| Label { wnid: wnid.to_owned(), ..named("") })
}

fn named(name: &str) -> Label {
    Label { wnid: String::new(), en: name.to_owned(), zh: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String, String)> {
        let labels = parse(text).unwrap_or_else(|f| panic!("{text}: expected {}, got {}", f.expected, f.got));
        labels.into_iter().map(|l| (l.wnid, l.en, l.zh)).collect()
    }

    fn owned(wnid: &str, en: &str, zh: &str) -> (String, String, String) {
        (wnid.into(), en.into(), zh.into())
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(parsed("cat\ndog\n\n"), [owned("", "cat", ""), owned("", "dog", "")]);
        assert_eq!(parsed("n1\tcat\t猫\r\nn2\tdog"), [owned("n1", "cat", "猫"), owned("n2", "dog", "")]);
        assert_eq!(parsed(r#"["cat", "dog"]"#), [owned("", "cat", ""), owned("", "dog", "")]);
        assert_eq!(parsed(r#"[{"wnid":"x","en":"cat","zh":"猫"}]"#), [owned("x", "cat", "猫")]);
        let tabby = &imagenet_1k()[281];
        assert_eq!(tabby.wnid, "n02123045");
        let expected = [owned(&tabby.wnid, &tabby.en, &tabby.zh)];
        for text in
            [r#"[{"imagenet_index":281,"wnid":"n02123045"}]"#, r#"[{"wnid":"n02123045"}]"#, "n02123045\n"]
        {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn contradictions_and_gaps_are_refused() {
        for text in [
            r#"[{"imagenet_index":0,"wnid":"n02123045"}]"#,
            r#"[{"imagenet_index":1000}]"#,
            r#"[{"wnid":"n00000000"}]"#,
            "[{}]",
            r#"{"0":"cat"}"#,
            "[",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_count_must_be_the_heads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        std::fs::write(&path, "cat\ndog\n").unwrap();
        assert_eq!(find(Some(&path), &[], 2).unwrap().origin, Origin::File);
        let error = find(Some(&path), &[], 3).unwrap_err().to_string();
        assert!(error.contains("expected 3, one for each row of the head, got 2"), "{error}");
        assert_eq!(find(None, &[], 1000).unwrap().classes.labels.len(), 1000);
        assert_eq!(find(None, &[], 2).unwrap().classes.labels[1].en, "class 1");
        assert_eq!(find(None, &["a".into(), "b".into()], 2).unwrap().origin, Origin::Checkpoint);
    }

    #[test]
    fn imagenet_22k_is_known_by_its_count_or_its_wnids() {
        let found = find(None, &[], 21_841).unwrap();
        assert_eq!((found.origin, found.classes.kinds.len()), (Origin::Imagenet22k, 4_381));
        let wnids: Vec<&str> = found.classes.labels.iter().map(|label| label.wnid.as_str()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("imagenet22k_synsets.txt");
        std::fs::write(&path, wnids.join("\n")).unwrap();
        assert_eq!(find(Some(&path), &[], 21_841).unwrap().classes, found.classes);
        // Other models have some of these classes.
        std::fs::write(&path, wnids[100..200].join("\n")).unwrap();
        let some = find(Some(&path), &[], 100).unwrap().classes;
        assert_eq!((&some.labels[..], some.kinds.len()), (&found.classes.labels[100..200], 0));
    }
}
