//! What dependencies may be, as deny.toml says: by cargo-deny, or, where that is not installed, the licences and the
//! sources by what cargo tells of each package.

use std::collections::HashMap;
use std::fs;

use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use crate::process::{find_on_path, output, run as run_program};
use crate::{Result, project::Project};

/// Not the advisories: their database is fetched over the network. A job of .github/workflows/ci.yml checks them.
const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];

/// Checks every dependency on every platform.
///
/// # Errors
/// When one is not as deny.toml wants it, or nothing could be checked.
pub fn run(project: &Project) -> Result<()> {
    if find_on_path("cargo-deny").is_some() {
        let arguments = ["deny", "--all-features", "check", "--hide-inclusion-graph"];
        return run_program(project.cargo().args(arguments).args(CHECKS));
    }
    println!(
        "Without cargo-deny (`cargo install cargo-deny --locked`) only licences and sources are checked."
    );
    let file = project.root.join("deny.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let rules = Rules::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let metadata =
        output(project.cargo().args(["metadata", "--format-version", "1", "--all-features", "--locked"]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().filter(|packages| !packages.is_empty());
    let packages = packages.ok_or("cargo metadata names no packages")?;
    let faults: Vec<_> = packages.iter().filter_map(|package| rules.fault(package)).collect();
    if faults.is_empty() {
        println!("{} packages have a licence and a source that deny.toml allows.", packages.len());
        return Ok(());
    }
    Err(faults.join("\n"))
}

/// The parts of deny.toml that are checked here.
struct Rules {
    allowed: Vec<Licensee>,
    /// By package.
    exceptions: HashMap<String, Vec<Licensee>>,
    registries: Vec<String>,
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
        let strings = |list: Option<&toml::Value>, field: &str| -> Result<Vec<String>> {
            let list = list.and_then(toml::Value::as_array);
            let list = list.ok_or_else(|| format!("`{field}`: expected a list, got none"))?;
            let text = |value: &toml::Value| value.as_str().map(str::to_owned);
            list.iter()
                .map(|value| text(value).ok_or_else(|| format!("`{field}`: expected text, got {value:?}")))
                .collect()
        };
        let licences = |list: Option<&toml::Value>, field: &str| -> Result<Vec<Licensee>> {
            let parsed = |name: String| {
                Licensee::parse(&name)
                    .map_err(|error| format!("`{field}`: {name} is no SPDX identifier ({})", error.reason))
            };
            strings(list, field)?.into_iter().map(parsed).collect()
        };
        let get = |table: &str, key: &str| file.get(table).and_then(|table| table.get(key));
        let mut exceptions = HashMap::new();
        for exception in get("licenses", "exceptions").and_then(toml::Value::as_array).into_iter().flatten() {
            let package = exception.get("crate").and_then(toml::Value::as_str);
            let package = package.ok_or("`licenses.exceptions`: expected `crate`, got none")?;
            let list = licences(exception.get("allow"), "licenses.exceptions.allow")?;
            exceptions.insert(package.to_owned(), list);
        }
        Ok(Self {
            allowed: licences(get("licenses", "allow"), "licenses.allow")?,
            exceptions,
            registries: strings(get("sources", "allow-registry"), "sources.allow-registry")?,
        })
    }

    /// What is wrong with a package, as `cargo metadata` tells of it.
    fn fault(&self, package: &Value) -> Option<String> {
        let text = |key: &str| package[key].as_str();
        let (name, version) = (text("name").unwrap_or("?"), text("version").unwrap_or("?"));
        let fault = self.licence_fault(name, text("license")).or_else(|| {
            // The workspace's own packages have none.
            let source = text("source")?;
            let allowed =
                source.strip_prefix("registry+").is_some_and(|url| self.registries.iter().any(|r| r == url));
            (!allowed).then(|| format!("it comes from {source}, which deny.toml does not allow"))
        })?;
        Some(format!("{name} {version}: {fault}"))
    }

    fn licence_fault(&self, name: &str, licence: Option<&str>) -> Option<String> {
        let Some(licence) = licence else { return Some("it names no licence".into()) };
        // Older packages write `MIT/Apache-2.0` for OR.
        let expression = match Expression::parse_mode(licence, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => {
                return Some(format!("its licence {licence:?} is no SPDX expression ({})", error.reason));
            }
        };
        let exceptions = self.exceptions.get(name).map(Vec::as_slice).unwrap_or_default();
        let allowed = expression
            .evaluate(|req| self.allowed.iter().chain(exceptions).any(|licensee| licensee.satisfies(req)));
        (!allowed).then(|| format!("its licence {licence:?} needs one that deny.toml does not allow"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Unicode-3.0"]
        exceptions = [{ crate = "webdriver", allow = ["MPL-2.0"] }]
        [sources]
        allow-registry = ["https://example.org/index"]
    "#;

    #[test]
    fn licences_are_expressions() {
        let rules = Rules::parse(RULES).unwrap();
        let allowed = |name: &str, licence: &str| rules.licence_fault(name, Some(licence)).is_none();
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "GPL-3.0-only OR MIT",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
        ] {
            assert!(allowed("any", licence), "{licence}");
        }
        for licence in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MPL-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "non-standard",
            "",
        ] {
            assert!(!allowed("any", licence), "{licence}");
        }
        assert!(allowed("webdriver", "MPL-2.0"));
        assert!(rules.licence_fault("any", None).is_some());
    }

    #[test]
    fn a_fault_names_package_and_reason() {
        let rules = Rules::parse(RULES).unwrap();
        let fault = |licence: Value, source: Value| {
            rules.fault(&json!({ "name": "a", "version": "1.2.3", "license": licence, "source": source }))
        };
        let registry = json!("registry+https://example.org/index");
        assert_eq!(fault(json!("MIT"), registry.clone()), None);
        assert_eq!(fault(json!("MIT"), Value::Null), None, "a member of the workspace");
        let message = fault(json!("GPL-2.0-only"), registry).unwrap();
        assert!(message.starts_with("a 1.2.3: its licence \"GPL-2.0-only\""), "{message}");
        let message = fault(json!("MIT"), json!("git+https://example.org/a")).unwrap();
        assert!(message.contains("comes from git+https://example.org/a"), "{message}");
    }

    #[test]
    fn the_projects_rules_are_read() {
        let rules = Rules::parse(include_str!("../../../deny.toml")).unwrap();
        assert!(!rules.allowed.is_empty() && !rules.registries.is_empty());
        for spoilt in ["", "[licenses]\nallow = [\"My own\"]", "[licenses]\nallow = [1]", "["] {
            assert!(Rules::parse(spoilt).is_err(), "{spoilt}");
        }
    }
}
