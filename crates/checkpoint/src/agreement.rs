//! How far a quantised network's answers are from those of its source.

use crate::seeded;
use beit::config::Config;
use beit::preprocess::Pixels;
use std::sync::Arc;

/// Seeded pictures that every conversion is checked on.
const CHECK_INPUTS: usize = 4;

/// The check inputs of a network: `CHECK_INPUTS` pictures of seeded noise.
pub(crate) fn check_inputs(config: &Config) -> Arc<[Pixels]> {
    let picture = |i| Pixels { size: config.image_size, values: seeded::pixels(config, i) };
    (0..CHECK_INPUTS).map(picture).collect()
}

/// The angle between two vectors of logits, as its cosine; 1 where both are zero, 0 where one is.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let (a_energy, b_energy) = (dot(a, a), dot(b, b));
    match (a_energy > 0.0, b_energy > 0.0) {
        (true, true) => dot(a, b) / (a_energy * b_energy).sqrt(),
        (false, false) => 1.0,
        _ => 0.0,
    }
}

/// The cosine between what a layer and a rounded one add to the same activations `[tokens, width]`. Each channel counts
/// alike, however large it is: it is divided by what the exact layer adds to it over all tokens, as root mean square.
pub(crate) fn added_cosine(before: &[f32], exact: &[f32], rounded: &[f32], width: usize) -> f64 {
    let (mut exact_energy, mut rounded_energy, mut dot) = (0.0, 0.0, 0.0);
    for channel in 0..width {
        let (mut a_energy, mut b_energy, mut product) = (0.0, 0.0, 0.0);
        for at in (channel..before.len()).step_by(width) {
            let before = f64::from(before[at]);
            let (a, b) = (f64::from(exact[at]) - before, f64::from(rounded[at]) - before);
            a_energy += a * a;
            b_energy += b * b;
            product += a * b;
        }
        if a_energy > 0.0 {
            exact_energy += 1.0;
            rounded_energy += b_energy / a_energy;
            dot += product / a_energy;
        }
    }
    match exact_energy > 0.0 {
        true => dot / (exact_energy * rounded_energy.max(f64::MIN_POSITIVE)).sqrt(),
        false => 1.0,
    }
}

/// The Kullback-Leibler divergence of the classes' probabilities, from `exact` to `other`, in nats; both are logits.
pub fn kl_divergence(exact: &[f32], other: &[f32]) -> f64 {
    let log_softmax = |logits: &[f32]| {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|&v| (f64::from(v) - f64::from(largest)).exp()).sum();
        logits.iter().map(|&v| f64::from(v) - f64::from(largest) - sum.ln()).collect::<Vec<_>>()
    };
    log_softmax(exact).iter().zip(log_softmax(other)).map(|(p, q)| p.exp() * (p - q)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divergences() {
        // Half and half against three to one.
        let expected = 0.5 * (0.5f64 / 0.75).ln() + 0.5 * (0.5f64 / 0.25).ln();
        assert!((kl_divergence(&[1.0, 1.0], &[3f32.ln(), 0.0]) - expected).abs() < 1e-7);
        assert_eq!(kl_divergence(&[700.0, -700.0], &[700.0, -700.0]), 0.0);
        // A constant added to all logits changes no probability.
        assert!(kl_divergence(&[1.0, 2.0, 3.0], &[101.0, 102.0, 103.0]).abs() < 1e-12);
    }

    #[test]
    fn every_channel_of_what_is_added_counts_alike() {
        // Two tokens of two channels; the second channel is large.
        let before = [1.0, 500.0, 1.0, 900.0];
        let exact = [2.0, 600.0, 2.0, 800.0];
        assert_eq!(added_cosine(&before, &exact, &exact, 2), 1.0);
        // Where nothing is added to the small channel, half of the direction is lost.
        let rounded = [1.0, 600.0, 1.0, 800.0];
        let half = added_cosine(&before, &exact, &rounded, 2);
        assert!((half - 0.5f64.sqrt()).abs() < 1e-12, "{half}");
        assert!(cosine(&exact, &rounded) > 0.999, "which the plain cosine does not see");
        assert_eq!(added_cosine(&before, &before, &before, 2), 1.0);
    }

    #[test]
    fn cosines() {
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), 0.0);
        assert_eq!(cosine(&[3.0, 4.0], &[6.0, 8.0]), 1.0);
        assert_eq!(cosine(&[3.0, 4.0], &[-3.0, -4.0]), -1.0);
        assert_eq!((cosine(&[0.0], &[0.0]), cosine(&[0.0], &[1.0])), (1.0, 0.0));
    }
}
