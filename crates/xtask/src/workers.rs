//! The web workers: one wasm build of the `worker` crate for each set of instructions a browser may
//! know, since a module with one instruction that a browser does not know is refused as a whole.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::Result;
use crate::process::{run, spoken};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};
use crate::tools::{TARGET, Tools};

/// wasm-opt's level: for speed, since a photo is a second of pure arithmetic.
const OPTIMISE: &str = "-O3";

/// One build of the worker.
pub struct Variant {
    /// Its folder's name below `workers/`, and what the page asks for.
    pub name: &'static str,
    /// Added to the flags in .cargo/config.toml.
    rustflags: &'static [&'static str],
    /// More arguments for cargo, such as those that rebuild the standard library.
    cargo: &'static [&'static str],
    /// More environment for cargo.
    environment: &'static [(&'static str, &'static str)],
}

pub const VARIANTS: [Variant; 1] =
    [Variant { name: "simd128", rustflags: &["-Ctarget-feature=+simd128"], cargo: &[], environment: &[] }];

/// Not shipped: only the kernels' tests are built with it.
pub const RELAXED: Variant = Variant {
    name: "relaxed",
    rustflags: &["-Ctarget-feature=+simd128,+relaxed-simd"],
    cargo: &[],
    environment: &[],
};

impl Variant {
    /// Cargo with this variant's flags. It keeps what different flags make side by side.
    pub fn cargo(&self, project: &Project, subcommand: &str) -> Command {
        let flags: Vec<_> = self.rustflags.iter().map(|flag| format!("{flag:?}")).collect();
        let mut cargo = project.cargo();
        cargo
            .arg(subcommand)
            .args(["--target", TARGET, "--config"])
            .arg(format!("target.{TARGET}.rustflags=[{}]", flags.join(",")))
            .args(self.cargo)
            .envs(self.environment.iter().copied());
        cargo
    }

    /// A target folder of its own: of libraries for other languages (`cdylib`) cargo keeps only one.
    fn cargo_target(&self, project: &Project) -> PathBuf {
        project.cargo_target.join(format!("wasm-{}", self.name))
    }

    fn inputs(&self, project: &Project, tools: &Tools, wasm: &Path) -> Result<Fingerprint> {
        let mut inputs = Fingerprint::new();
        inputs.text(&tools.versions).text(OPTIMISE);
        inputs.path(wasm)?.path(&entry(project))?;
        Ok(inputs)
    }
}

/// The module that a page starts as its worker.
fn entry(project: &Project) -> PathBuf {
    project.root.join("crates/worker/worker.js")
}

/// Builds every variant into a folder of its own below target/workers/, and removes other folders
/// there: the page's build copies all of them.
pub fn build(project: &Project, tools: &Tools) -> Result<()> {
    let folder = project.workers();
    let folder_error = |error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(folder_error)?;
    for entry in fs::read_dir(&folder).map_err(folder_error)? {
        let path = entry.map_err(folder_error)?.path();
        if !VARIANTS.iter().any(|variant| path.file_name() == Some(OsStr::new(variant.name))) {
            fs::remove_dir_all(&path).map_err(folder_error)?;
        }
    }
    VARIANTS.iter().try_for_each(|variant| build_variant(variant, project, tools))
}

fn build_variant(variant: &Variant, project: &Project, tools: &Tools) -> Result<()> {
    let started = Instant::now();
    let mut cargo = variant.cargo(project, "build");
    let target = variant.cargo_target(project);
    cargo.args(["--quiet", "--package", "worker", "--lib", "--profile", "wasm", "--target-dir"]);
    run(cargo.arg(&target))?;
    let wasm = target.join(TARGET).join("wasm/worker.wasm");

    // Cargo knows best whether the program changed; what follows depends only on its output.
    let finished = project.workers().join(variant.name);
    let stamp = Stamp::new(&project.stamps(), &finished);
    let inputs = variant.inputs(project, tools, &wasm)?;
    if stamp.is_fresh(&inputs)? {
        return Ok(());
    }
    let partial = project.root.join("target/workers-partial").join(variant.name);
    let io_error = |error| format!("can't finish the worker {}: {error}", variant.name);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(io_error)?;
    }
    fs::create_dir_all(&partial).map_err(io_error)?;
    let mut wasm_bindgen = Command::new(&tools.wasm_bindgen);
    wasm_bindgen.args(["--target", "web", "--no-typescript", "--out-name", "glue", "--out-dir"]);
    run(wasm_bindgen.arg(&partial).arg(&wasm))?;
    let module = partial.join("glue_bg.wasm");
    // Which instructions it may use, the module says itself.
    run(Command::new(&tools.wasm_opt).arg(OPTIMISE).arg(&module).arg("-o").arg(&module))?;
    fs::copy(entry(project), partial.join("worker.js"))
        .map_err(|error| format!("{}: {error}", entry(project).display()))?;

    if finished.exists() {
        fs::remove_dir_all(&finished).map_err(io_error)?;
    }
    fs::rename(&partial, &finished).map_err(io_error)?;
    stamp.write(&inputs)?;
    let bytes = fs::metadata(finished.join("glue_bg.wasm")).map_err(io_error)?.len();
    eprintln!(
        "Built the worker {} ({:.1} MB) in {}.",
        variant.name,
        bytes as f64 / 1e6,
        spoken(started.elapsed())
    );
    Ok(())
}
