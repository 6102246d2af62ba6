//! Examples and C → the best head's weights.

use crate::objective::{Centred, Objective};
use crate::{Examples, HeadError, Minimum, Stop, minimize};
use kernels::Isa;

/// Where training stops: the largest slope of the mean loss by a centred weight.
const EXACT: Stop = Stop { gradient: 1e-5, iterations: 500 };
/// Where it stops when heads are only compared: many are fitted then, and their order shows sooner.
const ROUGH: Stop = Stop { gradient: 1e-4, iterations: 200 };

/// Weights `[classes, width]` and biases `[classes]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl Weights {
    /// One logit for each class.
    pub(crate) fn logits(&self, features: &[f32]) -> Vec<f32> {
        let logit = |(row, bias): (&[f32], &f32)| {
            let sum: f64 = row.iter().zip(features).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
            (sum + f64::from(*bias)) as f32
        };
        self.weights.chunks_exact(features.len()).zip(&self.bias).map(logit).collect()
    }
}

/// Fits heads to the same examples for one C after another, each from where the last one ended.
pub(crate) struct Fitter {
    centred: Centred,
    objective: Objective,
    classes: usize,
    at: Vec<f64>,
}

impl Fitter {
    pub(crate) fn new(isa: Isa, examples: &Examples) -> Self {
        let centred = Centred::of(examples);
        let objective = Objective::new(isa, examples, &centred);
        let at = vec![0.0; objective.parameters()];
        Self { centred, objective, classes: examples.classes(), at }
    }

    /// The best head for this C.
    pub(crate) fn fit(&mut self, c: f64) -> Weights {
        self.fit_until(c, EXACT)
    }

    /// A head near the best for this C, to compare with others by.
    pub(crate) fn fit_roughly(&mut self, c: f64) -> Weights {
        self.fit_until(c, ROUGH)
    }

    fn fit_until(&mut self, c: f64, stop: Stop) -> Weights {
        self.objective.set_c(c, &self.centred);
        let start = std::mem::take(&mut self.at);
        let Minimum { x, .. } = minimize(start, stop, |x, gradient| self.objective.value(x, gradient));
        let (weights, bias) = self.centred.undo(&x, self.classes);
        self.at = x;
        Weights { weights, bias }
    }

    /// C such that the penalty is `share` of what the data would need to balance it: independent of the features'
    /// scale.
    pub(crate) fn c(&self, share: f64) -> f64 {
        1.0 / (share * self.centred.square())
    }
}

/// The head that minimises `C·Σ −ln p(right class) + ½‖W‖²` (biases go free): weights `[classes, width]`
/// and biases `[classes]`. scikit-learn's `LogisticRegression(C)` for three classes and more; with two, where
/// it keeps one row instead of two, its C is half of this one.
///
/// # Errors
/// When C is not a positive number.
pub fn fit(isa: Isa, examples: &Examples, c: f64) -> Result<(Vec<f32>, Vec<f32>), HeadError> {
    if !(c > 0.0 && c.is_finite()) {
        return Err(HeadError::Penalty { got: c });
    }
    let Weights { weights, bias } = Fitter::new(isa, examples).fit(c);
    Ok((weights, bias))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::tests_support::clusters;

    #[test]
    fn the_gradient_vanishes_in_the_original_features() {
        let (width, classes, c) = (6, 4, 0.7);
        let examples = clusters(width, classes, 40, 3.0);
        let weights = Fitter::new(Isa::best(), &examples).fit(c);
        let mut gradient: Vec<f64> = weights.weights.iter().map(|&w| f64::from(w) / c).collect();
        let mut biases = vec![0.0; classes];
        for i in 0..examples.len() {
            let logits = weights.logits(examples.row(i));
            let sum: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
            for class in 0..classes {
                let right = f64::from(u8::from(class == examples.labels()[i]));
                let residual = f64::from(logits[class]).exp() / sum - right;
                biases[class] += residual;
                for (g, &x) in gradient[class * width..][..width].iter_mut().zip(examples.row(i)) {
                    *g += residual * f64::from(x);
                }
            }
        }
        let n = examples.len() as f64;
        let worst = gradient.iter().chain(&biases).fold(0.0f64, |m, g| m.max((g / n).abs()));
        assert!(worst < 1e-4, "{worst}");
    }

    #[test]
    fn a_warm_start_ends_in_the_same_place() {
        let examples = clusters(8, 3, 30, 0.0);
        let mut warm = Fitter::new(Isa::best(), &examples);
        warm.fit(0.01);
        let (warm, cold) = (warm.fit(1.0), Fitter::new(Isa::best(), &examples).fit(1.0));
        let worst = warm.weights.iter().zip(&cold.weights).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(worst < 1e-3, "{worst}");
    }

    #[test]
    fn instruction_sets_and_runs_agree_bit_for_bit() {
        let examples = clusters(33, 5, 60, 1.0);
        let first = fit(Isa::best(), &examples, 0.5).unwrap();
        // The plain loops are the reference for rounding, not for bits.
        for isa in Isa::available().into_iter().filter(|isa| *isa != Isa::Scalar) {
            assert_eq!(fit(isa, &examples, 0.5).unwrap(), first, "{}", isa.name());
        }
        assert!(fit(Isa::best(), &examples, 0.0).is_err() && fit(Isa::best(), &examples, f64::NAN).is_err());
    }
}
