//! Second moments of a linear layer's inputs and wanted outputs, summed over all calibration photos.

use super::cholesky::Factor;
use kernels::{Activation, DenseWeights, Isa, dense};

/// Added to every variance, as a share of their mean: directions that the photos hardly show must not be
/// free to go anywhere.
const RIDGE: f64 = 0.01;
/// Rows of a symmetric product that are made together, up to the diagonal.
const STRIP: usize = 256;

/// Sums over tokens of a layer's inputs `x` (`[k]`, as the rounded network gives them), the outputs `y` (`[n]`)
/// that are wanted for them, and their products. Both are counted from the first tokens' means, so that
/// nothing is lost when the means are taken out of the products. The order of every sum is fixed: the same
/// photos give the same sums on every machine.
pub(crate) struct Moments {
    n: usize,
    k: usize,
    tokens: usize,
    x_origin: Vec<f32>,
    y_origin: Vec<f32>,
    x: Vec<f64>,
    y: Vec<f64>,
    /// `[k, k]`; above the diagonal only as far as its strip goes.
    xx: Vec<f32>,
    /// `[n, k]`.
    yx: Vec<f32>,
}

/// A layer's least-squares problem: of all weights and biases, which give `y` from `x` best?
pub(crate) struct Problem {
    x_mean: Vec<f32>,
    y_mean: Vec<f32>,
    /// Of the covariance of `x`, `[k, k]`, ridge included.
    pub(crate) factor: Factor,
    /// `[n, k]`: the covariance of x with what the weights leave unexplained of `y`.
    pub(crate) unexplained: Vec<f32>,
}

impl Moments {
    pub(crate) fn new(n: usize, k: usize) -> Self {
        Self {
            n,
            k,
            tokens: 0,
            x_origin: Vec::new(),
            y_origin: Vec::new(),
            x: vec![0.0; k],
            y: vec![0.0; n],
            xx: vec![0.0; k * k],
            yx: vec![0.0; n * k],
        }
    }

    /// Takes some tokens: `x` is `[tokens, k]`, `y` `[tokens, n]`.
    pub(crate) fn add(&mut self, isa: Isa, x: &[f32], y: &[f32]) {
        let (n, k, tokens) = (self.n, self.k, x.len() / self.k);
        if self.tokens == 0 {
            (self.x_origin, self.y_origin) = (means(x, k), means(y, n));
        }
        self.tokens += tokens;
        let x = columns(x, &self.x_origin, &mut self.x);
        let y = columns(y, &self.y_origin, &mut self.y);
        let mut product = vec![0.0; n.max(STRIP.min(k)) * k];
        for first in (0..k).step_by(STRIP) {
            let end = k.min(first + STRIP);
            let strip = &mut product[..(end - first) * end];
            let up_to_diagonal = DenseWeights::pack(end, tokens, &x[..end * tokens]);
            let rows = &x[first * tokens..end * tokens];
            dense(isa, rows, &up_to_diagonal, None, Activation::None, strip);
            for (sums, row) in self.xx[first * k..].chunks_exact_mut(k).zip(strip.chunks_exact(end)) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
        let product = &mut product[..n * k];
        dense(isa, &y, &DenseWeights::pack(k, tokens, &x), None, Activation::None, product);
        self.yx.iter_mut().zip(product).for_each(|(sum, value)| *sum += *value);
    }

    /// The problem that rounding `weights`, `[n, k]`, has to solve. There must have been a token.
    pub(crate) fn problem(self, isa: Isa, weights: &[f32]) -> Problem {
        let Self { n, k, tokens, mut xx, mut yx, .. } = self;
        let mean = |sums: &[f64]| sums.iter().map(|sum| sum / tokens as f64).collect::<Vec<_>>();
        let (x, y) = (mean(&self.x), mean(&self.y));
        for i in 0..k {
            for j in 0..=i {
                let covariance = f64::from(xx[i * k + j]) / tokens as f64 - x[i] * x[j];
                (xx[i * k + j], xx[j * k + i]) = (covariance as f32, covariance as f32);
            }
        }
        let mut explained = vec![0.0; n * k];
        dense(isa, weights, &DenseWeights::pack(k, k, &xx), None, Activation::None, &mut explained);
        for (i, (row, explained)) in yx.chunks_exact_mut(k).zip(explained.chunks_exact(k)).enumerate() {
            for j in 0..k {
                let covariance = f64::from(row[j]) / tokens as f64 - y[i] * x[j];
                row[j] = (covariance - f64::from(explained[j])) as f32;
            }
        }
        let variance = (0..k).map(|i| f64::from(xx[i * k + i])).sum::<f64>() / k as f64;
        let from = |origin: &[f32], mean: &[f64]| {
            origin.iter().zip(mean).map(|(origin, mean)| (f64::from(*origin) + mean) as f32).collect()
        };
        Problem {
            x_mean: from(&self.x_origin, &x),
            y_mean: from(&self.y_origin, &y),
            // A layer that only ever saw one input still gets a factor.
            factor: Factor::new(&xx, k, (RIDGE * variance).max(1e-12)),
            unexplained: yx,
        }
    }
}

/// The mean of each column of `[rows, width]`.
fn means(values: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; width];
    for row in values.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let rows = (values.len() / width).max(1) as f64;
    sums.iter().map(|sum| (sum / rows) as f32).collect()
}

