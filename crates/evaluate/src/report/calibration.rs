//! A calibration in a report: a section of the HTML, and a CSV file of its own.

use super::html::{put, thousands};
use crate::accuracy::Accuracy;
use crate::calibration::{CalibrationReport, Confidence, OutlierReport};
use beit::calibration::{NoneOfThese, Score};
use std::fmt::Write;

/// The sections of the HTML.
pub fn sections(html: &mut String, report: &CalibrationReport) {
    let CalibrationReport { temperature, known, before, after, .. } = report;
    put!(
        html,
        "<section><h2>Confidence</h2><p>Temperature <b>{temperature}</b>, fitted on {} photos. The numbers are of {} \
         others.</p><table><thead><tr><th>Measure</th><th class=\"n\">Temperature 1</th><th class=\"n\">Temperature \
         {temperature}</th></tr></thead><tbody>",
        thousands(known.fitting),
        thousands(known.reporting)
    );
    let percent = |confidence: &Confidence| format!("{:.2} %", 100.0 * confidence.expected_calibration_error);
    let nats = |confidence: &Confidence| format!("{:.4}", confidence.negative_log_likelihood);
    for (name, before, after) in [
        ("Expected calibration error", percent(before), percent(after)),
        ("Negative log-likelihood", nats(before), nats(after)),
    ] {
        put!(html, "<tr><td>{name}</td><td class=\"n\">{before}</td><td class=\"n\">{after}</td></tr>");
    }
    html.push_str("</tbody></table></section>");
    bins(html, after);
    if let (Some(none), Some(outliers)) = (&report.none_of_these, &report.outliers) {
        none_of_these(html, none, outliers);
    }
}

fn bins(html: &mut String, Confidence { bins, .. }: &Confidence) {
    html.push_str(
        "<section><h2>Probability and share that is right, calibrated</h2><table><thead><tr><th>Probability of the first \
         class</th><th class=\"n\">Photos</th><th class=\"n\">Mean probability</th><th class=\"n\">Right</th><th></th>\
         </tr></thead><tbody>",
    );
    let edge = |number: usize| 100.0 * number as f64 / bins.len() as f64;
    for (number, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.images > 0) {
        let (from, to) = (edge(number), edge(number + 1));
        let (confidence, right) = (100.0 * bin.confidence, 100.0 * bin.accuracy);
        put!(
            html,
            "<tr><td>{from:.1} to {to:.1} %</td><td class=\"n\">{}</td><td class=\"n\">{confidence:.1} %</td><td \
             class=\"n\">{right:.1} %</td><td><span class=\"share\"><b style=\"width:{right:.1}%\"></b></span></td></tr>",
            thousands(bin.images)
        );
    }
    html.push_str("</tbody></table></section>");
}

fn none_of_these(html: &mut String, none: &NoneOfThese, outliers: &OutlierReport) {
    put!(
        html,
        "<section><h2>None of the classes</h2><p>A photo shows none of the classes, most likely, if its {} is below \
         <b>{}</b>. Score and threshold are fitted on half of the photos, of which {} show none of the classes; the \
         numbers are of the other half, with {}.</p><table><thead><tr><th>Score</th><th class=\"n\">AUROC</th><th \
         class=\"n\">False positives at 95 % true positives</th></tr></thead><tbody>",
        title(none.score),
        none.below,
        thousands(outliers.photos.fitting),
        thousands(outliers.photos.reporting)
    );
    for score in &outliers.scores {
        let (name, area, fpr) = (title(score.score), score.auroc, 100.0 * score.fpr_at_95);
        put!(html, "<tr><td>{name}</td><td class=\"n\">{area:.4}</td><td class=\"n\">{fpr:.1} %</td></tr>");
    }
    html.push_str(
        "</tbody></table><table><thead><tr><th>Called none of the classes</th><th class=\"n\">Share</th><th \
                   class=\"n\">95 % interval</th></tr></thead><tbody>",
    );
    for (name, share) in [
        ("Photos of the classes", outliers.known_called_none),
        ("Photos of none of them", outliers.outliers_called_none),
    ] {
        if let Some(Accuracy { percent, low, high }) = share {
            put!(
                html,
                "<tr><td>{name}</td><td class=\"n\">{percent:.1} %</td><td class=\"n\">{low:.1} to {high:.1} %</td></tr>"
            );
        }
    }
    html.push_str("</tbody></table></section>");
}

/// A score's name in words.
pub fn title(score: Score) -> &'static str {
    match score {
        Score::Energy => "negative energy",
        Score::MaxLogit => "largest logit",
        Score::MaxProbability => "largest probability",
    }
}

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
    use crate::calibration::{BINS, Bin, HalfSizes, ScoreReport};
    use crate::report::tests::with_report;
    use crate::report::{Report, html};

    /// A photo in the last bin.
    fn one_photo() -> Vec<Bin> {
        let mut bins = vec![Bin::default(); BINS];
        bins[BINS - 1] = Bin { images: 1, confidence: 0.95, accuracy: 1.0 };
        bins
    }

    fn calibration() -> CalibrationReport {
        let confidence = |loss: f64| Confidence {
            negative_log_likelihood: loss,
            expected_calibration_error: loss / 10.0,
            bins: one_photo(),
        };
        let score = |score, auroc| ScoreReport { score, auroc_fitting: 0.5, auroc, fpr_at_95: 1.0 - auroc };
        let outliers = OutlierReport {
            photos: HalfSizes { fitting: 11, reporting: 12 },
            scores: vec![score(Score::Energy, 0.875), score(Score::MaxLogit, 0.75)],
            known_called_none: Accuracy::new(1, 20),
            outliers_called_none: Accuracy::new(9, 12),
        };
        CalibrationReport {
            temperature: 1.25,
            none_of_these: Some(NoneOfThese { score: Score::Energy, below: 4.5 }),
            known: HalfSizes { fitting: 21, reporting: 20 },
            before: confidence(1.0),
            after: confidence(0.5),
            outliers: Some(outliers),
        }
    }

    #[test]
    fn every_format_tells_what_was_measured() {
        let calibration = calibration();
        with_report(|report| {
            let Report { header, place, counts, unreadable, .. } = *report;
            let report = Report { header, place, counts, unreadable, calibration: Some(&calibration) };
            let json = report.json();
            assert_eq!(json["calibration"]["temperature"], 1.25);
            assert_eq!(json["calibration"]["none_of_these"]["score"], "energy");
            assert_eq!(json["calibration"]["outliers"]["scores"][0]["auroc"], 0.875);
            assert_eq!(json["calibration"]["outliers"]["fitting"], 11);
            assert_eq!(json["calibration"]["after"]["bins"].as_array().unwrap().len(), 15);
            let page = html::page(&report);
            for text in
                ["Temperature <b>1.25</b>", "10.00 %", "0.8750", "12.5 %", "75.0 %", "93.3 to 100.0 %"]
            {
                assert!(page.contains(text), "{text}");
            }
            for tag in ["section", "table", "tr", "td", "p", "b", "span"] {
                let opened =
                    page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        });
        with_report(|report| assert!(report.json().get("calibration").is_none()));
        let csv = csv(&calibration);
        for line in ["measure,value", "temperature,1.25", "score,energy", "auroc_max_logit,0.75"] {
            assert!(csv.lines().any(|other| other == line), "{line}: {csv}");
        }
    }
}
