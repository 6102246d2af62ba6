//! What training minimises, and its gradient.

use crate::Examples;
use kernels::{Activation, DenseWeights, Isa};

/// Examples worked on at a time: their sums are F32, what is added up over all of them F64.
const CHUNK: usize = 256;

/// Features moved to mean 0 and divided by one number, the same for all, so that their mean square is 1.
///
/// The penalty leaves the biases alone, so neither moves the best head; but steps are far fewer.
pub(crate) struct Centred {
    mean: Vec<f64>,
    scale: f64,
}

impl Centred {
    pub(crate) fn of(examples: &Examples) -> Self {
        let (n, width) = (examples.len() as f64, examples.width());
        let mut mean = vec![0.0; width];
        for i in 0..examples.len() {
            mean.iter_mut().zip(examples.row(i)).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let square = |i: usize| -> f64 {
            examples.row(i).iter().zip(&mean).map(|(&x, mean)| (f64::from(x) - mean).powi(2)).sum()
        };
        let square: f64 = (0..examples.len()).map(square).sum::<f64>() / (n * width as f64);
        Self { mean, scale: if square > 0.0 { square.sqrt() } else { 1.0 } }
    }

    /// Mean square of the centred features.
    pub(crate) fn square(&self) -> f64 {
        self.scale * self.scale
    }

    fn apply(&self, row: &[f32], out: &mut Vec<f32>) {
        let centred =
            row.iter().zip(&self.mean).map(|(&x, mean)| ((f64::from(x) - mean) / self.scale) as f32);
        out.extend(centred);
    }

    /// Weights and biases on the features as they came: `[classes, width]`, `[classes]`.
    pub(crate) fn undo(&self, parameters: &[f64], classes: usize) -> (Vec<f32>, Vec<f32>) {
        let width = self.mean.len();
        let (centred, biases) = parameters.split_at(classes * width);
        let (mut weights, mut bias) = (Vec::with_capacity(centred.len()), Vec::with_capacity(classes));
        for (row, b) in centred.chunks_exact(width).zip(biases) {
            let shift: f64 = row.iter().zip(&self.mean).map(|(w, mean)| w / self.scale * mean).sum();
            bias.push((b - shift) as f32);
            weights.extend(row.iter().map(|w| (w / self.scale) as f32));
        }
        (weights, bias)
    }
}

/// Examples laid out for [`Objective::value`].
struct Chunk {
    labels: Vec<usize>,
    /// `[examples, width]`
    rows: Vec<f32>,
    /// The same as weights `[width, examples]`.
    columns: DenseWeights,
}

/// `(1/n)·(Σ −ln p(right class) + 1/(2C)·‖W‖²)`: scikit-learn's objective, divided by `C·n`.
///
/// Parameters are `[classes, width]` weights on centred features, then `[classes]` biases.
pub(crate) struct Objective {
    isa: Isa,
    width: usize,
    classes: usize,
    examples: usize,
    /// 1/C in terms of the centred weights.
    penalty: f64,
    chunks: Vec<Chunk>,
    // Memory to use again.
    weights: Vec<f32>,
    biases: Vec<f32>,
    logits: Vec<f32>,
    residuals: Vec<f32>,
    gradient: Vec<f32>,
}

impl Objective {
    pub(crate) fn new(isa: Isa, examples: &Examples, centred: &Centred) -> Self {
        let (width, classes, n) = (examples.width(), examples.classes(), examples.len());
        let chunk = |first: usize| {
            let range = first..n.min(first + CHUNK);
            let mut rows = Vec::with_capacity(range.len() * width);
            range.clone().for_each(|i| centred.apply(examples.row(i), &mut rows));
            let columns = DenseWeights::pack(width, range.len(), &transposed(&rows, width));
            Chunk { labels: examples.labels()[range].to_vec(), rows, columns }
        };
        Self {
            isa,
            width,
            classes,
            examples: n,
            penalty: 1.0,
            chunks: (0..n).step_by(CHUNK).map(chunk).collect(),
            weights: vec![0.0; classes * width],
            biases: vec![0.0; classes],
            logits: Vec::new(),
            residuals: Vec::new(),
            gradient: vec![0.0; classes * width],
        }
    }

    /// Sets C, given the centred features.
    pub(crate) fn set_c(&mut self, c: f64, centred: &Centred) {
        self.penalty = 1.0 / (c * centred.square());
    }

    /// Numbers that are sought.
    pub(crate) fn parameters(&self) -> usize {
        self.classes * (self.width + 1)
    }

