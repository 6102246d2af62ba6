//! The 21,841 classes of ImageNet-22k as of fall 2011, and the kinds of things that they are of. `tools/labels`
//! says how the tables are made.
//!
//! With the feature `imagenet-22k` they are built in, where models are converted: a converted model carries its names
//! and kinds along, and programs that only run models need no table. Without it they must be [read](parse).

use beit::classes::Classes;
use beit::kinds::{self, Kind};
use beit::labels::Label;
#[cfg(feature = "imagenet-22k")]
use std::sync::OnceLock;
use thiserror::Error;

/// Classes of ImageNet-22k.
pub const CLASSES: usize = 21_841;

#[cfg(feature = "imagenet-22k")]
const NAMES: &str = include_str!("../../data/imagenet-22k.tsv");
#[cfg(feature = "imagenet-22k")]
const KINDS: &str = include_str!("../../data/imagenet-22k-kinds.tsv");

/// Why a text is not the table of classes, or of their kinds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// A row of the classes.
    #[error(
        "line {line} of ImageNet-22k's classes: expected a WordNet id, an English and a Chinese name, got {got:.120}"
    )]
    Row {
        /// From 1.
        line: usize,
        /// The row.
        got: String,
    },
    /// The number of classes.
    #[error("ImageNet-22k's classes: expected {CLASSES}, got {got}")]
    Count {
        /// The rows.
        got: usize,
    },
    /// The kinds.
    #[error("ImageNet-22k's kinds: expected lines of a WordNet id, two names and classes")]
    Kinds,
}

/// Reads the two tables, which are `data/imagenet-22k.tsv` and `data/imagenet-22k-kinds.tsv` of this crate. `names` are
/// lines of `wnid, en, zh`, by ascending wnid, which is the order of a classifier's outputs; Chinese may be empty.
/// `kinds` are lines of `wnid, en, zh, classes`, those with the fewest classes first. Tabs separate.
///
/// # Errors
/// When either is something else.
pub fn parse(names: &str, kinds: &str) -> Result<Classes, TableError> {
    let labels =
        names.lines().enumerate().map(|(i, row)| read_row(i + 1, row)).collect::<Result<Vec<_>, _>>()?;
    if labels.len() != CLASSES {
        return Err(TableError::Count { got: labels.len() });
    }
    let kinds =
        kinds::read_table(kinds, CLASSES).filter(|kinds| !kinds.is_empty()).ok_or(TableError::Kinds)?;
    Ok(Classes { labels, kinds })
}

fn read_row(line: usize, row: &str) -> Result<Label, TableError> {
    let fields: Vec<&str> = row.split('\t').collect();
    match fields[..] {
        [wnid, en, zh] => Ok(Label { wnid: wnid.into(), en: en.into(), zh: zh.into() }),
        _ => Err(TableError::Row { line, got: row.into() }),
    }
}

/// The classes with their kinds, in the order of a classifier's outputs, where they are built in. Names are each
/// unique.
pub fn built_in() -> Option<&'static Classes> {
    #[cfg(feature = "imagenet-22k")]
    {
        static TABLE: OnceLock<Classes> = OnceLock::new();
        // The tables are part of the program, so a row of another shape is a fault of ours, not an input's.
        Some(TABLE.get_or_init(|| parse(NAMES, KINDS).expect("both tables have the form that parse reads")))
    }
    #[cfg(not(feature = "imagenet-22k"))]
    None
}

/// The class with this WordNet id, where the classes are built in.
pub fn label(wnid: &str) -> Option<&'static Label> {
    let labels = &built_in()?.labels;
    let index = labels.binary_search_by(|label| label.wnid.as_str().cmp(wnid)).ok()?;
    labels.get(index)
}

/// The kinds over these classes; none if they are not ImageNet-22k's, in its order, or those are not built in.
pub fn kinds_over(classes: &[Label]) -> Vec<Kind> {
    if classes.len() != CLASSES {
        return Vec::new();
    }
    match built_in() {
        Some(known) if classes.iter().zip(&known.labels).all(|(a, b)| a.wnid == b.wnid) => {
            known.kinds.clone()
        }
        _ => Vec::new(),
    }
}

#[cfg(all(test, feature = "imagenet-22k"))]
mod tests {
    use super::*;
    use beit::kinds::most_specific;
    use beit::labels::imagenet_1k;
    use std::collections::HashSet;
    use std::time::{Duration, Instant};

