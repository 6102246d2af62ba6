//! What the network says of a photo, with the kinds that it is of.

use crate::engine::Engine;
use beit::kinds::{Kind, kinds_of, most_specific, path_of_class, path_of_kind};
use beit::labels::Label;
use beit::topk::{softmax, top_k};
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

/// The names of all classes and kinds that the model may answer with.
pub fn all_names(engine: &Engine) -> Vec<Name> {
    let kinds = kinds_of(&engine.kinds).iter().map(|kind| &kind.label);
    engine.labels.iter().chain(kinds).map(name).collect()
}

/// The classes that reach the threshold, or the kind that most of the probability is of where no class does.
pub fn answers(engine: &Engine, logits: &[f32], rules: &Rules) -> Answers {
    let Engine { labels, kinds, .. } = engine;
    let reach = top_k(logits, logits.len()).into_iter().take_while(|&(_, score)| score >= rules.threshold);
    let reach: Vec<(usize, f32)> = reach.collect();
    let class = |&(index, score): &(usize, f32)| {
        let mut path = names(&path_of_class(labels, kinds, index));
        path.push(name(&labels[index]));
        Answer { path, score }
    };
    let kind = match reach.is_empty() {
        true => most_specific(labels, kinds, &softmax(logits)).filter(|&(_, held)| held >= rules.threshold),
        false => None,
    };
    let classes: Vec<Answer> = reach.iter().map(class).collect();
    let of_kind = kind.map(|(kind, score)| Answer { path: names(&path_of_kind(kinds, kind)), score });
    let keywords = keywords(&classes, of_kind.as_ref(), rules);
    let mut named: Vec<_> = reach.iter().map(|&(index, score)| (labels[index].clone(), score)).collect();
    named.extend(kind.map(|(kind, held)| (kind.label.clone(), held)));
    Answers { named, keywords }
}
