//! `cargo xtask`: sets up, builds, serves and tests Beitscope. `cargo xtask help` says how.
//!
//! ```text
//! serve ─┐                      ┌─ tools: rustup's target, Trunk, wasm-bindgen, wasm-opt (set-up)
//! build ─┴─ site ── workers ────┤
//! test  ─── fmt, clippy, unit…  └─ browser: chromium and its driver
//! ```

mod apt;
mod args;
mod browser;
mod cache;
mod process;
mod project;
mod serve;
mod site;
mod stamp;
mod test;
mod tools;
mod version;
mod vulkan;
mod workers;

use std::process::ExitCode;

use args::Command;
use project::Project;

/// What goes wrong here is told to a person at a terminal: a sentence that says what to do.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("error: {message}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well, where the command has already told what did not.
fn run(command: Command) -> Result<bool> {
    let project = Project::find()?;
    match command {
        Command::Help => println!("{}", args::HELP),
        Command::Setup => tools::set_up(&project)?.announce(),
        Command::Workers => workers::build(&project, &tools::set_up(&project)?)?,
        Command::Build { out } => {
            site::build(&project, &tools::set_up(&project)?, &out)?;
        }
        Command::Serve { port, open } => serve::serve(&project, port, open)?,
        Command::Test { names } => return test::run(&project, &names),
    }
    Ok(true)
}
