//! `cargo xtask build --model`: checkpoints that are converted and put into the site.
//!
//! Conversions are kept in `target/models`, so that another build has only to look whether anything has changed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::Result;
use crate::folder;
use crate::models::{Addition, FOLDER, MANIFEST};
use crate::process::{describe, run_logged};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};

#[cfg(test)]
mod from_a_hub;

/// What `beitscope convert --quant` takes.
const QUANTIZATIONS: [&str; 4] = ["q8_0", "q4_0", "f16", "f32"];

/// The licence that asks for its own text beside what it covers, by SPDX's name; its text in the project; and the file
/// beside the model. Other licences' texts name their owners: they are in the model's card, if anywhere.
const APACHE: &str = "Apache-2.0";
const APACHE_TEXT: &str = "LICENSE-APACHE";
const LICENSE_TEXT: &str = "LICENSE.txt";

/// The model card on a hub, beside the checkpoint.
const CARD: &str = "README.md";

/// A checkpoint on a hub or in a file, and how it is rounded: `hf:OWNER/NAME:q4_0`, `folder/net.pth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSource {
    checkpoint: String,
    quantization: String,
}

impl FromStr for ModelSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self> {
        let (checkpoint, quantization) = match text.rsplit_once(':') {
            Some((checkpoint, last)) if QUANTIZATIONS.contains(&last) => (checkpoint, last),
            _ => (text, QUANTIZATIONS[0]),
        };
        if checkpoint.is_empty() || checkpoint.starts_with('-') || ["hf", "modelscope"].contains(&checkpoint)
        {
            return Err(format!(
                "expected hf:OWNER/NAME, modelscope:OWNER/NAME or a checkpoint's path, then :{} if need be",
                QUANTIZATIONS.join(", :")
            ));
        }
        Ok(Self { checkpoint: checkpoint.into(), quantization: quantization.into() })
    }
}

impl ModelSource {
    fn is_on_hub(&self) -> bool {
        ["hf:", "modelscope:"].iter().any(|hub| self.checkpoint.starts_with(hub))
    }

    /// What the list says of it, in English and Chinese.
    fn notes(&self, license: Option<&str>) -> (String, String) {
        let Self { checkpoint, quantization } = self;
        let (mut english, mut chinese) = if self.is_on_hub() {
            (
                format!("From {checkpoint}, as {quantization}."),
                format!("来自 {checkpoint}，以 {quantization} 存储。"),
            )
        } else {
            (format!("As {quantization}."), format!("以 {quantization} 存储。"))
        };
        if let Some(license) = license {
            english += &format!(" Licence: {license}.");
            chinese += &format!("许可证：{license}。");
        }
        (english, chinese)
    }
}

/// What fetches and converts checkpoints.
pub trait Converter {
    /// Where the checkpoint is on this machine, after it was fetched if need be.
    fn find(&self, checkpoint: &str) -> Result<PathBuf>;
    /// Converts it into the folder `out`, with its model card if there is one, and gives its licence's name if it
    /// tells one.
    fn convert(&self, source: &ModelSource, card: Option<&Path>, out: &Path) -> Result<Option<String>>;
    /// What its output depends on beside the checkpoint.
    fn add_to(&self, inputs: &mut Fingerprint) -> Result<()>;
}

/// A converted model that is wanted in the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedModel {
    /// Its folder on this machine.
    folder: PathBuf,
    /// That in the site's `models`.
    name: String,
    source: ModelSource,
    /// The licence's SPDX expression.
    license: Option<String>,
}

/// The models to put into a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddedModels {
    pub models: Vec<AddedModel>,
    /// Whether they come before the others in the list, so that the first of them is loaded unless a visitor chooses
    /// another.
    pub are_first: bool,
}

impl AddedModels {
    /// Converts what is not converted yet.
    ///
    /// # Errors
    /// Also when two of them are the same model.
    pub fn convert(
        project: &Project,
        converter: &dyn Converter,
        sources: &[ModelSource],
        are_first: bool,
    ) -> Result<Self> {
        let mut models: Vec<AddedModel> = Vec::new();
        for source in sources {
            let model = convert_one(project, converter, source)?;
            if models.iter().any(|other| other.name == model.name) {
                return Err(format!("--model {}: there is another model {}", source.checkpoint, model.name));
            }
            models.push(model);
        }
        Ok(Self { models, are_first })
    }