/// `[tokens, width]` turned to `[width, tokens]`, counted from `origin`; adds each column up into `sums`.
fn columns(values: &[f32], origin: &[f32], sums: &mut [f64]) -> Vec<f32> {
    let (width, tokens) = (origin.len(), values.len() / origin.len());
    let mut turned = vec![0.0; values.len()];
    for (token, row) in values.chunks_exact(width).enumerate() {
        for (i, value) in row.iter().enumerate() {
            turned[i * tokens + token] = value - origin[i];
        }
    }
    for (sum, column) in sums.iter_mut().zip(turned.chunks_exact(tokens)) {
        *sum += column.iter().map(|&value| f64::from(value)).sum::<f64>();
    }
    turned
}

impl Problem {
    /// The bias that gives the wanted mean with these weights, `[n, k]`.
    pub(crate) fn bias(&self, weights: &[f32]) -> Vec<f32> {
        let product = |(a, b): (&f32, &f32)| f64::from(*a) * f64::from(*b);
        let rows = weights.chunks_exact(self.x_mean.len()).zip(&self.y_mean);
        rows.map(|(row, y)| (f64::from(*y) - row.iter().zip(&self.x_mean).map(product).sum::<f64>()) as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::compensate::refit;
    use crate::calibrate::tests::noise;

    #[test]
    fn the_refit_finds_the_layer_that_was_meant() {
        // More columns than a strip has; inputs far from zero, in two batches.
        let (n, k, tokens) = (5, 300, 2000);
        let (weights, bias) = (noise(1, n * k), noise(2, n));
        let mut x = noise(3, tokens * k);
        x.iter_mut().enumerate().for_each(|(i, x)| *x += (i % k) as f32 * 0.05);
        let mut y = Vec::new();
        for x in x.chunks_exact(k) {
            let product = |row: &[f32]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
            y.extend(weights.chunks_exact(k).zip(&bias).map(|(row, bias)| product(row) + bias));
        }
        let mut moments = Moments::new(n, k);
        for (x, y) in x.chunks(tokens / 2 * k).zip(y.chunks(tokens / 2 * n)) {
            moments.add(Isa::best(), x, y);
        }
        // From weights that are wrong by a tenth, back to within the ridge's pull.
        let mut found: Vec<f32> = weights.iter().zip(noise(4, n * k)).map(|(w, e)| w + 0.1 * e).collect();
        let distance = |a: &[f32]| crate::quantize::relative_rms_error(&weights, a);
        let before = distance(&found);
        let problem = moments.problem(Isa::best(), &found);
        refit(&mut found, &problem.unexplained, &problem.factor);
        println!("{before} {}", distance(&found));
        assert!(distance(&found) < 0.05 * before, "{before} {}", distance(&found));
        // And with it the bias: the outputs are those that were wanted.
        let bias = problem.bias(&found);
        let mut outputs = Vec::new();
        for x in x.chunks_exact(k) {
            let product = |row: &[f32]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
            outputs.extend(found.chunks_exact(k).zip(&bias).map(|(row, bias)| product(row) + bias));
        }
        let error = crate::quantize::relative_rms_error(&y, &outputs);
        assert!(error < 1e-3, "{error}");
    }
}
