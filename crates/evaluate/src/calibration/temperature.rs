//! The temperature that makes a model's probabilities likeliest (Guo et al. 2017, "temperature scaling").

use super::PhotoLogits;
use beit::calibration::TEMPERATURES;
use rayon::prelude::*;

/// Halvings of the interval of ln T: then it is narrower than 10⁻¹⁵.
const HALVINGS: usize = 54;

/// The temperature that minimises [`negative_log_likelihood`] on these photos; none if that falls to either end of
/// [`TEMPERATURES`], as it does when every photo is answered correctly.
///
/// In `β = 1/T` the loss is convex: its derivative, the mean of `Σ p·z − z[class]` with the probabilities `p` of `β·z`,
/// never falls. So its zero is found by halving.
pub fn fit_temperature(photos: &[&PhotoLogits]) -> Option<f64> {
    let (mut low, mut high) = (TEMPERATURES.start().ln(), TEMPERATURES.end().ln());
    let is_too_low = |ln_t: f64| slope(photos, (-ln_t).exp()) > 0.0;
    if !is_too_low(low) || is_too_low(high) {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if is_too_low(middle) { low = middle } else { high = middle }
    }
    Some(((low + high) / 2.0).exp())
}

/// Mean of `−ln p[class]` with the probabilities of `logits / temperature`, in nats.
pub fn negative_log_likelihood(photos: &[&PhotoLogits], temperature: f64) -> f64 {
    mean(photos, |photo| {
        let largest = largest(&photo.logits);
        let sum: f64 = photo.logits.iter().map(|&z| ((f64::from(z) - largest) / temperature).exp()).sum();
        sum.ln() - (f64::from(photo.logits[photo.class as usize]) - largest) / temperature
    })
}

/// Derivative of the loss by `β`.
fn slope(photos: &[&PhotoLogits], beta: f64) -> f64 {
    mean(photos, |photo| {
        let largest = largest(&photo.logits);
        let (mut sum, mut weighted) = (0.0, 0.0);
        for &logit in &photo.logits {
            let below = f64::from(logit) - largest;
            let weight = (beta * below).exp();
            sum += weight;
            weighted += weight * below;
        }
        weighted / sum - (f64::from(photo.logits[photo.class as usize]) - largest)
    })
}

fn largest(logits: &[f32]) -> f64 {
    f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

/// Summed in the photos' order, so that the result is the same whatever the number of threads.
fn mean(photos: &[&PhotoLogits], of: impl Fn(&PhotoLogits) -> f64 + Sync) -> f64 {
    let values: Vec<f64> = photos.par_iter().map(|photo| of(photo)).collect();
    values.iter().sum::<f64>() / photos.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(logits: &[f32], class: u32) -> PhotoLogits {
        PhotoLogits { sha256: String::new(), class, logits: logits.to_vec() }
    }

    fn fitted(photos: &[PhotoLogits]) -> Option<f64> {
        fit_temperature(&photos.iter().collect::<Vec<_>>())
    }

    /// With two classes, logits that always differ by 2 and 3 of 4 answers right, the likeliest probability is 3/4,
    /// and 2/T = ln 3.
    #[test]
    fn the_probability_becomes_the_share_that_is_right() {
        let photos: Vec<_> = (0..4).map(|i| photo(&[2.0, 0.0], u32::from(i == 3))).collect();
        let temperature = fitted(&photos).unwrap();
        assert!((temperature - 2.0 / 3f64.ln()).abs() < 1e-9, "{temperature}");
        let loss = negative_log_likelihood(&photos.iter().collect::<Vec<_>>(), temperature);
        let entropy = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        assert!((loss - entropy).abs() < 1e-12, "{loss}");
    }

    #[test]
    fn there_is_none_where_the_loss_has_no_minimum() {
        assert_eq!(fitted(&[photo(&[1.0, 0.0], 0), photo(&[0.0, 3.0], 1)]), None, "all right: T → 0");
        assert_eq!(fitted(&[photo(&[1.0, 0.0], 1), photo(&[0.0, 3.0], 0)]), None, "all wrong: T → ∞");
        assert_eq!(fitted(&[]), None);
        assert_eq!(fitted(&[photo(&[f32::NAN, 0.0], 1)]), None);
    }
}
