//! The static site: Trunk builds the page and copies the workers and the other files beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::process::{run, spoken};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};
use crate::tools::{TARGET, Tools};
use crate::{Result, args::DEFAULT_OUT, embed, models, shell, workers};

/// Builds the site into `out` (relative to the workspace's root), unless it is there and nothing has
/// changed. Returns its folder.
///
/// # Errors
/// Also when `out` holds something else, which would be deleted.
pub fn build(project: &Project, tools: &Tools, out: &Path) -> Result<PathBuf> {
    let started = Instant::now();
    let out = project.root.join(out);
    let stamp = Stamp::new(&project.stamps(), &out);
    let ours = stamp.exists() || out == project.root.join(DEFAULT_OUT);
    if !ours && fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!(
            "{} is not empty and was not made by this command, which deletes what is in its output \
             folder: choose another folder, or empty this one",
            out.display()
        ));
    }

    eprintln!("Building the workers and the page: a few minutes the first time, else seconds.");
    workers::build(project, tools)?;
    let mut cargo = project.cargo();
    cargo.args(["build", "--quiet", "--package", "web", "--target", TARGET, "--profile", "wasm"]);
    run(&mut cargo)?;

    // Taken before Trunk runs: what is edited meanwhile is built next time.
    let inputs = inputs(project, tools)?;
    if !stamp.is_fresh(&inputs)? {
        let mut trunk = project.command(&tools.trunk.to_string_lossy());
        trunk
            // Everything is there already, so that Trunk has nothing to download.
            .args(["build", "--offline=true", "--skip-version-check", "--dist"])
            .arg(&out)
            .env("PATH", tools.path()?)
            .env("CARGO_TARGET_DIR", &project.cargo_target)
            // Trunk stops at the usual value, 1.
            .env_remove("NO_COLOR");
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            trunk.env_remove(name);
        }
        run(&mut trunk)?;
        models::index(&out)?;
        embed::finish(&project.root, &out)?;
        shell::list(&out)?;
        stamp.write(&inputs)?;
    }
    let (files, bytes) = size(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    eprintln!(
        "The site is in {}: {files} files, {:.1} MB ({}).",
        out.display(),
        bytes as f64 / 1e6,
        spoken(started.elapsed())
    );
    Ok(out)
}

/// What Trunk reads: the page's program and whatever index.html names.
fn inputs(project: &Project, tools: &Tools) -> Result<Fingerprint> {
    let root = &project.root;
    let mut inputs = Fingerprint::new();
    inputs.text(&tools.versions);
    let program = project.cargo_target.join(TARGET).join("wasm/web.wasm");
    for path in
        [program, root.join("Trunk.toml"), root.join("index.html"), root.join("web"), project.workers()]
    {
        inputs.path(&path)?;
    }
    let page = root.join("index.html");
    let html = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    for asset in trunk_assets(&html) {
        inputs.path(&root.join(asset))?;
    }
    Ok(inputs)
}

/// The files and folders that a page's `<… data-trunk …>` elements name.
fn trunk_assets(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').filter(|element| element.contains("data-trunk")).filter_map(|element| {
        let attributes = element.split('>').next()?;
        ["href=\"", "src=\""].into_iter().find_map(|name| attributes.split_once(name)?.1.split('"').next())
    })
}

/// Files below a folder, and their bytes.
fn size(path: &Path) -> io::Result<(usize, u64)> {
    if !path.is_dir() {
        return Ok((1, fs::metadata(path)?.len()));
    }
    fs::read_dir(path)?.try_fold((0, 0), |(files, bytes), entry| {
        let (more_files, more_bytes) = size(&entry?.path())?;
        Ok((files + more_files, bytes + more_bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::trunk_assets;

    #[test]
    fn a_page_names_its_assets() {
        let html = r#"<!doctype html><html><head>
            <link rel="canonical" href="elsewhere">
            <link data-trunk rel="rust" href="web/Cargo.toml" data-wasm-opt="z">
            <link
              data-trunk
              rel="copy-dir"
              href="target/workers"
            />
            <script data-trunk src="web/early.js"></script>
            <base data-trunk-public-url>
          </head></html>"#;
        let assets: Vec<_> = trunk_assets(html).collect();
        assert_eq!(assets, ["web/Cargo.toml", "target/workers", "web/early.js"]);
    }
}
