//! `cargo xtask package`: what `npm publish` takes, for pages and for Node, Deno and Bun, from a built site.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, codecs, embed, folder, project::Project};

/// The folder, below the workspace's root. Everything in it is published.
pub const FOLDER: &str = "target/package";

/// Where the site is built that it is taken from: `dist/` may have other models, for a host.
pub const SITE: &str = "target/site-package";

/// What it takes of the site beside `embed/` and decoders.
const OF_THE_SITE: [&str; 3] = ["workers", "models/demo", "licenses"];
/// Files of `embed/` that belong to the package as a whole.
const DESCRIPTION: &str = "package.json";
const OF_THE_PACKAGE: [&str; 3] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Puts the package together.
///
/// # Errors
/// Also when the site lacks a part of it.
pub fn assemble(project: &Project, site: &Path) -> Result<PathBuf> {
    let package = project.root.join(FOLDER);
    let describe = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    if package.exists() {
        fs::remove_dir_all(&package).map_err(|error| describe(&package, &error))?;
    }
    let copied = |path: &str| {
        folder::copy(&site.join(path), &package.join(path))
            .map_err(|error| describe(&site.join(path), &error))
    };
    OF_THE_SITE.iter().try_for_each(|path| copied(path))?;
    for file in codecs::decoders() {
        copied(&format!("{}/{file}", codecs::FOLDER))?;
    }
    copied(embed::FOLDER)?;
    let embed = package.join(embed::FOLDER);
    for file in fs::read_dir(&embed).map_err(|error| describe(&embed, &error))? {
        let file = file.map_err(|error| describe(&embed, &error))?;
        if file.file_name().to_string_lossy().starts_with("example.") {
            fs::remove_file(file.path()).map_err(|error| describe(&file.path(), &error))?;
        }
    }
    for file in OF_THE_PACKAGE {
        fs::rename(embed.join(file), package.join(file))
            .map_err(|error| describe(&embed.join(file), &error))?;
    }
    let of_embed = embed.join(DESCRIPTION);
    let text = fs::read_to_string(&of_embed).map_err(|error| describe(&of_embed, &error))?;
    fs::write(package.join(DESCRIPTION), of_the_package(&text))
        .map_err(|error| describe(&package, &error))?;
    fs::remove_file(&of_embed).map_err(|error| describe(&of_embed, &error))?;
    Ok(package)
}

/// `package.json` of `embed/`, whose paths begin there, for the folder above it.
fn of_the_package(text: &str) -> String {
    text.replace("\"./", &format!("\"./{}", embed::PREFIX))
        .replace(&format!("\"./{}photo-classifier\":", embed::PREFIX), "\"./photo-classifier\":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_package_names_what_is_imported_and_where_it_is() {
        let text = of_the_package(include_str!("../../../web/embed/package.json"));
        let package: Value = serde_json::from_str(&text).unwrap();
        let exports = &package["exports"];
        assert_eq!(exports["."]["node"]["default"], "./embed/node.js");
        assert_eq!(exports["./photo-classifier"]["types"], "./embed/photo-classifier.d.ts");
        assert_eq!(package["types"], "./embed/index.d.ts");
        assert_eq!(package["sideEffects"], serde_json::json!(["./embed/photo-classifier.js"]));
    }

    #[test]
    fn what_the_site_lacks_is_named_and_nothing_else_is_taken() {
        let root = std::env::temp_dir().join(format!("xtask-package-{}", std::process::id()));
        let site = root.join("site");
        let project = Project { root: root.clone(), cargo_target: root.join("target") };
        let write = |path: &str| {
            fs::create_dir_all(site.join(path).parent().unwrap()).unwrap();
            fs::write(
                site.join(path),
                if path.ends_with("package.json") { "{\"types\": \"./index.d.ts\"}" } else { path },
            )
            .unwrap();
        };
        for path in
            ["index.html", "workers/simd128/worker.js", "workers/.simd128/worker.js", "models/index.json"]
        {
            write(path);
        }
        let error = assemble(&project, &site).unwrap_err();
        assert!(error.contains("models/demo"), "{error}");

        for path in
            ["models/demo/manifest.json", "licenses/L.txt", "codecs/keyword-writer.wasm", "embed/index.js"]
        {
            write(path);
        }
        for file in codecs::decoders() {
            write(&format!("codecs/{file}"));
        }
        for file in OF_THE_PACKAGE.iter().chain(&[DESCRIPTION, "example.html"]) {
            write(&format!("embed/{file}"));
        }
        let package = assemble(&project, &site).unwrap();
        let mut found = Vec::new();
        let mut folders = vec![package.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&package).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        found.sort_unstable();
        let mut expected = vec![
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "codecs/heic.wasm",
            "codecs/jpeg-2000.wasm",
            "codecs/jpeg-xl.wasm",
            "embed/index.js",
            "licenses/L.txt",
            "models/demo/manifest.json",
            "package.json",
            "workers/simd128/worker.js",
        ];
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert!(fs::read_to_string(package.join(DESCRIPTION)).unwrap().contains("./embed/index.d.ts"));
        fs::remove_dir_all(root).unwrap();
    }
}
