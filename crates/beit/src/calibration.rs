//! What makes a model's confidence honest: a temperature for its probabilities, and a threshold below which a photo
//! most likely shows none of its classes. Both are measured on photos and travel in the model's manifest.
//!
//! Sources: C. Guo et al., "On Calibration of Modern Neural Networks", 2017 (temperature); W. Liu et al., "Energy-based
//! Out-of-distribution Detection", 2020; D. Hendrycks and K. Gimpel, "A Baseline for Detecting Misclassified and
//! Out-of-Distribution Examples in Neural Networks", 2017 (maximum probability); D. Hendrycks et al., "Scaling
//! Out-of-Distribution Detection for Real-World Settings", 2022 (maximum logit).

use serde::{Deserialize, Serialize};

/// No useful temperature is lower or higher.
pub const TEMPERATURES: std::ops::RangeInclusive<f64> = 0.01..=100.0;
/// No score of finite F32 logits of a real network is farther from 0.
const FARTHEST_SCORE: f64 = 1e6;

/// How to read a model's logits, measured on photos for its own head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The manifest's identity: that of the weights it was measured with.
    pub identity: String,
    /// What logits are divided by before the softmax; above 1 where the model is too sure.
    pub temperature: f64,
    /// When a photo shows none of the classes, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none_of_these: Option<NoneOfThese>,
}

/// When a photo most likely shows none of a model's classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoneOfThese {
    /// What is computed of the logits.
    pub score: Score,
    /// A photo whose score is lower shows none of them.
    pub below: f64,
}

/// How much a photo's logits look like those of photos of the classes: higher for those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// `T · ln Σ exp(logit / T)`, the negative free energy, with the calibration's temperature `T`.
    Energy,
    /// The largest logit.
    MaxLogit,
    /// The largest probability, with the calibration's temperature.
    MaxProbability,
}

impl Score {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Energy, Self::MaxLogit, Self::MaxProbability];

    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::MaxLogit => "max_logit",
            Self::MaxProbability => "max_probability",
        }
    }

    /// The score of a photo's logits, `[classes]`. NaN logits count for nothing; −∞ where no other is there.
    pub fn of(self, logits: &[f32], temperature: f64) -> f64 {
        // f32::max ignores NaN.
        let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        if self == Self::MaxLogit || !largest.is_finite() {
            return largest;
        }
        let weights = logits.iter().filter(|logit| !logit.is_nan());
        let sum: f64 = weights.map(|&logit| ((f64::from(logit) - largest) / temperature).exp()).sum();
        match self {
            Self::MaxProbability => 1.0 / sum,
            _ => largest + temperature * sum.ln(),
        }
    }
}

/// How logits of a model that may have no calibration are to be read: the temperature of their softmax, and whether they
/// most likely show none of the classes.
pub fn reading(calibration: Option<&Calibration>, logits: &[f32]) -> (f64, bool) {
    calibration.map_or((1.0, false), |known| (known.temperature, known.is_none_of_these(logits)))
}

impl Calibration {
    /// Whether a photo with these logits most likely shows none of the classes; never where no threshold was measured.
    pub fn is_none_of_these(&self, logits: &[f32]) -> bool {
        self.none_of_these.is_some_and(|none| none.score.of(logits, self.temperature) < none.below)
    }

    /// What of it can't be right, for weights of this identity: the manifest's field, what was expected and what it is.
    pub(crate) fn check(&self, identity: &str) -> Result<(), (&'static str, String, String)> {
        if self.identity != identity {
            let expected =
                format!("{identity}, the identity of these shards: it was measured on other weights");
            return Err(("calibration.identity", expected, self.identity.clone()));
        }
        if !TEMPERATURES.contains(&self.temperature) {
            let (least, most) = (*TEMPERATURES.start(), *TEMPERATURES.end());
            let expected = format!("{least} to {most}");
            return Err(("calibration.temperature", expected, self.temperature.to_string()));
        }
        match self.none_of_these {
            Some(NoneOfThese { below, .. }) if !(-FARTHEST_SCORE..=FARTHEST_SCORE).contains(&below) => {
                let expected = format!("−{FARTHEST_SCORE} to {FARTHEST_SCORE}");
                Err(("calibration.none_of_these.below", expected, below.to_string()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
    }

    #[test]
    fn scores_match_their_definitions() {
        let logits = [1.0, 3.0, f32::NAN, 2.0];
        near(Score::MaxLogit.of(&logits, 2.0), 3.0);
        let sum = |t: f64| [1.0, 3.0, 2.0].map(|z: f64| (z / t).exp()).iter().sum::<f64>();
        near(Score::Energy.of(&logits, 1.0), sum(1.0).ln());
        near(Score::Energy.of(&logits, 2.0), 2.0 * sum(2.0).ln());
        near(Score::MaxProbability.of(&logits, 2.0), 1.5f64.exp() / sum(2.0));
        // 1000 − 999 is not lost in exp(1000).
        near(Score::Energy.of(&[1000.0, 999.0], 1.0), 1000.0 + (1.0 + (-1.0f64).exp()).ln());
        for score in Score::ALL {
            assert_eq!(score.of(&[f32::NAN], 1.0), f64::NEG_INFINITY, "{}", score.name());
        }
    }

    #[test]
    fn below_the_threshold_is_none_of_these() {
        let of = |below| Calibration {
            identity: String::new(),
            temperature: 1.0,
            none_of_these: Some(NoneOfThese { score: Score::MaxLogit, below }),
        };
        assert!(of(3.5).is_none_of_these(&[1.0, 3.0]) && !of(3.0).is_none_of_these(&[1.0, 3.0]));
        assert!(!Calibration { none_of_these: None, ..of(9.0) }.is_none_of_these(&[1.0, 3.0]));
        assert!(of(-9.0).is_none_of_these(&[f32::NAN]), "what is no number is no class");
    }

    #[test]
    fn names_are_those_in_files() {
        for score in Score::ALL {
            assert_eq!(serde_json::to_value(score).unwrap(), score.name());
        }
    }
}
