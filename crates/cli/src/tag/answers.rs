//! What the network says of a photo, with the kinds that it is of.

use crate::engine::Engine;
use beit::calibration::{self, Calibration};
use beit::kinds::{Kind, most_specific, path_of_class, path_of_kind};
use beit::labels::Label;
use beit::topk::{softmax_at, top_k_at};
use keywords::{Answer, Keywords, Name, Rules, keywords};

/// A photo's answers and the keywords that they give.
pub struct Answers {
    /// Those that reach the threshold, best first.
    pub named: Vec<(Label, f32)>,
    pub keywords: Keywords,
}

fn name(label: &Label) -> Name {
    Name { wnid: label.wnid.clone(), en: label.en.clone(), zh: label.zh.clone() }
}

fn names(kinds: &[&Kind]) -> Vec<Name> {
    kinds.iter().map(|kind| name(&kind.label)).collect()
}

/// The classes that reach the threshold, or the kind that most of the probability is of where no class does. None where
/// the photo most likely shows none of the classes.
pub fn answers(engine: &Engine, logits: &[f32], rules: &Rules) -> Answers {
    answers_of(&engine.labels, &engine.kinds, engine.calibration.as_ref(), logits, rules)
}

fn answers_of(
    labels: &[Label],
    kinds: &[Kind],
    calibration: Option<&Calibration>,
    logits: &[f32],
    rules: &Rules,
) -> Answers {
    let (temperature, is_none) = calibration::reading(calibration, logits);
    let reach = top_k_at(logits, logits.len(), temperature).into_iter();
    let reach = reach.take_while(|&(_, score)| score >= rules.threshold && !is_none);
    let reach: Vec<(usize, f32)> = reach.collect();
    let class = |&(index, score): &(usize, f32)| {
        let mut path = names(&path_of_class(labels, kinds, index));
        path.push(name(&labels[index]));
        Answer { path, score }
    };
    let kind = match reach.is_empty() && !is_none {
        true => most_specific(labels, kinds, &softmax_at(logits, temperature))
            .filter(|&(_, held)| held >= rules.threshold),
        false => None,
    };
    let classes: Vec<Answer> = reach.iter().map(class).collect();
    let of_kind = kind.map(|(kind, score)| Answer { path: names(&path_of_kind(kinds, kind)), score });
    let keywords = keywords(&classes, of_kind.as_ref(), rules);
    let mut named: Vec<_> = reach.iter().map(|&(index, score)| (labels[index].clone(), score)).collect();
    named.extend(kind.map(|(kind, held)| (kind.label.clone(), held)));
    Answers { named, keywords }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beit::calibration::{NoneOfThese, Score};
    use keywords::{Language, Vocabulary};

    /// The subjects for logits of two classes of ImageNet.
    fn subjects(temperature: f64, none_below: f64, logits: [f32; 2]) -> Vec<String> {
        let label = |wnid: &str, en: &str| Label { wnid: wnid.into(), en: en.into(), zh: String::new() };
        let labels = [label("n02123045", "tabby"), label("n02124075", "Egyptian cat")];
        let none_of_these = Some(NoneOfThese { score: Score::Energy, below: none_below });
        let calibration = Calibration { identity: String::new(), temperature, none_of_these };
        let rules = Rules { threshold: 0.7, language: Language::English, vocabulary: Vocabulary::default() };
        answers_of(&labels, &[], Some(&calibration), &logits, &rules).keywords.subjects
    }

    #[test]
    fn the_models_calibration_counts() {
        assert_eq!(subjects(1.0, -1e3, [2.0, 0.0]), ["tabby"]);
        assert_eq!(subjects(4.0, -1e3, [2.0, 0.0]), ["domestic cat"], "less sure: 0.62");
        assert_eq!(subjects(1.0, 1e3, [2.0, 0.0]), [""; 0], "a class that it most likely does not show");
        assert_eq!(subjects(4.0, 1e3, [2.0, 0.0]), [""; 0], "nor a kind of them");
    }
}
