//! `embed/` of the built site, for other pages: what Trunk has copied from `web/embed/` becomes a package of this
//! version, with its licences.

use std::fs;
use std::path::Path;

use crate::Result;

pub const FOLDER: &str = "embed";

/// The workspace's.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSE: &str = env!("CARGO_PKG_LICENSE");
const LICENSES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Finishes the package in the built site.
pub fn finish(root: &Path, site: &Path) -> Result<()> {
    let folder = site.join(FOLDER);
    let path = folder.join("package.json");
    let describe = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| describe(&error))?;
    fs::write(&path, stamped(&text).map_err(|error| describe(&error))?).map_err(|error| describe(&error))?;
    for license in LICENSES {
        fs::copy(root.join(license), folder.join(license)).map_err(|error| format!("{license}: {error}"))?;
    }
    Ok(())
}

/// `package.json` with the workspace's version and licence. As text: in `exports` the order means something.
fn stamped(text: &str) -> Result<String> {
    let mut stamped = text.to_owned();
    for (blank, value) in [(r#""version": "0.0.0""#, VERSION), (r#""license": """#, LICENSE)] {
        let (name, _) = blank.split_once(':').unwrap_or_default();
        if stamped.matches(blank).count() != 1 {
            return Err(format!("it has no {blank} to be filled in"));
        }
        stamped = stamped.replace(blank, &format!("{name}: {value:?}"));
    }
    Ok(stamped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_package_has_the_workspaces_version_and_licence() {
        let text = stamped(include_str!("../../../web/embed/package.json")).unwrap();
        let package: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(package["version"], VERSION);
        assert_eq!(package["license"], "MIT OR Apache-2.0");
        // The first that is understood is taken, and everybody understands `default`.
        assert!(text.find("types").unwrap() < text.find("default").unwrap(), "{text}");
        assert!(stamped("{}").is_err());
    }

    /// Each file that the package promises is there.
    #[test]
    fn exports_name_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/embed");
        let package: Value = serde_json::from_str(include_str!("../../../web/embed/package.json")).unwrap();
        let exports = package["exports"].as_object().unwrap().values();
        for file in exports.flat_map(|export| export.as_object().unwrap().values()) {
            assert!(folder.join(file.as_str().unwrap()).is_file(), "{file}");
        }
    }
}
