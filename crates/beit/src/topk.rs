//! Logits → the likeliest classes.

/// Probabilities of the classes, `[classes]`: `exp(logit)` over the sum, with the largest logit subtracted
/// first so that nothing overflows.
///
/// A NaN logit gets probability 0. Infinite logits share all of it. If no class has any claim (every logit
/// is NaN or −∞), all are 0.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    softmax_at(logits, 1.0)
}

/// The probabilities of `logits / temperature`, `[classes]`: a temperature above 1 makes them more equal, one below 1
/// less. It must be positive. In all else like [`softmax`].
pub fn softmax_at(logits: &[f32], temperature: f64) -> Vec<f32> {
    let scale = Scale::of(logits, temperature);
    logits.iter().map(|&logit| scale.probability(logit)).collect()
}

/// The `k` likeliest classes as (class index, probability), best first; of equal logits the lower index
/// comes first, and NaN counts as −∞. All classes when there are fewer than `k`.
pub fn top_k(logits: &[f32], k: usize) -> Vec<(usize, f32)> {
    top_k_at(logits, k, 1.0)
}

/// The same classes in the same order as [`top_k`] with the probabilities of [`softmax_at`].
pub fn top_k_at(logits: &[f32], k: usize, temperature: f64) -> Vec<(usize, f32)> {
    let rank = |index: usize| if logits[index].is_nan() { f32::NEG_INFINITY } else { logits[index] };
    // By logit, not by probability: far-off classes can share the probability 0 and still have an order.
    // The comparison is total, because rank never gives NaN.
    let best_first = |a: &usize, b: &usize| {
        rank(*b).partial_cmp(&rank(*a)).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
    };
    let mut indices: Vec<usize> = (0..logits.len()).collect();
    if k < indices.len() {
        indices.select_nth_unstable_by(k, best_first); // the k best, in any order, come before position k
        indices.truncate(k);
    }
    indices.sort_unstable_by(best_first);
    let scale = Scale::of(logits, temperature);
    indices.into_iter().map(|index| (index, scale.probability(logits[index]))).collect()
}

/// What turns a logit into a probability: the largest logit and the sum of the shifted exponentials.
struct Scale {
    largest: f32,
    temperature: f64,
    sum: f64,
}

impl Scale {
    fn of(logits: &[f32], temperature: f64) -> Self {
        // f32::max ignores NaN.
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = logits.iter().map(|&logit| weight(logit, largest, temperature)).sum();
        Scale { largest, temperature, sum }
    }

    fn probability(&self, logit: f32) -> f32 {
        let weight = weight(logit, self.largest, self.temperature);
        if self.sum > 0.0 { (weight / self.sum) as f32 } else { 0.0 }
    }
}

/// `exp((logit − largest) / temperature)`, where infinities of the same sign cancel instead of giving NaN.
fn weight(logit: f32, largest: f32, temperature: f64) -> f64 {
    if logit.is_nan() || logit == f32::NEG_INFINITY {
        0.0
    } else if logit == largest {
        1.0
    } else {
        ((f64::from(logit) - f64::from(largest)) / temperature).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;
    const INF: f32 = f32::INFINITY;

    #[test]
    fn softmax_matches_its_definition_and_survives_the_extremes() {
        let e = std::f64::consts::E;
        let total = 1.0 + e + e * e;
        let expected = [1.0 / total, e / total, e * e / total].map(|p| p as f32);
        assert_eq!(softmax(&[0.0, 1.0, 2.0]), expected);
        assert_eq!(softmax(&[1000.0, 1001.0, 1002.0]), expected);
        assert_eq!(softmax(&[f32::MAX, f32::MIN]), [1.0, 0.0]);
        assert_eq!(softmax(&[NAN, 3.0, -INF]), [0.0, 1.0, 0.0]);
        assert_eq!(softmax(&[INF, 0.0, INF, NAN]), [0.5, 0.0, 0.5, 0.0]);
        assert_eq!(softmax(&[NAN, -INF]), [0.0, 0.0]);
        assert!(softmax(&[]).is_empty());
    }

    #[test]
    fn a_temperature_divides_the_logits_and_leaves_their_order() {
        let logits = [3.0, -1.0, 6.0, NAN];
        assert_eq!(softmax_at(&logits, 2.0)[..3], softmax(&[1.5, -0.5, 3.0]));
        assert_eq!(softmax_at(&logits, 1.0), softmax(&logits));
        let order = |best: Vec<(usize, f32)>| best.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
        assert_eq!(order(top_k_at(&logits, 4, 1e-3)), order(top_k(&logits, 4)));
        assert_eq!(top_k_at(&logits, 1, 2.0), top_k(&[1.5, -0.5, 3.0], 1));
        // So flat that both probabilities are equal, but the order is the logits'.
        assert_eq!(top_k_at(&[1.0, 2.0], 2, 1e30), [(1, 0.5), (0, 0.5)]);
    }

    #[test]
    fn top_k_is_the_head_of_a_full_sort() {
        // A deterministic mix of repeated values, so that ties straddle every k.
        let logits: Vec<f32> = (0..1000u32).map(|i| ((i * 7919 + 13) % 97) as f32 * 0.1 - 4.0).collect();
        let probabilities = softmax(&logits);
        let mut all: Vec<usize> = (0..1000).collect();
        all.sort_by(|&a, &b| logits[b].total_cmp(&logits[a])); // stable: ties keep the lower index first
        for k in [0, 1, 5, 6, 97, 999, 1000, 2000] {
            let expected: Vec<(usize, f32)> = all.iter().take(k).map(|&i| (i, probabilities[i])).collect();
            assert_eq!(top_k(&logits, k), expected, "k = {k}");
        }
    }

    #[test]
    fn ties_nan_and_underflow_have_an_order() {
        assert_eq!(top_k(&[0.0, -0.0, 0.0], 2), [(0, 1.0 / 3.0), (1, 1.0 / 3.0)]);
        let order = |logits: &[f32]| top_k(logits, 9).iter().map(|&(index, _)| index).collect::<Vec<_>>();
        assert_eq!(order(&[NAN, 1.0, -INF, 2.0, NAN]), [3, 1, 0, 2, 4]);
        assert_eq!(order(&[-900.0, 0.0, -800.0]), [1, 2, 0]); // both lesser probabilities are 0
        assert_eq!(top_k(&[], 5), []);
    }
}
