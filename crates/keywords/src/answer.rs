//! A classifier's answers → keywords.

use crate::name::Name;
use crate::vocabulary::Vocabulary;

/// A class, or a kind of classes, that a classifier names.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it is, from the widest kind to the class itself: animal, mammal, feline, cat, tabby.
    pub path: Vec<Name>,
    /// Its probability, 0 to 1.
    pub score: f32,
}

/// The language of keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English names.
    English,
    /// Chinese names, and English ones for what has none.
    Chinese,
    /// English and Chinese names.
    Both,
}

/// Which answers become keywords, and which.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Answers of at least this probability.
    pub threshold: f32,
    /// In this language.
    pub language: Language,
    /// Keywords of the user's own.
    pub vocabulary: Vocabulary,
}

/// Keywords of a photo. Each is there once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords {
    /// For `dc:subject`: `tabby`.
    pub subjects: Vec<String>,
    /// For `lr:hierarchicalSubject`: `animal|mammal|feline|cat|tabby`.
    pub paths: Vec<String>,
}

impl Keywords {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.paths.is_empty()
    }

    /// Adds a path and its last part. Parts without a visible character are left out.
    fn add<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        let parts: Vec<String> = parts.map(part).filter(|part| !part.is_empty()).collect();
        let Some(last) = parts.last() else { return };
        push_new(&mut self.subjects, last.clone());
        push_new(&mut self.paths, parts.join("|"));
    }
}

fn push_new(list: &mut Vec<String>, keyword: String) {
    if !list.contains(&keyword) {
        list.push(keyword);
    }
}

/// A name as a part of a path: without the character that separates parts, and without those that XML has no place for.
fn part(name: &str) -> String {
    let clean = |c: char| match c {
        '|' => '/',
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => ' ',
        c => c,
    };
    name.chars().map(clean).collect::<String>().trim().to_owned()
}

/// The keywords that answers give: each class's of at least the threshold. Where there is no such class, `kind`'s: what
/// most of the probability is of, such as "dog" when breeds share it.
pub fn keywords(classes: &[Answer], kind: Option<&Answer>, rules: &Rules) -> Keywords {
    let reaches = |answer: &&Answer| answer.score >= rules.threshold;
    let mut named: Vec<&Answer> = classes.iter().filter(reaches).collect();
    if named.is_empty() {
        named.extend(kind.filter(reaches));
    }
    let mut keywords = Keywords::default();
    for answer in named {
        if let Some(own) = rules.vocabulary.of(&answer.path) {
            own.iter().for_each(|keyword| keywords.add(keyword.split('|')));
            continue;
        }
        if rules.language != Language::Chinese {
            keywords.add(answer.path.iter().map(|name| name.en.as_str()));
        }
        if rules.language != Language::English {
            let chinese = |name: &'_ Name| if name.zh.is_empty() { name.en.clone() } else { name.zh.clone() };
            let path: Vec<String> = answer.path.iter().map(chinese).collect();
            keywords.add(path.iter().map(String::as_str));
        }
    }
    keywords
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(wnid: &str, en: &str, zh: &str) -> Name {
        Name { wnid: wnid.into(), en: en.into(), zh: zh.into() }
    }

    fn cat(leaf: Name, score: f32) -> Answer {
        Answer { path: vec![name("n1", "animal", "动物"), name("n2", "cat", "猫"), leaf], score }
    }

    fn rules(language: Language, vocabulary: &str) -> Rules {
        Rules { threshold: 0.3, language, vocabulary: Vocabulary::parse(vocabulary).unwrap() }
    }

    fn of(answers: &[Answer], kind: Option<&Answer>, rules: &Rules) -> (String, String) {
        let keywords = keywords(answers, kind, rules);
        (keywords.subjects.join(","), keywords.paths.join(","))
    }

    #[test]
    fn classes_above_the_threshold_are_named_in_the_language() {
        let answers = [
            cat(name("n3", "tabby", "虎斑猫"), 0.5),
            cat(name("n4", "Persian cat", ""), 0.3),
            cat(name("n5", "lion", "狮"), 0.29),
        ];
        let named = |language| of(&answers, None, &rules(language, ""));
        assert_eq!(
            named(Language::English),
            ("tabby,Persian cat".into(), "animal|cat|tabby,animal|cat|Persian cat".into())
        );
        assert_eq!(
            named(Language::Chinese),
            ("虎斑猫,Persian cat".into(), "动物|猫|虎斑猫,动物|猫|Persian cat".into())
        );
        assert_eq!(named(Language::Both).0, "tabby,虎斑猫,Persian cat");
    }

    #[test]
    fn a_kind_counts_where_no_class_does() {
        let kind =
            Answer { path: vec![name("n1", "animal", "动物"), name("n2", "cat", "猫")], score: 0.95 };
        let low = [cat(name("n3", "tabby", ""), 0.2)];
        let english = rules(Language::English, "");
        assert_eq!(of(&low, Some(&kind), &english), ("cat".into(), "animal|cat".into()));
        let high = [cat(name("n3", "tabby", ""), 0.4)];
        assert_eq!(of(&high, Some(&kind), &english).0, "tabby");
        assert_eq!(of(&low, None, &english), (String::new(), String::new()));
        let unsure = Answer { score: f32::NAN, ..kind };
        assert!(keywords(&[], Some(&unsure), &english).is_empty());
    }

    #[test]
    fn names_fit_into_xml_and_paths() {
        let odd = cat(name("", " a|b\u{0}c\n", ""), 1.0);
        assert_eq!(of(&[odd], None, &rules(Language::Both, "")).1, "animal|cat|a/b c,动物|猫|a/b c");
    }

    #[test]
    fn a_vocabulary_replaces_the_names() {
        let answers = [cat(name("n3", "tabby", "虎斑猫"), 0.6), cat(name("n5", "lion", "狮"), 0.4)];
        let with = |vocabulary| of(&answers, None, &rules(Language::English, vocabulary));
        assert_eq!(with("tabby\tpets|Minka\tindoor").0, "Minka,indoor,lion");
        assert_eq!(with("tabby\tpets|Minka\tindoor").1, "pets|Minka,indoor,animal|cat|lion");
        assert_eq!(with("n3\t").0, "lion", "by WordNet id, and no keyword");
        assert_eq!(with("cat\tFeline").0, "Feline", "a kind's holds for its classes");
        assert_eq!(with("animal\t\n狮\tking"), ("king".into(), "king".into()), "the nearest counts");
    }
}