    /// Adds their files to what a site depends on.
    pub fn add_to(&self, inputs: &mut Fingerprint) -> Result<()> {
        inputs.text(&format!("{self:?}"));
        self.models.iter().try_for_each(|model| inputs.path(&model.folder).map(drop))
    }

    /// Copies them into a site, with the text of their licence where the project has it, and gives what the list
    /// says of them.
    ///
    /// # Errors
    /// Also when the site has a model of that name.
    pub fn put(&self, project: &Project, site: &Path) -> Result<Vec<Addition>> {
        let put = |AddedModel { folder, name, source, license }: &AddedModel| {
            let target = site.join(FOLDER).join(name);
            if target.exists() {
                return Err(format!(
                    "web/models has a folder {name}, as has --model: rename it, or leave one out"
                ));
            }
            let text = license.as_deref().filter(|license| *license == APACHE);
            let text = text.map(|_| project.root.join(APACHE_TEXT));
            folder::copy(folder, &target)
                .and_then(|()| text.map_or(Ok(0), |text| fs::copy(text, target.join(LICENSE_TEXT))))
                .map_err(|error| format!("{}: {error}", target.display()))?;
            let (note, note_zh) = source.notes(license.as_deref());
            Ok(Addition {
                entry: json!({ "manifest": format!("{name}/{MANIFEST}"), "note": note, "note_zh": note_zh }),
                source: source.checkpoint.clone(),
                quantization: source.quantization.clone(),
            })
        };
        self.models.iter().map(put).collect()
    }
}

fn convert_one(project: &Project, converter: &dyn Converter, source: &ModelSource) -> Result<AddedModel> {
    let checkpoint = converter.find(&source.checkpoint)?;
    // A hub's cache names files by their hash, behind a link.
    let content =
        fs::canonicalize(&checkpoint).map_err(|error| format!("{}: {error}", checkpoint.display()))?;
    let mut inputs = Fingerprint::new();
    inputs.text(&format!("{source:?}")).text(&content.to_string_lossy()).path(&content)?;
    // They tell how photos are prepared.
    let beside = if checkpoint.is_dir() { Some(checkpoint.as_path()) } else { checkpoint.parent() };
    let beside = beside.unwrap_or(Path::new(""));
    for name in ["preprocessor_config.json", "config.json", "configuration.json", CARD] {
        inputs.path(&beside.join(name))?;
    }
    converter.add_to(&mut inputs)?;

    let mut key = Fingerprint::new();
    key.text(&source.checkpoint);
    let folder = project.root.join("target/models");
    let folder = folder.join(format!("{:016x}-{}", key.number(), source.quantization));
    // Not in it: it is replaced as a whole, and holds nothing but what the conversion has written.
    let license = folder.with_extension("license");
    let described = |error: std::io::Error| format!("{}: {error}", license.display());
    let stamp = Stamp::new(&project.stamps(), &folder);
    if license.is_file() && stamp.is_fresh(&inputs)? {
        eprintln!("{} is converted already.", source.checkpoint);
    } else {
        // A file's neighbour may be about something else.
        let card = Some(beside.join(CARD)).filter(|card| source.is_on_hub() && card.is_file());
        let told = converter.convert(source, card.as_deref(), &folder)?;
        fs::write(&license, told.unwrap_or_default()).map_err(described)?;
        stamp.write(&inputs)?;
    }
    let license = fs::read_to_string(&license).map_err(described)?;
    let manifest = folder.join(MANIFEST);
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let manifest: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let name = manifest["name"].as_str().unwrap_or("model");
    Ok(AddedModel {
        name: format!("{name}-{}", source.quantization),
        folder,
        source: source.clone(),
        license: Some(license).filter(|license| !license.is_empty()),
    })
}

/// The command line tool of this workspace.
pub struct Beitscope<'a> {
    project: &'a Project,
    program: PathBuf,
    /// Its environment's variables beside those of this program.
    variables: Vec<(&'static str, OsString)>,
}

