//! `models/index.json`: the models that the site offers. Whoever runs the site writes it, or somebody who got at its
//! files, so nothing in it is believed before it is plausible. One bad entry condemns the whole list: a list that is
//! partly wrong is a list somebody has to look at.

use crate::import::reference;
use protocol::import::{Hubs, ImportSource};
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::rc::Rc;

/// The longest list that is read, in bytes.
pub const LONGEST: u64 = 256 << 10;
/// More models than anybody picks from.
const MOST: usize = 64;
/// The longest name, note or address.
const LONGEST_TEXT: usize = 300;
/// As many bytes as a model can have: wasm addresses no more.
const MOST_BYTES: u64 = 4 << 30;
/// Checkpoints are larger: F32, and with parts that no classifier needs.
const MOST_DOWNLOAD: u64 = 64 << 30;
/// How imported weights can be stored.
const QUANTIZATIONS: [&str; 4] = ["q8_0", "q4_0", "f16", "f32"];
/// What is quoted of a fault.
const QUOTED: usize = 80;

/// A model that the site offers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Listed {
    /// The manifest's address: in the file below the list's folder or on the web; absolute once the list is read. Of a
    /// model that is imported, what stands for it ([`ImportSource::address`]); the file has `source` then.
    #[serde(default, deserialize_with = "shared")]
    pub manifest: Rc<str>,
    /// The checkpoint on a hub that the visitor can import: `hf:OWNER/NAME`, `modelscope:OWNER/NAME`.
    #[serde(default)]
    pub source: Option<String>,
    pub name: String,
    #[serde(default)]
    pub name_zh: Option<String>,
    /// A sentence about it.
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub note_zh: Option<String>,
    /// `q8_0`, `q4_0`, `f16` or `f32`.
    #[serde(default)]
    pub quantization: Option<String>,
    /// All shards together.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// The checkpoint's length, which is fetched once.
    #[serde(default)]
    pub download_bytes: Option<u64>,
    /// SPDX expression of the weights' licence.
    #[serde(default)]
    pub license: Option<String>,
    /// SHA-256 of the weights.
    #[serde(default)]
    pub sha256: Option<String>,
    /// None: nobody has measured it.
    #[serde(default)]
    pub accuracy: Option<Accuracy>,
}

/// What `beitscope evaluate` measured.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Accuracy {
    /// In percent.
    pub top_1: f64,
    pub top_5: f64,
    /// How many photos it was measured on, and which.
    pub images: u64,
    #[serde(default)]
    pub on: Option<String>,
    #[serde(default)]
    pub on_zh: Option<String>,
}

fn shared<'de, D: Deserializer<'de>>(text: D) -> Result<Rc<str>, D::Error> {
    String::deserialize(text).map(Rc::from)
}

/// The models of a site, and where they are fetched from if not from the hubs' own addresses.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ModelList {
    pub models: Vec<Listed>,
    #[serde(default)]
    pub hubs: Hubs,
}

/// Why a list cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ListFault {
    /// It could not be fetched, for this reason.
    NotFetched(String),
    TooLong,
    /// It is no list of models, for this reason.
    NotAList(String),
    NoModel,
    TooMany,
    /// The model at this place, counted from 1, has something in this field that cannot be.
    Entry {
        place: usize,
        field: &'static str,
    },
    /// This field of `hubs` has something that cannot be.
    Hub(&'static str),
}

/// The models of a list, their manifests' addresses as they stand in it.
pub fn parse(json: &str) -> Result<ModelList, ListFault> {
    if json.len() as u64 > LONGEST {
        return Err(ListFault::TooLong);
    }
    let quoted = |error: serde_json::Error| error.to_string().chars().take(QUOTED).collect();
    let mut list: ModelList =
        serde_json::from_str(json).map_err(|error| ListFault::NotAList(quoted(error)))?;
    match list.models.len() {
        0 => return Err(ListFault::NoModel),
        1..=MOST => {}
        _ => return Err(ListFault::TooMany),
    }
    let mut manifests = HashSet::new();
    for (at, model) in list.models.iter_mut().enumerate() {
        let entry = |field| ListFault::Entry { place: at + 1, field };
        model.check().map_err(entry)?;
        if let Some(import) = model.import() {
            model.manifest = import.address().into();
        }
        if !manifests.insert(model.manifest.clone()) {
            return Err(entry(if model.source.is_some() { "source" } else { "manifest" }));
        }
    }
    for (field, address) in [("hubs.hf", &list.hubs.hf), ("hubs.modelscope", &list.hubs.modelscope)] {
        if !address.as_deref().is_none_or(is_on_the_web) {
            return Err(ListFault::Hub(field));
        }
    }
    Ok(list)
}

