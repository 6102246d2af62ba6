//! Chromium and WebKit with their drivers, and Firefox, for the tests in a browser.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{find_on_path, output};
use crate::version::{major, printed};
use crate::{Result, apt, project::Project};

/// Tells the tests which browser to run in, `chromium`, `firefox` or `webkit`.
pub const VARIABLE: &str = "BEITSCOPE_BROWSER";

const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];
const WEBKIT_PACKAGES: [&str; 2] = ["webkit2gtk-driver", "xvfb"];

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

/// Finds WebKit's driver and a screen for it on the PATH, installing Debian's where one is missing, and tells the
/// driver with the version of its browser. The driver comes with a small browser, which the tests find themselves.
pub fn find_webkit(project: &Project) -> Result<(PathBuf, String)> {
    let programs = || find_on_path("WebKitWebDriver").filter(|_| find_on_path("Xvfb").is_some());
    let driver = match programs() {
        Some(found) => found,
        None => {
            apt::install(project, "WebKit's driver and a screen without a monitor", &WEBKIT_PACKAGES)?;
            programs().ok_or("WebKitWebDriver and Xvfb are installed, but not on the PATH")?
        }
    };
    // It has no option that tells its version.
    let package =
        Command::new("dpkg-query").args(["--show", "--showformat=${Version}", WEBKIT_PACKAGES[0]]).output();
    let version = package.ok().filter(|told| told.status.success()).map(|told| told.stdout);
    let version = version.map(|told| String::from_utf8_lossy(&told).into_owned());
    Ok((driver, version.unwrap_or_else(|| "of an unknown version".into())))
}

/// The tests that wait for servers that say nothing, by the name of their module: they run in Chromium alone, at night.
pub const SILENCE: &str = "silence::";

/// The tests that a browser is left out of, by the names of their modules.
pub const NOT_IN_FIREFOX: [&str; 2] = ["chromium::", SILENCE];
pub const NOT_IN_WEBKIT: [&str; 3] = ["chromium::", "chromium_and_firefox::", SILENCE];

fn version_of(program: &PathBuf) -> Result<String> {
    let text = output(Command::new(program).arg("--version"))?;
    printed(&text).map(str::to_owned).ok_or(format!("{} tells no version", program.display()))
}
