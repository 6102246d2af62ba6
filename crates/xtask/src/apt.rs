//! Debian's packages.

use std::process::Command;

use crate::process::{find_on_path, output, run_logged};
use crate::{Result, project::Project};

/// Installs Debian packages that bring `what`.
///
/// # Errors
/// A sentence with the command to run by hand, where there is no apt or no right to use it.
pub fn install(project: &Project, what: &str, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if find_on_path("apt-get").is_none() {
        return Err(format!(
            "{what} is missing, and so is apt-get to install it: install {what} so that it is on \
             the PATH (on Debian: `{by_hand}`)"
        ));
    }
    let become_root: &[&str] = if output(Command::new("id").arg("-u"))?.trim() == "0" {
        &[]
    } else if find_on_path("sudo").is_some() {
        &["sudo"]
    } else {
        return Err(format!("{what} is missing: as root, run `{by_hand}`"));
    };
    if let [sudo] = become_root {
        // Asks for the password here, where its question can be seen.
        crate::process::run(Command::new(sudo).arg("-v"))
            .map_err(|_| format!("{what} is missing: as root, run `{by_hand}`"))?;
    }
    eprintln!("Installing {what} (`{by_hand}`): about a minute.");
    let logs = project.root.join("target");
    std::fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
    let apt = |arguments: &[&str]| {
        let words: Vec<_> = become_root.iter().chain(&["apt-get"]).chain(arguments).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive");
        run_logged(&mut command, &logs.join("apt.log"))
    };
    let install = [&["install", "-y"], packages].concat();
    apt(&["update"])
        .and_then(|()| apt(&install))
        .map_err(|error| format!("{what} could not be installed with `{by_hand}`: {error}"))
}
