//! What a model answers with.

use crate::kinds::{Kind, kinds_of};
use crate::labels::Label;
use std::collections::HashSet;

/// The classes of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// One for each row of the head.
    pub labels: Vec<Label>,
    /// The model's own kinds; without them, those of ImageNet-1k are meant.
    pub kinds: Vec<Kind>,
}

/// Those of `names` that no class and no kind has as its WordNet id, English or Chinese name.
pub fn unknown_names<'a>(
    labels: &[Label],
    kinds: &[Kind],
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let labels = labels.iter().chain(kinds_of(kinds).iter().map(|kind| &kind.label));
    let known: HashSet<&str> =
        labels.flat_map(|label| [&label.wnid, &label.en, &label.zh]).map(String::as_str).collect();
    names.into_iter().filter(|name| !known.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_neither_a_class_nor_a_kind_has_are_told() {
        let labels = [Label { wnid: "n1".into(), en: "tabby".into(), zh: "虎斑猫".into() }];
        assert_eq!(unknown_names(&labels, &[], ["tabby", "tabbby"]), ["tabbby"]);
        assert_eq!(unknown_names(&labels, &[], ["n1", "虎斑猫", "feline"]), [""; 0]);
    }
}
