//! Examples → a head: C chosen by cross-validation, and how well such a head does on examples held out.

use crate::fit::{Fitter, Weights};
use crate::folds::stratified;
use crate::{Confusion, Examples, HeadError};
use kernels::Isa;

/// Shares of the penalty that are tried, the strongest first: 1/(C · mean square of the features). From each to the
/// next is a factor of √10.
const SHARES: [f64; 13] = [
    3162.28, 1000.0, 316.228, 100.0, 31.6228, 10.0, 3.16228, 1.0, 0.316228, 0.1, 0.0316228, 0.01, 0.00316228,
];
/// The share where there is nothing to choose by.
const USUAL_SHARE: f64 = 10.0;
/// Weaker penalties are not tried any more once this many in turn did worse than the best.
const PATIENCE: usize = 2;
const FOLDS: usize = 5;

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// scikit-learn's C; chosen by cross-validation if not given.
    pub c: Option<f64>,
    /// As long as examples² · width · classes is at most this, each example is held out alone for the table of
    /// mistakes; else a fifth of them at a time. A browser does the default in about ten seconds.
    pub leave_one_out: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { c: None, leave_one_out: 80_000_000 }
    }
}

/// How far training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// Another C has been tried.
    Tried(Tried),
    /// Examples held out so far to find mistakes, of how many.
    HeldOut {
        /// So many.
        done: usize,
        /// Of so many.
        of: usize,
    },
}

/// How one C did on examples held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// The inverse strength of the penalty.
    pub c: f64,
    /// Right answers, 0 to 1.
    pub accuracy: f64,
    /// Mean of −ln p(right class).
    pub loss: f64,
}

/// A head's weights, and how such a head does on examples it was not shown.
#[derive(Clone, Debug)]
pub struct TrainedHead {
    /// `[classes, width]`
    pub weights: Vec<f32>,
    /// `[classes]`
    pub bias: Vec<f32>,
    /// As scikit-learn counts it.
    pub c: f64,
    /// What was tried to choose C, in this order; empty where C was given or there was nothing to choose by.
    pub tried: Vec<Tried>,
    /// `None` where every class has just one example.
    pub validation: Option<Validation>,
}

/// Answers on examples held out.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// Each example's answer by a head that was not shown it; `None` for the only one of its class.
    pub answers: Vec<Option<usize>>,
    /// Those answers as a table.
    pub confusion: Confusion,
    /// Groups that were held out one after another: as many as examples where each was held out alone.
    pub folds: usize,
}

/// Trains a head.
///
/// C is the one of the least loss in five-fold cross-validation. The answers in [`Validation`] are of heads of
/// that C, so they flatter a little.
///
/// # Errors
/// When a given C is not a positive number.
pub fn train_head(
    isa: Isa,
    examples: &Examples,
    options: &Options,
    mut progress: impl FnMut(Progress),
) -> Result<TrainedHead, HeadError> {
    if let Some(got) = options.c.filter(|c| !(*c > 0.0 && c.is_finite())) {
        return Err(HeadError::Penalty { got });
    }
    let mut whole = Fitter::new(isa, examples);
    let folds = Folds::new(examples, FOLDS);
    let mut tried = Vec::new();
    let c = match options.c {
        Some(c) => c,
        None if folds.held_out() == 0 => whole.c(USUAL_SHARE),
        None => {
            tried = try_all(isa, examples, &folds, &SHARES.map(|share| whole.c(share)), |tried| {
                progress(Progress::Tried(tried));
            });
            let best = tried.iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
            best.map_or(whole.c(USUAL_SHARE), |best| best.c)
        }
    };
    let validation = validate(isa, examples, c, options, &mut progress);
    let Weights { weights, bias } = whole.fit(c);
    Ok(TrainedHead { weights, bias, c, tried, validation })
}

/// Which examples are held out together.
struct Folds {
    of: Vec<Option<usize>>,
    count: usize,
}

impl Folds {
    fn new(examples: &Examples, count: usize) -> Self {
        Self { of: stratified(examples, count), count }
    }

    /// Each example by itself.
    fn alone(examples: &Examples) -> Self {
        let counts = examples.counts();
        let of = examples.labels().iter().enumerate().map(|(i, &class)| (counts[class] > 1).then_some(i));
        Self { of: of.collect(), count: examples.len() }
    }

    fn held_out(&self) -> usize {
        self.of.iter().flatten().count()
    }

    /// The examples of one fold.
    fn members(&self, fold: usize) -> impl Iterator<Item = usize> {
        self.of.iter().enumerate().filter(move |(_, of)| **of == Some(fold)).map(|(i, _)| i)
    }

    /// A fitter of all examples but those of `fold`; `None` if it is empty.
    fn without(&self, isa: Isa, examples: &Examples, fold: usize) -> Option<Fitter> {
        self.members(fold).next()?;
        Some(Fitter::new(isa, &examples.subset(|i| self.of[i] != Some(fold))))
    }
}

/// Each C in turn, until weaker penalties only do worse. Every fold goes on from where it ended with the last C.
fn try_all(
    isa: Isa,
    examples: &Examples,
    folds: &Folds,
    cs: &[f64],
    mut progress: impl FnMut(Tried),
) -> Vec<Tried> {
    let mut fitters: Vec<(usize, Fitter)> =
        (0..folds.count).filter_map(|fold| Some((fold, folds.without(isa, examples, fold)?))).collect();
    let mut tried: Vec<Tried> = Vec::new();
    let (mut best, mut worse) = (f64::INFINITY, 0);
    for &c in cs {
        let (mut loss, mut right) = (0.0, 0usize);
        for (fold, fitter) in &mut fitters {
            let weights = fitter.fit_roughly(c);
            for i in folds.members(*fold) {
                let (logits, label) = (weights.logits(examples.row(i)), examples.labels()[i]);
                loss += cross_entropy(&logits, label);
                right += usize::from(best_class(&logits) == label);
            }
        }
        let n = folds.held_out() as f64;
        let result = Tried { c, accuracy: right as f64 / n, loss: loss / n };
        tried.push(result);
        progress(result);
        if result.loss < best {
            (best, worse) = (result.loss, 0);
        } else {
            worse += 1;
            if worse == PATIENCE {
                break;
            }
        }
    }
    tried
}

