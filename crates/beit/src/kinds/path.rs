//! The kinds that a class is of, each of the one before: animal, mammal, carnivore, feline, cat.

use super::{Kind, kinds_of};
use crate::labels::{Label, imagenet_index};
use std::cmp::Ordering;

/// The kinds that a class is of, from the widest to the narrowest, each within the one before. `own` are the kinds that
/// the model brings; without them they are those of ImageNet-1k, and a class that is none of its is of no kind.
pub fn path_of_class<'a>(labels: &[Label], own: &'a [Kind], class: usize) -> Vec<&'a Kind> {
    let index = match own.is_empty() {
        true => labels.get(class).and_then(|label| imagenet_index(&label.wnid)),
        false => Some(class),
    };
    let index = index.and_then(|index| u32::try_from(index).ok());
    index.map(|index| chain(kinds_of(own), &[(index, index)])).unwrap_or_default()
}

/// The same for a kind: the kinds that it is within. It is the last of them.
pub fn path_of_kind<'a>(own: &'a [Kind], kind: &'a Kind) -> Vec<&'a Kind> {
    let mut path = chain(kinds_of(own), &kind.ranges);
    path.retain(|other| *other != kind);
    path.push(kind);
    path
}

/// The kinds around some classes of which each is within the next, the widest first.
///
/// WordNet has more than one path to many classes: a dog is a canine and a domestic animal, neither of which is within
/// the other. The one goes on the path that divides fewer kinds: of the domestic animals, dogs are canines and cats are
/// felines, while nearly all canines are dogs.
fn chain<'a>(kinds: &'a [Kind], classes: &[(u32, u32)]) -> Vec<&'a Kind> {
    let around: Vec<&Kind> = kinds.iter().filter(|kind| holds(&kind.ranges, classes)).collect();
    let divided = |kind: &Kind| kinds.iter().filter(|other| divide(&kind.ranges, &other.ranges)).count();
    let mut by_rank: Vec<_> = around.into_iter().map(|kind| (divided(kind), kind.count(), kind)).collect();
    by_rank.sort_by_key(|&(divided, count, _)| (divided, count));
    let mut path: Vec<&Kind> = Vec::new();
    for (_, _, kind) in by_rank {
        if path.iter().all(|other| holds(&other.ranges, &kind.ranges) || holds(&kind.ranges, &other.ranges)) {
            path.push(kind);
        }
    }
    path.sort_by_key(|kind| std::cmp::Reverse(kind.count()));
    path
}

/// Whether all classes of `inner` are among those of `outer`.
fn holds(outer: &[(u32, u32)], inner: &[(u32, u32)]) -> bool {
    inner.iter().all(|&(first, last)| range_at(outer, first).is_some_and(|(_, end)| last <= end))
}

/// Whether each has classes that the other has, and classes that it has not.
fn divide(a: &[(u32, u32)], b: &[(u32, u32)]) -> bool {
    let meet = a.iter().any(|&(first, last)| {
        let after = b.partition_point(|&(_, end)| end < first);
        b.get(after).is_some_and(|&(start, _)| start <= last)
    });
    meet && !holds(a, b) && !holds(b, a)
}

/// The range that a class is in.
fn range_at(ranges: &[(u32, u32)], class: u32) -> Option<(u32, u32)> {
    let find = |&(first, last): &(u32, u32)| match (first <= class, class <= last) {
        (true, true) => Ordering::Equal,
        (false, _) => Ordering::Greater,
        (_, false) => Ordering::Less,
    };
    ranges.binary_search_by(find).ok().map(|at| ranges[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{imagenet_1k_kinds, most_specific};
    use crate::labels::imagenet_1k;

    fn names(path: &[&Kind]) -> String {
        path.iter().map(|kind| kind.label.en.as_str()).collect::<Vec<_>>().join("|")
    }

    fn of(class: &str) -> String {
        let index = imagenet_1k().iter().position(|label| label.en == class).unwrap();
        names(&path_of_class(imagenet_1k(), &[], index))
    }

    #[test]
    fn a_class_has_its_kinds_in_order() {
        let mammal = "living thing|animal|vertebrate|mammal|placental mammal|carnivore";
        assert_eq!(of("tabby"), format!("{mammal}|feline|cat|domestic cat"));
        assert!(of("beagle").starts_with(&format!("{mammal}|canine|dog|")), "{}", of("beagle"));
        assert!(!of("beagle").contains("domestic animal"));
    }

    #[test]
    fn each_kind_is_within_the_one_before() {
        for class in 0..1000 {
            let path = path_of_class(imagenet_1k(), &[], class);
            assert!(path.windows(2).all(|pair| holds(&pair[0].ranges, &pair[1].ranges)), "{class}");
            assert!(path.iter().all(|kind| range_at(&kind.ranges, class as u32).is_some()));
        }
    }

    #[test]
    fn a_kind_is_the_last_of_its_path() {
        for kind in imagenet_1k_kinds() {
            assert_eq!(path_of_kind(&[], kind).last(), Some(&kind));
        }
        let mut probabilities = vec![0.0; 1000];
        (281..=285).for_each(|class| probabilities[class] = 0.19);
        let (kind, _) = most_specific(imagenet_1k(), &[], &probabilities).unwrap();
        assert!(names(&path_of_kind(&[], kind)).ends_with("carnivore|feline|cat|domestic cat"));
    }

    #[test]
    fn a_models_own_kinds_go_by_index_and_others_classes_have_none() {
        let label = |en: &str| Label { wnid: String::new(), en: en.into(), zh: String::new() };
        let labels = ["oak", "cat", "elm"].map(label);
        let own = [("tree", "0,2"), ("thing", "0-2")]
            .map(|(en, classes)| Kind::new(label(en), classes, 3).unwrap());
        assert_eq!(names(&path_of_class(&labels, &own, 2)), "thing|tree");
        assert_eq!(names(&path_of_class(&labels, &own, 1)), "thing");
        assert_eq!(names(&path_of_class(&labels, &[], 1)), "");
        assert_eq!(names(&path_of_class(&labels, &own, 9)), "");
    }
}
