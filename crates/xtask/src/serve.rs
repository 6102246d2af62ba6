//! `cargo xtask serve`: the built site on this machine.

use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use server::{Disturbance, Options, Request, Server};

use crate::added_models::AddedModels;
use crate::process::{find_on_path, human_duration};
use crate::profile::Profile;
use crate::project::Project;
use crate::site::Site;
use crate::{Result, app_shell, tools, workers};

/// Builds the site and serves it, with cross-origin isolation, until the process ends. It answers as soon as the page
/// and the worker that most browsers take are there; who asks for what is still being built waits for it.
pub fn serve(project: &Project, port: u16, open: bool) -> Result<()> {
    let started = Instant::now();
    let options = |root| Options { port, ..Options::new(root) };
    // A busy port is reported before the long work, not after it.
    Server::start(options(project.root.clone())).map_err(|error| error.to_string())?;
    let tools = tools::set_up(project)?;
    let site =
        Site::begin(project, &tools, Profile::Dev, Profile::Dev.site().as_ref(), AddedModels::default())?;
    let gate = Arc::new(Gate::default());
    let disturb = {
        let gate = Arc::clone(&gate);
        move |request: &Request| {
            if is_built_late(request.path()) {
                gate.wait();
            }
            Disturbance::None
        }
    };
    let options = Options { disturb: Some(Box::new(disturb)), ..options(site.out.clone()) };
    let server = Server::start(options).map_err(|error| error.to_string())?;
    println!(
        "Beitscope is ready at {} after {} (stop it with Ctrl-C)",
        server.url(),
        human_duration(started.elapsed())
    );
    if open {
        open_browser(&server.url());
    }
    eprintln!("Meanwhile the workers for other browsers are built, if they are not there yet.");
    let finished = site.finish();
    gate.open();
    match finished {
        Ok(_) => eprintln!("Everything is built ({}).", human_duration(started.elapsed())),
        // The page works in most browsers all the same.
        Err(message) => eprintln!("error: the workers for other browsers are missing: {message}"),
    }
    server.join();
    Ok(())
}

/// Whether [`Site::finish`] makes or changes the file at this path.
fn is_built_late(path: &str) -> bool {
    let path = path.trim_start_matches('/');
    let is_first =
        |rest: &str| workers::FIRST.iter().any(|variant| rest.starts_with(&format!("{}/", variant.name)));
    path == app_shell::SERVICE_WORKER || path.strip_prefix("workers/").is_some_and(|rest| !is_first(rest))
}

/// Holds whoever comes until it is opened.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
    }

    fn open(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn what_is_built_late_waits_and_nothing_else() {
        for (path, late) in [
            ("/", false),
            ("/index.html", false),
            ("/models/index.json", false),
            ("/workers/relaxed-threads/worker.js", false),
            ("/workers/simd128/worker.js", true),
            ("/workers/simd128-threads/glue_bg.wasm", true),
            ("/service-worker.js", true),
        ] {
            assert_eq!(is_built_late(path), late, "{path}");
        }
    }

    #[test]
    fn the_gate_lets_nobody_through_before_it_is_open_and_everybody_after() {
        let gate = Arc::new(Gate::default());
        let visitors: Vec<_> = (0..3)
            .map(|_| {
                let gate = Arc::clone(&gate);
                thread::spawn(move || gate.wait())
            })
            .collect();
        thread::sleep(std::time::Duration::from_millis(20));
        assert!(visitors.iter().all(|visitor| !visitor.is_finished()));
        gate.open();
        visitors.into_iter().for_each(|visitor| visitor.join().unwrap());
        gate.wait();
    }
}
