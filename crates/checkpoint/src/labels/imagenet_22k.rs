//! The 21,841 classes of ImageNet-22k as of fall 2011, and the kinds of things that they are of. `tools/labels`
//! says how the tables are made.
//!
//! They are built in here, where models are converted: a converted model carries its names and kinds along, and
//! programs that only run models need no table.

use beit::kinds::{self, Kind};
use beit::labels::Label;
use std::sync::OnceLock;

/// Classes of ImageNet-22k.
pub const CLASSES: usize = 21_841;

/// Tab-separated `wnid, en, zh`, by ascending wnid, which is the order of a classifier's outputs; Chinese may be
/// empty.
const TABLE: &str = include_str!("../../data/imagenet-22k.tsv");
/// Tab-separated `wnid, en, zh, classes`, those with the fewest classes first.
const KINDS: &str = include_str!("../../data/imagenet-22k-kinds.tsv");

/// The classes, in the order of a classifier's outputs. Names are each unique.
pub fn labels() -> &'static [Label] {
    static LABELS: OnceLock<Vec<Label>> = OnceLock::new();
    LABELS.get_or_init(|| TABLE.lines().map(read_row).collect())
}

/// The class with this WordNet id.
pub fn label(wnid: &str) -> Option<&'static Label> {
    let index = labels().binary_search_by(|label| label.wnid.as_str().cmp(wnid)).ok()?;
    labels().get(index)
}

/// The kinds over these classes; none if they are not ImageNet-22k's, in its order.
pub fn kinds_over(classes: &[Label]) -> Vec<Kind> {
    if classes.len() != CLASSES || !classes.iter().zip(labels()).all(|(a, b)| a.wnid == b.wnid) {
        return Vec::new();
    }
    kinds::read_table(KINDS, CLASSES).expect("imagenet-22k-kinds.tsv has four fields in each row")
}

/// The table is part of the program, so a row of another shape is a fault of ours, not an input's.
fn read_row(row: &str) -> Label {
    let fields: Vec<&str> = row.split('\t').collect();
    let [wnid, en, zh] = fields[..] else {
        panic!("imagenet-22k.tsv: expected 3 fields, got {}: {row:?}", fields.len());
    };
    Label { wnid: wnid.into(), en: en.into(), zh: zh.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beit::kinds::most_specific;
    use beit::labels::imagenet_1k;
    use std::collections::HashSet;
    use std::time::{Duration, Instant};

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
        let (classes, kinds) = (TABLE.lines().map(read_row).count(), kinds_over(labels()).len());
        let elapsed = start.elapsed();
        println!("{classes} classes and {kinds} kinds in {elapsed:?}");
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }
}
