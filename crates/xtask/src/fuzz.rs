//! The fuzz targets of `tests/fuzz`, a minute each.

use std::fs;

use crate::process::{find_on_path, output, run};
use crate::project::Project;
use crate::{Result, tools};

const MANIFEST: &str = "tests/fuzz/Cargo.toml";
const SECONDS: u32 = 60;

/// Runs every target for [`SECONDS`].
///
/// # Errors
/// What is missing, or the target that found something.
pub fn run_all(project: &Project) -> Result<()> {
    if find_on_path("rustup").is_none()
        || !output(project.command("rustup").args(["toolchain", "list"]))?.contains("nightly")
    {
        return Err("fuzzing needs a nightly toolchain: `rustup toolchain install nightly`".into());
    }
    let cargo_fuzz = tools::cargo_fuzz()?;
    run(project.command("cargo").args([
        "+nightly",
        "run",
        "--quiet",
        "--manifest-path",
        MANIFEST,
        "--bin",
        "seeds",
    ]))?;
    for target in targets(project)? {
        println!("{target}, {SECONDS} s");
        let mut fuzz = project.command(&cargo_fuzz.to_string_lossy());
        // cargo-fuzz asks for the compiler that the caller has chosen.
        fuzz.env("RUSTUP_TOOLCHAIN", "nightly");
        // With it, rav1d's own checks keep a backtrace of each access.
        fuzz.env_remove("RUST_BACKTRACE");
        // It loses 48 bytes with each picture.
        fuzz.env("ASAN_OPTIONS", "detect_leaks=0");
        fuzz.args(["fuzz", "run", "--fuzz-dir", "tests/fuzz", &target, "--"]);
        fuzz.args([&format!("-max_total_time={SECONDS}"), "-timeout=10", "-max_len=65536", "-verbosity=0"]);
        run(&mut fuzz)?;
    }
    Ok(())
}

/// The names of the files in `tests/fuzz/targets`.
fn targets(project: &Project) -> Result<Vec<String>> {
    let folder = project.root.join("tests/fuzz/targets");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let stem = |file: fs::DirEntry| file.path().file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<_> = files.flatten().filter_map(stem).collect();
    names.sort();
    Ok(names)
}
