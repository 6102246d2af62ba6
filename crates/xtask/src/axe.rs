//! axe-core, which finds what keeps people from using a page: the browser's tests run it.

use std::path::PathBuf;
use std::process::Command;

use crate::cache::Cache;
use crate::process::{find_on_path, run_logged};
use crate::{Result, apt, project::Project};

const VERSION: &str = "4.14.1";

/// Tells the tests where the script is.
pub const VARIABLE: &str = "BEITSCOPE_AXE";

/// The script, installed once into this user's cache.
pub fn find(project: &Project) -> Result<PathBuf> {
    let cache = Cache::find()?;
    let folder = cache.folder_of("axe-core", VERSION);
    if !folder.is_dir() {
        if find_on_path("npm").is_none() {
            apt::install(project, "npm (axe-core comes from it)", &["nodejs", "npm"])?;
        }
        cache.install("axe-core", VERSION, |into, scratch| {
            let package = format!("axe-core@{VERSION}");
            eprintln!("Installing npm's {package}, once for this user: seconds.");
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix"])
                .arg(into)
                .arg(&package);
            run_logged(npm.current_dir(into), &scratch.join("axe-core.log"))
                .map_err(|error| format!("{package} could not be installed. {error}"))
        })?;
        cache.clean()?;
    }
    Ok(folder.join("node_modules/axe-core/axe.min.js"))
}
