//! `cargo xtask bench`: what is quick and what is not, on this machine.

use crate::args::DEFAULT_OUT;
use crate::process;
use crate::project::Project;
use crate::{Result, browser, site, tools};

/// Times the kernels natively, then whole photos in Chromium (`tests/bench.rs`, which knows the arguments).
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    site::build(project, &tools::set_up(project)?, DEFAULT_OUT.as_ref())?;
    let browser = browser::find(project)?;
    println!("\n== Kernels, natively");
    cargo(project, &["run", "--quiet", "--release", "--package", "kernels", "--example", "bench"])?;
    if arguments.is_empty() {
        println!("\nFor photos in a browser, name folders of converted models: cargo xtask bench MODEL…");
        return Ok(());
    }
    println!("\n== Photos in Chromium {}", browser.version);
    let mut words = vec!["run", "--quiet", "--package", "tests", "--example", "bench", "--"];
    words.extend(arguments.iter().map(String::as_str));
    cargo(project, &words)
}

fn cargo(project: &Project, words: &[&str]) -> Result<()> {
    process::run(project.cargo().args(words))
}
