//! Node, Deno and Bun, in which the npm package is tested.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find_on_path, output};
use crate::{Result, apt, npm, project::Project};

const DENO: &str = "2.9.6";
const BUN: &str = "1.4.5";

/// A runtime's program.
pub struct Runtime {
    /// Tells the tests where it is.
    pub variable: &'static str,
    pub program: PathBuf,
    pub version: String,
}

/// Finds each on the PATH; else Node is Debian's, and the others are npm's, installed once into this user's cache.
pub fn find(project: &Project) -> Result<[Runtime; 3]> {
    let node = match find_on_path("node") {
        Some(node) => node,
        None => {
            apt::install(project, "Node.js, which the npm package runs in", &["nodejs", "npm"])?;
            find_on_path("node").ok_or("Node.js is installed, but not on the PATH")?
        }
    };
    Ok([
        runtime("BEITSCOPE_NODE", node)?,
        runtime("BEITSCOPE_DENO", from_npm(project, "deno", DENO, "@deno", "deno")?)?,
        runtime("BEITSCOPE_BUN", from_npm(project, "bun", BUN, "@oven", "bin/bun")?)?,
    ])
}

fn runtime(variable: &'static str, program: PathBuf) -> Result<Runtime> {
    let version = output(Command::new(&program).arg("--version"))?;
    let version = version.lines().next().unwrap_or_default().to_owned();
    Ok(Runtime { variable, program, version })
}

/// The program of a package that has one package in `scope` for each kind of machine, where the program is at `path`. The
/// scripts that would move it are not run.
fn from_npm(project: &Project, name: &str, version: &str, scope: &str, path: &str) -> Result<PathBuf> {
    if let Some(program) = find_on_path(name) {
        return Ok(program);
    }
    let package = npm::package(project, name, version)?;
    let scope = package.with_file_name(scope);
    in_one_of(&scope, path).ok_or_else(|| {
        format!(
            "npm has no {name} {version} for this machine in {}: put {name} onto the PATH",
            scope.display()
        )
    })
}

/// The file that one of this folder's folders has at `path`.
fn in_one_of(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = format!("{path}{}", std::env::consts::EXE_SUFFIX);
    let mut folders: Vec<_> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort_unstable();
    folders.into_iter().map(|folder| folder.join(&path)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_program_is_in_the_package_of_this_machine() {
        let root = std::env::temp_dir().join(format!("xtask-runtimes-{}", std::process::id()));
        assert_eq!(in_one_of(&root, "bin/bun"), None);
        let program = root.join("bun-linux-x64/bin").join(format!("bun{}", std::env::consts::EXE_SUFFIX));
        fs::create_dir_all(root.join("bun-a-folder-without-it")).unwrap();
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "").unwrap();
        assert_eq!(in_one_of(&root, "bin/bun"), Some(program));
        fs::remove_dir_all(root).unwrap();
    }
}
