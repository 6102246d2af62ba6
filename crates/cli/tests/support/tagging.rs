//! `beitscope tag` on a folder of photos with a small network.

use super::{Run, model_with, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A folder with a model of 50 classes of ImageNet, some of them cats and dogs, and a folder of photos.
pub struct Setup {
    pub folder: tempfile::TempDir,
    pub model: PathBuf,
}

/// Answers of an untrained network are about as likely as one another; this takes some of them.
pub const LOW: &str = "0.02";

impl Setup {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let table =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../beit/data/imagenet-1k.tsv"));
        let table = table.unwrap();
        let wnids = table.lines().skip(1 + 250).take(50).map(|line| line.split('\t').nth(1).unwrap());
        let labels = folder.path().join("labels.txt");
        fs::write(&labels, wnids.collect::<Vec<_>>().join("\n")).unwrap();
        let model = model_with(folder.path(), "tiny-absolute", "f32", Some(&labels));
        fs::create_dir(folder.path().join("photos")).unwrap();
        Self { folder, model }
    }

    pub fn photos(&self) -> PathBuf {
        self.folder.path().join("photos")
    }

    pub fn add(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.photos().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A JPEG of its own content: the same picture, with this comment.
    pub fn add_distinct(&self, name: &str, jpeg: &[u8], comment: &str) -> PathBuf {
        let length = u16::try_from(comment.len() + 2).unwrap().to_be_bytes();
        self.add(name, &[&jpeg[..2], &[0xff, 0xfe], &length, comment.as_bytes(), &jpeg[2..]].concat())
    }

    /// Another command with the setup's model, in the setup's folder.
    pub fn with_model(&self, subcommand: &str, arguments: &[&str]) -> Run {
        run(&mut self.command_with_model(subcommand, arguments))
    }

    pub fn command_with_model(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beitscope"));
        command
            .current_dir(self.folder.path())
            .arg(subcommand)
            .arg("--model")
            .arg(&self.model)
            .args(arguments);
        command
    }

    /// A command without a model.
    pub fn without_model(&self, arguments: &[&str]) -> Run {
        run(Command::new(env!("CARGO_BIN_EXE_beitscope")).current_dir(self.folder.path()).args(arguments))
    }

    /// Runs in the setup's folder, where journals go.
    pub fn tag(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beitscope"));
        command.current_dir(self.folder.path()).arg("tag");
        if !arguments.contains(&"--undo") {
            command.arg("--model").arg(&self.model);
        }
        command.args(arguments);
        command
    }

    /// All files in the folder of photos, and when each was changed last.
    pub fn files(&self) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
        let file = |entry: fs::DirEntry| {
            let modified = entry.metadata().unwrap().modified().unwrap();
            (entry.file_name().into_string().unwrap(), (fs::read(entry.path()).unwrap(), modified))
        };
        fs::read_dir(self.photos()).unwrap().map(|entry| file(entry.unwrap())).collect()
    }
}
