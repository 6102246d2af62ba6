//! `models/index.json` of the built site: the models a visitor picks from. Names and notes come from
//! `web/models/index.json`; bytes and hash from each model's manifest; accuracy from the report that
//! `beitscope evaluate --report evaluation.json` left beside the manifest, if it is of these very weights. Nothing is
//! said of a model that nobody measured.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Result;

/// Where models lie in the site.
pub const FOLDER: &str = "models";
const INDEX: &str = "index.json";
/// A model's own list of its files.
pub const MANIFEST: &str = "manifest.json";
const REPORT: &str = "evaluation.json";

/// Fields that are measured or counted, never written by hand for a model of this site.
const COUNTED: [&str; 4] = ["bytes", "sha256", "quantization", "accuracy"];
/// Words for the photos that a report is about, in place of its dataset's file name.
const MEASURED_ON: [(&str, &str); 2] = [("measured_on", "on"), ("measured_on_zh", "on_zh")];

/// A model that is put into a site beside the project's own.
#[derive(Clone, Debug)]
pub struct Addition {
    /// Its entry in the list, with what is not counted.
    pub entry: Value,
    /// What it was converted from, as the list's `source` has it, and to what.
    pub source: String,
    pub quantization: String,
}

/// Fills in the built site's index: every model it names, then those that are `added`, then every other model in
/// `models/`; or those that are added first. What the site has itself it does not offer for import.
///
/// # Errors
/// A sentence that names the entry that is wrong and says what to do.
pub fn index(site: &Path, added: Vec<Addition>, are_first: bool) -> Result<()> {
    let folder = site.join(FOLDER);
    if !folder.is_dir() {
        return Ok(());
    }
    let path = folder.join(INDEX);
    let mut index = if path.exists() { read(&path)? } else { json!({ "models": [] }) };
    let models = index.get_mut("models").and_then(Value::as_array_mut);
    let models = models.ok_or(format!("{} has no list \"models\"", path.display()))?;
    models.retain(|model| {
        !added.iter().any(|Addition { source, quantization, .. }| {
            model["source"] == source.as_str() && model["quantization"] == quantization.as_str()
        })
    });
    let at = if are_first { 0 } else { models.len() };
    models.splice(at..at, added.into_iter().map(|addition| addition.entry));
    for model in models.iter_mut() {
        let model = model.as_object_mut().ok_or(format!("{}: a model is no object", path.display()))?;
        fill_in(&folder, model).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for manifest in manifests(&folder)? {
        if !models.iter().any(|model| model["manifest"] == manifest.as_str()) {
            let mut model = Map::from_iter([("manifest".to_owned(), manifest.into())]);
            fill_in(&folder, &mut model)?;
            models.push(model.into());
        }
    }
    fs::write(&path, format!("{index:#}\n")).map_err(|error| format!("{}: {error}", path.display()))
}

/// Puts what is counted and measured into an entry. One whose manifest is on another host stays as it is, and so does one
/// that the page makes itself, of a hub's checkpoint (`source`).
fn fill_in(folder: &Path, model: &mut Map<String, Value>) -> Result<()> {
    if model.contains_key("source") && !model.contains_key("manifest") {
        return Ok(());
    }
    let address =
        model.get("manifest").and_then(Value::as_str).ok_or("a model has no \"manifest\"")?.to_owned();
    if address.contains("://") {
        return Ok(());
    }
    if let Some(field) = COUNTED.into_iter().find(|field| model.contains_key(*field)) {
        return Err(format!(
            "{address}: leave \"{field}\" out. It is taken from the model's own files; accuracy from {REPORT} beside \
             the manifest, which `beitscope evaluate --report` writes"
        ));
    }
    let path = folder.join(&address);
    if !path.is_file() {
        return Err(format!(
            "{address} is listed but not there: convert the model into that folder, or take its entry out"
        ));
    }
    let manifest = read(&path)?;
    for field in ["bytes", "sha256", "quantization"] {
        model.insert(field.into(), manifest[field].clone());
    }
    model.entry("name").or_insert(manifest["name"].clone());
    let words: Vec<_> = MEASURED_ON.map(|(from, to)| (to, model.remove(from))).into();
    let report = path.with_file_name(REPORT);
    if report.exists() {
        let mut accuracy = accuracy(&report, &manifest)?;
        for (to, words) in words {
            words.map(|words| accuracy.insert(to.into(), words));
        }
        model.insert("accuracy".into(), accuracy.into());
    }
    Ok(())
}

/// A report's figures, if they are of the manifest's weights.
fn accuracy(path: &Path, manifest: &Value) -> Result<Map<String, Value>> {
    let report = read(path)?;
    let told =
        |wrong: &str| format!("{} {wrong}: evaluate the model again, or remove the file", path.display());
    if report["model"]["sha256"] != manifest["sha256"] {
        return Err(told("is a report on other weights"));
    }
    let percent = |name: &str| report[name]["percent"].as_f64();
    let figures = percent("accuracytop-1").zip(percent("accuracytop-5"));
    let ((top_1, top_5), images) =
        figures.zip(report["images"].as_u64()).ok_or_else(|| told("is no report of `beitscope evaluate`"))?;
    let mut accuracy = Map::new();
    accuracy.insert("top_1".into(), top_1.into());
    accuracy.insert("top_5".into(), top_5.into());
    accuracy.insert("images".into(), images.into());
    let place = report["dataset"]["place"].as_str().and_then(|place| Path::new(place).file_name());
    if let Some(name) = place {
        accuracy.insert("on".into(), name.to_string_lossy().into());
    }
    Ok(accuracy)
}

/// The manifests of the folders in `models/`, as the index names them, in order.
fn manifests(folder: &Path) -> Result<Vec<String>> {
    let describe = |error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(describe)? {
        let entry = entry.map_err(describe)?;
        if entry.path().join(MANIFEST).is_file() {
            found.push(format!("{}/{MANIFEST}", entry.file_name().to_string_lossy()));
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{} is no JSON: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A site with the models `a` and `b`.
    fn site(test: &str) -> PathBuf {
        let site = std::env::temp_dir().join(format!("xtask-models-{test}-{}", std::process::id()));
        for name in ["a", "b"] {
            let folder = site.join(FOLDER).join(name);
            fs::create_dir_all(&folder).unwrap();
            let manifest =
                json!({ "name": name, "bytes": 7, "sha256": name.repeat(64), "quantization": "q8_0" });
            fs::write(folder.join(MANIFEST), manifest.to_string()).unwrap();
        }
        site
    }

    fn write(site: &Path, file: &str, value: &Value) {
        fs::write(site.join(FOLDER).join(file), value.to_string()).unwrap();
    }

    fn report(sha256: &str) -> Value {
        json!({
            "model": { "name": "a", "sha256": sha256 }, "images": 128,
            "dataset": { "place": "data/photos.zip" },
            "accuracytop-1": { "percent": 75.5, "low": 70.0, "high": 80.0 },
            "accuracytop-5": { "percent": 92.0, "low": 90.0, "high": 94.0 },
        })
    }

    #[test]
    fn entries_get_what_is_counted_and_measured_and_unlisted_models_follow() {
        let site = site("filled");
        let far = json!({ "manifest": "https://host/m.json", "name": "Far", "bytes": 9 });
        let entry = json!({ "manifest": "a/manifest.json", "name": "A", "measured_on": "photos of cats" });
        write(&site, INDEX, &json!({ "models": [far, entry] }));
        write(&site, "a/evaluation.json", &report(&"a".repeat(64)));
        index(&site, Vec::new(), false).unwrap();
        let written = read(&site.join("models/index.json")).unwrap();
        assert_eq!(written["models"][0], far);
        let accuracy = json!({ "top_1": 75.5, "top_5": 92.0, "images": 128, "on": "photos of cats" });
        assert_eq!(
            written["models"][1],
            json!({
                "manifest": "a/manifest.json", "name": "A", "bytes": 7, "sha256": "a".repeat(64),
                "quantization": "q8_0", "accuracy": accuracy,
            })
        );
        let b = &written["models"][2];
        assert_eq!((b["manifest"].as_str(), b["name"].as_str()), (Some("b/manifest.json"), Some("b")));
        assert!(b.get("accuracy").is_none(), "nobody measured it");
        fs::remove_dir_all(&site).unwrap();
    }

    #[test]
    fn added_models_come_first_or_last_and_sources_stay_as_they_are() {
        let source = json!({ "source": "hf:timm/x", "quantization": "q8_0", "name": "X", "bytes": 9 });
        let added = Addition {
            entry: json!({ "manifest": "b/manifest.json", "note": "B." }),
            source: "hf:timm/x".into(),
            quantization: "q4_0".into(),
        };
        for (are_first, order) in [(true, ["b", "X", "A"]), (false, ["X", "A", "b"])] {
            let site = site("added");
            write(
                &site,
                INDEX,
                &json!({ "models": [source, { "manifest": "a/manifest.json", "name": "A" }] }),
            );
            index(&site, vec![added.clone()], are_first).unwrap();
            let written = read(&site.join("models/index.json")).unwrap();
            let models = written["models"].as_array().unwrap();
            let names: Vec<_> = models.iter().map(|model| model["name"].as_str().unwrap()).collect();
            assert_eq!(names, order);
            assert!(models.contains(&source), "{written}");
            let b = models.iter().find(|model| model["name"] == "b").unwrap();
            assert_eq!((&b["bytes"], &b["note"]), (&json!(7), &json!("B.")));
            fs::remove_dir_all(&site).unwrap();
        }
    }

    #[test]
    fn what_the_site_has_itself_is_not_offered_for_import() {
        let site = site("offered");
        let entry =
            |quantization: &str| json!({ "source": "hf:timm/x", "quantization": quantization, "name": "X" });
        write(&site, INDEX, &json!({ "models": [entry("q8_0"), entry("q4_0")] }));
        let added = Addition {
            entry: json!({ "manifest": "b/manifest.json" }),
            source: "hf:timm/x".into(),
            quantization: "q4_0".into(),
        };
        index(&site, vec![added], true).unwrap();
        let written = read(&site.join("models/index.json")).unwrap();
        let models = written["models"].as_array().unwrap();
        assert_eq!((models.len(), &models[1]), (3, &entry("q8_0")));
        assert_eq!(
            (&models[0]["manifest"], &models[2]["manifest"]),
            (&json!("b/manifest.json"), &json!("a/manifest.json"))
        );
        fs::remove_dir_all(&site).unwrap();
    }

    #[test]
    fn a_site_without_an_index_gets_one_and_the_dataset_names_the_photos() {
        let site = site("without");
        write(&site, "b/evaluation.json", &report(&"b".repeat(64)));
        index(&site, Vec::new(), false).unwrap();
        let written = read(&site.join("models/index.json")).unwrap();
        assert_eq!(written["models"][1]["accuracy"]["on"], "photos.zip");
        fs::remove_dir_all(&site).unwrap();
    }

    #[test]
    fn what_is_wrong_is_named() {
        let list = |model: Value| json!({ "models": [model] });
        let cases = [
            (
                list(json!({ "manifest": "a/manifest.json", "accuracy": { "top_1": 99 } })),
                "leave \"accuracy\" out",
            ),
            (list(json!({ "manifest": "gone/manifest.json" })), "gone/manifest.json is listed but not there"),
            (list(json!({ "name": "A" })), "no \"manifest\""),
            (list(json!(7)), "no object"),
            (json!({ "models": {} }), "no list"),
        ];
        for (wrong, named) in cases {
            let site = site("wrong");
            write(&site, INDEX, &wrong);
            let message = index(&site, Vec::new(), false).unwrap_err();
            assert!(message.contains(named), "{message}");
            fs::remove_dir_all(&site).unwrap();
        }
        for (wrong, named) in [
            (report("other"), "other weights"),
            (json!({ "model": { "sha256": "a".repeat(64) } }), "no report"),
        ] {
            let site = site("report");
            write(&site, "a/evaluation.json", &wrong);
            let message = index(&site, Vec::new(), false).unwrap_err();
            assert!(message.contains(named), "{message}");
            fs::remove_dir_all(&site).unwrap();
        }
    }
}
