//! A report of an evaluation: JSON, CSV or HTML, as the file's ending says.

mod calibration_csv;
mod html;

use crate::accuracy::Accuracy;
use crate::calibration::CalibrationReport;
use crate::counts::{Counts, Hits};
use crate::error::EvaluateError;
use crate::journal_format::Header;
use crate::shard_results::Unreadable;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Confused pairs in a report.
const CONFUSED: usize = 100;

/// The content of a report.
pub struct Report<'a> {
    /// What was measured on what.
    pub header: &'a Header,
    /// How messages call the dataset; nothing for merged journals, which lie elsewhere.
    pub place: Option<&'a str>,
    /// Right answers and confusions.
    pub counts: &'a Counts,
    /// Photos that could not be read.
    pub unreadable: &'a Unreadable,
    /// What was fitted to make the model's confidence honest, if that was asked for.
    pub calibration: Option<&'a CalibrationReport>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Html,
}

/// A report file that can be written.
pub struct Target {
    path: PathBuf,
    format: Format,
}

impl Target {
    /// Checks before hours of work what would fail after them.
    pub fn new(path: &Path) -> Result<Self, EvaluateError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let format = match extension.as_deref() {
            Some("json") => Format::Json,
            Some("csv") => Format::Csv,
            Some("html" | "htm") => Format::Html,
            _ => return Err(EvaluateError::ReportName(path.to_owned())),
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(EvaluateError::ReportFolder(path.to_owned()));
        }
        Ok(Self { path: path.to_owned(), format })
    }

    /// Writes the report. A calibration is no row of the table of classes: beside `NAME.csv` it is in
    /// `NAME.calibration.csv`.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write(&self, report: &Report) -> Result<(), EvaluateError> {
        let text = match self.format {
            Format::Json => format!("{:#}\n", report.json()),
            Format::Csv => report.csv(),
            Format::Html => html::page(report),
        };
        write(&self.path, &text)?;
        match report.calibration {
            Some(calibrated) if self.format == Format::Csv => {
                write(&self.path.with_extension("calibration.csv"), &calibration_csv::csv(calibrated))
            }
            _ => Ok(()),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), EvaluateError> {
    std::fs::write(path, text).map_err(|source| EvaluateError::WriteReport { path: path.to_owned(), source })
}

/// A class with what its photos came to.
struct Row<'a> {
    index: usize,
    wnid: &'a str,
    label: &'a str,
    hits: Hits,
    /// The class that was first instead most often, with its photos.
    confused_with: Option<(u32, u64)>,
}

impl Row<'_> {
    fn top_1(&self) -> f64 {
        100.0 * self.hits.top_1 as f64 / self.hits.images as f64
    }

    fn top_5(&self) -> f64 {
        100.0 * self.hits.top_5 as f64 / self.hits.images as f64
    }
}

impl Report<'_> {
    /// Classes that have photos, in the head's order.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut instead: Vec<Option<(u32, u64)>> = vec![None; self.counts.classes.len()];
        for (right, other, photos) in self.counts.most_confused() {
            instead[right as usize].get_or_insert((other, photos)); // the most frequent comes first
        }
        let classes = self.header.classes.iter().zip(&self.counts.classes).enumerate();
        classes
            .filter(|(_, (_, hits))| hits.images > 0)
            .map(|(index, ((wnid, label), hits))| {
                let confused_with = instead[index];
                Row { index, wnid, label, hits: *hits, confused_with }
            })
            .collect()
    }

    fn class(&self, index: u32) -> (&str, &str) {
        let (wnid, label) = &self.header.classes[index as usize];
        (wnid, label)
    }

    /// Accuracy of the likeliest class; nothing without photos.
    pub fn top_1(&self) -> Option<Accuracy> {
        Accuracy::new(self.counts.all.top_1, self.counts.all.images)
    }

    /// Accuracy of the five likeliest classes; nothing without photos.
    pub fn top_5(&self) -> Option<Accuracy> {
        Accuracy::new(self.counts.all.top_5, self.counts.all.images)
    }

    fn json(&self) -> Value {
        let class = |index: u32| {
            let (wnid, label) = self.class(index);
            json!({"index": index, "wnid": wnid, "label": label})
        };
        let per_class = self.rows().into_iter().map(|row| {
            json!({
                "index": row.index, "wnid": row.wnid, "label": row.label, "images": row.hits.images,
                "accuracytop-1": row.top_1(), "accuracytop-5": row.top_5(),
                "confused_with": row.confused_with.map(|(index, images)| {
                    json!({"class": class(index), "images": images})
                }),
            })
        });
        let confused = self.counts.most_confused().into_iter().take(CONFUSED).map(|(right, instead, images)| {
            json!({"class": class(right), "answered": class(instead), "images": images})
        });
        let unreadable =
            self.unreadable.named.values().map(|(file, error)| json!({"file": file, "error": error}));
        let mut json = json!({
            "model": self.header.model,
            "backend": self.header.backend,
            "dataset": {"place": self.place, "photos": self.header.dataset.photos, "sha256": self.header.dataset.sha256},
            "shard": self.header.shard,
            "accuracytop-1": self.top_1(),
            "accuracytop-5": self.top_5(),
            "mean_of_classes_top-1": self.counts.mean_of_classes(),
            "images": self.counts.all.images,
            "unreadable": self.unreadable.photos,
            "per_class": per_class.collect::<Vec<_>>(),
            "most_confused": confused.collect::<Vec<_>>(),
            "unreadable_photos": unreadable.collect::<Vec<_>>(),
        });
        if let Some(calibration) = self.calibration {
            json["calibration"] = json!(calibration);
        }
        json
    }

    /// One row a class (RFC 4180).
    fn csv(&self) -> String {
        let mut text = String::from(
            "index,wnid,label,images,top-1,top-5,accuracytop-1,accuracytop-5,confused_with_wnid,confused_with_label,confused_with_images\r\n",
        );
        for row in self.rows() {
            let (wnid, label, photos) = match row.confused_with {
                Some((index, photos)) => {
                    let (wnid, label) = self.class(index);
                    (field(wnid), field(label), photos.to_string())
                }
                None => Default::default(),
            };
            let Hits { images, top_1, top_5 } = row.hits;
            // Writing to a String can't fail.
            let _ = write!(
                text,
                "{},{},{},{images},{top_1},{top_5},{:.4},{:.4},{wnid},{label},{photos}\r\n",
                row.index,
                field(row.wnid),
                field(row.label),
                row.top_1(),
                row.top_5(),
            );
        }
        text
    }
}

