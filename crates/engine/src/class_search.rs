//! Finds classes by a part of a name, among as many as ImageNet-22k has.

use beit::labels::Label;
use protocol::ClassName;

/// So many are told; who wants another one writes more of its name.
const MOST: usize = 50;

/// The classes that have this in a name, English or Chinese, or in their WordNet id, and how many there are in all. Those
/// come first whose name begins with it, then those with a word that does.
pub fn find_classes(labels: &[Label], query: &str) -> (Vec<ClassName>, usize) {
    let query = query.trim().to_lowercase();
    if query.is_empty() {
        return (Vec::new(), 0);
    }
    let mut found: Vec<(usize, usize)> = labels
        .iter()
        .enumerate()
        .filter_map(|(index, label)| Some((distance(label, &query)?, index)))
        .collect();
    found.sort_unstable();
    let count = found.len();
    let name = |(_, index): (usize, usize)| {
        let Label { wnid, en, zh } = labels[index].clone();
        ClassName { index, wnid, label: en, label_zh: zh }
    };
    (found.into_iter().take(MOST).map(name).collect(), count)
}

/// How far what was searched for is from the beginning of a name: 0 at it, 1 at a word's, 2 elsewhere.
fn distance(label: &Label, query: &str) -> Option<usize> {
    let names = [&label.en, &label.zh, &label.wnid].map(|name| name.to_lowercase());
    let in_name = |name: &String| {
        let starts: Vec<usize> = name.match_indices(query).map(|(at, _)| at).collect();
        let at_word = |&at: &usize| !name[..at].ends_with(char::is_alphanumeric);
        match starts.first()? {
            0 => Some(0),
            _ if starts.iter().any(at_word) => Some(1),
            _ => Some(2),
        }
    };
    names.iter().filter_map(in_name).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<Label> {
        let label =
            |wnid: &str, en: &str, zh: &str| Label { wnid: wnid.into(), en: en.into(), zh: zh.into() };
        vec![
            label("n01", "concatenation", ""),
            label("n02", "Egyptian cat", "埃及猫"),
            label("n03", "Catamaran", "双体船"),
            label("n04", "dog", "狗"),
        ]
    }

    fn found(query: &str) -> Vec<usize> {
        find_classes(&labels(), query).0.into_iter().map(|class| class.index).collect()
    }

    #[test]
    fn classes_are_found_by_any_name_the_nearest_first() {
        assert_eq!(found("cat"), [2, 1, 0]);
        assert_eq!(found(" CAT "), [2, 1, 0]);
        assert_eq!(found("猫"), [1]);
        assert_eq!(found("n04"), [3]);
        assert_eq!(found("on"), [0]);
        for none in ["", "  ", "horse"] {
            assert_eq!(find_classes(&labels(), none), (vec![], 0), "{none:?}");
        }
    }

    #[test]
    fn of_many_the_first_are_told_and_how_many_there_are() {
        let label =
            |at: usize| Label { wnid: format!("n{at:08}"), en: format!("class {at}"), zh: String::new() };
        let labels: Vec<Label> = (0..21_841).map(label).collect();
        let (classes, count) = find_classes(&labels, "class");
        assert_eq!((classes.len(), count), (MOST, 21_841));
        assert_eq!(classes[49].label, "class 49");
    }
}
