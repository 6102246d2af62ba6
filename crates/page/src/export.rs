//! All results as JSON or CSV.

use crate::photo::{Photo, PhotoError, Progress, Provenance};
use protocol::{Answer, Prediction};
use serde_json::{Value, json};
use std::rc::Rc;

/// What results are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Json => "beitscope.json",
            Self::Csv => "beitscope.csv",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv;charset=utf-8",
        }
    }

    /// The settled photos in the order given, each with its `top_k` best classes or with why it has none.
    pub fn write(self, photos: &[Rc<Photo>], top_k: usize, why: impl Fn(&PhotoError) -> String) -> String {
        match self {
            Self::Json => {
                let results: Vec<Value> =
                    photos.iter().filter_map(|photo| result(photo, top_k, &why)).collect();
                // What is written here can always be written.
                serde_json::to_string_pretty(&results).unwrap_or_default() + "\n"
            }
            Self::Csv => table(photos, top_k, &why),
        }
    }
}

/// As `beitscope classify` writes it, with what identifies photo and model beside it.
fn result(photo: &Photo, top_k: usize, why: &impl Fn(&PhotoError) -> String) -> Option<Value> {
    match &photo.progress {
        Progress::Done(answer) => {
            let predictions: Vec<_> = answer.predictions.iter().take(top_k).collect();
            let mut result = json!({
                "file": &*photo.name,
                "bytes": answer.bytes,
                "sha256": answer.sha256,
                "width": answer.width,
                "height": answer.height,
                "predictions": predictions,
                "none_of_these": answer.none_of.is_some(),
                "ms": answer.ms,
                "kind": answer.kind,
            });
            if answer.reading.missing_percent > 0 {
                result["missing_percent"] = answer.reading.missing_percent.into();
            }
            if let Some(provenance) = &photo.provenance {
                result["backend"] = backend(provenance).into();
                result["model"] = provenance.model.name.clone().into();
                result["model_sha256"] = provenance.model.sha256.clone().into();
            }
            Some(result)
        }
        Progress::Failed(error) => Some(json!({ "file": &*photo.name, "error": why(error) })),
        Progress::Queued | Progress::Running(_) => None,
    }
}

/// The backend in one word or a few: `cpu simd128 ×2`.
pub fn backend(Provenance { backend, .. }: &Provenance) -> String {
    let threads = if backend.threads > 1 { format!(" ×{}", backend.threads) } else { String::new() };
    format!("{} {}{threads}", backend.kind, backend.detail).trim().to_owned()
}

/// What a line begins with; the classes follow.
const COLUMNS: [&str; 12] = [
    "file",
    "bytes",
    "sha256",
    "width",
    "height",
    "ms",
    "backend",
    "model",
    "model_sha256",
    "error",
    "none_of_these",
    "missing_percent",
];

/// A line a photo, RFC 4180.
fn table(photos: &[Rc<Photo>], top_k: usize, why: &impl Fn(&PhotoError) -> String) -> String {
    let mut header: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    for rank in 1..=top_k {
        header.extend(["wnid", "label", "label_zh", "score"].map(|name| format!("{name}_{rank}")));
    }
    // The mark by which spreadsheets know UTF-8.
    let mut text = format!("\u{feff}{}\r\n", header.join(","));
    for photo in photos {
        let fields = match &photo.progress {
            Progress::Done(answer) => done(photo, answer, top_k),
            Progress::Failed(error) => {
                let mut fields = vec![photo.name.to_string()];
                fields.resize(9, String::new());
                fields.push(why(error));
                fields
            }
            Progress::Queued | Progress::Running(_) => continue,
        };
        let mut fields: Vec<String> = fields.iter().map(|field| cell(field)).collect();
        fields.resize(header.len(), String::new());
        text += &fields.join(",");
        text += "\r\n";
    }
    text
}

fn done(photo: &Photo, answer: &Answer, top_k: usize) -> Vec<String> {
    let provenance = photo.provenance.as_ref();
    let mut fields = vec![
        photo.name.to_string(),
        answer.bytes.to_string(),
        answer.sha256.clone(),
        answer.width.to_string(),
        answer.height.to_string(),
        format!("{:.1}", answer.ms),
        provenance.map(backend).unwrap_or_default(),
        provenance.map(|provenance| provenance.model.name.clone()).unwrap_or_default(),
        provenance.map(|provenance| provenance.model.sha256.clone()).unwrap_or_default(),
        String::new(),
        answer.none_of.is_some().to_string(),
        answer.reading.missing_percent.to_string(),
    ];
    for Prediction { wnid, label, label_zh, score, .. } in answer.predictions.iter().take(top_k) {
        fields.extend([wnid.clone(), label.clone(), label_zh.clone(), score.to_string()]);
    }
    fields
}

