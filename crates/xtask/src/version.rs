//! Which versions are wanted, and which are there.

use std::fs;
use std::path::Path;

use crate::Result;

/// The version of `package` that Cargo.lock pins.
pub fn locked(lock: &Path, package: &str) -> Result<String> {
    let text = fs::read_to_string(lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    find_locked(&text, package)
        .ok_or_else(|| format!("{} does not pin one version of {package}", lock.display()))
}

/// `None` where the lock names no version of `package`, or several.
fn find_locked(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut versions = lock
        .split("[[package]]")
        .filter(|entry| entry.lines().any(|line| line == name))
        .filter_map(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")));
    let version = versions.next()?.trim_matches('"').to_owned();
    versions.next().is_none().then_some(version)
}

/// The version in what `--version` prints: the first word that starts with a digit.
/// `Chromium 156.0.1.2 built on Debian` → `156.0.1.2`; `wasm-bindgen 0.2.130 (abc)` → `0.2.130`.
pub fn printed(text: &str) -> Option<&str> {
    text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
}

/// The number before a version's first dot.
pub fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
dependencies = [
 "wasm-bindgen-macro",
]

[[package]]
name = "wasm-bindgen-macro"
version = "0.2.131"

[[package]]
name = "rand"
version = "0.8.5"

[[package]]
name = "rand"
version = "0.9.0"
"#;

    #[test]
    fn the_lock_names_versions() {
        assert_eq!(find_locked(LOCK, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(find_locked(LOCK, "rand"), None, "two versions are no pin");
        assert_eq!(find_locked(LOCK, "yew"), None);
        let message = locked(Path::new("no/such/Cargo.lock"), "yew").unwrap_err();
        assert!(message.contains("no/such/Cargo.lock"), "{message}");
    }

    #[test]
    fn programs_print_versions() {
        for (text, expected) in [
            ("trunk 0.21.14\n", Some("0.21.14")),
            ("wasm-bindgen 0.2.130 (a1b2c3)", Some("0.2.130")),
            ("wasm-opt version 132 (version_132)", Some("132")),
            ("Chromium 156.0.7445.11 built on Debian GNU/Linux 12", Some("156.0.7445.11")),
            ("ChromeDriver 156.0.7445.11 (9f)", Some("156.0.7445.11")),
            ("command not found", None),
            ("", None),
        ] {
            assert_eq!(printed(text), expected, "{text}");
        }
        assert_eq!(major("156.0.7445.11"), Some(156));
        assert_eq!(major("v8"), None);
    }
}
