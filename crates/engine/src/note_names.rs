//! Names under which measurements of this machine are stored ("notes"). A name holds all that the measurement depends
//! on, so with another browser, driver, GPU, model or version of this program it is not found, and measured again.

use kernels::Isa;

/// Incremented with each change of what a note holds or how it is measured.
const VERSION: &str = concat!("4 ", env!("CARGO_PKG_VERSION"));

/// The device that was chosen for a model.
pub fn device(model: &str, gpu: &str, driver: &str) -> String {
    format!("device {VERSION} {model} {gpu} {driver}")
}

/// The fastest of these instructions for weights of this quantisation. Another build of the worker has others, and may
/// have faster ones: what one has measured says nothing to it.
pub fn isa(quantization: &str, measured: &[Isa], driver: &str) -> String {
    let names: Vec<_> = measured.iter().map(|isa| isa.name()).collect();
    format!("isa {VERSION} {quantization} {} {driver}", names.join("+"))
}

/// Whether this version of the program wrote a note of this name.
pub fn is_current(name: &str) -> bool {
    ["device ", "isa "]
        .iter()
        .any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(&format!("{VERSION} "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_with_other_instructions_measures_anew() {
        let plain = isa("q8_0", &[Isa::Simd128, Isa::Simd128Extmul], "Browser");
        let relaxed = [Isa::Simd128, Isa::Simd128Extmul, Isa::RelaxedPairs, Isa::RelaxedQuads];
        assert_ne!(plain, isa("q8_0", &relaxed, "Browser"));
    }

    #[test]
    fn notes_of_other_versions_are_told_apart() {
        assert!(
            is_current(&device("ab", "GPU", "Browser"))
                && is_current(&isa("q8_0", &[Isa::Simd128], "Browser"))
        );
        for old in [
            "verdict 0.1.0 ab GPU Browser",
            "verdict-2 0.1.0 ab GPU",
            "instructions 0.1.0 q8_0 Browser",
            "device 3 0.1.0 ab GPU Browser",
        ] {
            assert!(!is_current(old), "{old}");
        }
    }
}