/// A field of a CSV file. One that a spreadsheet would take for a formula gets a quote before it.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{BINS, Bin, Confidence, HalfSizes, OutlierReport, ScoreReport};
    use crate::dataset::{Identity, Shard};
    use crate::journal_format::ModelIdentity;
    use beit::calibration::{NoneOfThese, Score};

    pub(super) fn with_report(check: impl FnOnce(&Report)) {
        let model = ModelIdentity { name: "a <model>".into(), sha256: "ab".into() };
        let classes = [("n01", "cat, tabby"), ("n02", "<b>dog</b> \"big\""), ("n03", "=1+1"), ("", "unused")];
        let classes = classes.map(|(wnid, en)| (wnid.to_owned(), en.to_owned())).to_vec();
        let header =
            Header::new(model, "cpu", Identity { sha256: "cd".into(), photos: 6 }, Shard::WHOLE, classes);
        let mut counts = Counts::new(4);
        for (class, top) in [(0, [0, 1]), (0, [1, 0]), (1, [2, 0]), (1, [2, 1]), (2, [2, 3])] {
            counts.count(class, &top);
        }
        let mut unreadable = Unreadable { photos: 1, ..Default::default() };
        unreadable.named.insert(5, ("<img src=x onerror=alert(1)>.jpg".into(), "This file is empty.".into()));
        let (counts, unreadable) = (&counts, &unreadable);
        check(&Report { header: &header, place: Some("data/a&b"), counts, unreadable, calibration: None });
    }

    /// A photo in the last bin.
    fn one_photo() -> Vec<Bin> {
        let mut bins = vec![Bin::default(); BINS];
        bins[BINS - 1] = Bin { images: 1, confidence: 0.95, accuracy: 1.0 };
        bins
    }

    pub(super) fn calibration() -> CalibrationReport {
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
    fn csv_is_quoted_and_holds_no_formulas() {
        with_report(|report| {
            let text = report.csv();
            let lines: Vec<&str> = text.split("\r\n").collect();
            assert_eq!(lines.len(), 5, "a header, three classes with photos, an end");
            assert_eq!(
                lines[1],
                "0,n01,\"cat, tabby\",2,1,2,50.0000,100.0000,n02,\"<b>dog</b> \"\"big\"\"\",1"
            );
            assert_eq!(lines[2], "1,n02,\"<b>dog</b> \"\"big\"\"\",2,0,1,0.0000,50.0000,n03,'=1+1,2");
            assert_eq!(lines[3], "2,n03,'=1+1,1,1,1,100.0000,100.0000,,,");
        });
    }

    #[test]
    fn json_holds_everything() {
        with_report(|report| {
            let json = report.json();
            assert_eq!((&json["images"], &json["unreadable"]), (&json!(5), &json!(1)));
            assert_eq!(json["accuracytop-1"]["percent"], 40.0);
            assert_eq!(json["mean_of_classes_top-1"], 50.0);
            assert_eq!(
                json["per_class"][1]["confused_with"],
                json!({"class": {"index": 2, "wnid": "n03", "label": "=1+1"}, "images": 2})
            );
            assert_eq!(json["most_confused"][0]["images"], 2);
            assert_eq!(json["unreadable_photos"][0]["error"], "This file is empty.");
            assert_eq!(json.get("calibration"), None);
            let calibration = calibration();
            let Report { header, place, counts, unreadable, .. } = *report;
            let report = Report { header, place, counts, unreadable, calibration: Some(&calibration) };
            let json = report.json();
            let json = &json["calibration"];
            assert_eq!(
                (&json["temperature"], &json["none_of_these"]["score"]),
                (&json!(1.25), &json!("energy"))
            );
            assert_eq!(
                (&json["outliers"]["scores"][0]["auroc"], &json["outliers"]["fitting"]),
                (&json!(0.875), &json!(11))
            );
            assert_eq!(json["after"]["bins"].as_array().unwrap().len(), 15);
        });
    }

    #[test]
    fn a_report_is_refused_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["report", "report.txt", "gone/report.html"] {
            assert!(Target::new(&folder.path().join(name)).is_err_and(|error| error.is_usage()), "{name}");
        }
        assert!(
            Target::new(&folder.path().join("r.HTML")).is_ok() && Target::new(Path::new("r.csv")).is_ok()
        );
    }
}
