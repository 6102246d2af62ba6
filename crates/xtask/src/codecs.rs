//! WebAssembly modules that the page fetches when it needs them: the decoders of rare photo formats, one each, what
//! reads archives' names in any character set, and what writes keywords.

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

/// One of them.
struct Module {
    /// Its file, without the ending.
    name: &'static str,
    package: &'static str,
    /// The package's feature of which it is made.
    feature: Option<&'static str>,
}

const fn codec(name: &'static str) -> Module {
    Module { name, package: "codec-module", feature: Some(name) }
}

/// `crates/worker/src/codecs.rs` names the first ones, `web/src/archive_names.rs` and `web/keyword-writer.js` the others.
const MODULES: [Module; 5] = [
    codec("heic"),
    codec("jpeg-xl"),
    codec("jpeg-2000"),
    Module { name: "archive-names", package: "archive-names", feature: None },
    Module { name: "keyword-writer", package: "keyword-writer", feature: None },
];

/// The files of those that decode photos.
pub fn decoders() -> impl Iterator<Item = String> {
    MODULES.iter().filter(|module| module.feature.is_some()).map(|module| format!("{}.wasm", module.name))
}

/// Builds them into [`Project::codecs`], unless they are there and nothing has changed.
pub fn build(project: &Project, profile: Profile) -> Result<()> {
    MODULES.iter().try_for_each(|module| build_one(project, profile, module))
}

fn build_one(project: &Project, profile: Profile, module: &Module) -> Result<()> {
    let Module { name, package, feature } = module;
    // A library beside it could not be linked with fat LTO.
    let mut selection = vec!["--package", package, "--crate-type", "cdylib"];
    selection.extend(feature.iter().flat_map(|feature| ["--features", feature]));
    let cargo = &mut workers::PLAIN.cargo_module(project, profile, &selection);
    run_logged(cargo, &project.log(&format!("codec-{name}"))?)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    let built = workers::PLAIN.cargo_target(project).join(TARGET).join(CARGO_PROFILE).join(file);

    let finished = finished(project, profile, name);
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

fn finished(project: &Project, profile: Profile, name: &str) -> PathBuf {
    project.codecs(profile).join(format!("{name}.wasm"))
}

/// Copies what is built into a site.
pub fn put(project: &Project, profile: Profile, site: &Path) -> Result<()> {
    let folder = site.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    MODULES.iter().try_for_each(|Module { name, .. }| {
        let from = finished(project, profile, name);
        let copied = fs::copy(&from, folder.join(format!("{name}.wasm")));
        copied.map(drop).map_err(|error| format!("{}: {error}", from.display()))
    })
}
