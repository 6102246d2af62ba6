//! The limited-memory BFGS method (Nocedal and Wright, Numerical Optimization, algorithm 7.5).

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that stand for the Hessian.
const MEMORY: usize = 10;
/// A step must lower the function by this share of what its slope promises.
const SUFFICIENT: f64 = 1e-4;
/// Step lengths tried along one direction.
const TRIES: usize = 30;
/// What rounding may add to a value, relative to it: a step is not refused for less.
const NOISE: f64 = 1e-9;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// The largest magnitude in the gradient.
    pub gradient: f64,
    /// At most so many.
    pub iterations: usize,
}

/// Where a minimisation ended.
#[derive(Clone, Debug)]
pub struct Minimum {
    /// The point.
    pub x: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// Taken.
    pub iterations: usize,
    /// Whether the gradient came below [`Stop::gradient`].
    pub converged: bool,
}

/// A step and what it did to the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / step·change
    rho: f64,
}

/// Minimises a function from `x` on. `f` gives its value at a point and writes the gradient there.
pub fn minimize(x: Vec<f64>, stop: Stop, mut f: impl FnMut(&[f64], &mut [f64]) -> f64) -> Minimum {
    let mut x = x;
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(&x, &mut gradient);
    let (mut pairs, mut iterations) = (VecDeque::<Pair>::with_capacity(MEMORY), 0);
    let (mut next, mut next_gradient) = (x.clone(), gradient.clone());
    loop {
        let converged = largest(&gradient) <= stop.gradient;
        if converged || iterations == stop.iterations {
            return Minimum { x, value, iterations, converged };
        }
        let mut direction = descent(&gradient, &pairs);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Rounding has spoilt the memory: restart along the gradient.
            pairs.clear();
            direction = descent(&gradient, &pairs);
            slope = dot(&direction, &gradient);
        }
        // Without a memory the direction has no natural length.
        let mut length = if pairs.is_empty() { (1.0 / norm(&gradient)).min(1.0) } else { 1.0 };
        let mut lowered = false;
        for _ in 0..TRIES {
            for ((next, x), d) in next.iter_mut().zip(&x).zip(&direction) {
                *next = x + length * d;
            }
            let next_value = f(&next, &mut next_gradient);
            let enough = value + SUFFICIENT * length * slope + NOISE * value.abs();
            if next_value <= enough {
                lowered = true;
                value = next_value;
                break;
            }
            // The lowest point of the parabola through what is known, but no leap.
            let parabola = -slope * length * length / (2.0 * (next_value - value - slope * length));
            let within = parabola.clamp(0.1 * length, 0.5 * length);
            length = if within.is_finite() { within } else { 0.1 * length };
        }
        if !lowered {
            // As low as the function's own rounding lets it.
            return Minimum { x, value, iterations, converged: false };
        }
        remember(&mut pairs, &x, &next, &gradient, &next_gradient);
        std::mem::swap(&mut x, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        iterations += 1;
    }
}

fn remember(pairs: &mut VecDeque<Pair>, x: &[f64], next: &[f64], gradient: &[f64], next_gradient: &[f64]) {
    let step: Vec<f64> = next.iter().zip(x).map(|(a, b)| a - b).collect();
    let change: Vec<f64> = next_gradient.iter().zip(gradient).map(|(a, b)| a - b).collect();
    let curvature = dot(&step, &change);
    // A pair without positive curvature would make the estimate of the Hessian indefinite.
    if curvature > 1e-10 * dot(&change, &change).sqrt() * norm(&step) {
        if pairs.len() == MEMORY {
            pairs.pop_front();
        }
        pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
    }
}

/// −H·gradient, with H as the pairs approximate it: the two-loop recursion.
fn descent(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.step, &q);
        add(&mut q, -alpha, &pair.change);
        alphas.push(alpha);
    }
    if let Some(last) = pairs.back() {
        let scale = 1.0 / (last.rho * dot(&last.change, &last.change));
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = pair.rho * dot(&pair.change, &q);
        add(&mut q, alpha - beta, &pair.step);
    }
    q
}

fn add(to: &mut [f64], factor: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += factor * x);
}

/// Four sums side by side: an order that vectorises and is the same everywhere.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badly_scaled_bowl() {
        let n = 50;
        let scale = |i: usize| 10f64.powf(3.0 * i as f64 / n as f64);
        let found = minimize(vec![0.0; n], Stop { gradient: 1e-6, iterations: 500 }, |x, g| {
            (0..n)
                .map(|i| {
                    let e = x[i] - i as f64;
                    g[i] = scale(i) * e;
                    0.5 * scale(i) * e * e
                })
                .sum()
        });
        assert!(found.converged, "{} after {}", found.value, found.iterations);
        assert!(found.x.iter().enumerate().all(|(i, x)| (x - i as f64).abs() < 1e-5));
    }

    #[test]
    fn rosenbrocks_valley() {
        let found = minimize(vec![-1.2, 1.0], Stop { gradient: 1e-9, iterations: 200 }, |x, g| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        });
        assert!(found.converged, "{:?}", found);
        assert!((found.x[0] - 1.0).abs() < 1e-7 && (found.x[1] - 1.0).abs() < 1e-7, "{:?}", found.x);
    }

    #[test]
    fn it_stops_when_told_and_where_it_stands() {
        let bowl = |x: &[f64], g: &mut [f64]| {
            g[0] = x[0];
            0.5 * x[0] * x[0]
        };
        let begun = minimize(vec![0.0], Stop { gradient: 1e-9, iterations: 5 }, bowl);
        assert!(begun.converged && begun.iterations == 0);
        let cut = minimize(vec![8.0], Stop { gradient: 0.0, iterations: 1 }, bowl);
        assert!(!cut.converged && cut.iterations == 1 && cut.value < 32.0);
        let nowhere = minimize(vec![1.0], Stop { gradient: 1e-9, iterations: 9 }, |_, g| {
            g[0] = 1.0;
            f64::NAN
        });
        assert!(!nowhere.converged && nowhere.x == [1.0]);
    }
}
