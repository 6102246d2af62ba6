//! Chromium with its driver, and Firefox, for the tests in a browser.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{find_on_path, output};
use crate::version::{major, printed};
use crate::{Result, apt, project::Project};

/// Tells the tests which browser to run in, `chromium` or `firefox`.
pub const VARIABLE: &str = "BEITSCOPE_BROWSER";

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

/// Finds Firefox on the PATH, installing Debian's where there is none, and tells it with its version. It needs no
/// driver: the tests speak WebDriver BiDi with it.
pub fn find_firefox(project: &Project) -> Result<(PathBuf, String)> {
    let program = || ["firefox-esr", "firefox"].into_iter().find_map(find_on_path);
    let firefox = match program() {
        Some(found) => found,
        None => {
            apt::install(project, "Firefox", &["firefox-esr"])?;
            program().ok_or("Firefox is installed, but not on the PATH")?
        }
    };
    let version = version_of(&firefox)?;
    Ok((firefox, version))
}

fn version_of(program: &PathBuf) -> Result<String> {
    let text = output(Command::new(program).arg("--version"))?;
    printed(&text).map(str::to_owned).ok_or(format!("{} tells no version", program.display()))
}