    /// The value at `parameters`; writes the gradient there.
    pub(crate) fn value(&mut self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let Self {
            isa, width, classes, examples, penalty, chunks, weights, biases, logits, residuals, ..
        } = self;
        let (isa, width, classes) = (*isa, *width, *classes);
        let n = *examples as f64;
        let (w, b) = parameters.split_at(classes * width);
        weights.iter_mut().zip(w).for_each(|(to, &from)| *to = from as f32);
        biases.iter_mut().zip(b).for_each(|(to, &from)| *to = from as f32);
        let packed = DenseWeights::pack(classes, width, weights);
        gradient.fill(0.0);
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(classes * width);
        let mut loss = 0.0;
        for chunk in chunks.iter() {
            let rows = chunk.labels.len();
            logits.resize(rows * classes, 0.0);
            kernels::dense(isa, &chunk.rows, &packed, Some(biases), Activation::None, logits);
            let gaps = logits.chunks_exact(classes).zip(&chunk.labels);
            let gap = |(row, &label): (&[f32], &usize)| {
                let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                f64::from(top) - f64::from(row[label])
            };
            loss += gaps.map(gap).sum::<f64>();
            kernels::softmax(isa, logits, classes);
            for (row, &label) in logits.chunks_exact_mut(classes).zip(&chunk.labels) {
                // The greatest probability is 1/Σexp(z − z_max).
                let top = row.iter().copied().fold(0.0, f32::max);
                loss -= libm::log(f64::from(top));
                row[label] -= 1.0;
                bias_gradient.iter_mut().zip(&*row).for_each(|(sum, &r)| *sum += f64::from(r));
            }
            residuals.clear();
            residuals.extend(transposed(logits, classes));
            kernels::dense(isa, residuals, &chunk.columns, None, Activation::None, &mut self.gradient);
            weight_gradient.iter_mut().zip(&self.gradient).for_each(|(sum, &g)| *sum += f64::from(g));
        }
        let square: f64 = w.iter().map(|w| w * w).sum();
        weight_gradient.iter_mut().zip(w).for_each(|(g, w)| *g = (*g + *penalty * w) / n);
        bias_gradient.iter_mut().for_each(|g| *g /= n);
        (loss + 0.5 * *penalty * square) / n
    }
}

/// `[rows, width]` → `[width, rows]`
fn transposed(values: &[f32], width: usize) -> Vec<f32> {
    (0..width).flat_map(|column| values.iter().skip(column).step_by(width)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::tests_support::clusters;

    /// The definition in F64, without centring.
    fn plain(examples: &Examples, weights: &[f64], biases: &[f64], c: f64) -> f64 {
        let width = examples.width();
        let one = |i: usize| {
            let logit = |k: usize| {
                let row = examples.row(i).iter().zip(&weights[k * width..]);
                biases[k] + row.map(|(&x, w)| f64::from(x) * w).sum::<f64>()
            };
            let logits: Vec<f64> = (0..examples.classes()).map(logit).collect();
            logits.iter().map(|z| z.exp()).sum::<f64>().ln() - logits[examples.labels()[i]]
        };
        let loss: f64 = (0..examples.len()).map(one).sum();
        (loss + weights.iter().map(|w| w * w).sum::<f64>() / (2.0 * c)) / examples.len() as f64
    }

    #[test]
    fn value_and_gradient_are_the_definitions() {
        // More examples than a chunk holds, features far from 0.
        let examples = clusters(7, 3, 120, 5.0);
        let centred = Centred::of(&examples);
        let mut objective = Objective::new(Isa::best(), &examples, &centred);
        objective.set_c(0.3, &centred);
        let at: Vec<f64> = (0..objective.parameters()).map(|i| ((i * 37 % 19) as f64 - 9.0) / 20.0).collect();
        let mut gradient = vec![0.0; at.len()];
        let value = objective.value(&at, &mut gradient);

        let original = |at: &[f64]| {
            let (w, b) = at.split_at(3 * 7);
            let weights: Vec<f64> = w.iter().map(|w| w / centred.scale).collect();
            let shift = |k: usize| -> f64 { (0..7).map(|i| weights[k * 7 + i] * centred.mean[i]).sum() };
            let biases: Vec<f64> = (0..3).map(|k| b[k] - shift(k)).collect();
            plain(&examples, &weights, &biases, 0.3)
        };
        let exact = original(&at);
        assert!((value - exact).abs() < 1e-6 * exact, "{value} {exact}");
        for i in 0..at.len() {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[i] += by;
                original(&at)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((gradient[i] - slope).abs() < 2e-6, "parameter {i}: {} {slope}", gradient[i]);
        }
    }

    #[test]
    fn confident_mistakes_cost_what_they_should() {
        let examples = Examples::new(1, 2, vec![-1.0, 1.0], vec![0, 1]).unwrap();
        let centred = Centred::of(&examples);
        let mut objective = Objective::new(Isa::best(), &examples, &centred);
        objective.set_c(1e12, &centred);
        // Logits ±200 the wrong way round: the right class's probability is no F32 above 0.
        let value = objective.value(&[200.0, -200.0, 0.0, 0.0], &mut [0.0; 4]);
        assert!((value - 400.0).abs() < 1e-3, "{value}");
    }
}