fn validate(
    isa: Isa,
    examples: &Examples,
    c: f64,
    options: &Options,
    progress: &mut impl FnMut(Progress),
) -> Option<Validation> {
    let sizes = [examples.len(), examples.len(), examples.width(), examples.classes()];
    let work = sizes.into_iter().fold(1usize, usize::saturating_mul);
    let alone = work <= options.leave_one_out;
    let folds = if alone { Folds::alone(examples) } else { Folds::new(examples, FOLDS) };
    let of = folds.held_out();
    if of == 0 {
        return None;
    }
    let mut answers = vec![None; examples.len()];
    let mut confusion = Confusion::new(examples.classes());
    let mut done = 0;
    for fold in 0..folds.count {
        let Some(mut fitter) = folds.without(isa, examples, fold) else { continue };
        let weights = fitter.fit_roughly(c);
        for i in folds.members(fold) {
            let answer = best_class(&weights.logits(examples.row(i)));
            confusion.add(examples.labels()[i], answer);
            answers[i] = Some(answer);
            done += 1;
        }
        progress(Progress::HeldOut { done, of });
    }
    Some(Validation { answers, confusion, folds: if alone { of } else { FOLDS } })
}

/// −ln softmax(logits)[label]
fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&z| libm::exp(f64::from(z) - f64::from(top))).sum();
    libm::log(sum) + f64::from(top) - f64::from(logits[label])
}

/// The class of the greatest logit; the first of equals.
fn best_class(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::tests_support::clusters;

    fn trained(examples: &Examples, options: &Options) -> (TrainedHead, Vec<Progress>) {
        let mut steps = Vec::new();
        let head = train_head(Isa::best(), examples, options, |step| steps.push(step)).unwrap();
        (head, steps)
    }

    #[test]
    fn classes_far_apart_are_learnt_and_c_is_the_best_tried() {
        let examples = clusters(32, 4, 12, 2.0);
        let (head, steps) = trained(&examples, &Options::default());
        let validation = head.validation.unwrap();
        assert_eq!((validation.folds, validation.confusion.all()), (48, 48));
        assert!(validation.confusion.accuracy() > 0.8, "{}", validation.confusion.accuracy());
        assert!(head.tried.len() > PATIENCE);
        assert!(head.tried.iter().all(|tried| {
            let best = head.tried.iter().find(|t| t.c == head.c).unwrap();
            best.loss <= tried.loss
        }));
        assert_eq!(steps.last(), Some(&Progress::HeldOut { done: 48, of: 48 }));
        for (answer, label) in validation.answers.iter().zip(examples.labels()) {
            let mistaken = *answer != Some(*label);
            assert!(!mistaken || validation.confusion.row(*label)[answer.unwrap()] > 0);
        }
    }

    /// Features that say nothing: an honest validation must find guessing.
    #[test]
    fn noise_is_not_praised() {
        let examples = clusters(64, 2, 50, 0.0);
        let shuffled = Examples::new(
            64,
            2,
            (0..100).flat_map(|i| examples.row(i).to_vec()).collect(),
            (0..100).map(|i| usize::from(i * 7919 % 101 > 50)).collect(),
        );
        let (head, _) = trained(&shuffled.unwrap(), &Options::default());
        let accuracy = head.validation.unwrap().confusion.accuracy();
        assert!((0.25..0.75).contains(&accuracy), "{accuracy}");
    }

    #[test]
    fn one_example_a_class_is_enough_to_begin() {
        let examples = clusters(16, 3, 1, 0.0);
        let (head, steps) = trained(&examples, &Options::default());
        assert!(head.validation.is_none() && head.tried.is_empty() && steps.is_empty());
        let weights = Weights { weights: head.weights, bias: head.bias };
        for i in 0..3 {
            assert_eq!(best_class(&weights.logits(examples.row(i))), i);
        }
    }

    #[test]
    fn a_lone_example_is_never_held_out() {
        let mut examples = clusters(16, 2, 3, 0.0);
        examples = Examples::new(
            16,
            3,
            (0..6).flat_map(|i| examples.row(i).to_vec()).chain(vec![3.0; 16]).collect(),
            examples.labels().iter().copied().chain([2]).collect(),
        )
        .unwrap();
        let (head, _) = trained(&examples, &Options::default());
        let validation = head.validation.unwrap();
        assert_eq!((validation.answers[6], validation.confusion.all(), validation.folds), (None, 6, 6));
    }

    #[test]
    fn many_examples_are_held_out_in_fifths_and_a_given_c_is_kept() {
        let examples = clusters(8, 2, 30, 0.0);
        let (head, steps) = trained(&examples, &Options { c: Some(0.25), leave_one_out: 10 });
        assert_eq!((head.c, head.tried.len(), steps.len()), (0.25, 0, 5));
        assert_eq!(head.validation.unwrap().folds, 5);
        let bad = Options { c: Some(-1.0), ..Options::default() };
        assert!(train_head(Isa::best(), &examples, &bad, |_| ()).is_err());
    }
}
