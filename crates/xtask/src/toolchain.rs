//! Rust itself: the compiler that rust-toolchain.toml pins, its targets and components.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::process::{find_on_path, output, run};
use crate::project::Project;
use crate::version::printed;

/// What the page and its workers are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure of the standard library for wasm and of its source, from which threads need it rebuilt; warns of a
/// compiler that is not the pinned one. `rustc` is what `rustc -vV` printed.
pub fn ensure(project: &Project, rustc: &str) -> Result<()> {
    let file = project.root.join("rust-toolchain.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    if let Some(warning) = other_version(&text, rustc) {
        eprintln!("{warning}");
    }
    ensure_target(project, TARGET)?;
    let source = rustlib(project)?.join("src/rust/library/std/Cargo.toml");
    if source.exists() { Ok(()) } else { add(project, ["component", "add", "rust-src"]) }
}

/// Makes sure of the standard library for `target`.
pub fn ensure_target(project: &Project, target: &str) -> Result<()> {
    let library = rustlib(project)?.join(target).join("lib");
    if library.exists() { Ok(()) } else { add(project, ["target", "add", target]) }
}

fn rustlib(project: &Project) -> Result<PathBuf> {
    let sysroot = output(project.command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(sysroot.trim()).join("lib/rustlib"))
}

fn add(project: &Project, arguments: [&str; 3]) -> Result<()> {
    let by_hand = format!("rustup {}", arguments.join(" "));
    if find_on_path("rustup").is_none() {
        return Err(format!(
            "{} is missing and rustup is not there to add it: install Rust from https://rustup.rs, or run what your \
             system has for `{by_hand}`",
            arguments[2]
        ));
    }
    eprintln!("Adding {} to Rust (`{by_hand}`): seconds.", arguments[2]);
    run(project.command("rustup").args(arguments))
}

/// What to say where the compiler is not the pinned one: without rustup nothing reads rust-toolchain.toml.
fn other_version(toolchain: &str, rustc: &str) -> Option<String> {
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = "));
    let tested = channel?.trim().trim_matches('"');
    let used = printed(rustc).unwrap_or("of an unknown version");
    (used != tested).then(|| {
        format!(
            "warning: this is rustc {used}; Beitscope is built and tested with {tested}, which rustup \
             (https://rustup.rs) installs by itself. With another version lints may differ, and the threaded workers, \
             which need -Zbuild-std, may not build."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_compiler_is_warned_of() {
        let toolchain = "# Pinned.\n[toolchain]\nchannel = \"1.95.0\"\n";
        assert_eq!(other_version(toolchain, "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc"), None);
        for (rustc, used) in
            [("rustc 1.96.1 (Fedora)", "rustc 1.96.1;"), ("", "rustc of an unknown version;")]
        {
            let warning = other_version(toolchain, rustc).unwrap();
            assert!(warning.contains(used) && warning.contains("tested with 1.95.0"), "{warning}");
        }
    }

    #[test]
    fn a_version_is_pinned() {
        let pinned = include_str!("../../../rust-toolchain.toml");
        assert!(other_version(pinned, "").is_some(), "{pinned}");
    }
}