    fn labels() -> &'static [Label] {
        &built_in().unwrap().labels
    }

    fn index(wnid: &str) -> usize {
        labels().binary_search_by(|label| label.wnid.as_str().cmp(wnid)).unwrap()
    }

    fn kind(classes: &[(&str, f32)]) -> Option<String> {
        let mut probabilities = vec![0.0; CLASSES];
        classes.iter().for_each(|(wnid, probability)| probabilities[index(wnid)] = *probability);
        most_specific(labels(), &kinds_over(labels()), &probabilities).map(|(kind, _)| kind.label.en.clone())
    }

    /// timm's `imagenet22k_synsets.txt`: one id a line.
    #[test]
    fn the_order_is_timms() {
        let ids: String = labels().iter().map(|label| format!("{}\n", label.wnid)).collect();
        let hash = beit::weights::sha256(ids.as_bytes());
        assert_eq!(labels().len(), CLASSES);
        assert_eq!(hash, "0ae24538751973797b29d8dec412b2bdc61bc4ec3ecd081eba0735804236bbd2");
    }

    #[test]
    fn names_are_unique_and_half_have_a_chinese_one() {
        let english: HashSet<_> = labels().iter().map(|label| label.en.to_lowercase()).collect();
        assert_eq!(english.len(), CLASSES);
        assert!(!english.contains(""));
        let chinese: Vec<_> = labels().iter().map(|label| &label.zh).filter(|zh| !zh.is_empty()).collect();
        assert_eq!(chinese.len(), 9_364);
        assert_eq!(chinese.iter().collect::<HashSet<_>>().len(), chinese.len());
    }

    #[test]
    fn classes_of_imagenet_1k_are_called_as_there() {
        let both: Vec<_> =
            imagenet_1k().iter().filter_map(|known| Some((known, label(&known.wnid)?))).collect();
        assert_eq!(both.len(), 999, "all but the teddy bear");
        both.iter().for_each(|(known, label)| assert_eq!(known, label));
    }

    #[test]
    fn known_classes_stand_where_timm_has_them() {
        let known = [
            ("n01440764", "tench", "丁鱥"),
            ("n02084071", "dog", "狗"),
            ("n12268246", "oak", "橡树"),
            ("n03126707", "crane (machine)", "起重机"),
        ];
        for (wnid, en, zh) in known {
            let label = &labels()[index(wnid)];
            assert_eq!((label.en.as_str(), label.zh.as_str()), (en, zh));
        }
        assert_eq!(label("n04399382"), None);
        assert_eq!((index("n00004475"), index("n01440764")), (0, 359));
    }

    #[test]
    fn kinds_reach_over_all_classes_but_tell_persons_not_apart() {
        let kinds = kinds_over(labels());
        assert_eq!(kinds.len(), 4_381);
        let names: HashSet<_> = kinds.iter().map(|kind| &kind.label.en).collect();
        assert_eq!(names.len(), kinds.len());
        assert!(kinds.iter().all(|kind| kind.count() >= 2 && !kind.label.en.is_empty()));
        // White oak and red oak; scholar and sailor.
        assert_eq!(kind(&[("n12269652", 0.5), ("n12271643", 0.45)]).as_deref(), Some("oak"));
        assert_eq!(kind(&[("n10557854", 0.5), ("n10546633", 0.45)]).as_deref(), Some("person"));
        // A kind that is a class itself holds its own probability, too.
        assert_eq!(
            kind(&[("n02084071", 0.8), ("n02123045", 0.04), ("n02099712", 0.12)]).as_deref(),
            Some("dog")
        );
        assert_eq!(kinds_over(imagenet_1k()), []);
    }

    #[test]
    fn reading_the_tables_takes_no_time() {
        let start = Instant::now();
        let Classes { labels, kinds } = parse(NAMES, KINDS).unwrap();
        let elapsed = start.elapsed();
        println!("{} classes and {} kinds in {elapsed:?}", labels.len(), kinds.len());
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }

    #[test]
    fn other_texts_are_refused() {
        let page = "<!doctype html>";
        assert_eq!(parse(page, KINDS), Err(TableError::Row { line: 1, got: page.into() }));
        assert_eq!(parse(NAMES, page), Err(TableError::Kinds));
        assert_eq!(parse(NAMES, ""), Err(TableError::Kinds));
        let half = &NAMES[..NAMES.match_indices('\n').nth(999).unwrap().0];
        assert_eq!(parse(half, KINDS), Err(TableError::Count { got: 1000 }));
        let too_far = "n00000001\tx\ty\t0-21841";
        assert_eq!(parse(NAMES, too_far), Err(TableError::Kinds));
    }
}
