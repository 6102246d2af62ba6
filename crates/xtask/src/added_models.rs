//! `cargo xtask build --model`: checkpoints that are converted and put into the site.
//!
//! Conversions are kept in `target/models`, so that another build has only to look whether anything has changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::Result;
use crate::models::{FOLDER, MANIFEST};
use crate::process::{describe, run, run_logged};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};

/// What `beitscope convert --quant` takes.
const QUANTIZATIONS: [&str; 4] = ["q8_0", "q4_0", "f16", "f32"];

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
    fn notes(&self) -> (String, String) {
        let Self { checkpoint, quantization } = self;
        if self.is_on_hub() {
            (
                format!("From {checkpoint}, as {quantization}."),
                format!("来自 {checkpoint}，以 {quantization} 存储。"),
            )
        } else {
            (format!("As {quantization}."), format!("以 {quantization} 存储。"))
        }
    }
}

/// What fetches and converts checkpoints.
pub trait Converter {
    /// Where the checkpoint is on this machine, after it was fetched if need be.
    fn find(&self, checkpoint: &str) -> Result<PathBuf>;
    /// Converts it into the folder `out`.
    fn convert(&self, source: &ModelSource, out: &Path) -> Result<()>;
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
    /// What the list says of it.
    notes: (String, String),
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

    /// Copies them into a site, and gives their entries for the list.
    ///
    /// # Errors
    /// Also when the site has a model of that name.
    pub fn put(&self, site: &Path) -> Result<Vec<Value>> {
        let put = |AddedModel { folder, name, notes }: &AddedModel| {
            let target = site.join(FOLDER).join(name);
            if target.exists() {
                return Err(format!(
                    "web/models has a folder {name}, as has --model: rename it, or leave one out"
                ));
            }
            copy(folder, &target).map_err(|error| format!("{}: {error}", target.display()))?;
            Ok(json!({ "manifest": format!("{name}/{MANIFEST}"), "note": notes.0, "note_zh": notes.1 }))
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
    for name in ["preprocessor_config.json", "config.json", "configuration.json", "README.md"] {
        inputs.path(&beside.unwrap_or(Path::new("")).join(name))?;
    }
    converter.add_to(&mut inputs)?;

    let mut key = Fingerprint::new();
    key.text(&source.checkpoint);
    let folder = project.root.join("target/models");
    let folder = folder.join(format!("{:016x}-{}", key.number(), source.quantization));
    let stamp = Stamp::new(&project.stamps(), &folder);
    if stamp.is_fresh(&inputs)? {
        eprintln!("{} is converted already.", source.checkpoint);
    } else {
        converter.convert(source, &folder)?;
        stamp.write(&inputs)?;
    }
    let manifest = folder.join(MANIFEST);
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let manifest: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let name = manifest["name"].as_str().unwrap_or("model");
    Ok(AddedModel { folder, name: format!("{name}-{}", source.quantization), notes: source.notes() })
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The command line tool of this workspace.
pub struct Beitscope<'a> {
    project: &'a Project,
    program: PathBuf,
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
        let name = format!("beitscope{}", std::env::consts::EXE_SUFFIX);
        Ok(Self { project, program: project.cargo_target.join("release").join(name) })
    }

    fn command(&self, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }
}

impl Converter for Beitscope<'_> {
    fn find(&self, checkpoint: &str) -> Result<PathBuf> {
        let mut command = self.command(&["fetch".as_ref(), checkpoint.as_ref(), "--json".as_ref()]);
        // Progress is for the terminal.
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("can't run `{}`: {error}", describe(&command)))?;
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        match answer["path"].as_str().filter(|_| output.status.success()) {
            Some(path) => Ok(path.into()),
            None => Err(format!("`{}` failed ({})", describe(&command), output.status)),
        }
    }

    fn convert(&self, source: &ModelSource, out: &Path) -> Result<()> {
        let ModelSource { checkpoint, quantization } = source;
        let arguments = ["convert", checkpoint, "--quant", quantization, "--out"].map(AsRef::<OsStr>::as_ref);
        run(self.command(&arguments).arg(out).stdout(Stdio::null()))
    }

    fn add_to(&self, inputs: &mut Fingerprint) -> Result<()> {
        let sources = ["beit", "checkpoint", "kernels"]
            .map(|name| self.project.root.join("crates").join(name).join("src"));
        sources.iter().try_for_each(|sources| inputs.path(sources).map(drop))
    }
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

        fn convert(&self, source: &ModelSource, out: &Path) -> Result<()> {
            self.converted.borrow_mut().push(source.checkpoint.clone());
            let (name, bytes) = (source.checkpoint.rsplit('/').next().unwrap(), 7);
            let manifest = json!({ "name": name, "bytes": bytes, "sha256": "a".repeat(64), "quantization": source.quantization });
            fs::create_dir_all(out).unwrap();
            fs::write(out.join(MANIFEST), manifest.to_string()).unwrap();
            fs::copy(self.find(&source.checkpoint)?, out.join("x.gguf-00001-of-00001")).unwrap();
            Ok(())
        }

        fn add_to(&self, _: &mut Fingerprint) -> Result<()> {
            Ok(())
        }
    }

    fn folder(test: &str) -> (Project, Copies) {
        let root = std::env::temp_dir().join(format!("xtask-added-{test}-{}", std::process::id()));
        fs::create_dir_all(root.join("site/models")).unwrap();
        fs::write(root.join("net"), "weights").unwrap();
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
    fn a_site_gets_their_files_and_entries() {
        let (project, copies) = folder("put");
        let sources = ["hf:a/net:q4_0".parse().unwrap()];
        let added = AddedModels::convert(&project, &copies, &sources, true).unwrap();
        let site = project.root.join("site");
        let entries = added.put(&site).unwrap();
        assert_eq!(entries[0]["manifest"], "net-q4_0/manifest.json");
        assert_eq!(entries[0]["note"], "From hf:a/net, as q4_0.");
        let weights = fs::read_to_string(site.join("models/net-q4_0/x.gguf-00001-of-00001"));
        assert_eq!(weights.unwrap(), "weights");
        let message = added.put(&site).unwrap_err();
        assert!(message.contains("web/models has a folder net-q4_0"), "{message}");
        fs::remove_dir_all(&project.root).unwrap();
    }
}
