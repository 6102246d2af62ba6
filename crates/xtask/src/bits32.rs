//! Unit tests where `usize` has 32 bits, as in the page's workers: what wraps around there unseen panics here.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::Project;
use crate::{Result, apt, process, toolchain};

const TARGET: &str = "i686-unknown-linux-gnu";

/// What the page and the worker link of this workspace or can, but for the GPU: `gpu`'s tests need an adapter.
const PACKAGES: [&str; 10] = [
    "archive",
    "beit",
    "engine",
    "head",
    "kernels",
    "keyword-writer",
    "keywords",
    "library",
    "page",
    "protocol",
];

/// What is optimised for tests on this machine and takes longer to compile so than it saves in these.
const NOT_OPTIMISED: [&str; 13] = [
    "candle-core",
    "checkpoint",
    "fdeflate",
    "gif",
    "image",
    "image-webp",
    "png",
    "safetensors",
    "tiff",
    "weezl",
    "zip",
    "zune-core",
    "zune-jpeg",
];

/// The packages' tests in the dev profile, which checks for overflow.
///
/// # Errors
/// When 32-bit programs can't be built and run here.
pub fn tests(project: &Project) -> Result<Command> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(format!(
            "nothing was tested: programs for {TARGET} run on x86-64 Linux only. Name the other steps to leave this \
             one out; .github/workflows/ci.yml runs it"
        ));
    }
    toolchain::ensure_target(project, TARGET)?;
    let probe = project.cargo_target.join("bits32-probe");
    if runs_32_bits(&probe).is_err() {
        apt::install(project, "A 32-bit C library", &["gcc-multilib"])?;
        runs_32_bits(&probe)?;
    }
    let mut cargo = project.cargo();
    // No examples: those of `kernels` measure SIMD.
    cargo.args(["test", "--no-fail-fast", "--lib", "--tests", "--target", TARGET]);
    cargo.args(PACKAGES.iter().flat_map(|package| ["--package", *package]));
    for package in NOT_OPTIMISED {
        cargo.args(["--config".into(), format!("profile.dev.package.{package}.opt-level=0")]);
    }
    Ok(cargo)
}

/// Compiles and runs an empty program of 32 bits.
fn runs_32_bits(program: &Path) -> Result<()> {
    let source = program.with_extension("c");
    let failed = |error| format!("{}: {error}", source.display());
    fs::create_dir_all(program.parent().unwrap_or(program)).map_err(failed)?;
    fs::write(&source, "int main(void) { return 0; }\n").map_err(failed)?;
    process::output(Command::new("cc").arg("-m32").arg(&source).arg("-o").arg(program))?;
    process::output(&mut Command::new(program)).map(drop)
}
