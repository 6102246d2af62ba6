//! The set-up: rustup's wasm target, and the three tools a build needs, each used from the PATH
//! where it is right, else installed once into this user's [`Cache`].

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::cache::Cache;
use crate::process::{find_on_path, output, run, run_logged, spoken};
use crate::project::Project;
use crate::version::{locked, printed};
use crate::{Result, apt};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// The last one that Rust 1.95 compiles.
const TRUNK: &str = "0.21.14";

/// The npm package that brings wasm-opt.
const BINARYEN: &str = "132.0.0";

/// A module whose one function is `f32x4.relaxed_madd`, which old versions knew by another number.
const RELAXED_SIMD: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x08\x01\x60\x03\x7b\x7b\x7b\x01\x7b\
    \x03\x02\x01\0\
    \x07\x05\x01\x01f\0\0\
    \x0a\x0d\x01\x0b\0\x20\0\x20\x01\x20\x02\xfd\x85\x02\x0b";

/// What rustc's modules say they use, in a section that wasm-opt believes or refuses.
const WASM_FEATURES: [&str; 11] = [
    "atomics",
    "bulk-memory",
    "bulk-memory-opt",
    "call-indirect-overlong",
    "multivalue",
    "mutable-globals",
    "nontrapping-fptoint",
    "reference-types",
    "sign-ext",
    "simd128",
    "relaxed-simd",
];

/// The tools of a build, all there and of the right versions.
pub struct Tools {
    pub trunk: PathBuf,
    pub wasm_bindgen: PathBuf,
    /// Runs `#[wasm_bindgen_test]` functions; of wasm-bindgen's version.
    pub wasm_bindgen_test_runner: PathBuf,
    pub wasm_opt: PathBuf,
    /// The tools' versions, for stamps: another tool makes another output.
    pub versions: String,
}

impl Tools {
    /// A PATH on which these tools are the first of their names: Trunk looks them up there.
    pub fn path(&self) -> Result<OsString> {
        let needed = [("wasm-bindgen", &self.wasm_bindgen), ("wasm-opt", &self.wasm_opt)];
        let hidden = needed.into_iter().filter(|(name, tool)| find_on_path(name).as_ref() != Some(tool));
        let own = hidden.filter_map(|(_, tool)| tool.parent()).map(Path::to_owned);
        let old = env::var_os("PATH").unwrap_or_default();
        env::join_paths(own.chain(env::split_paths(&old))).map_err(|error| format!("the PATH: {error}"))
    }

    /// Tells which tools are used.
    pub fn announce(&self) {
        for tool in [&self.trunk, &self.wasm_bindgen, &self.wasm_bindgen_test_runner, &self.wasm_opt] {
            println!("{}", tool.display());
        }
        println!("{}", self.versions);
    }
}

/// Sees to it that everything a build needs is there.
pub fn set_up(project: &Project) -> Result<Tools> {
    let cache = Cache::find()?;
    let rustc = output(project.command("rustc").arg("-vV"))?;
    rust_target(project)?;
    let wasm_bindgen_version = locked(&project.root.join("Cargo.lock"), "wasm-bindgen")?;
    let wasm_bindgen = from_crate(
        &cache,
        &Crate {
            name: "wasm-bindgen-cli",
            version: &wasm_bindgen_version,
            programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
            takes: "2 to 3 minutes on 2 cores",
            lock: Lock::IfItResolves,
        },
    )?;
    let trunk = from_crate(
        &cache,
        &Crate {
            name: "trunk",
            version: TRUNK,
            programs: &["trunk"],
            takes: "8 minutes on 2 cores",
            lock: Lock::Always,
        },
    )?;
    let wasm_opt = wasm_opt(project, &cache)?;
    cache.clean()?;

    let wasm_opt_version = output(Command::new(&wasm_opt).arg("--version"))?;
    let versions = format!(
        "trunk {TRUNK}, wasm-bindgen {wasm_bindgen_version}, {}, {}",
        wasm_opt_version.trim(),
        rustc.lines().next().unwrap_or_default(),
    );
    let [wasm_bindgen, wasm_bindgen_test_runner] = &wasm_bindgen[..] else {
        unreachable!("two programs were asked for")
    };
    Ok(Tools {
        trunk: trunk[0].clone(),
        wasm_bindgen: wasm_bindgen.clone(),
        wasm_bindgen_test_runner: wasm_bindgen_test_runner.clone(),
        wasm_opt,
        versions,
    })
}

