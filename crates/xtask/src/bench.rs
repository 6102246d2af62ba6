//! `cargo xtask bench`: what is quick and what is not, on this machine.

use crate::args::DEFAULT_OUT;
use crate::process;
use crate::project::Project;
use crate::workers::TESTED;
use crate::{Result, browser, site, tools};

/// Times the kernels, natively and as WebAssembly in Chromium, then whole photos there (`tests/bench.rs`, which
/// knows the arguments).
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    site::build(project, &tools::set_up(project)?, DEFAULT_OUT.as_ref())?;
    let browser = browser::find(project)?;
    println!("\n== Kernels, natively");
    cargo(project, &["run", "--quiet", "--release", "--package", "kernels", "--example", "bench"])?;
    for variant in &TESTED {
        println!("\n== Kernels, the {} build in Chromium {}", variant.name, browser.version);
        let module = variant.build_example(project, "kernels", "bench")?;
        photos(project, &["--kernels".into(), module.display().to_string()])?;
    }
    if arguments.is_empty() {
        println!("\nFor photos in a browser, name folders of converted models: cargo xtask bench MODEL…");
        return Ok(());
    }
    println!("\n== Photos in Chromium {}", browser.version);
    photos(project, arguments)
}

fn photos(project: &Project, arguments: &[String]) -> Result<()> {
    let mut words = vec!["run", "--quiet", "--package", "tests", "--example", "bench", "--"];
    words.extend(arguments.iter().map(String::as_str));
    cargo(project, &words)
}

fn cargo(project: &Project, words: &[&str]) -> Result<()> {
    process::run(project.cargo().args(words))
}