impl Listed {
    /// What is imported, if it is.
    pub fn import(&self) -> Option<ImportSource> {
        let (checkpoint, quantization) = (self.source.clone()?, self.quantization.clone()?);
        Some(ImportSource { checkpoint, quantization })
    }

    /// Finds the field that cannot be.
    fn check(&self) -> Result<(), &'static str> {
        let short = |text: &str| text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control);
        let fits = |text: &Option<String>| text.as_deref().is_none_or(short);
        let digits =
            |hash: &str| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let plain =
            |name: &str| name.len() <= 16 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let imports = |name: &str| QUANTIZATIONS.contains(&name);
        let checks = [
            ("manifest", self.source.is_some() == self.manifest.is_empty()),
            (
                "manifest",
                self.manifest.is_empty() || is_below(&self.manifest) || is_on_the_web(&self.manifest),
            ),
            (
                "source",
                self.source.as_ref().is_none_or(|source| reference::parse(source).as_ref() == Some(source)),
            ),
            ("name", !self.name.trim().is_empty() && short(&self.name)),
            ("name_zh", fits(&self.name_zh)),
            ("note", fits(&self.note)),
            ("note_zh", fits(&self.note_zh)),
            ("quantization", self.quantization.as_deref().is_none_or(plain)),
            ("quantization", self.source.is_none() || self.quantization.as_deref().is_some_and(imports)),
            ("bytes", self.bytes.is_none_or(|bytes| (1..=MOST_BYTES).contains(&bytes))),
            ("download_bytes", self.download_bytes.is_none_or(|bytes| (1..=MOST_DOWNLOAD).contains(&bytes))),
            ("license", fits(&self.license)),
            ("sha256", self.sha256.as_deref().is_none_or(digits)),
            ("accuracy", self.accuracy.as_ref().is_none_or(Accuracy::can_be)),
            ("accuracy.on", self.accuracy.as_ref().is_none_or(|a| fits(&a.on) && fits(&a.on_zh))),
        ];
        checks.into_iter().find(|(_, right)| !right).map_or(Ok(()), |(field, _)| Err(field))
    }
}

impl Accuracy {
    fn can_be(&self) -> bool {
        let percent = 0.0..=100.0;
        percent.contains(&self.top_1)
            && percent.contains(&self.top_5)
            && self.top_1 <= self.top_5
            && self.images > 0
    }
}

/// A file below the list's folder: `large/manifest.json`. Nothing that could lead out of it, or mean something else
/// once it is decoded.
fn is_below(address: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    address.len() <= LONGEST_TEXT && address.split('/').all(plain)
}

