//! `cargo xtask serve`: the built site on this machine.

use std::process::{Command, Stdio};

use server::{Options, Server};

use crate::args::DEFAULT_OUT;
use crate::process::find_on_path;
use crate::project::Project;
use crate::{Result, site, tools};

/// Builds the site and serves it, with cross-origin isolation, until the process ends.
pub fn serve(project: &Project, port: u16, open: bool) -> Result<()> {
    let options = |root| Options { port, ..Options::new(root) };
    // A busy port is told before the long work, not after it.
    Server::start(options(project.root.clone())).map_err(|error| error.to_string())?;
    let site = site::build(project, &tools::set_up(project)?, DEFAULT_OUT.as_ref())?;
    let server = Server::start(options(site)).map_err(|error| error.to_string())?;
    println!("Beitscope is ready at {} (stop it with Ctrl-C)", server.url());
    if open {
        open_browser(&server.url());
    }
    server.join();
    Ok(())
}

fn open_browser(url: &str) {
    let opener = ["xdg-open", "open", "explorer"].into_iter().find_map(find_on_path);
    let opened = opener.is_some_and(|program| {
        let mut command = Command::new(program);
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().is_ok()
    });
    if !opened {
        eprintln!("No program to open a browser with was found; open {url} yourself.");
    }
}
