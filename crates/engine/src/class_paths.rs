//! The kinds that classes and kinds are of, for keywords.

use beit::classes::{self, Classes};
use beit::kinds::{Kind, kinds_of, path_of_class, path_of_kind};
use beit::labels::Label;
use protocol::keywords::{Name, NamePath};

fn name(label: &Label) -> Name {
    Name { wnid: label.wnid.clone(), en: label.en.clone(), zh: label.zh.clone() }
}

fn names(kinds: &[&Kind]) -> NamePath {
    kinds.iter().map(|kind| name(&kind.label)).collect()
}

/// What these classes are of, the widest kind first, the class itself last. Empty for an index that is no class's.
pub fn class_paths(known: Option<&Classes>, wanted: &[usize]) -> Vec<NamePath> {
    let path = |&index: &usize| {
        let Classes { labels, kinds } = known?;
        let own = labels.get(index)?;
        let mut path = names(&path_of_class(labels, kinds, index));
        path.push(name(own));
        Some(path)
    };
    wanted.iter().map(|index| path(index).unwrap_or_default()).collect()
}

/// The same for kinds, by their WordNet id, or by their English name where they have none.
pub fn kind_paths(known: Option<&Classes>, wanted: &[String]) -> Vec<NamePath> {
    let path = |wanted: &String| {
        let own = &known?.kinds;
        let is_it = |kind: &&Kind| match kind.label.wnid.as_str() {
            "" => kind.label.en == *wanted,
            wnid => wnid == wanted,
        };
        kinds_of(own).iter().find(is_it).map(|kind| names(&path_of_kind(own, kind)))
    };
    wanted.iter().map(|wanted| path(wanted).unwrap_or_default()).collect()
}

/// Those of `names` that the model does not know ([`classes::unknown_names`]).
pub fn unknown_names(known: Option<&Classes>, names: Vec<String>) -> Vec<String> {
    let Some(Classes { labels, kinds }) = known else { return names };
    let unknown = classes::unknown_names(labels, kinds, names.iter().map(String::as_str));
    unknown.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(wnid: &str, en: &str) -> Label {
        Label { wnid: wnid.into(), en: en.into(), zh: String::new() }
    }

    fn said(paths: Vec<NamePath>) -> Vec<String> {
        let join = |path: &NamePath| path.iter().map(|name| name.en.as_str()).collect::<Vec<_>>().join("|");
        paths.iter().map(join).collect()
    }

    #[test]
    fn paths_end_with_what_was_asked_for() {
        let labels = vec![label("", "oak"), label("", "cat"), label("", "elm")];
        let kind = |wnid, en, classes| Kind::new(label(wnid, en), classes, 3).unwrap();
        let kinds = vec![kind("", "tree", "0,2"), kind("n1", "thing", "0-2")];
        let known = Classes { labels, kinds };
        let wanted = [2, 1, 9];
        assert_eq!(said(class_paths(Some(&known), &wanted)), ["thing|tree|elm", "thing|cat", ""]);
        let wanted = ["tree", "n1", "n2"].map(str::to_owned);
        assert_eq!(said(kind_paths(Some(&known), &wanted)), ["thing|tree", "thing", ""]);
        assert_eq!(said(class_paths(None, &[0])), [""]);
        let names = ["elm", "tree", "n1", "emu"].map(str::to_owned).to_vec();
        assert_eq!(unknown_names(Some(&known), names.clone()), ["emu"]);
        assert_eq!(unknown_names(None, names.clone()), names);
    }

    #[test]
    fn a_model_without_kinds_has_those_of_imagenet() {
        let known = Classes { labels: vec![label("n02123045", "tabby")], kinds: vec![] };
        assert!(said(class_paths(Some(&known), &[0]))[0].ends_with("|feline|cat|domestic cat|tabby"));
        let dog = "n02084071".to_owned();
        assert!(said(kind_paths(Some(&known), &[dog]))[0].ends_with("|canine|dog"));
    }
}
