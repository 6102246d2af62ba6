//! Chromium and its driver, for the tests in a browser.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{find_on_path, output};
use crate::version::{major, printed};
use crate::{Result, apt, project::Project};

const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// A browser and the program that drives it.
pub struct Browser {
    pub chromium: PathBuf,
    pub driver: PathBuf,
    pub version: String,
}

/// Finds Chromium and chromedriver on the PATH, installing Debian's where one is missing.
pub fn find(project: &Project) -> Result<Browser> {
    let programs = || {
        let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find_on_path);
        chromium.zip(find_on_path("chromedriver"))
    };
    let (chromium, driver) = match programs() {
        Some(found) => found,
        None => {
            apt::install(project, "Chromium with chromedriver", &PACKAGES)?;
            programs().ok_or("Chromium is installed, but not on the PATH")?
        }
    };
    let version_of = |program: &PathBuf| -> Result<String> {
        let text = output(Command::new(program).arg("--version"))?;
        printed(&text).map(str::to_owned).ok_or(format!("{} tells no version", program.display()))
    };
    let (version, driver_version) = (version_of(&chromium)?, version_of(&driver)?);
    if major(&version) != major(&driver_version) {
        return Err(format!(
            "Chromium is {version} but chromedriver is {driver_version}: they must match; \
             `apt-get install {}` brings both",
            PACKAGES.join(" ")
        ));
    }
    Ok(Browser { chromium, driver, version })
}
