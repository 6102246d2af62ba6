//! Photos of none of the classes: which score tells them best from photos of the classes, and from where on.

use super::PhotoLogits;
use super::halves::{HalfSizes, Halves, LEAST_OUTLIERS};
use super::ranking::{auroc, fpr_at_95, threshold_at_95};
use crate::accuracy::Accuracy;
use crate::error::EvaluateError;
use beit::calibration::{NoneOfThese, Score};
use serde::Serialize;
use std::collections::HashSet;

/// Digits behind the point of a threshold.
const DIGITS: f64 = 1e6;

/// How well outliers are told from photos of the classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutlierReport {
    /// Photos of none of the classes.
    #[serde(flatten)]
    pub photos: HalfSizes,
    /// In the order of [`Score::ALL`].
    pub scores: Vec<ScoreReport>,
    /// Photos of the classes that are called none of them, on the reporting half with the fitted threshold.
    pub known_called_none: Option<Accuracy>,
    /// Outliers that are called none of the classes, likewise.
    pub outliers_called_none: Option<Accuracy>,
}

/// How well one score does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreReport {
    /// Which one.
    pub score: Score,
    /// Area under the ROC curve on the fitting half, by which the score is chosen.
    pub auroc_fitting: f64,
    /// The same on the reporting half.
    pub auroc: f64,
    /// On the reporting half, the share of outliers that are not recognised where 95 % of the known photos are, 0 to 1.
    pub fpr_at_95: f64,
}

/// Chooses score and threshold on the fitting halves; measures on the others.
///
/// # Errors
/// When there are too few outliers, or a photo is of both kinds.
pub fn measure(
    known: &Halves,
    outliers: &[PhotoLogits],
    temperature: f64,
) -> Result<(NoneOfThese, OutlierReport), EvaluateError> {
    let outliers = Halves::of(outliers, "photos in --outliers", LEAST_OUTLIERS)?;
    check_disjoint(known, &outliers)?;
    let scores = Score::ALL.map(|score| {
        let of = |photos: &[&PhotoLogits]| scores_of(score, photos, temperature);
        let (known_fitting, known) = (of(&known.fitting), of(&known.reporting));
        let (outliers_fitting, outliers) = (of(&outliers.fitting), of(&outliers.reporting));
        // No half is empty.
        ScoreReport {
            score,
            auroc_fitting: auroc(&known_fitting, &outliers_fitting).unwrap_or_default(),
            auroc: auroc(&known, &outliers).unwrap_or_default(),
            fpr_at_95: fpr_at_95(&known, &outliers).unwrap_or_default(),
        }
    });
    let [first, others @ ..] = scores;
    let best = others
        .into_iter()
        .fold(first, |best, next| if next.auroc_fitting > best.auroc_fitting { next } else { best });
    let score = best.score;
    let fitting = scores_of(score, &known.fitting, temperature);
    // Rounded down, at least 95 % still reach it.
    let below = threshold_at_95(&fitting).map_or(0.0, |threshold| (threshold * DIGITS).floor() / DIGITS);
    let called_none = |photos: &[&PhotoLogits]| {
        let none = scores_of(score, photos, temperature).iter().filter(|&&score| score < below).count();
        Accuracy::new(none as u64, photos.len() as u64)
    };
    let report = OutlierReport {
        photos: outliers.sizes(),
        scores: scores.to_vec(),
        known_called_none: called_none(&known.reporting),
        outliers_called_none: called_none(&outliers.reporting),
    };
    Ok((NoneOfThese { score, below }, report))
}

fn scores_of(score: Score, photos: &[&PhotoLogits], temperature: f64) -> Vec<f64> {
    photos.iter().map(|photo| score.of(&photo.logits, temperature)).collect()
}

/// A photo can't show a class and none of them.
fn check_disjoint(known: &Halves, outliers: &Halves) -> Result<(), EvaluateError> {
    let hashes: HashSet<&str> = known.all().map(|photo| photo.sha256.as_str()).collect();
    let both: HashSet<&str> =
        outliers.all().map(|photo| photo.sha256.as_str()).filter(|hash| hashes.contains(hash)).collect();
    match both.iter().min() {
        None => Ok(()),
        Some(first) => Err(EvaluateError::KnownOutliers { count: both.len(), sha256: (*first).to_owned() }),
    }
}
