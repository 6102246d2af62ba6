//! Packages from npm that checks need: each of a fixed version, installed once into this user's cache.

use std::path::PathBuf;
use std::process::Command;

use crate::cache::Cache;
use crate::process::{find_on_path, run_logged};
use crate::{Result, apt, project::Project};

/// The folder of a package.
pub fn package(project: &Project, name: &str, version: &str) -> Result<PathBuf> {
    let cache = Cache::find()?;
    let folder = cache.folder_of(name, version);
    if !folder.is_dir() {
        if find_on_path("npm").is_none() {
            apt::install(project, &format!("npm ({name} comes from it)"), &["nodejs", "npm"])?;
        }
        cache.install(name, version, |into, scratch| {
            let package = format!("{name}@{version}");
            eprintln!("Installing npm's {package}, once for this user: seconds.");
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix"])
                .arg(into)
                .arg(&package);
            run_logged(npm.current_dir(into), &scratch.join(format!("{name}.log")))
                .map_err(|error| format!("{package} could not be installed. {error}"))
        })?;
        cache.clean()?;
    }
    Ok(folder.join("node_modules").join(name))
}
