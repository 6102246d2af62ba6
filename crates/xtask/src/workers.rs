//! The web workers: one wasm build of the `worker` crate for each set of instructions a browser may
//! know, since a module with one instruction that a browser does not know is refused as a whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::Result;
use crate::process::{self, human_duration, run, run_logged};
use crate::profile::{CARGO_PROFILE, Profile};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};
use crate::toolchain::TARGET;
use crate::tools::Tools;
use crate::wasm_opt::{self, WasmOpt};

/// One build of the worker.
pub struct Variant {
    /// Its folder's name below `workers/`, and what the page asks for.
    pub name: &'static str,
    /// Flags for the compiler.
    rustflags: &'static [&'static str],
    /// More arguments for cargo, such as those that rebuild the standard library.
    cargo: &'static [&'static str],
    /// More environment for cargo.
    environment: &'static [(&'static str, &'static str)],
}

/// What threads need: a memory that workers can share and that whoever starts the module brings along, and
/// the standard library built anew for it, since the one that comes with Rust has no atomics.
macro_rules! threads {
    ($features:literal) => {
        &[
            concat!("-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals,", $features),
            "-Clink-arg=--shared-memory",
            "-Clink-arg=--import-memory",
            // The most that worker.js may ask the browser for.
            "-Clink-arg=--max-memory=2147483648",
            "-Clink-arg=--export=__wasm_init_tls",
            "-Clink-arg=--export=__tls_size",
            "-Clink-arg=--export=__tls_align",
            "-Clink-arg=--export=__tls_base",
        ]
    };
}
const BUILD_STD: &[&str] = &["-Zbuild-std=std,panic_abort"];
/// Lets the stable compiler do that.
const BOOTSTRAP: &[(&str, &str)] = &[("RUSTC_BOOTSTRAP", "1")];

const SIMD128: Variant =
    Variant { name: "simd128", rustflags: &["-Ctarget-feature=+simd128"], cargo: &[], environment: &[] };

const SIMD128_THREADS: Variant = Variant {
    name: "simd128-threads",
    rustflags: threads!("+simd128"),
    cargo: BUILD_STD,
    environment: BOOTSTRAP,
};

const RELAXED_THREADS: Variant = Variant {
    name: "relaxed-threads",
    rustflags: threads!("+simd128,+relaxed-simd"),
    cargo: BUILD_STD,
    environment: BOOTSTRAP,
};

/// The build that most browsers take: Chromium and Firefox, where the page is isolated.
pub const FIRST: &[Variant] = &[RELAXED_THREADS];

/// The other builds that a site has.
pub const OTHERS: &[Variant] = &[SIMD128, SIMD128_THREADS];

/// What runs in every browser.
pub const PLAIN: Variant = SIMD128;

/// It compiles every line of the worker but those of a build without threads.
pub const LINTED: Variant = RELAXED_THREADS;
/// The rest.
pub const LINTED_AT_NIGHT: Variant = SIMD128;

