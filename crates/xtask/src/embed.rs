//! `embed/` of the built site, for other pages: what Trunk has copied from `web/embed/` becomes a package of this
//! version, with its licences.

use std::fs;
use std::path::Path;

use crate::Result;

pub const FOLDER: &str = "embed";
/// What the paths of its files begin with.
pub const PREFIX: &str = "embed/";
/// Its files that the page's program imports too.
pub const OF_THE_PAGE: [&str; 2] = ["worker-builds.js", "worker-client.js"];

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
        assert!(text.find("\"node\": {").unwrap() < text.find("./index.d.ts").unwrap(), "{text}");
        assert!(stamped("{}").is_err());
    }

    /// The page would not open without a network if one of its imports were not kept.
    #[test]
    fn what_the_page_imports_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
        let named = |text: &str, before: &str| -> Vec<String> {
            let names = text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            names.collect()
        };
        let mut imported = named(&read("src/client.rs"), "raw_module = \"./embed/");
        for file in imported.clone() {
            imported.extend(named(&read(&format!("embed/{file}")), "from \"./"));
        }
        imported.sort_unstable();
        imported.dedup();
        assert_eq!(imported, OF_THE_PAGE);
        let page = fs::read_to_string(folder.join("../index.html")).unwrap();
        for file in OF_THE_PAGE {
            assert!(page.contains(&format!(r#"rel="modulepreload" href="embed/{file}""#)), "{file}");
        }
    }

    /// Each file that the package promises is there.
    #[test]
    fn exports_name_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/embed");
        let package: Value = serde_json::from_str(include_str!("../../../web/embed/package.json")).unwrap();
        let mut exports = vec![&package["exports"]];
        while let Some(export) = exports.pop() {
            match export {
                Value::String(file) => assert!(folder.join(file).is_file(), "{file}"),
                _ => exports.extend(export.as_object().unwrap().values()),
            }
        }
    }
}
