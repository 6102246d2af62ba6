//! The decoders of rare photo formats and of archives' names: one WebAssembly module each, which the page fetches when it
//! needs it.

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

/// What is fetched only when it is needed.
struct Module {
    /// Of its file.
    name: &'static str,
    package: &'static str,
    features: &'static [&'static str],
}

/// `codec-module` with each of its features (`crates/worker/src/codecs.rs` names them), and what
/// `web/src/archive_names.rs` runs.
const MODULES: [Module; 4] = [
    Module { name: "heic", package: "codec-module", features: &["--features", "heic"] },
    Module { name: "jpeg-xl", package: "codec-module", features: &["--features", "jpeg-xl"] },
    Module { name: "jpeg-2000", package: "codec-module", features: &["--features", "jpeg-2000"] },
    Module { name: "archive-names", package: "archive-names", features: &[] },
];

/// Builds them into [`Project::codecs`], unless they are there and nothing has changed.
pub fn build(project: &Project, profile: Profile) -> Result<()> {
    MODULES.iter().try_for_each(|module| build_one(project, profile, module))
}

fn build_one(project: &Project, profile: Profile, module: &Module) -> Result<()> {
    let package = [&["--package", module.package], module.features].concat();
    let cargo = &mut workers::PLAIN.cargo_module(project, profile, &package);
    run_logged(cargo, &project.log(&format!("codec-{}", module.name))?)?;
    let file = format!("{}.wasm", module.package.replace('-', "_"));
    let built = workers::PLAIN.cargo_target(project).join(TARGET).join(CARGO_PROFILE).join(file);

    let finished = finished(project, profile, module);
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

fn finished(project: &Project, profile: Profile, module: &Module) -> PathBuf {
    project.codecs(profile).join(format!("{}.wasm", module.name))
}

/// Copies what is built into a site.
pub fn put(project: &Project, profile: Profile, site: &Path) -> Result<()> {
    let folder = site.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    MODULES.iter().try_for_each(|module| {
        let from = finished(project, profile, module);
        let copied = fs::copy(&from, folder.join(format!("{}.wasm", module.name)));
        copied.map(drop).map_err(|error| format!("{}: {error}", from.display()))
    })
}
