//! What people call classes and kinds → the classes that are meant.

use crate::header::Header;
use beit::kinds::kinds_of;
use beit::labels::{Label, imagenet_index};

/// What a word may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Classes, kinds of things, and parts of file names.
    All,
    /// Kinds of things alone, by WordNet.
    Kinds,
}

/// The names of a model's classes and of the kinds that they are of.
#[derive(Clone, Debug)]
pub struct Names {
    names: Vec<Name>,
    classes: usize,
}

#[derive(Clone, Debug)]
struct Name {
    label: Label,
    lower: String,
    is_kind: bool,
    /// The classes of the model that it stands for.
    classes: Vec<u32>,
}

/// How well a word fits a name; only the names that fit best count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// "dom" for "domestic cat"; for Chinese any part of the name.
    Part,
    /// "cat" for "domestic cat": some of its words.
    Words,
    /// All of it, or its WordNet id.
    Whole,
}

impl Names {
    /// The names of the model of an index.
    pub fn new(header: &Header) -> Self {
        let own = header.kinds();
        let name = |label: &Label, is_kind, classes| {
            let (label, lower) = (label.clone(), label.en.to_lowercase());
            Name { label, lower, is_kind, classes }
        };
        let labels = &header.classes;
        let mut names: Vec<Name> =
            (0..).zip(labels).map(|(class, label)| name(label, false, vec![class])).collect();
        // Own kinds are over the model's classes, others over those of ImageNet-1k.
        let place = |(class, label): (usize, &Label)| match own.is_empty() {
            true => imagenet_index(&label.wnid),
            false => Some(class),
        };
        let places: Vec<Option<usize>> = labels.iter().enumerate().map(place).collect();
        for kind in kinds_of(&own) {
            let is_of = |place: &Option<usize>| place.is_some_and(|place| kind.contains(place));
            let classes = (0..).zip(&places).filter(|(_, place)| is_of(place)).map(|(class, _)| class);
            let classes: Vec<u32> = classes.collect();
            if !classes.is_empty() {
                names.push(name(&kind.label, true, classes));
            }
        }
        Self { names, classes: labels.len() }
    }

    /// The classes and kinds that a text names best: those whose whole name it is, in English or Chinese, or whose WordNet
    /// id; else those that have it among their words; else those that have a word which begins with it, or a Chinese name
    /// which has it as a part. Case does not count.
    pub fn called(&self, text: &str, scope: Scope) -> Vec<&Label> {
        self.best(text, scope).into_iter().map(|name| &name.label).collect()
    }

    /// For each class of the model whether the text names it, or a kind that it is of, `[classes]`. `None` if nothing is
    /// called so.
    pub fn classes(&self, text: &str, scope: Scope) -> Option<Vec<bool>> {
        let best = self.best(text, scope);
        if best.is_empty() {
            return None;
        }
        let mut named = vec![false; self.classes];
        for &class in best.iter().flat_map(|name| &name.classes) {
            named[class as usize] = true;
        }
        Some(named)
    }

    fn best(&self, text: &str, scope: Scope) -> Vec<&Name> {
        let lower = text.trim().to_lowercase();
        let names = self.names.iter().filter(|name| name.is_kind || scope == Scope::All);
        let fits: Vec<(Fit, &Name)> =
            names.filter_map(|name| name.fit(&lower).map(|fit| (fit, name))).collect();
        let best = fits.iter().map(|(fit, _)| *fit).max();
        fits.into_iter().filter(|(fit, _)| Some(*fit) == best).map(|(_, name)| name).collect()
    }
}

impl Name {
    /// How a lower-case text fits.
    fn fit(&self, text: &str) -> Option<Fit> {
        if text.is_empty() {
            return None;
        }
        if self.lower == text || self.label.zh == text || self.label.wnid == text {
            return Some(Fit::Whole);
        }
        let starts = || {
            let is_start = |at: usize| !self.lower[..at].ends_with(char::is_alphanumeric);
            self.lower.match_indices(text).map(|(at, _)| at).filter(move |&at| is_start(at))
        };
        if starts().any(|at| !self.lower[at + text.len()..].starts_with(char::is_alphanumeric)) {
            return Some(Fit::Words);
        }
        (starts().next().is_some() || self.label.zh.contains(text)).then_some(Fit::Part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::ModelIdentity;
    use beit::classes::Classes;
    use beit::kinds::Kind;
    use beit::labels::imagenet_1k;

    fn names(labels: Vec<Label>, kinds: Vec<Kind>) -> Names {
        let model = ModelIdentity { name: String::new(), identity: String::new() };
        Names::new(&Header::new(model, None, 8, Classes { labels, kinds }))
    }

    fn called(names: &Names, text: &str, scope: Scope) -> Vec<String> {
        names.called(text, scope).iter().map(|label| label.en.clone()).collect()
    }

    #[test]
    fn a_whole_name_comes_before_words_and_these_before_beginnings() {
        let names = names(imagenet_1k().to_vec(), Vec::new());
        let all = |text| called(&names, text, Scope::All);
        assert_eq!(all("cat"), ["cat"]);
        assert_eq!(all(" CAT "), ["cat"]);
        assert_eq!(all("tabby"), ["tabby"]);
        assert_eq!(all("n02123045"), ["tabby"]);
        assert_eq!(all("虎斑猫"), ["tabby"]);
        assert!(all("terrier").contains(&"terrier".into()));
        assert!(all("retriev").contains(&"golden retriever".into()));
        assert!(!all("triever").contains(&"golden retriever".into()), "words are not cut at the front");
        assert!(all("斑猫").contains(&"tabby".into()));
        assert!(all("").is_empty() && all("nothing at all").is_empty());
        assert!(called(&names, "tabby", Scope::Kinds).is_empty(), "a class is no kind");
        let dogs = names.classes("dog", Scope::Kinds).unwrap();
        assert_eq!((dogs[207], dogs[281], dogs.len()), (true, false, 1000), "golden retriever, tabby");
        assert_eq!(names.classes("狗", Scope::All), Some(dogs));
    }

    #[test]
    fn kinds_are_of_the_models_own_classes() {
        let by_wnid = |wnid: &str| imagenet_1k().iter().find(|label| label.wnid == wnid).unwrap().clone();
        // Tabby, espresso, golden retriever, and a class of no table.
        let own = Label { wnid: String::new(), en: "Minka".into(), zh: String::new() };
        let labels = vec![by_wnid("n02123045"), by_wnid("n07920052"), by_wnid("n02099601"), own];
        let few = names(labels.clone(), Vec::new());
        assert_eq!(few.classes("carnivore", Scope::All), Some(vec![true, false, true, false]));
        assert_eq!(few.classes("minka", Scope::All), Some(vec![false, false, false, true]));
        assert_eq!(few.classes("bird", Scope::All), None, "a kind of none of its classes");
        let pets = Kind::new(Label { wnid: String::new(), en: "pets".into(), zh: "宠物".into() }, "0,2-3", 4);
        let with_own = names(labels, vec![pets.unwrap()]);
        assert_eq!(with_own.classes("宠物", Scope::Kinds), Some(vec![true, false, true, true]));
        assert_eq!(with_own.classes("carnivore", Scope::All), None);
    }
}