/// The standard library for wasm, and its source, from which threads need it rebuilt.
fn rust_target(project: &Project) -> Result<()> {
    let sysroot = output(project.command("rustc").args(["--print", "sysroot"]))?;
    let rustlib = Path::new(sysroot.trim()).join("lib/rustlib");
    for (there, arguments) in [
        (rustlib.join(TARGET).join("lib"), ["target", "add", TARGET]),
        (rustlib.join("src/rust/library/std/Cargo.toml"), ["component", "add", "rust-src"]),
    ] {
        if there.exists() {
            continue;
        }
        let by_hand = format!("rustup {}", arguments.join(" "));
        if find_on_path("rustup").is_none() {
            return Err(format!(
                "{} is missing and rustup is not there to add it: install Rust from \
                 https://rustup.rs, or run what your system has for `{by_hand}`",
                arguments[2]
            ));
        }
        eprintln!("Adding {} to Rust (`{by_hand}`): seconds.", arguments[2]);
        run(project.command("rustup").args(arguments))?;
    }
    Ok(())
}

/// A tool that is compiled from its crate.
struct Crate<'a> {
    name: &'a str,
    version: &'a str,
    /// All of this version, all needed.
    programs: &'a [&'a str],
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
        cargo.args(["install", name, "--version", version, "--root"]).arg(into);
        if locked {
            cargo.arg("--locked");
        }
        // Away from the workspace, whose settings are not meant for this.
        cargo.current_dir(into).env("CARGO_TARGET_DIR", scratch.join("target"));
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(variable);
        }
        // The tools run for seconds: compiling them quickly matters more than that they run quickly.
        cargo
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
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
    eprintln!("Installed {name} {version} in {}.", spoken(started.elapsed()));
    Ok(())
}

/// A wasm-opt that knows relaxed SIMD.
fn wasm_opt(project: &Project, cache: &Cache) -> Result<PathBuf> {
    if let Some(program) = find_on_path("wasm-opt").filter(|program| knows_relaxed_simd(program)) {
        return Ok(program);
    }
    let folder = cache.folder_of("binaryen", BINARYEN);
    let has_node = || find_on_path("node").is_some();
    if !has_node() || (!folder.is_dir() && find_on_path("npm").is_none()) {
        apt::install(project, "Node.js (wasm-opt runs on it)", &["nodejs", "npm"])?;
    }
    if !folder.is_dir() {
        cache.install("binaryen", BINARYEN, |into, scratch| {
            let package = format!("binaryen@{BINARYEN}");
            eprintln!("Installing wasm-opt (npm's {package}), once for this user: seconds.");
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(into).arg(&package);
            run_logged(npm.current_dir(into), &scratch.join("binaryen.log")).map_err(|error| {
                format!(
                    "wasm-opt could not be installed; `npm install --global {package}` gets it by \
                     hand. {error}"
                )
            })
        })?;
    }
    let program = folder.join("node_modules/.bin/wasm-opt");
    if knows_relaxed_simd(&program) {
        Ok(program)
    } else {
        Err(format!("{} does not work: remove {} and try again", program.display(), folder.display()))
    }
}

/// Lets it optimise a module such as the workers are: old ones refuse the section or the instruction.
fn knows_relaxed_simd(wasm_opt: &Path) -> bool {
    let probe = env::temp_dir().join(format!("relaxed-simd-{}.wasm", std::process::id()));
    let optimised = probe.with_extension("out.wasm");
    let mut command = Command::new(wasm_opt);
    command.arg("-O").arg(&probe).arg("-o").arg(&optimised);
    let module = [RELAXED_SIMD, &target_features()].concat();
    let knows = fs::write(&probe, module).is_ok() && output(&mut command).is_ok();
    for file in [probe, optimised] {
        // Where the probe failed, one of them was never written.
        let _ = fs::remove_file(file);
    }
    knows
}

/// The custom section `target_features` that lists [`WASM_FEATURES`].
fn target_features() -> Vec<u8> {
    let name = "target_features";
    let mut content = vec![name.len() as u8];
    content.extend(name.bytes());
    content.push(WASM_FEATURES.len() as u8);
    for feature in WASM_FEATURES {
        content.extend([b'+', feature.len() as u8]);
        content.extend(feature.bytes());
    }
    // The section's number, then its length in seven bits a byte, lowest first.
    let length = content.len();
    let mut section = vec![0, 0x80 | (length % 128) as u8, (length / 128) as u8];
    section.extend(content);
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_tells_its_own_length() {
        let section = target_features();
        let [0, low, high, content @ ..] = &section[..] else { panic!("{section:?}") };
        assert_eq!(usize::from(low & 0x7f) + usize::from(*high) * 128, content.len());
        assert!(*high < 128 && content.starts_with(b"\x0ftarget_features\x0b+\x07atomics+"));
    }
}
