//! axe-core, which finds what keeps people from using a page: the browser's tests run it.

use std::path::PathBuf;

use crate::{Result, npm, project::Project};

const VERSION: &str = "4.14.1";

/// Tells the tests where the script is.
pub const VARIABLE: &str = "BEITSCOPE_AXE";

/// The script, installed once into this user's cache.
pub fn find(project: &Project) -> Result<PathBuf> {
    Ok(npm::package(project, "axe-core", VERSION)?.join("axe.min.js"))
}
