//! The static site: Trunk builds the page and copies the files beside it; the workers are put in as they are built.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use crate::added_models::AddedModels;
use crate::process::{human_duration, joined, run_logged};
use crate::profile::{CARGO_PROFILE, Profile};
use crate::project::Project;
use crate::stamp::{Fingerprint, Stamp};
use crate::toolchain::TARGET;
use crate::tools::Tools;
use crate::{Result, app_shell, class_names, codecs, embed, models, wasm_opt, workers};

/// Tells the tests in a browser which site to open, relative to the workspace's root.
pub const VARIABLE: &str = "BEITSCOPE_SITE";

/// Set while this command runs Trunk, whose hook has nothing to do then.
const BY_XTASK: &str = "BEITSCOPE_SITE_BY_XTASK";

/// A site under construction.
pub struct Site<'a> {
    project: &'a Project,
    tools: &'a Tools,
    profile: Profile,
    /// Its folder.
    pub out: PathBuf,
    started: Instant,
    stamp: Stamp,
    /// What the page was made from.
    page: Fingerprint,
    added: AddedModels,
}

impl<'a> Site<'a> {
    /// Builds the page and the worker that most browsers take into `out` (relative to the workspace's root), unless
    /// they are there and nothing has changed. The models in `added` are put in beside those of the project.
    ///
    /// # Errors
    /// Also when `out` holds something else, which would be deleted.
    pub fn begin(
        project: &'a Project,
        tools: &'a Tools,
        profile: Profile,
        out: &Path,
        added: AddedModels,
    ) -> Result<Self> {
        let started = Instant::now();
        let out = project.root.join(out);
        let stamp = Stamp::new(&project.stamps(), &out);
        let is_own_folder =
            out == project.root.join(Profile::Release.site()) || out.starts_with(project.root.join("target"));
        let ours = stamp.exists() || is_own_folder;
        if !ours && fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(format!(
                "{} is not empty and was not made by this command, which deletes what is in its output \
                 folder: choose another folder, or empty this one",
                out.display()
            ));
        }

        eprintln!("Building a worker and the page: {} the first time, else seconds.", time_needed(profile));
        thread::scope(|scope| {
            // Beside the worker, which has a target folder of its own.
            let page = scope.spawn(|| build_page(project, profile));
            let worker = workers::build(project, tools, profile, workers::FIRST);
            joined(page).and(worker)
        })?;

        // Taken before Trunk runs: what is edited meanwhile is built next time.
        let mut page = page_inputs(project, tools)?;
        added.add_to(&mut page)?;
        let site = Self { project, tools, profile, out, started, stamp, page, added };
        if !site.stamp.is_fresh(&site.inputs()?)? {
            site.run_trunk()?;
            finish_page(project, &site.out, &site.added)?;
            workers::put(project, profile, workers::FIRST, &site.out)?;
            eprintln!("Built the page in {}.", human_duration(started.elapsed()));
        }
        Ok(site)
    }

    /// Builds what [`Site::begin`] has left out: the workers for other browsers, the decoders of rare formats, and the
    /// list of files to be kept for use without a network. Returns the site's folder.
    pub fn finish(self) -> Result<PathBuf> {
        workers::build(self.project, self.tools, self.profile, workers::OTHERS)?;
        codecs::build(self.project, self.profile)?;
        let inputs = self.inputs()?;
        if !self.stamp.is_fresh(&inputs)? {
            workers::put(self.project, self.profile, workers::OTHERS, &self.out)?;
            codecs::put(self.project, self.profile, &self.out)?;
            app_shell::list(&self.out)?;
            self.stamp.write(&inputs)?;
        }
        let (files, bytes) = size(&self.out).map_err(|error| format!("{}: {error}", self.out.display()))?;
        eprintln!(
            "The site is in {}: {files} files, {:.1} MB ({}).",
            self.out.display(),
            bytes as f64 / 1e6,
            human_duration(self.started.elapsed())
        );
        Ok(self.out)
    }

    fn inputs(&self) -> Result<Fingerprint> {
        let mut inputs = self.page.clone();
        inputs.path(&self.project.workers(self.profile))?.path(&self.project.codecs(self.profile))?;
        Ok(inputs)
    }

    fn run_trunk(&self) -> Result<()> {
        let Self { project, tools, profile, out, .. } = self;
        let optimiser = wasm_opt::of_profile(project, *profile)?;
        let others: Vec<_> = optimiser.iter().map(|found| found.program.as_path()).collect();
        let mut trunk = project.command(&tools.trunk.to_string_lossy());
        trunk
            // Everything is there already, so that Trunk has nothing to download.
            .args(["build", "--offline=true", "--skip-version-check", "--cargo-profile", CARGO_PROFILE])
            // Whether it runs wasm-opt; the cargo profile is set above.
            .arg(format!("--release={}", profile.is_release()))
            .arg("--dist")
            .arg(out)
            .env("PATH", tools.path(&others)?)
            .env("CARGO_TARGET_DIR", &project.cargo_target)
            .env(BY_XTASK, "1")
            // Trunk stops at the usual value, 1.
            .env_remove("NO_COLOR");
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            trunk.env_remove(name);
        }
        profile.apply(&mut trunk);
        run_logged(&mut trunk, &project.log("trunk")?)
    }
}

