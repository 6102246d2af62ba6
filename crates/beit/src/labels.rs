//! Class names.
//!
//! The 1000 classes of ImageNet-1k (ILSVRC-2012) are built in, with English names from WordNet 3.0
//! and Chinese names written for this project; `tools/labels` says how the table is made and
//! checked. A model with other classes brings its own [`Label`]s.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// One class: its WordNet id and its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// WordNet id, such as `n02123045`; empty for a class that has none.
    pub wnid: String,
    /// English name.
    pub en: String,
    /// Chinese name; empty where there is none.
    pub zh: String,
}

/// Tab-separated `index, wnid, en, zh` under one header line, in index order.
const IMAGENET_1K: &str = include_str!("../data/imagenet-1k.tsv");

/// The 1000 classes of ImageNet-1k, `[1000]`, in the order of a classifier's outputs: by ascending
/// WordNet id. English and Chinese names are each unique.
pub fn imagenet_1k() -> &'static [Label] {
    static LABELS: OnceLock<Vec<Label>> = OnceLock::new();
    LABELS.get_or_init(|| IMAGENET_1K.lines().skip(1).map(read_row).collect())
}

/// The output index, 0 to 999, of the ImageNet-1k class with this WordNet id; `None` if the id is
/// none of the 1000.
pub fn imagenet_index(wnid: &str) -> Option<usize> {
    imagenet_1k().binary_search_by(|label| label.wnid.as_str().cmp(wnid)).ok()
}

/// The table is part of the program, so a row of another shape is a fault of ours, not an input's.
fn read_row(row: &str) -> Label {
    let fields: Vec<&str> = row.split('\t').collect();
    let [_index, wnid, en, zh] = fields[..] else {
        panic!("imagenet-1k.tsv: expected 4 fields, got {}: {row:?}", fields.len());
    };
    Label { wnid: wnid.into(), en: en.into(), zh: zh.into() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn there_are_a_thousand_classes_each_at_the_index_its_row_states() {
        assert_eq!(imagenet_1k().len(), 1000);
        assert_eq!(IMAGENET_1K.lines().next(), Some("index\twnid\ten\tzh"));
        for (index, row) in IMAGENET_1K.lines().skip(1).enumerate() {
            assert_eq!(row.split('\t').next(), Some(index.to_string().as_str()), "{row}");
        }
    }

    #[test]
    fn wnids_are_well_formed_and_strictly_ascending() {
        for label in imagenet_1k() {
            let (letter, digits) = label.wnid.split_at(1);
            assert_eq!(letter, "n", "{label:?}");
            assert_eq!(digits.len(), 8, "{label:?}");
            assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{label:?}");
        }
        for pair in imagenet_1k().windows(2) {
            assert!(pair[0].wnid < pair[1].wnid, "{pair:?}");
        }
    }

    #[test]
    fn names_are_present_and_unique_in_each_language() {
        let mut english = HashSet::new();
        let mut chinese = HashSet::new();
        for label in imagenet_1k() {
            assert!(!label.en.trim().is_empty() && !label.zh.trim().is_empty(), "{label:?}");
            assert!(english.insert(label.en.to_lowercase()), "{label:?}");
            assert!(chinese.insert(&label.zh), "{label:?}");
        }
    }

    #[test]
    fn every_wnid_is_found_at_its_index_and_no_other_is() {
        for (index, label) in imagenet_1k().iter().enumerate() {
            assert_eq!(imagenet_index(&label.wnid), Some(index));
        }
        for unknown in ["", "n00000000", "n02123046", "n99999999", "tabby"] {
            assert_eq!(imagenet_index(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn known_classes_stand_where_ilsvrc_2012_has_them() {
        let known = [
            (0, "n01440764", "tench", "丁鱥"),
            (134, "n02012849", "crane (bird)", "鹤"),
            (281, "n02123045", "tabby", "虎斑猫"),
            (517, "n03126707", "crane (machine)", "起重机"),
            (999, "n15075141", "toilet tissue", "卫生纸"),
        ];
        for (index, wnid, en, zh) in known {
            assert_eq!(imagenet_index(wnid), Some(index));
            let label = &imagenet_1k()[index];
            assert_eq!((label.en.as_str(), label.zh.as_str()), (en, zh));
        }
    }

    /// Each name was read beside WordNet's gloss (`tools/labels/review.py`). Two names that are swapped break no rule
    /// above, so whoever changes the table reads the changed lines again and writes down the new hash.
    #[test]
    fn the_table_is_the_one_that_was_reviewed() {
        let hash = crate::weights::hexadecimal(&Sha256::digest(IMAGENET_1K));
        assert_eq!(hash, "e625b483220d69532aa7228a1486426fff2628213d709e0903f7fb128057856b");
    }
}