impl<'a> Beitscope<'a> {
    /// Builds it, optimised, unless it is there.
    pub fn build(project: &'a Project) -> Result<Self> {
        eprintln!(
            "Building the program that converts models: 4 to 6 minutes on 2 cores the first time, else seconds."
        );
        run_logged(
            project.cargo().args(["build", "--release", "--package", "beitscope"]),
            &project.log("beitscope")?,
        )?;
        Ok(Self::in_folder(project, "release"))
    }

    /// The one that tests have built.
    pub fn for_tests(project: &'a Project) -> Self {
        Self::in_folder(project, "debug")
    }

    fn in_folder(project: &'a Project, folder: &str) -> Self {
        let name = format!("beitscope{}", std::env::consts::EXE_SUFFIX);
        Self { project, program: project.cargo_target.join(folder).join(name), variables: Vec::new() }
    }

    fn command(&self, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(self.variables.iter().cloned());
        command
    }
}

impl Converter for Beitscope<'_> {
    fn find(&self, checkpoint: &str) -> Result<PathBuf> {
        let mut command = self.command(&["fetch".as_ref(), checkpoint.as_ref()]);
        let answer = answer(&mut command)?;
        let path = answer["path"].as_str().map(PathBuf::from);
        path.ok_or_else(|| format!("`{}` names no path", describe(&command)))
    }

    fn convert(&self, source: &ModelSource, card: Option<&Path>, out: &Path) -> Result<Option<String>> {
        let ModelSource { checkpoint, quantization } = source;
        let arguments = ["convert", checkpoint, "--quant", quantization, "--out"].map(AsRef::<OsStr>::as_ref);
        let mut command = self.command(&arguments);
        command.arg(out);
        if let Some(card) = card {
            command.arg("--card").arg(card);
        }
        Ok(answer(&mut command)?["license"].as_str().map(str::to_owned))
    }

    fn add_to(&self, inputs: &mut Fingerprint) -> Result<()> {
        let sources = ["beit", "checkpoint", "kernels"]
            .map(|name| self.project.root.join("crates").join(name).join("src"));
        sources.iter().try_for_each(|sources| inputs.path(sources).map(drop))
    }
}