/// Builds the whole site into `out` and returns its folder. See [`Site`].
pub fn build(
    project: &Project,
    tools: &Tools,
    profile: Profile,
    out: &Path,
    added: AddedModels,
) -> Result<PathBuf> {
    Site::begin(project, tools, profile, out, added)?.finish()
}

/// Trunk's hook, for whoever runs `trunk build`: finishes the site that Trunk has staged.
pub fn finish_staged(project: &Project, tools: impl FnOnce() -> Result<Tools>) -> Result<()> {
    if std::env::var_os(BY_XTASK).is_some() {
        return Ok(());
    }
    let staged = std::env::var_os("TRUNK_STAGING_DIR").map(PathBuf::from);
    let staged =
        staged.ok_or("TRUNK_STAGING_DIR is not set: `cargo xtask hook` is what Trunk runs (Trunk.toml)")?;
    let tools = tools()?;
    for variants in [workers::FIRST, workers::OTHERS] {
        workers::build(project, &tools, Profile::Release, variants)?;
        workers::put(project, Profile::Release, variants, &staged)?;
    }
    codecs::build(project, Profile::Release)?;
    codecs::put(project, Profile::Release, &staged)?;
    finish_page(project, &staged, &AddedModels::default())?;
    app_shell::list(&staged)
}

/// What Trunk's output lacks beside the workers.
fn finish_page(project: &Project, site: &Path, added: &AddedModels) -> Result<()> {
    models::index(site, added.put(project, site)?, added.are_first)?;
    class_names::put(&project.root, site)?;
    embed::finish(&project.root, site)
}

fn build_page(project: &Project, profile: Profile) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["build", "--package", "web", "--target", TARGET, "--profile", CARGO_PROFILE]);
    profile.apply(&mut cargo);
    run_logged(&mut cargo, &project.log("page")?)
}

fn time_needed(profile: Profile) -> &'static str {
    match profile {
        Profile::Dev => "2 to 3 minutes on 2 cores",
        Profile::Release => "5 to 10 minutes on 2 cores",
    }
}

/// What Trunk reads: the page's program and whatever index.html names.
fn page_inputs(project: &Project, tools: &Tools) -> Result<Fingerprint> {
    let root = &project.root;
    let mut inputs = Fingerprint::new();
    inputs.text(&tools.versions);
    let program = project.cargo_target.join(TARGET).join(CARGO_PROFILE).join("web.wasm");
    let own = [program, root.join("Trunk.toml"), root.join("index.html"), root.join("web")];
    for path in own.into_iter().chain(class_names::files(root)) {
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
              href="target/notes"
            />
            <script data-trunk src="web/early.js"></script>
            <base data-trunk-public-url>
          </head></html>"#;
        let assets: Vec<_> = trunk_assets(html).collect();
        assert_eq!(assets, ["web/Cargo.toml", "target/notes", "web/early.js"]);
    }
}
