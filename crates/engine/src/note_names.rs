//! Names under which measurements of this machine are stored ("notes"). A name holds all that the measurement depends
//! on, so with another browser, driver, GPU, model or version of this program it is not found, and measured again.

/// Incremented with each change of what a note holds or how it is measured.
const VERSION: &str = concat!("4 ", env!("CARGO_PKG_VERSION"));

/// The device that was chosen for a model.
pub fn device(model: &str, gpu: &str, driver: &str) -> String {
    format!("device {VERSION} {model} {gpu} {driver}")
}

/// The fastest instructions for weights of this quantisation.
pub fn isa(quantization: &str, driver: &str) -> String {
    format!("isa {VERSION} {quantization} {driver}")
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
    fn notes_of_other_versions_are_told_apart() {
        assert!(is_current(&device("ab", "GPU", "Browser")) && is_current(&isa("q8_0", "Browser")));
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