/// The kernels' tests are built with these: instructions without threads, which need no library built anew.
pub const TESTED: [Variant; 2] = [
    SIMD128,
    Variant {
        name: "relaxed",
        rustflags: &["-Ctarget-feature=+simd128,+relaxed-simd"],
        cargo: &[],
        environment: &[],
    },
];

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

    /// Cargo that lints the page and the worker together, for this variant's instructions but with Rust's own library:
    /// lints run no code. Without its environment too: build scripts notice RUSTC_BOOTSTRAP, and what this machine runs
    /// while it compiles would be compiled anew, here and in the next step.
    pub fn cargo_clippy(&self, project: &Project) -> Command {
        let mut cargo = Self { cargo: &[], environment: &[], ..*self }.cargo(project, "clippy");
        cargo.args([
            "--package",
            "web",
            "--package",
            "worker",
            "--package",
            "archive-names",
            "--",
            "-D",
            "warnings",
        ]);
        cargo
    }

    /// A target folder of its own: of libraries for other languages (`cdylib`) cargo keeps only one.
    pub fn cargo_target(&self, project: &Project) -> PathBuf {
        project.cargo_target.join(format!("wasm-{}", self.name))
    }

    /// Cargo that builds a package's module, with this choice of it, as the site has it.
    pub fn cargo_module(&self, project: &Project, profile: Profile, package: &[&str]) -> Command {
        // `rustc` is `build`, with arguments for the last crate alone.
        let mut cargo = self.cargo(project, "rustc");
        cargo
            .args(package)
            .args(["--lib", "--profile", CARGO_PROFILE, "--target-dir"])
            .arg(self.cargo_target(project));
        // Both profiles are linked from the same dependencies: cargo would compile them anew for another kind of LTO,
        // though that changes nothing in them.
        Profile::Dev.apply(&mut cargo);
        if profile.is_release() {
            cargo.args(["--", "-Clto=fat"]);
        }
        cargo
    }

    /// Builds a package's example for speed; the module.
    pub fn build_example(&self, project: &Project, package: &str, example: &str) -> Result<PathBuf> {
        let folder = self.cargo_target(project);
        let mut cargo = self.cargo(project, "build");
        cargo.args(["--quiet", "--release", "--package", package, "--example", example, "--target-dir"]);
        run(cargo.arg(&folder))?;
        Ok(folder.join(TARGET).join("release/examples").join(format!("{example}.wasm")))
    }

    /// Builds the worker into a folder of its own below [`Project::workers`], unless it is there and nothing has
    /// changed.
    fn build(&self, project: &Project, tools: &Tools, profile: Profile) -> Result<()> {
        let started = Instant::now();
        let cargo = &mut self.cargo_module(project, profile, &["--package", "worker"]);
        run_logged(cargo, &project.log(&format!("worker-{}", self.name))?)?;
        let wasm = self.cargo_target(project).join(TARGET).join(CARGO_PROFILE).join("worker.wasm");

        // Cargo knows best whether the program changed; what follows depends only on its output.
        let finished = project.workers(profile).join(self.name);
        let stamp = Stamp::new(&project.stamps(), &finished);
        let optimiser = wasm_opt::of_profile(project, profile)?;
        let inputs = inputs(project, tools, optimiser.as_ref(), &wasm)?;
        if stamp.is_fresh(&inputs)? {
            return Ok(());
        }
        let partial = project.workers(profile).join(format!("{}.partial", self.name));
        let io_error = |error| format!("can't finish the worker {}: {error}", self.name);
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(io_error)?;
        }
        fs::create_dir_all(&partial).map_err(io_error)?;
        let mut wasm_bindgen = Command::new(&tools.wasm_bindgen);
        wasm_bindgen.args(["--target", "web", "--no-typescript", "--out-name", "glue", "--out-dir"]);
        run(wasm_bindgen.arg(&partial).arg(&wasm))?;
        let module = partial.join("glue_bg.wasm");
        if let Some(wasm_opt) = &optimiser {
            // Which instructions it may use, the module says itself.
            wasm_opt.optimise(&module, &module)?;
        }
        for script in ["worker.js", "helper.js", "reader.js"] {
            let from = scripts(project).join(script);
            fs::copy(&from, partial.join(script)).map_err(|error| format!("{}: {error}", from.display()))?;
        }

        if finished.exists() {
            fs::remove_dir_all(&finished).map_err(io_error)?;
        }
        fs::rename(&partial, &finished).map_err(io_error)?;
        stamp.write(&inputs)?;
        let bytes = fs::metadata(finished.join("glue_bg.wasm")).map_err(io_error)?.len();
        eprintln!(
            "Built the worker {} ({:.1} MB) in {}.",
            self.name,
            bytes as f64 / 1e6,
            human_duration(started.elapsed())
        );
        Ok(())
    }
}

fn inputs(project: &Project, tools: &Tools, optimiser: Option<&WasmOpt>, wasm: &Path) -> Result<Fingerprint> {
    let mut inputs = Fingerprint::new();
    inputs.text(&tools.versions);
    if let Some(wasm_opt) = optimiser {
        wasm_opt.add_to(&mut inputs);
    }
    inputs.path(wasm)?.path(&scripts(project))?;
    Ok(inputs)
}

/// The modules that start the worker and its threads.
fn scripts(project: &Project) -> PathBuf {
    project.root.join("crates/worker/js")
}

/// Builds these variants side by side: much of a build is one processor's work.
pub fn build(project: &Project, tools: &Tools, profile: Profile, variants: &'static [Variant]) -> Result<()> {
    thread::scope(|scope| {
        let start = |variant: &'static Variant| scope.spawn(move || variant.build(project, tools, profile));
        let builds: Vec<_> = variants.iter().map(start).collect();
        builds.into_iter().try_for_each(process::joined)
    })
}

/// Copies the variants that are built into a site's `workers/`. Each appears whole or not at all.
pub fn put(project: &Project, profile: Profile, variants: &[Variant], site: &Path) -> Result<()> {
    let folder = site.join("workers");
    variants.iter().try_for_each(|Variant { name, .. }| {
        let (partial, finished) = (folder.join(format!(".{name}")), folder.join(name));
        let copy = || {
            fs::create_dir_all(&partial)?;
            for file in fs::read_dir(project.workers(profile).join(name))? {
                let file = file?;
                fs::copy(file.path(), partial.join(file.file_name()))?;
            }
            if finished.exists() {
                fs::remove_dir_all(&finished)?;
            }
            fs::rename(&partial, &finished)
        };
        copy().map_err(|error: io::Error| format!("{}: {error}", finished.display()))
    })
}
