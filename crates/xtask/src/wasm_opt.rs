//! wasm-opt, which makes the release build's modules smaller and quicker.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{find_on_path, output, run};
use crate::profile::Profile;
use crate::stamp::Fingerprint;
use crate::{Result, apt, npm, project::Project};

/// Of the npm package `binaryen`, which brings wasm-opt.
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

/// The level: for speed, since a photo is a second of pure arithmetic.
const LEVEL: &str = "-O3";

/// The program, and its version for stamps.
#[derive(Clone)]
pub struct WasmOpt {
    pub program: PathBuf,
    version: String,
}

impl WasmOpt {
    /// Optimises a module; it may take its own place.
    pub fn optimise(&self, module: &Path, to: &Path) -> Result<()> {
        run(Command::new(&self.program).arg(LEVEL).arg(module).arg("-o").arg(to))
    }

    /// Adds what its output depends on beside the module.
    pub fn add_to(&self, inputs: &mut Fingerprint) {
        inputs.text(&self.version).text(LEVEL);
    }
}

/// The one that this profile's modules go through, if any. Found once, for all threads that build modules.
pub fn of_profile(project: &Project, profile: Profile) -> Result<Option<WasmOpt>> {
    static FOUND: OnceLock<Result<WasmOpt>> = OnceLock::new();
    profile.is_release().then(|| FOUND.get_or_init(|| find(project)).clone()).transpose()
}

/// A wasm-opt that knows relaxed SIMD: from the PATH, else installed once into this user's cache.
fn find(project: &Project) -> Result<WasmOpt> {
    let program = match find_on_path("wasm-opt").filter(|program| knows_relaxed_simd(program)) {
        Some(program) => program,
        None => installed(project)?,
    };
    let version = output(Command::new(&program).arg("--version"))?.trim().to_owned();
    Ok(WasmOpt { program, version })
}

fn installed(project: &Project) -> Result<PathBuf> {
    if find_on_path("node").is_none() {
        apt::install(project, "Node.js (wasm-opt runs on it)", &["nodejs", "npm"])?;
    }
    let folder = npm::package(project, "binaryen", BINARYEN)?;
    // Where npm links it to: the path of the package's own file differs between versions.
    let program = folder.join("../.bin/wasm-opt");
    if knows_relaxed_simd(&program) {
        return Ok(program);
    }
    Err(format!("{} does not work: remove {} and try again", program.display(), folder.display()))
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
