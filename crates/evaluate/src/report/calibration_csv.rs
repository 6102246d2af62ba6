//! A calibration as a CSV file of its own: it is no row of the table of classes.

use crate::calibration::{CalibrationReport, Confidence};

/// One row a measure (RFC 4180).
pub fn csv(report: &CalibrationReport) -> String {
    let CalibrationReport { temperature, none_of_these, known, before, after, outliers } = report;
    let mut rows = vec![
        ("temperature".to_owned(), temperature.to_string()),
        ("known_fitting".into(), known.fitting.to_string()),
        ("known_reporting".into(), known.reporting.to_string()),
    ];
    for (when, confidence) in [("before", before), ("after", after)] {
        let Confidence { negative_log_likelihood, expected_calibration_error, .. } = confidence;
        rows.push((format!("negative_log_likelihood_{when}"), negative_log_likelihood.to_string()));
        rows.push((format!("expected_calibration_error_{when}"), expected_calibration_error.to_string()));
    }
    if let (Some(none), Some(outliers)) = (none_of_these, outliers) {
        rows.push(("score".into(), none.score.name().into()));
        rows.push(("below".into(), none.below.to_string()));
        rows.push(("outliers_fitting".into(), outliers.photos.fitting.to_string()));
        rows.push(("outliers_reporting".into(), outliers.photos.reporting.to_string()));
        for score in &outliers.scores {
            rows.push((format!("auroc_{}", score.score.name()), score.auroc.to_string()));
            rows.push((format!("fpr_at_95_{}", score.score.name()), score.fpr_at_95.to_string()));
        }
        let called = [("known", outliers.known_called_none), ("outliers", outliers.outliers_called_none)];
        for (name, share) in called {
            let percent = share.map(|share| share.percent.to_string()).unwrap_or_default();
            rows.push((format!("{name}_called_none_percent"), percent));
        }
    }
    let rows: String = rows.iter().map(|(name, value)| format!("{name},{value}\r\n")).collect();
    format!("measure,value\r\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::calibration;

    #[test]
    fn every_measure_has_a_line() {
        let csv = csv(&calibration());
        for line in ["measure,value", "temperature,1.25", "score,energy", "auroc_max_logit,0.75"] {
            assert!(csv.lines().any(|other| other == line), "{line}: {csv}");
        }
        assert!(csv.lines().all(|line| line.matches(',').count() == 1), "{csv}");
    }
}
