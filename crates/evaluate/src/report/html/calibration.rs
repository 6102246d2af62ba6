//! A calibration, as sections of the page.

use super::{put, thousands};
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
fn title(score: Score) -> &'static str {
    match score {
        Score::Energy => "negative energy",
        Score::MaxLogit => "largest logit",
        Score::MaxProbability => "largest probability",
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::{calibration, with_report};
    use crate::report::{Report, html};

    #[test]
    fn the_page_tells_what_was_measured() {
        let calibration = calibration();
        with_report(|report| {
            let Report { header, place, counts, unreadable, .. } = *report;
            let report = Report { header, place, counts, unreadable, calibration: Some(&calibration) };
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
    }
}