/// Quoted where it has to be. A file may be called `=HYPERLINK(…)`: what a spreadsheet would take for a
/// formula gets an apostrophe before it.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::Preview;
    use protocol::{BackendInfo, ModelInfo};

    fn photo(name: &str, progress: Progress) -> Rc<Photo> {
        let provenance = Some(provenance());
        Rc::new(Photo { id: 1, name: name.into(), preview: Preview::Wanted, progress, provenance })
    }

    fn provenance() -> Provenance {
        let model = ModelInfo {
            name: "tiny".into(),
            quantization: "q8_0".into(),
            bytes: 1,
            parameters: 1,
            classes: 2,
            image_size: 4,
            card: None,
            sha256: "cd".repeat(32),
        };
        let backend = BackendInfo {
            kind: "cpu".into(),
            detail: "simd128".into(),
            threads: 2,
            batch: 1,
            reasons: vec![],
        };
        Provenance { model: Rc::new(model), backend: Rc::new(backend) }
    }

    fn photos() -> Vec<Rc<Photo>> {
        let prediction = |label: &str, score| Prediction {
            index: 3,
            wnid: "n1".into(),
            label: label.into(),
            label_zh: "猫".into(),
            score,
        };
        let answer = Answer {
            reading: protocol::Reading { missing_percent: 58, ..Default::default() },
            predictions: vec![prediction("cat", 0.75), prediction("dog, wild", 0.25)],
            none_of: Some(2),
            width: 4,
            height: 3,
            decode_ms: 1.0,
            stages: vec![],
            ms: 41.26,
            kind: None,
            bytes: 99,
            sha256: "ab".repeat(32),
        };
        vec![
            photo("=1+1.jpg", Progress::Done(answer)),
            photo("a \"b\".txt", Progress::Failed(PhotoError::NotAFile)),
            photo("later.jpg", Progress::Queued),
        ]
    }

    fn written(format: Format) -> String {
        format.write(&photos(), 2, |_| "No, it is not.".into())
    }

    #[test]
    fn json_names_photo_model_and_backend() {
        let results: Vec<Value> = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(results.len(), 2, "what has no answer yet is left out");
        let [done, failed] = &results[..] else { unreachable!() };
        assert_eq!(
            (&done["file"], &done["bytes"], &done["ms"]),
            (&json!("=1+1.jpg"), &json!(99), &json!(41.26))
        );
        assert_eq!(done["predictions"][1]["label"], "dog, wild");
        assert_eq!(done["missing_percent"], 58);
        assert_eq!((&done["backend"], &done["none_of_these"]), (&json!("cpu simd128 ×2"), &json!(true)));
        assert_eq!(
            (done["sha256"].as_str(), done["model_sha256"].as_str()),
            (Some(&*"ab".repeat(32)), Some(&*"cd".repeat(32)))
        );
        assert_eq!(failed, &json!({ "file": "a \"b\".txt", "error": "No, it is not." }));
    }

    #[test]
    fn the_table_survives_commas_quotes_and_formulas() {
        let text = written(Format::Csv);
        let lines: Vec<_> = text.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with(
            "file,bytes,sha256,width,height,ms,backend,model,model_sha256,error,none_of_these,missing_percent,wnid_1,label_1,"
        ));
        let (ab, cd) = ("ab".repeat(32), "cd".repeat(32));
        assert_eq!(
            lines[1],
            format!(
                "'=1+1.jpg,99,{ab},4,3,41.3,cpu simd128 ×2,tiny,{cd},,true,58,n1,cat,猫,0.75,n1,\"dog, wild\",猫,0.25"
            )
        );
        // One comma is in the sentence.
        assert_eq!(lines[2].matches(',').count(), lines[0].matches(',').count() + 1);
        assert!(lines[2].starts_with("\"a \"\"b\"\".txt\",,,,,,,,,\"No, it is not.\""), "{}", lines[2]);
    }
}
