//! Probabilities → the most specific kind of thing that holds most of them: "dog" when breeds split the
//! vote. The kinds are WordNet's. Those over the classes of ImageNet-1k are built in; a model may bring others
//! over its own classes. `tools/labels` says how the tables are made.

mod path;

pub use path::{path_of_class, path_of_kind};

use crate::labels::{Label, imagenet_index};
use std::sync::OnceLock;

/// A kind holds the answer when its classes have at least this much of the probability.
pub const ENOUGH: f32 = 0.9;

/// Tab-separated `wnid, en, zh, classes`, those with the fewest classes first.
const TABLE: &str = include_str!("../data/kinds.tsv");

/// A kind of thing that several classes are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// With WordNet's id and the names.
    pub label: Label,
    /// Indices of its classes, as ascending inclusive ranges.
    ranges: Vec<(u32, u32)>,
}

impl Kind {
    /// A kind with these classes, given as ascending indices and inclusive ranges of them, such as `0-2,5`.
    /// `None` if `classes` has another form, or an index that is not below `count`.
    pub fn new(label: Label, classes: &str, count: usize) -> Option<Self> {
        let mut ranges = Vec::new();
        let mut least = 0;
        for range in classes.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
            if first < least || last < first || last as usize >= count {
                return None;
            }
            least = last + 1;
            ranges.push((first, last));
        }
        Some(Self { label, ranges })
    }

    /// The classes, in the form that [`Self::new`] takes.
    pub fn classes(&self) -> String {
        let range = |&(first, last): &(u32, u32)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        self.ranges.iter().map(range).collect::<Vec<_>>().join(",")
    }

    /// Whether the class at this index, of those that the kind is over, is one of its.
    pub fn contains(&self, index: usize) -> bool {
        self.ranges.iter().any(|&(first, last)| (first as usize..=last as usize).contains(&index))
    }

    /// How many classes it has.
    pub fn count(&self) -> usize {
        self.ranges.iter().map(|(first, last)| (last - first) as usize + 1).sum()
    }
}

/// The kind with the fewest classes among those that hold [`ENOUGH`] of the probability, and how much it
/// holds. `None` where one class holds that much alone, or no kind does. `own` are the kinds that the model
/// brings; without them they are those of ImageNet-1k, and classes that are none of its are of no kind.
pub fn most_specific<'a>(
    labels: &[Label],
    own: &'a [Kind],
    probabilities: &[f32],
) -> Option<(&'a Kind, f32)> {
    if probabilities.iter().any(|&probability| probability >= ENOUGH) {
        return None;
    }
    let kinds = kinds_of(own);
    let count = if own.is_empty() { 1000 } else { labels.len() };
    // cumulated[i] is the probability of all classes before the i-th that the kinds are over.
    let mut cumulated = vec![0.0f64; count + 1];
    for (index, (label, &probability)) in labels.iter().zip(probabilities).enumerate() {
        let index = if own.is_empty() { imagenet_index(&label.wnid) } else { Some(index) };
        if let Some(index) = index {
            cumulated[index + 1] += f64::from(probability);
        }
    }
    (1..cumulated.len()).for_each(|i| cumulated[i] += cumulated[i - 1]);
    let held = |kind: &Kind| {
        let range = |&(first, last): &(u32, u32)| cumulated[last as usize + 1] - cumulated[first as usize];
        kind.ranges.iter().map(range).sum::<f64>() as f32
    };
    let enough = kinds.iter().map(|kind| (kind, held(kind))).filter(|&(_, held)| held >= ENOUGH);
    // Of equals, the one that holds more.
    enough.min_by(|(a, held_a), (b, held_b)| a.count().cmp(&b.count()).then(held_b.total_cmp(held_a)))
}

/// The kinds of a model that brings `own`: these, or those over the classes of ImageNet-1k.
pub fn kinds_of(own: &[Kind]) -> &[Kind] {
    if own.is_empty() { imagenet_1k_kinds() } else { own }
}

fn imagenet_1k_kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    // The table is part of the program, so a row of another shape is a fault of ours, not an input's.
    KINDS.get_or_init(|| read_table(TABLE, 1000).expect("kinds.tsv has four fields in each row"))
}

