//! Probabilities → the most specific kind of thing that holds most of them: "dog" when breeds split the
//! vote. The kinds are WordNet's, over the classes of ImageNet-1k; `tools/labels` says how their table
//! is made.

use crate::labels::{Label, imagenet_index};
use std::sync::OnceLock;

/// A kind holds the answer when its classes have at least this much of the probability.
pub const ENOUGH: f32 = 0.9;

/// Tab-separated `wnid, en, zh, classes`, those with the fewest classes first.
const TABLE: &str = include_str!("../data/kinds.tsv");

/// A kind of thing that several classes are of.
#[derive(Debug, PartialEq)]
pub struct Kind {
    /// With WordNet's id and the names.
    pub label: Label,
    /// ImageNet-1k's indices of its classes, as inclusive ranges.
    ranges: Vec<(usize, usize)>,
}

impl Kind {
    fn classes(&self) -> usize {
        self.ranges.iter().map(|(first, last)| last - first + 1).sum()
    }
}

/// The kind with the fewest classes among those that hold [`ENOUGH`] of the probability, and how much it
/// holds. `None` where one class holds that much alone, or no kind does; classes that are none of
/// ImageNet-1k's are of no kind.
pub fn most_specific(labels: &[Label], probabilities: &[f32]) -> Option<(&'static Kind, f32)> {
    if probabilities.iter().any(|&probability| probability >= ENOUGH) {
        return None;
    }
    // cumulated[i] is the probability of all classes before ImageNet's i-th.
    let mut cumulated = vec![0.0f64; 1001];
    for (label, &probability) in labels.iter().zip(probabilities) {
        if let Some(index) = imagenet_index(&label.wnid) {
            cumulated[index + 1] += f64::from(probability);
        }
    }
    (1..cumulated.len()).for_each(|i| cumulated[i] += cumulated[i - 1]);
    let held = |kind: &Kind| {
        kind.ranges.iter().map(|&(first, last)| cumulated[last + 1] - cumulated[first]).sum::<f64>() as f32
    };
    let enough = kinds().iter().map(|kind| (kind, held(kind))).filter(|&(_, held)| held >= ENOUGH);
    // Of equals, the one that holds more.
    enough.min_by(|(a, held_a), (b, held_b)| a.classes().cmp(&b.classes()).then(held_b.total_cmp(held_a)))
}

fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| TABLE.lines().map(read_row).collect())
}

/// The table is part of the program, so a row of another shape is a fault of ours, not an input's.
fn read_row(row: &str) -> Kind {
    let fields: Vec<&str> = row.split('\t').collect();
    let [wnid, en, zh, classes] = fields[..] else { panic!("kinds.tsv: expected 4 fields: {row:?}") };
    let index = |digits: &str| digits.parse().unwrap_or_else(|_| panic!("kinds.tsv: {digits:?} in {row:?}"));
    let range = |range: &str| match range.split_once('-') {
        Some((first, last)) => (index(first), index(last)),
        None => (index(range), index(range)),
    };
    Kind {
        label: Label { wnid: wnid.into(), en: en.into(), zh: zh.into() },
        ranges: classes.split(',').map(range).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::imagenet_1k;

    fn answer(classes: &[(&str, f32)]) -> Option<(&'static str, f32)> {
        let mut probabilities = vec![0.0; 1000];
        for (wnid, probability) in classes {
            probabilities[imagenet_index(wnid).unwrap()] = *probability;
        }
        most_specific(imagenet_1k(), &probabilities).map(|(kind, held)| (kind.label.en.as_str(), held))
    }

    const TABBY: &str = "n02123045";
    const EGYPTIAN_CAT: &str = "n02124075";
    const LION: &str = "n02129165";
    const ESPRESSO: &str = "n07920052";

    #[test]
    fn breeds_that_split_the_vote_are_one_kind() {
        assert_eq!(answer(&[(TABBY, 0.5), (EGYPTIAN_CAT, 0.45)]), Some(("domestic cat", 0.95)));
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
        assert_eq!(most_specific(&[label("n99999999"), label("")], &[0.6, 0.4]), None);
        // A model of few classes, in an order of its own.
        let labels = [label(EGYPTIAN_CAT), label(ESPRESSO), label(TABBY)];
        let (kind, held) = most_specific(&labels, &[0.46, 0.08, 0.46]).unwrap();
        assert_eq!((kind.label.zh.as_str(), held), ("家猫", 0.92));
    }

    #[test]
    fn every_row_is_whole() {
        assert!(kinds().len() > 300);
        for kind in kinds() {
            assert!(kind.classes() >= 2 && kind.ranges.iter().all(|(a, b)| a <= b && *b < 1000), "{kind:?}");
            assert!(!kind.label.en.is_empty() && !kind.label.zh.is_empty(), "{kind:?}");
        }
        let names: std::collections::HashSet<_> = kinds().iter().map(|kind| &kind.label.en).collect();
        assert_eq!(names.len(), kinds().len(), "names are unique");
    }
}
