//! The model's classes, by the names and numbers that datasets use for them.

use crate::error::EvaluateError;
use beit::labels::{Label, imagenet_1k};
use std::collections::{BTreeSet, HashMap};

/// Classes named in an error before "and N more".
const NAMED_CLASSES: usize = 10;

/// The model's classes, by WordNet id, English name or ImageNet index.
pub struct Classes<'a> {
    labels: &'a [Label],
    by_name: HashMap<&'a str, usize>,
    /// Whether the model's classes have WordNet ids: then an index is ImageNet's.
    have_wnids: bool,
}

impl<'a> Classes<'a> {
    pub fn new(labels: &'a [Label]) -> Self {
        let english = labels.iter().enumerate().map(|(i, label)| (label.en.as_str(), i));
        let wnids = labels.iter().enumerate().map(|(i, label)| (label.wnid.as_str(), i));
        // Ids after names: they win where both spell the same.
        let by_name = english.chain(wnids).filter(|(name, _)| !name.is_empty()).collect();
        Self { labels, by_name, have_wnids: labels.iter().any(|label| !label.wnid.is_empty()) }
    }

    /// The class with this WordNet id or English name.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Whether this is the WordNet id of a class.
    pub fn has_wnid(&self, id: &str) -> bool {
        self.named(id).is_some_and(|class| self.labels[class].wnid == id)
    }

    /// The class with this ImageNet index; the head's own row for classes without WordNet ids.
    pub fn numbered(&self, index: usize) -> Option<usize> {
        if self.have_wnids {
            return self.named(&imagenet_1k().get(index)?.wnid);
        }
        (index < self.labels.len()).then_some(index)
    }
}

/// Classes of the dataset that the model lacks.
#[derive(Default)]
pub struct MissingClasses(BTreeSet<String>);

impl MissingClasses {
    pub fn add(&mut self, class: String) {
        self.0.insert(class);
    }

    /// # Errors
    /// When there are any: they are named.
    pub fn check(self, dataset: &str) -> Result<(), EvaluateError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> = self.0.iter().map(String::as_str).take(NAMED_CLASSES).collect();
        let more = self.0.len().saturating_sub(NAMED_CLASSES);
        let rest = format!("and {more} more");
        if more > 0 {
            names.push(&rest);
        }
        Err(EvaluateError::MissingClasses {
            dataset: dataset.to_owned(),
            count: self.0.len(),
            named: names.join(", "),
        })
    }
}
