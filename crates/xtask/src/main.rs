//! `cargo xtask`: sets up, builds, serves and tests Beitscope. `cargo xtask help` says how.
//!
//! ```text
//! serve ─┐                      ┌─ tools: rustup's target, Trunk, wasm-bindgen (set-up); wasm-opt
//! build ─┴─ site ── workers ────┤
//! test  ─── fmt, clippy, unit…  └─ browser: Chromium and its driver, Firefox, WebKit
//! ```

mod added_models;
mod app_shell;
mod apt;
mod args;
mod axe;
mod bench;
mod bits32;
mod browser;
mod cache;
mod class_names;
mod codecs;
mod deny;
mod embed;
mod folder;
mod fuzz;
mod hosts;
mod models;
mod npm;
mod package;
mod pages_workflow;
mod process;
mod profile;
mod project;
mod runtimes;
mod serve;
mod site;
mod stamp;
mod test;
mod toolchain;
mod tools;
mod types;
mod version;
mod vulkan;
mod wasm_opt;
mod workers;
#[cfg(test)]
mod workflows;

use std::path::Path;
use std::process::ExitCode;

use added_models::{AddedModels, Beitscope};
use args::Command;
use clap::{CommandFactory, Parser};
use profile::Profile;
use project::Project;

/// Errors are sentences for the person at the terminal, and say what to do.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    if std::env::args_os().len() < 2 {
        // A bare `cargo xtask` asks for help, which is no error.
        return Command::command().print_help().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    match run(Command::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Makes a site ready for a host and lists the files that were written.
fn prepare(host: hosts::Host, site: &Path) -> Result<()> {
    for file in hosts::prepare(host, site)? {
        println!("{}", file.display());
    }
    eprintln!("{} is ready for {}: docs/hosting.md tells how to go on.", site.display(), host.name());
    Ok(())
}

/// Returns false where the command failed and has printed why.
fn run(command: Command) -> Result<bool> {
    let project = Project::find()?;
    match command {
        Command::Setup => tools::set_up(&project)?.announce(),
        Command::Hook => site::finish_staged(&project, || tools::set_up(&project))?,
        Command::Build { out, host, models, model_first } => {
            // Before the long work: a model may not be there.
            let added = match &models[..] {
                [] => AddedModels::default(),
                models => AddedModels::convert(&project, &Beitscope::build(&project)?, models, model_first)?,
            };
            let site = site::build(&project, &tools::set_up(&project)?, Profile::Release, &out, added)?;
            if let Some(host) = host {
                prepare(host, &site)?;
            }
        }
        Command::Package => {
            let tools = tools::set_up(&project)?;
            let folder = package::SITE.as_ref();
            let site = site::build(&project, &tools, Profile::Release, folder, AddedModels::default())?;
            println!("{}", package::assemble(&project, &site)?.display());
        }
        Command::Host { host, site } => prepare(host, &project.root.join(site))?,
        Command::Workflow => println!("{}", pages_workflow::write(&project.root)?.display()),
        Command::Serve { port, open } => serve::serve(&project, port, open)?,
        Command::Bench { arguments } => bench::run(&project, &arguments)?,
        Command::Types => types::check(&project)?,
        Command::Test { list: true, .. } => print!("{}", test::list()),
        Command::Test { names, list: false } => return test::run(&project, &names),
    }
    Ok(true)
}