/// An address that the page's content security policy lets it fetch from: https anywhere, http on this machine.
fn is_on_the_web(address: &str) -> bool {
    let host = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    let local = |host: &str| ["localhost", "127.0.0.1"].contains(&host.split(':').next().unwrap_or_default());
    let web = match address.split_once("://") {
        Some(("https", rest)) => !host(rest).is_empty() && !host(rest).contains('@'),
        Some(("http", rest)) => local(&host(rest)),
        _ => false,
    };
    web && address.len() <= LONGEST_TEXT && address.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// The visitor's earlier choice if it was imported or is still offered, else the first that needs no import: one begins
/// only when a visitor asks for it.
pub fn pick(models: &[Listed], kept: Option<&str>) -> Option<Rc<str>> {
    if let Some(kept) = kept.filter(|kept| ImportSource::of(kept).is_some()) {
        return Some(kept.into());
    }
    let again = models.iter().find(|model| Some(&*model.manifest) == kept);
    again.or_else(|| own(models)).map(|model| model.manifest.clone())
}

/// The first model that needs no import.
pub fn own(models: &[Listed]) -> Option<&Listed> {
    models.iter().find(|model| model.source.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn entry() -> Value {
        json!({
            "id": "large", "manifest": "large/manifest.json", "name": "BEiTv2-large", "name_zh": "大模型",
            "note": "The real one.", "quantization": "q8_0", "bytes": 323_000_000, "sha256": "ab".repeat(32),
            "accuracy": { "top_1": 88.4, "top_5": 98.6, "images": 50_000, "on": "ImageNet validation photos" },
        })
    }

    #[test]
    fn a_list_is_read_with_all_that_is_in_it() {
        let list = json!({ "models": [entry(), { "manifest": "https://weights.example/x/manifest.json", "name": "X" }] });
        let models = parse(&list.to_string()).unwrap().models;
        assert_eq!(models[0].name_zh.as_deref(), Some("大模型"));
        assert_eq!(models[0].accuracy.as_ref().unwrap().images, 50_000);
        assert_eq!((models[1].bytes, &models[1].accuracy), (None, &None), "what is not known is not made up");
    }

    /// The list that is served with the page, before the build fills it in.
    #[test]
    fn the_shipped_list_begins_with_the_demo_model() {
        let models = parse(include_str!("../../../../web/models/index.json")).unwrap().models;
        assert_eq!(&*models[0].manifest, "demo/manifest.json");
        assert!(models.iter().all(|model| model.name_zh.is_some()), "both languages");
        let imports: Vec<_> = models[1..].iter().map(|model| model.import().unwrap().address()).collect();
        assert!(
            imports.contains(&"import:hf:timm/beitv2_large_patch16_224.in1k_ft_in22k_in1k#q8_0".to_owned())
        );
        assert!(models[1..].iter().all(|model| model.bytes.is_some() && model.download_bytes.is_some()));
    }

    #[test]
    fn a_checkpoint_on_a_hub_stands_in_a_manifests_place() {
        let source = "hf:timm/beitv2_base_patch16_224";
        let model = json!({ "source": source, "quantization": "q4_0", "name": "Base", "download_bytes": 350_000_000 });
        let twice = json!({ "models": [model, model] }).to_string();
        assert_eq!(parse(&twice), Err(ListFault::Entry { place: 2, field: "source" }));
        let hubs = json!({ "hf": "https://hf-mirror.com", "modelscope": "http://localhost:8080" });
        let list = parse(&json!({ "models": [model], "hubs": hubs }).to_string()).unwrap();
        assert_eq!(&*list.models[0].manifest, "import:hf:timm/beitv2_base_patch16_224#q4_0");
        assert_eq!(list.hubs.hf.as_deref(), Some("https://hf-mirror.com"));
        for (field, value, fault) in [
            ("manifest", json!("a/manifest.json"), "manifest"),
            ("source", json!("civitai:a/b"), "source"),
            ("source", json!("file:model.pth"), "source"),
            ("source", json!("timm/beitv2_base_patch16_224"), "source"),
            ("source", json!("https://huggingface.co/a/b"), "source"),
            ("source", json!("hf:a/b#q8_0"), "source"),
            ("quantization", json!(null), "quantization"),
            ("quantization", json!("q2_k"), "quantization"),
            ("download_bytes", json!(0), "download_bytes"),
            ("download_bytes", json!(u64::MAX), "download_bytes"),
            ("license", json!("x".repeat(301)), "license"),
        ] {
            let mut bad = model.clone();
            bad[field] = value.clone();
            let fault = ListFault::Entry { place: 1, field: fault };
            assert_eq!(parse(&json!({ "models": [bad] }).to_string()), Err(fault), "{field}: {value}");
        }
        for (hub, field) in [("hf", "hubs.hf"), ("modelscope", "hubs.modelscope")] {
            for address in ["http://evil.example", "javascript:alert(1)", "hf-mirror.com", ""] {
                let list = json!({ "models": [model], "hubs": { hub: address } });
                assert_eq!(parse(&list.to_string()), Err(ListFault::Hub(field)), "{address}");
            }
        }
    }

    #[test]
    fn every_fault_is_named() {
        let bad = [
            ("manifest", json!("../../etc/passwd")),
            ("manifest", json!("demo/../../x.json")),
            ("manifest", json!("/demo/manifest.json")),
            ("manifest", json!("//evil.example/manifest.json")),
            ("manifest", json!("demo/%2e%2e/x.json")),
            ("manifest", json!("demo\\manifest.json")),
            ("manifest", json!("javascript:alert(1)")),
            ("manifest", json!("data:application/json,{}")),
            ("manifest", json!("blob:https://host/1")),
            ("manifest", json!("file:///etc/passwd")),
            ("manifest", json!("http://evil.example/manifest.json")),
            ("manifest", json!("http://localhost@evil.example/manifest.json")),
            ("manifest", json!("https://user:secret@host/manifest.json")),
            ("manifest", json!("https:///manifest.json")),
            ("manifest", json!("https://host/a b")),
            ("manifest", json!("")),
            ("manifest", json!(format!("{}.json", "x".repeat(300)))),
            ("name", json!(" ")),
            ("name", json!("x".repeat(301))),
            ("name", json!("a\u{0}b")),
            ("name_zh", json!("x".repeat(301))),
            ("note", json!("x".repeat(301))),
            ("quantization", json!("<b>q8</b>")),
            ("bytes", json!(0)),
            ("bytes", json!(u64::MAX)),
            ("sha256", json!("AB".repeat(32))),
            ("accuracy", json!({ "top_1": 101.0, "top_5": 101.0, "images": 1 })),
            ("accuracy", json!({ "top_1": 90.0, "top_5": 80.0, "images": 1 })),
            ("accuracy", json!({ "top_1": 90.0, "top_5": 95.0, "images": 0 })),
            ("accuracy.on", json!({ "top_1": 90.0, "top_5": 95.0, "images": 1, "on": "x".repeat(301) })),
        ];
        for (field, value) in bad {
            let mut model = entry();
            model[field.split('.').next().unwrap()] = value.clone();
            let list = json!({ "models": [{ "manifest": "demo/manifest.json", "name": "Demo" }, model] });
            assert_eq!(parse(&list.to_string()), Err(ListFault::Entry { place: 2, field }), "{value}");
        }
        let twice = json!({ "models": [entry(), entry()] }).to_string();
        assert_eq!(parse(&twice), Err(ListFault::Entry { place: 2, field: "manifest" }));
    }

    #[test]
    fn what_is_no_list_is_none() {
        for text in ["", "<!doctype html>", "[]", "{}", "null", r#"{"models":{}}"#, r#"{"models":[7]}"#] {
            assert!(matches!(parse(text), Err(ListFault::NotAList(_))), "{text}");
        }
        let mut model = entry();
        model["bytes"] = json!("much");
        let Err(ListFault::NotAList(reason)) = parse(&json!({ "models": [model] }).to_string()) else {
            panic!("bytes that are a text were taken")
        };
        assert!(reason.chars().count() <= QUOTED, "{reason}");
        assert_eq!(parse(r#"{"models":[]}"#), Err(ListFault::NoModel));
        let many: Vec<Value> =
            (0..65).map(|i| json!({ "manifest": format!("{i}/manifest.json"), "name": "X" })).collect();
        assert_eq!(parse(&json!({ "models": many }).to_string()), Err(ListFault::TooMany));
        assert_eq!(parse(&" ".repeat(300 << 10)), Err(ListFault::TooLong));
    }

    #[test]
    fn the_visitors_choice_comes_first_if_it_is_still_offered() {
        let model = |manifest: &str| Listed { manifest: manifest.into(), ..Listed::default() };
        let models = [model("https://host/a"), model("https://host/b")];
        let picked = |kept| pick(&models, kept).map(|manifest| manifest.to_string());
        assert_eq!(picked(None).as_deref(), Some("https://host/a"));
        assert_eq!(picked(Some("https://host/b")).as_deref(), Some("https://host/b"));
        assert_eq!(picked(Some("https://elsewhere/c")).as_deref(), Some("https://host/a"));
        assert_eq!(pick(&[], Some("https://host/a")), None);
    }

    #[test]
    fn no_import_begins_by_itself_and_what_was_imported_is_taken_again() {
        let import = |reference: &str| Listed {
            manifest: format!("import:{reference}#q8_0").into(),
            source: Some(reference.into()),
            ..Listed::default()
        };
        let own = Listed { manifest: "https://host/a".into(), ..Listed::default() };
        let models = [import("hf:a/b"), own];
        assert_eq!(pick(&models, None).as_deref(), Some("https://host/a"));
        assert_eq!(pick(&models, Some("import:hf:a/b#q8_0")).as_deref(), Some("import:hf:a/b#q8_0"));
        assert_eq!(pick(&models, Some("import:file:x.pth#q8_0")).as_deref(), Some("import:file:x.pth#q8_0"));
        assert_eq!(pick(&models[..1], None), None);
    }
}
