//! Calibration of a model's confidence: a temperature for its probabilities, and a threshold below which a photo shows
//! none of its classes. Fitted on one half of the photos, measured on the other.
//!
//! ```text
//! logits of known photos ──┬─▶ fitting half ──▶ temperature, score, threshold ──┐
//! logits of outliers ──────┴─▶ reporting half ───────────────────────────────┴──▶ report
//! ```

mod halves;
mod kept_logits;
mod outliers;
mod ranking;
mod reliability;
mod temperature;

pub use halves::HalfSizes;
pub use kept_logits::KeptLogits;
pub use outliers::{OutlierReport, ScoreReport};
pub use reliability::{BINS, Bin};

use crate::error::EvaluateError;
use beit::calibration::{Calibration, NoneOfThese};
use halves::Halves;
use reliability::{bins, expected_calibration_error};
use serde::Serialize;
use temperature::{fit_temperature, negative_log_likelihood};

/// A photo and what the network makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoLogits {
    /// SHA-256 of its file, lower-case hexadecimal.
    pub sha256: String,
    /// Row of the right class; 0, which means nothing, for an outlier.
    pub class: u32,
    /// One for each class.
    pub logits: Vec<f32>,
}

/// What was fitted, and how well it does on photos that it was not fitted on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalibrationReport {
    /// What logits are divided by before the softmax.
    pub temperature: f64,
    /// When a photo shows none of the classes; none without outliers.
    pub none_of_these: Option<NoneOfThese>,
    /// Photos of the classes.
    pub known: HalfSizes,
    /// At temperature 1, on the reporting half.
    pub before: Confidence,
    /// At the fitted temperature, on the reporting half.
    pub after: Confidence,
    /// How well outliers are told from photos of the classes, where there are outliers.
    pub outliers: Option<OutlierReport>,
}

/// How far probabilities can be believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confidence {
    /// Mean of −ln p\[right class\], in nats.
    pub negative_log_likelihood: f64,
    /// Mean distance of the first class's probability from the share that is right, 0 to 1, over [`BINS`] bins.
    pub expected_calibration_error: f64,
    /// By the first class's probability.
    pub bins: Vec<Bin>,
}

/// Fits a temperature, and with photos of other things a threshold, on half of the photos; measures both on the others.
///
/// # Errors
/// When there are too few photos, a photo is of both kinds, or no temperature fits.
pub fn calibrate(
    known: &[PhotoLogits],
    outliers: Option<&[PhotoLogits]>,
) -> Result<CalibrationReport, EvaluateError> {
    let known = Halves::of(known, "photos of the model's classes in DATASET", halves::LEAST_KNOWN)?;
    let fitted = fit_temperature(&known.fitting).ok_or(EvaluateError::NoTemperature)?;
    let temperature = rounded(fitted);
    let none = outliers.map(|outliers| outliers::measure(&known, outliers, temperature)).transpose()?;
    let confidence = |temperature| {
        let bins = bins(&known.reporting, temperature);
        Confidence {
            negative_log_likelihood: negative_log_likelihood(&known.reporting, temperature),
            expected_calibration_error: expected_calibration_error(&bins),
            bins: bins.to_vec(),
        }
    };
    let (none_of_these, outliers) = none.unzip();
    Ok(CalibrationReport {
        temperature,
        none_of_these,
        known: known.sizes(),
        before: confidence(1.0),
        after: confidence(temperature),
        outliers,
    })
}

impl CalibrationReport {
    /// What the manifest of the weights with this identity keeps of it.
    ///
    /// # Errors
    /// When, on photos that neither was fitted on, the temperature makes the right classes less likely, or the score tells
    /// outliers no better than chance.
    pub fn calibration(&self, identity: String) -> Result<Calibration, EvaluateError> {
        let (before, after) = (self.before.negative_log_likelihood, self.after.negative_log_likelihood);
        if after > before {
            return Err(EvaluateError::WorseTemperature { temperature: self.temperature, before, after });
        }
        if let (Some(none), Some(outliers)) = (&self.none_of_these, &self.outliers)
            && let Some(chosen) = outliers.scores.iter().find(|score| score.score == none.score)
            && chosen.auroc <= 0.5
        {
            return Err(EvaluateError::UselessThreshold { auroc: chosen.auroc });
        }
        Ok(Calibration { identity, temperature: self.temperature, none_of_these: self.none_of_these })
    }
}

/// To five significant digits, which JSON gives back as they are.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests;
