//! Where the project's files are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, profile::Profile};

/// The checkout this command works on.
pub struct Project {
    /// The folder of the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target folder: `target`, or `$CARGO_TARGET_DIR`.
    pub cargo_target: PathBuf,
}

impl Project {
    /// Finds the workspace that this program belongs to.
    pub fn find() -> Result<Project> {
        // Cargo's word at run time comes first: a target folder may serve several checkouts.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .ancestors()
            .nth(2)
            .filter(|root| root.join("Trunk.toml").is_file())
            .ok_or("run this as `cargo xtask` inside Beitscope's folder")?
            .to_owned();
        let cargo_target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir().map_err(|error| error.to_string())?.join(folder),
            None => root.join("target"),
        };
        Ok(Project { root, cargo_target })
    }

    /// Where the finished workers lie, one folder each; they are copied into the site from here.
    pub fn workers(&self, profile: Profile) -> PathBuf {
        self.root.join("target/workers").join(profile.name())
    }

    /// Where the finished decoders of rare formats lie.
    pub fn codecs(&self, profile: Profile) -> PathBuf {
        self.root.join("target/codecs").join(profile.name())
    }

    /// Where long jobs write what they say.
    pub fn log(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.join("target/logs");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder.join(format!("{name}.log")))
    }

    /// Where stamps lie.
    pub fn stamps(&self) -> PathBuf {
        self.root.join("target/stamps")
    }

    /// `program`, to be run in the workspace's root.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Cargo, to be run in the workspace's root with the workspace's own settings.
    pub fn cargo(&self) -> Command {
        let mut command = self.command("cargo");
        command.env("CARGO_TARGET_DIR", &self.cargo_target);
        // These would replace what .cargo/config.toml asks for.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(name);
        }
        command
    }
}
