//! Which model to load: the `model` parameter of the page's address, else the first entry of
//! `models/index.json`.

use crate::fetch::{self, parameter};
use crate::state::Problem;
use serde::Deserialize;
use web_sys::Url;

/// The list of models, relative to the page.
const INDEX: &str = "models/index.json";

/// The model to load.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The manifest's absolute address.
    pub manifest: String,
    /// A sentence about the model, where it comes from the list.
    pub note: Option<String>,
    /// The same in Chinese.
    pub note_zh: Option<String>,
}

/// `models/index.json`.
#[derive(Debug, Deserialize)]
struct Index {
    models: Vec<Entry>,
}

/// One model of the list. Its `id` and `name` are for a picker, which this page does not have yet.
#[derive(Debug, Deserialize, PartialEq)]
struct Entry {
    /// The manifest's address, relative to the list.
    manifest: String,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    note_zh: Option<String>,
}

/// Reads the page's address and, where it names no model, the list of models.
pub async fn choose() -> Result<Choice, Problem> {
    let page = fetch::base_address();
    match parameter("model") {
        Some(address) => {
            let manifest = resolve(&address, &page).ok_or(Problem::BadModelAddress(address))?;
            Ok(Choice { manifest, note: None, note_zh: None })
        }
        None => {
            let index = resolve(INDEX, &page).ok_or_else(|| Problem::NoIndex(page.clone()))?;
            let json = fetch::text(&index).await.map_err(Problem::NoIndex)?;
            let entry = first(&json).map_err(Problem::NoIndex)?;
            let manifest =
                resolve(&entry.manifest, &index).ok_or(Problem::BadModelAddress(entry.manifest))?;
            Ok(Choice { manifest, note: entry.note, note_zh: entry.note_zh })
        }
    }
}

fn first(json: &str) -> Result<Entry, String> {
    let index: Index = serde_json::from_str(json).map_err(|error| error.to_string())?;
    index.models.into_iter().next().ok_or_else(|| "it lists no model".into())
}

/// `address` as an absolute web address.
fn resolve(address: &str, base: &str) -> Option<String> {
    let url = Url::new_with_base(address, base).ok()?;
    matches!(url.protocol().as_str(), "http:" | "https:").then(|| url.href())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_model_of_the_list_is_taken() {
        let json = r#"{"models":[{"id":"demo","manifest":"demo/manifest.json","name":"Demo","note":"Small."},
            {"id":"large","manifest":"large/manifest.json","name":"Large"}]}"#;
        let expected =
            Entry { manifest: "demo/manifest.json".into(), note: Some("Small.".into()), note_zh: None };
        assert_eq!(first(json), Ok(expected));
    }

    #[test]
    fn a_list_without_models_says_so() {
        assert_eq!(first(r#"{"models":[]}"#), Err("it lists no model".into()));
        assert!(first("<!doctype html>").is_err());
    }

    /// The list that is served with the page.
    #[test]
    fn the_shipped_list_names_the_demo_model() {
        assert_eq!(first(include_str!("../models/index.json")).unwrap().manifest, "demo/manifest.json");
    }
}
