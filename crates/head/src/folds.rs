//! Which examples are held out together.

use crate::Examples;

/// For each example the fold in which it is held out; `None` for one that is the only one of its class: without it
/// there would be nothing to learn the class from.
///
/// Stratified: each class's examples go round the `folds` in turn, and classes begin at different ones, so that
/// folds are of one size. Neighbours, such as photos of one burst, come to lie in different folds.
pub(crate) fn stratified(examples: &Examples, folds: usize) -> Vec<Option<usize>> {
    let counts = examples.counts();
    let mut seen = vec![0; examples.classes()];
    let fold = |&class: &usize| {
        let fold = (seen[class] + class) % folds;
        seen[class] += 1;
        (counts[class] > 1).then_some(fold)
    };
    examples.labels().iter().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_spread_and_none_is_lost() {
        let labels = vec![0, 0, 0, 0, 0, 1, 1, 2];
        let examples = Examples::new(1, 3, vec![0.0; 8], labels.clone()).unwrap();
        let folds = stratified(&examples, 3);
        assert_eq!(folds, [Some(0), Some(1), Some(2), Some(0), Some(1), Some(1), Some(2), None]);
        for held_out in 0..3 {
            for class in 0..3 {
                let left = |i: usize| labels[i] == class && folds[i] != Some(held_out);
                assert!((0..8).any(left), "class {class} without fold {held_out}");
            }
        }
    }
}