/// What the program says in JSON. Progress is for the terminal.
fn answer(command: &mut Command) -> Result<Value> {
    let output = command.arg("--json").stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("can't run `{}`: {error}", describe(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` failed ({})", describe(command), output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("`{}`: {error}", describe(command)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn sources_name_a_checkpoint_and_a_quantization() {
        let source =
            |text: &str| text.parse::<ModelSource>().map(|source| (source.checkpoint, source.quantization));
        for (text, checkpoint, quantization) in [
            ("hf:timm/x", "hf:timm/x", "q8_0"),
            ("hf:timm/x:q4_0", "hf:timm/x", "q4_0"),
            ("hf:timm/x/y.pth@v1.0:f16", "hf:timm/x/y.pth@v1.0", "f16"),
            ("C:\\nets\\a.pth", "C:\\nets\\a.pth", "q8_0"),
            ("folder/net.safetensors:q4_0", "folder/net.safetensors", "q4_0"),
        ] {
            assert_eq!(source(text), Ok((checkpoint.to_owned(), quantization.to_owned())), "{text}");
        }
        for text in ["", ":q4_0", "--quant", "hf:q4_0"] {
            assert!(source(text).unwrap_err().contains("expected hf:OWNER/NAME"), "{text}");
        }
    }

    /// Copies the checkpoint, and counts.
    struct Copies {
        folder: PathBuf,
        converted: RefCell<Vec<String>>,
    }

    impl Converter for Copies {
        fn find(&self, checkpoint: &str) -> Result<PathBuf> {
            Ok(self.folder.join(checkpoint.rsplit('/').next().unwrap()))
        }

        fn convert(&self, source: &ModelSource, card: Option<&Path>, out: &Path) -> Result<Option<String>> {
            self.converted.borrow_mut().push(source.checkpoint.clone());
            let (name, bytes) = (source.checkpoint.rsplit('/').next().unwrap(), 7);
            let manifest = json!({ "name": name, "bytes": bytes, "sha256": "a".repeat(64), "quantization": source.quantization });
            fs::create_dir_all(out).unwrap();
            fs::write(out.join(MANIFEST), manifest.to_string()).unwrap();
            fs::copy(self.find(&source.checkpoint)?, out.join("x.gguf-00001-of-00001")).unwrap();
            card.map(|card| fs::copy(card, out.join(CARD)).unwrap());
            Ok(card.map(|_| APACHE.into()))
        }

        fn add_to(&self, _: &mut Fingerprint) -> Result<()> {
            Ok(())
        }
    }

    fn folder(test: &str) -> (Project, Copies) {
        let root = std::env::temp_dir().join(format!("xtask-added-{test}-{}", std::process::id()));
        fs::create_dir_all(root.join("site/models")).unwrap();
        fs::write(root.join("net"), "weights").unwrap();
        fs::write(root.join(APACHE_TEXT), "Apache License").unwrap();
        let project = Project { cargo_target: root.join("target"), root: root.clone() };
        (project, Copies { folder: root, converted: RefCell::default() })
    }

    #[test]
    fn models_are_converted_once_and_again_when_the_checkpoint_has_changed() {
        let (project, copies) = folder("once");
        let sources: Vec<ModelSource> =
            ["hf:a/net", "hf:a/net:q4_0"].map(|text| text.parse().unwrap()).into();
        let converted = || AddedModels::convert(&project, &copies, &sources, false).unwrap();
        let first = converted();
        assert_eq!(
            first.models.iter().map(|model| &*model.name).collect::<Vec<_>>(),
            ["net-q8_0", "net-q4_0"]
        );
        assert_eq!((converted(), copies.converted.borrow().len()), (first.clone(), 2));
        fs::write(project.root.join("net"), "other weights").unwrap();
        assert_eq!((converted(), copies.converted.borrow().len()), (first.clone(), 4));
        fs::write(project.root.join("config.json"), "{}").unwrap();
        assert_eq!((converted(), copies.converted.borrow().len()), (first, 6));

        let twice = [sources[0].clone(), "hf:b/net".parse().unwrap()];
        let message = AddedModels::convert(&project, &copies, &twice, false).unwrap_err();
        assert!(message.contains("another model net-q8_0"), "{message}");
        fs::remove_dir_all(&project.root).unwrap();
    }

    #[test]
    fn a_site_gets_their_files_licences_and_entries() {
        let (project, copies) = folder("put");
        fs::write(project.root.join(CARD), "license: apache-2.0").unwrap();
        let sources = ["hf:a/net:q4_0", "net:f16"].map(|text| text.parse().unwrap());
        let converted = || AddedModels::convert(&project, &copies, &sources, true).unwrap();
        let added = converted();
        assert_eq!(
            (converted(), copies.converted.borrow().len()),
            (added.clone(), 2),
            "licences are kept too"
        );
        let site = project.root.join("site");
        let list = added.put(&project, &site).unwrap();
        let of_hub = &list[0];
        assert_eq!(of_hub.entry["manifest"], "net-q4_0/manifest.json");
        assert_eq!(of_hub.entry["note"], "From hf:a/net, as q4_0. Licence: Apache-2.0.");
        assert_eq!((&*of_hub.source, &*of_hub.quantization), ("hf:a/net", "q4_0"));
        assert_eq!(list[1].entry["note"], "As f16.", "what lies beside a file is not its card");
        let file = |name: &str| fs::read_to_string(site.join("models").join(name)).ok();
        assert_eq!(file("net-q4_0/x.gguf-00001-of-00001").as_deref(), Some("weights"));
        assert_eq!(file("net-q4_0/README.md").as_deref(), Some("license: apache-2.0"));
        assert_eq!(file("net-q4_0/LICENSE.txt").as_deref(), Some("Apache License"));
        assert_eq!((file("net-f16/README.md"), file("net-f16/LICENSE.txt")), (None, None));
        let message = added.put(&project, &site).unwrap_err();
        assert!(message.contains("web/models has a folder net-q4_0"), "{message}");
        fs::remove_dir_all(&project.root).unwrap();
    }
}
