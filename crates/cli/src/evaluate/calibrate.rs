//! `evaluate --calibrate`: a temperature and a threshold, measured, told, and written to the model's manifest.

use crate::failure::Failure;
use crate::output::say;
use checkpoint::ModelFolder;
use evaluate::EvaluateError;
use evaluate::calibration::{CalibrationReport, Confidence, HalfSizes, OutlierReport};
use evaluate::{Accuracy, ShardResults, calibration};
use std::path::{Path, PathBuf};

/// Where the journal of the outliers is, beside that of the dataset: `run.jsonl` → `run.outliers.jsonl`.
pub fn journal_of_outliers(journal: &Path) -> PathBuf {
    let mut name = journal.file_stem().unwrap_or_default().to_owned();
    name.push(".outliers");
    if let Some(extension) = journal.extension() {
        name.push(".");
        name.push(extension);
    }
    journal.with_file_name(name)
}

/// Fits on half of the photos and measures on the others.
pub fn calibrate(
    known: &ShardResults,
    outliers: Option<&ShardResults>,
) -> Result<CalibrationReport, EvaluateError> {
    calibration::calibrate(&known.logits, outliers.map(|results| results.logits.as_slice()))
}

/// Tells what was fitted and measured.
pub fn tell(report: &CalibrationReport) {
    let CalibrationReport { temperature, known, before, after, .. } = report;
    let HalfSizes { fitting, reporting } = known;
    say(&format!(
        "temperature {temperature}, fitted on {fitting} photos; measured on the other {reporting}:"
    ));
    let percent = |confidence: &Confidence| 100.0 * confidence.expected_calibration_error;
    say(&format!(
        "  expected calibration error {:.2} % before, {:.2} % after",
        percent(before),
        percent(after)
    ));
    let nats = |confidence: &Confidence| confidence.negative_log_likelihood;
    say(&format!("  negative log-likelihood {:.4} before, {:.4} after", nats(before), nats(after)));
    let (Some(none), Some(outliers)) = (&report.none_of_these, &report.outliers) else { return };
    let OutlierReport { photos: HalfSizes { fitting, reporting }, scores, .. } = outliers;
    say(&format!(
        "none of the classes: {} below {}, fitted on {fitting} more photos; measured on the other {reporting}:",
        none.score.name(),
        none.below
    ));
    for score in scores {
        let (name, fpr) = (score.score.name(), 100.0 * score.fpr_at_95);
        say(&format!("  {name:<16} AUROC {:.4}, FPR at 95 % TPR {fpr:.1} %", score.auroc));
    }
    for (what, share) in [
        ("photos of the classes", outliers.known_called_none),
        ("photos of none of them", outliers.outliers_called_none),
    ] {
        if let Some(Accuracy { percent, low, high }) = share {
            say(&format!(
                "  {percent:.1} % of {what} are called none (95 % interval {low:.1} to {high:.1} %)"
            ));
        }
    }
}

/// Writes what was fitted to the model's manifest.
pub fn write(model: &Path, report: &CalibrationReport) -> Result<(), Failure> {
    let mut folder = ModelFolder::open(model)?;
    let calibration = report.calibration(folder.manifest().identity())?;
    folder.write_calibration(calibration)?;
    say("written to the model's manifest");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_of_outliers_is_beside_the_other() {
        for (journal, outliers) in [("a/run.jsonl", "a/run.outliers.jsonl"), ("run", "run.outliers")] {
            assert_eq!(journal_of_outliers(Path::new(journal)), Path::new(outliers));
        }
    }
}
