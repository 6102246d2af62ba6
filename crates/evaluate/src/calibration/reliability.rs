//! How far confidence is from accuracy: bins of photos by the probability of their first class.

use super::PhotoLogits;
use beit::topk::top_k_at;
use serde::Serialize;

/// Bins of equal width from 0 to 1, as in Guo et al. 2017.
pub const BINS: usize = 15;

/// Photos whose first class has a probability in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Photos.
    pub images: u64,
    /// Mean probability of the first class, 0 to 1; 0 without photos.
    pub confidence: f64,
    /// Share of the photos whose first class is right, 0 to 1; 0 without photos.
    pub accuracy: f64,
}

/// The bins, from the least to the most confident, with the probabilities of `logits / temperature`. A bin holds its
/// upper end but not its lower.
pub fn bins(photos: &[&PhotoLogits], temperature: f64) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for photo in photos {
        let Some(&(class, probability)) = top_k_at(&photo.logits, 1, temperature).first() else { continue };
        let probability = f64::from(probability);
        let number = ((probability * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let bin = &mut bins[number];
        bin.images += 1;
        bin.confidence += probability;
        bin.accuracy += f64::from(u8::from(class == photo.class as usize));
    }
    for bin in &mut bins {
        let images = bin.images.max(1) as f64;
        bin.confidence /= images;
        bin.accuracy /= images;
    }
    bins
}

/// Expected calibration error, 0 to 1: the distance between confidence and accuracy, averaged over the photos.
pub fn expected_calibration_error(bins: &[Bin]) -> f64 {
    let images: u64 = bins.iter().map(|bin| bin.images).sum();
    let distance = |bin: &Bin| bin.images as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().map(distance).sum::<f64>() / images.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photo of class 0 whose first class, right or not, has this probability.
    fn photo(probability: f64, right: bool) -> PhotoLogits {
        let odds = (probability / (1.0 - probability)).ln() as f32;
        PhotoLogits { sha256: String::new(), class: u32::from(!right), logits: vec![odds, 0.0] }
    }

    #[test]
    fn the_error_is_the_mean_distance_of_confidence_and_accuracy() {
        // Two bins: (0.8, 0.8667] with 2 of 4 right, (0.9333, 1] with 2 of 2.
        let photos = [(0.82, true), (0.84, false), (0.82, true), (0.84, false), (0.96, true), (0.98, true)];
        let photos = photos.map(|(probability, right)| photo(probability, right));
        let bins = bins(&photos.iter().collect::<Vec<_>>(), 1.0);
        assert_eq!((bins[12].images, bins[14].images), (4, 2));
        assert!((bins[12].confidence - 0.83).abs() < 1e-6 && bins[12].accuracy == 0.5, "{bins:?}");
        let error = expected_calibration_error(&bins);
        assert!((error - (4.0 * 0.33 + 2.0 * 0.03) / 6.0).abs() < 1e-6, "{error}");
    }

    #[test]
    fn nothing_is_in_no_bin_and_certainty_in_the_last() {
        assert_eq!(expected_calibration_error(&bins(&[], 1.0)), 0.0);
        let sure = PhotoLogits { sha256: String::new(), class: 0, logits: vec![1e4, 0.0] };
        assert_eq!(bins(&[&sure], 1.0)[BINS - 1].images, 1);
        // Hotter, the same photo is less sure.
        assert_eq!(bins(&[&sure], 1e5)[7].images, 1);
    }
}