/// A table of kinds over `count` classes, one a line: `wnid, en, zh, classes`, separated by tabs. `None` if a
/// row has another form.
pub fn read_table(table: &str, count: usize) -> Option<Vec<Kind>> {
    let row = |row: &str| {
        let fields: Vec<&str> = row.split('\t').collect();
        let [wnid, en, zh, classes] = fields[..] else { return None };
        Kind::new(Label { wnid: wnid.into(), en: en.into(), zh: zh.into() }, classes, count)
    };
    table.lines().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::imagenet_1k;

    fn answer(classes: &[(&str, f32)]) -> Option<(String, f32)> {
        let mut probabilities = vec![0.0; 1000];
        for (wnid, probability) in classes {
            probabilities[imagenet_index(wnid).unwrap()] = *probability;
        }
        most_specific(imagenet_1k(), &[], &probabilities).map(|(kind, held)| (kind.label.en.clone(), held))
    }

    const TABBY: &str = "n02123045";
    const EGYPTIAN_CAT: &str = "n02124075";
    const LION: &str = "n02129165";
    const ESPRESSO: &str = "n07920052";

    #[test]
    fn breeds_that_split_the_vote_are_one_kind() {
        assert_eq!(answer(&[(TABBY, 0.5), (EGYPTIAN_CAT, 0.45)]), Some(("domestic cat".into(), 0.95)));
        assert_eq!(answer(&[(TABBY, 0.5), (LION, 0.45)]).unwrap().0, "feline");
    }

    #[test]
    fn a_sure_answer_and_a_lost_one_have_no_kind() {
        assert_eq!(answer(&[(TABBY, 0.93), (LION, 0.05)]), None);
        assert_eq!(answer(&[(TABBY, 0.5), (ESPRESSO, 0.45)]), None, "a thing is no kind");
        assert_eq!(answer(&[]), None);
    }

    #[test]
    fn classes_of_other_tables_are_of_no_kind() {
        let label = |wnid: &str| Label { wnid: wnid.into(), en: "x".into(), zh: String::new() };
        assert_eq!(most_specific(&[label("n99999999"), label("")], &[], &[0.6, 0.4]), None);
        // A model of few classes, in an order of its own.
        let labels = [label(EGYPTIAN_CAT), label(ESPRESSO), label(TABBY)];
        let (kind, held) = most_specific(&labels, &[], &[0.46, 0.08, 0.46]).unwrap();
        assert_eq!((kind.label.zh.as_str(), held), ("家猫", 0.92));
    }

    #[test]
    fn a_models_own_kinds_go_by_the_index_of_its_classes() {
        let label = |en: &str| Label { wnid: String::new(), en: en.into(), zh: String::new() };
        let labels = ["oak", "cat", "elm", "ash"].map(label);
        let kind = |en, classes| Kind::new(label(en), classes, 4).unwrap();
        let own = [kind("plant", "0-3"), kind("tree", "0,2-3"), kind("hardwood", "0,3")];
        let named = |probabilities: &[f32]| {
            most_specific(&labels, &own, probabilities).map(|(kind, _)| kind.label.en.clone())
        };
        assert_eq!(named(&[0.5, 0.02, 0.02, 0.46]).as_deref(), Some("hardwood"));
        assert_eq!(named(&[0.3, 0.02, 0.4, 0.28]).as_deref(), Some("tree"));
        assert_eq!(named(&[0.3, 0.3, 0.3, 0.1]).as_deref(), Some("plant"));
        assert_eq!(named(&[0.02, 0.94, 0.02, 0.02]), None, "one class alone");
    }

    #[test]
    fn classes_of_another_form_are_refused() {
        let label = imagenet_1k()[0].clone();
        for classes in ["0", "0-3", "0,2-3"] {
            assert_eq!(Kind::new(label.clone(), classes, 4).unwrap().classes(), classes);
        }
        let kind = Kind::new(label.clone(), "0,2-3", 5).unwrap();
        assert_eq!([0, 1, 2, 3, 4].map(|index| kind.contains(index)), [true, false, true, true, false]);
        for classes in ["", ",", "x", "4", "0-4", "2-1", "1,1", "2,0", "0-", "-1", "0-1-2", "99999999999"] {
            assert_eq!(Kind::new(label.clone(), classes, 4), None, "{classes:?}");
        }
    }

    #[test]
    fn every_row_is_whole() {
        let kinds = imagenet_1k_kinds();
        assert!(kinds.len() > 300);
        for kind in kinds {
            assert!(kind.count() >= 2, "{kind:?}");
            assert!(!kind.label.en.is_empty() && !kind.label.zh.is_empty(), "{kind:?}");
        }
        let names: std::collections::HashSet<_> = kinds.iter().map(|kind| &kind.label.en).collect();
        assert_eq!(names.len(), kinds.len(), "names are unique");
    }
}
