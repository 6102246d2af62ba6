//! `cargo xtask bench`: what is quick and what is not, on this machine.

use crate::added_models::AddedModels;
use crate::process;
use crate::profile::Profile;
use crate::project::Project;
use crate::workers::TESTED;
use crate::{Result, browser, site, tools, vulkan};

/// Before everything else: kernels and photos on a GPU, natively (`gpu-report bench`, which knows the options), or, of
/// models that are named next, the page on WebGPU in Chromium.
const BACKEND: [&str; 2] = ["--backend", "gpu"];

const PHOTOS: [&str; 7] = ["run", "--quiet", "--package", "tests", "--example", "bench_page", "--"];

/// Times the kernels, natively and as WebAssembly in Chromium, then whole photos there (`tests/bench.rs`, which
/// knows the arguments).
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    if let Some(rest) = arguments.strip_prefix(&BACKEND.map(String::from)) {
        return on_gpu(project, rest);
    }
    build(project)?;
    let browser = browser::find(project)?;
    println!("\n== Kernels, natively");
    cargo(project, &["run", "--quiet", "--release", "--package", "kernels", "--example", "bench_kernels"])?;
    for variant in &TESTED {
        println!("\n== Kernels, the {} build in Chromium {}", variant.name, browser.version);
        let module = variant.build_example(project, "kernels", "bench_kernels")?;
        photos(project, &["--kernels".into(), module.display().to_string()])?;
        if variant.name == "relaxed" {
            println!("\n== The same, with V8's revectoriser (--experimental-wasm-revectorize)");
            photos(project, &["--kernels-revectorized".into(), module.display().to_string()])?;
        }
    }
    if arguments.is_empty() {
        println!("\nFor photos in a browser, name folders of converted models: cargo xtask bench MODEL…");
        return Ok(());
    }
    println!("\n== Photos in Chromium {}", browser.version);
    photos(project, arguments)
}

/// What is measured is what visitors get.
fn build(project: &Project) -> Result<()> {
    let release = Profile::Release;
    site::build(project, &tools::set_up(project)?, release, release.site().as_ref(), AddedModels::default())
        .map(drop)
}

fn photos(project: &Project, arguments: &[String]) -> Result<()> {
    cargo(project, &with(&PHOTOS, arguments))
}

fn on_gpu(project: &Project, arguments: &[String]) -> Result<()> {
    vulkan::ensure(project)?;
    if arguments.first().is_none_or(|first| first.starts_with("--")) {
        println!("\n== Kernels and photos on a GPU, natively");
        let words = ["run", "--quiet", "--release", "--package", "gpu-report", "--", "bench"];
        return cargo(project, &with(&words, arguments));
    }
    build(project)?;
    println!("\n== Photos on WebGPU in Chromium {}", browser::find(project)?.version);
    cargo(project, &with(&[&PHOTOS[..], &BACKEND].concat(), arguments))
}

fn with<'a>(words: &[&'a str], arguments: &'a [String]) -> Vec<&'a str> {
    words.iter().copied().chain(arguments.iter().map(String::as_str)).collect()
}

fn cargo(project: &Project, words: &[&str]) -> Result<()> {
    process::run(project.cargo().args(words).env(site::VARIABLE, Profile::Release.site()))
}
