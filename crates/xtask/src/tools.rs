//! The set-up: rustup's wasm target, and the tools that every build needs, each used from the PATH where it is right,
//! else installed once into this user's [`Cache`].

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::cache::Cache;
use crate::process::{find_on_path, human_duration, output, run_logged};
use crate::project::Project;
use crate::version::{locked, printed};
use crate::{Result, toolchain};

/// The last one that Rust 1.95 compiles.
const TRUNK: &str = "0.21.14";

const CARGO_FUZZ: &str = "0.13.2";

/// The tools of a build, all there and of the right versions.
pub struct Tools {
    pub trunk: PathBuf,
    pub wasm_bindgen: PathBuf,
    /// Runs `#[wasm_bindgen_test]` functions; of wasm-bindgen's version.
    pub wasm_bindgen_test_runner: PathBuf,
    /// The tools' versions, for stamps: another tool makes another output.
    pub versions: String,
}

impl Tools {
    /// A PATH on which this wasm-bindgen, and `others`, are the first of their names: Trunk looks them up there.
    pub fn path(&self, others: &[&Path]) -> Result<OsString> {
        let needed = others.iter().copied().chain([self.wasm_bindgen.as_path()]);
        let hidden = needed.filter(|tool| {
            let name = tool.file_name().unwrap_or_default().to_string_lossy();
            find_on_path(&name).as_deref() != Some(*tool)
        });
        let own = hidden.filter_map(Path::parent).map(Path::to_owned);
        let old = env::var_os("PATH").unwrap_or_default();
        env::join_paths(own.chain(env::split_paths(&old))).map_err(|error| format!("the PATH: {error}"))
    }

    /// Tells which tools are used.
    pub fn announce(&self) {
        for tool in [&self.trunk, &self.wasm_bindgen, &self.wasm_bindgen_test_runner] {
            println!("{}", tool.display());
        }
        println!("{}", self.versions);
    }
}

/// Sees to it that everything a build needs is there.
pub fn set_up(project: &Project) -> Result<Tools> {
    let cache = Cache::find()?;
    let rustc = output(project.command("rustc").arg("-vV"))?;
    toolchain::ensure(project, &rustc)?;
    let wasm_bindgen_version = locked(&project.root.join("Cargo.lock"), "wasm-bindgen")?;
    let wasm_bindgen = from_crate(
        &cache,
        &Crate {
            name: "wasm-bindgen-cli",
            version: &wasm_bindgen_version,
            programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
            features: &[],
            takes: "a minute on 2 cores",
            lock: Lock::IfItResolves,
        },
    )?;
    let trunk = from_crate(
        &cache,
        &Crate {
            name: "trunk",
            version: TRUNK,
            programs: &["trunk"],
            // It is given the other tools, so it downloads nothing.
            features: &["--no-default-features"],
            takes: "2 to 3 minutes on 2 cores",
            lock: Lock::Always,
        },
    )?;
    cache.clean()?;

    let versions = format!(
        "trunk {TRUNK}, wasm-bindgen {wasm_bindgen_version}, {}",
        rustc.lines().next().unwrap_or_default(),
    );
    let [wasm_bindgen, wasm_bindgen_test_runner] = &wasm_bindgen[..] else {
        unreachable!("two programs were asked for")
    };
    Ok(Tools {
        trunk: trunk[0].clone(),
        wasm_bindgen: wasm_bindgen.clone(),
        wasm_bindgen_test_runner: wasm_bindgen_test_runner.clone(),
        versions,
    })
}

/// cargo-fuzz, which only fuzzing needs.
pub fn cargo_fuzz() -> Result<PathBuf> {
    let cache = Cache::find()?;
    let wanted = Crate {
        name: "cargo-fuzz",
        version: CARGO_FUZZ,
        programs: &["cargo-fuzz"],
        features: &[],
        takes: "a minute on 2 cores",
        lock: Lock::Always,
    };
    let programs = from_crate(&cache, &wanted)?;
    cache.clean()?;
    Ok(programs[0].clone())
}

/// A tool that is compiled from its crate.
struct Crate<'a> {
    name: &'a str,
    version: &'a str,
    /// All of this version, all needed.
    programs: &'a [&'a str],
    /// Arguments for cargo that leave out what is not needed.
    features: &'a [&'a str],
    /// How long that takes.
    takes: &'a str,
    lock: Lock,
}

/// Whether a crate's own lock file rules its dependencies' versions.
#[derive(PartialEq)]
enum Lock {
    Always,
    /// wasm-bindgen-cli's names a version that some registries lack.
    IfItResolves,
}

/// The crate's programs, in the order it names them.
fn from_crate(cache: &Cache, wanted: &Crate) -> Result<Vec<PathBuf>> {
    let right = |program: &PathBuf| {
        let text = output(Command::new(program).arg("--version")).unwrap_or_default();
        printed(&text) == Some(wanted.version)
    };
    let on_path: Option<Vec<_>> =
        wanted.programs.iter().map(|program| find_on_path(program).filter(right)).collect();
    if let Some(programs) = on_path {
        return Ok(programs);
    }
    let folder = cache.folder_of(wanted.name, wanted.version);
    if !folder.is_dir() {
        cache.install(wanted.name, wanted.version, |into, scratch| compile(wanted, into, scratch))?;
    }
    let program = |name| folder.join("bin").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    Ok(wanted.programs.iter().map(program).collect())
}

fn compile(wanted: &Crate, into: &Path, scratch: &Path) -> Result<()> {
    let Crate { name, version, .. } = wanted;
    eprintln!("Installing {name} {version} from source, once for this user: about {}.", wanted.takes);
    let started = Instant::now();
    let cargo_install = |locked: bool| {
        let mut cargo = Command::new("cargo");
        cargo.args(["install", name, "--version", version, "--debug"]).args(wanted.features);
        cargo.arg("--root").arg(into);
        if locked {
            cargo.arg("--locked");
        }
        // Away from the workspace, whose settings are not meant for this.
        cargo.current_dir(into).env("CARGO_TARGET_DIR", scratch.join("target"));
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(variable);
        }
        // Unoptimised: they move files for a second or two, and would take minutes longer to compile.
        cargo
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
        run_logged(&mut cargo, &scratch.join(format!("{name}.log")))
    };
    let mut installed = cargo_install(true);
    if installed.is_err() && wanted.lock == Lock::IfItResolves {
        installed = cargo_install(false);
    }
    installed.map_err(|error| {
        let locked = if wanted.lock == Lock::Always { " --locked" } else { "" };
        format!(
            "{name} {version} could not be installed; `cargo install {name} --version \
             {version}{locked}` gets it by hand. {error}"
        )
    })?;
    eprintln!("Installed {name} {version} in {}.", human_duration(started.elapsed()));
    Ok(())
}
