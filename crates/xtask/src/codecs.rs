//! The decoders of rare photo formats: one WebAssembly module each, which the page fetches when it needs it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::process::run_logged;
use crate::profile::{CARGO_PROFILE, Profile};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};
use crate::toolchain::TARGET;
use crate::wasm_opt;
use crate::workers;

/// Where they lie in the site.
pub const FOLDER: &str = "codecs";

/// `codec-module`'s features, of which each is a module (`crates/worker/src/codecs.rs` names them).
const FORMATS: [&str; 3] = ["heic", "jpeg-xl", "jpeg-2000"];

/// Builds them into [`Project::codecs`], unless they are there and nothing has changed.
pub fn build(project: &Project, profile: Profile) -> Result<()> {
    FORMATS.iter().try_for_each(|format| build_one(project, profile, format))
}

fn build_one(project: &Project, profile: Profile, format: &str) -> Result<()> {
    let package = ["--package", "codec-module", "--features", format];
    let cargo = &mut workers::PLAIN.cargo_module(project, profile, &package);
    run_logged(cargo, &project.log(&format!("codec-{format}"))?)?;
    let built =
        workers::PLAIN.cargo_target(project).join(TARGET).join(CARGO_PROFILE).join("codec_module.wasm");

    let finished = finished(project, profile, format);
    let stamp = Stamp::new(&project.stamps(), &finished);
    let optimiser = wasm_opt::of_profile(project, profile)?;
    let mut inputs = Fingerprint::new();
    if let Some(wasm_opt) = &optimiser {
        wasm_opt.add_to(&mut inputs);
    }
    inputs.path(&built)?;
    if stamp.is_fresh(&inputs)? {
        return Ok(());
    }
    let io_error = |error| format!("{}: {error}", finished.display());
    fs::create_dir_all(project.codecs(profile)).map_err(io_error)?;
    match &optimiser {
        Some(wasm_opt) => wasm_opt.optimise(&built, &finished)?,
        None => drop(fs::copy(&built, &finished).map_err(io_error)?),
    }
    stamp.write(&inputs)
}

fn finished(project: &Project, profile: Profile, format: &str) -> PathBuf {
    project.codecs(profile).join(format!("{format}.wasm"))
}

/// Copies what is built into a site.
pub fn put(project: &Project, profile: Profile, site: &Path) -> Result<()> {
    let folder = site.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    FORMATS.iter().try_for_each(|format| {
        let from = finished(project, profile, format);
        let copied = fs::copy(&from, folder.join(format!("{format}.wasm")));
        copied.map(drop).map_err(|error| format!("{}: {error}", from.display()))
    })
}
