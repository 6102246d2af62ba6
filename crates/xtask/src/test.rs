//! `cargo xtask test`: every check, one step after another.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::process;
use crate::process::{find_on_path, spoken};
use crate::profile::Profile;
use crate::project::Project;
use crate::tools::{TARGET, Tools};
use crate::workers::{LINTED, TESTED, Variant};
use crate::{Result, apt, axe, browser, site, tools, vulkan};

/// Asks for the steps' names instead of running them.
pub const LIST: &str = "--list";

/// One check.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Context) -> Result<()>,
}

/// What steps need.
struct Context<'a> {
    project: &'a Project,
    tools: Tools,
}

/// Quick checks first; the browser comes last because it wants the built site.
const STEPS: [Step; 10] = [
    Step { name: "fmt", what: "the code is formatted", run: fmt },
    Step { name: "clippy", what: "no lint in native code", run: clippy },
    Step { name: "clippy-wasm", what: "no lint in the page's and the workers' code", run: clippy_wasm },
    Step { name: "unit", what: "unit tests and golden parity", run: unit },
    Step { name: "kernels-wasm", what: "the kernels as wasm in a browser", run: kernels_wasm },
    Step { name: "gpu-wasm", what: "the GPU's kernels by a browser's WebGPU", run: gpu_wasm },
    Step { name: "site", what: "workers, page and command line build", run: build },
    Step { name: "browser", what: "the page in Chromium", run: page },
    Step { name: "firefox", what: "the page in Firefox", run: page_in_firefox },
    Step { name: "webkit", what: "the page in WebKit", run: page_in_webkit },
];

/// The files of `tests` that run in Firefox and WebKit too, but for what is in a module `chromium` of theirs. The others ask
/// Chromium's DevTools, its memory or its WebGPU, no browser at all, or what is the same in every browser and takes
/// minutes.
const IN_FIREFOX: [&str; 13] = [
    "page", "threads", "crash", "hosting", "storage", "tabs", "heatmap", "gallery", "private", "camera",
    "offline", "takeaway", "teach",
];

/// Packages whose lints make sense for wasm alone.
const WASM_PACKAGES: [&str; 2] = ["web", "worker"];

pub fn is_step(name: &str) -> bool {
    step_names().contains(&name)
}

pub fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the named steps, or all. Every step runs, also after one failed. Returns whether all passed.
pub fn run(project: &Project, names: &[String]) -> Result<bool> {
    if names.iter().any(|name| name == LIST) {
        for step in &STEPS {
            println!("{:13} {}", step.name, step.what);
        }
        return Ok(true);
    }
    let context = Context { project, tools: tools::set_up(project)? };
    let mut outcomes = Vec::new();
    let wanted = |step: &&Step| names.is_empty() || names.iter().any(|name| name == step.name);
    for step in STEPS.iter().filter(wanted) {
        println!("\n== {}: {}", step.name, step.what);
        let started = Instant::now();
        let result = (step.run)(&context);
        if let Err(message) = &result {
            println!("error: {message}");
        }
        println!("== {} {} ({})", step.name, verdict(&result), spoken(started.elapsed()));
        outcomes.push((step, result, started.elapsed()));
    }
    println!("\n{}", summary(&outcomes));
    Ok(outcomes.iter().all(|(_, result, _)| result.is_ok()))
}

fn verdict(result: &Result<()>) -> &'static str {
    if result.is_ok() { "passed" } else { "FAILED" }
}

/// A line for each step, and the count as the last line.
fn summary(outcomes: &[(&Step, Result<()>, Duration)]) -> String {
    let mut text = String::new();
    for (step, result, took) in outcomes {
        text += &format!("{:13} {} {:>12}  {}\n", step.name, verdict(result), spoken(*took), step.what);
    }
    let passed = outcomes.iter().filter(|(_, result, _)| result.is_ok()).count();
    text + &format!("{passed} passed, {} failed", outcomes.len() - passed)
}

fn fmt(context: &Context) -> Result<()> {
    run_cargo(context, &["fmt", "--all", "--check"])
}

fn run_cargo(context: &Context, arguments: &[&str]) -> Result<()> {
    process::run(context.project.cargo().args(arguments))
}

/// `--workspace` without the packages named.
fn all_but<'a>(excluded: &[&'a str]) -> Vec<&'a str> {
    let excluded = excluded.iter().flat_map(|package| ["--exclude", *package]);
    std::iter::once("--workspace").chain(excluded).collect()
}

fn clippy(context: &Context) -> Result<()> {
    let packages = all_but(&WASM_PACKAGES);
    run_cargo(context, &[&["clippy", "--all-targets"], &packages[..], &["--", "-D", "warnings"]].concat())
}

fn clippy_wasm(context: &Context) -> Result<()> {
    run_cargo(context, &["clippy", "--package", "web", "--target", TARGET, "--", "-D", "warnings"])?;
    LINTED.iter().try_for_each(|variant| {
        let mut cargo = variant.cargo_worker(context.project, "clippy", Profile::Dev);
        process::run(cargo.args(["--", "-D", "warnings"]))
    })
}

fn unit(context: &Context) -> Result<()> {
    vulkan::ensure(context.project)?;
    // The page's and the worker's state machines are tested natively too.
    run_cargo(context, &[&["test"], &all_but(&["tests"])[..]].concat())
}

fn kernels_wasm(context: &Context) -> Result<()> {
    let browser = browser::find(context.project)?;
    TESTED.iter().try_for_each(|variant| {
        println!("{} in Chromium {}", variant.name, browser.version);
        wasm_test(context, &browser, variant, &["--package", "kernels"])
    })
}

fn gpu_wasm(context: &Context) -> Result<()> {
    let browser = browser::find(context.project)?;
    wasm_test(context, &browser, &TESTED[0], &["--package", "gpu", "--test", "browser"])
}

/// `cargo test` as wasm in a browser.
fn wasm_test(context: &Context, browser: &Browser, variant: &Variant, what: &[&str]) -> Result<()> {
    let mut cargo = variant.cargo(context.project, "test");
    cargo
        .args(what)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &context.tools.wasm_bindgen_test_runner)
        .env("CHROMEDRIVER", &browser.driver)
        // Seconds; the default of 20 is short on a busy machine.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    process::run(&mut cargo)
}

fn build(context: &Context) -> Result<()> {
    site::build(context.project, &context.tools, Profile::Dev, Profile::Dev.site().as_ref())?;
    // The browser's tests compare the page's answers with the command line's.
    run_cargo(context, &["build", "--package", "beitscope"])
}

fn page(context: &Context) -> Result<()> {
    let browser = browser::find(context.project)?;
    println!("{} {}", browser.chromium.display(), browser.version);
    if find_on_path("nginx").is_none() {
        apt::install(context.project, "nginx", &["nginx-light"])?;
    }
    let axe = axe::find(context.project)?;
    run_twice(&|files| {
        let mut cargo = browser_tests(context, files);
        cargo.env(axe::VARIABLE, &axe);
        cargo
    })
}

fn page_in_firefox(context: &Context) -> Result<()> {
    let (firefox, version) = browser::find_firefox(context.project)?;
    println!("{} {version}", firefox.display());
    run_twice(&|files| {
        let all = IN_FIREFOX.map(str::to_owned);
        let mut cargo = browser_tests(context, if files.is_empty() { &all } else { files });
        cargo.args(["--", "--skip", "chromium::"]).env(browser::VARIABLE, "firefox");
        cargo
    })
}

/// The same files as in Firefox.
fn page_in_webkit(context: &Context) -> Result<()> {
    let (driver, version) = browser::find_webkit(context.project)?;
    println!("{} {version}", driver.display());
    let mut cargo = browser_tests(context, &IN_FIREFOX.map(str::to_owned));
    let skipped = browser::NOT_IN_WEBKIT.into_iter().flat_map(|module| ["--skip", module]);
    process::run(cargo.arg("--").args(skipped).env(browser::VARIABLE, "webkit"))
}

/// The tests in these files of `tests`, or in all.
fn browser_tests(context: &Context, files: &[String]) -> Command {
    let mut cargo = context.project.cargo();
    cargo.args(["test", "--package", "tests", "--no-fail-fast"]);
    cargo.args(files.iter().flat_map(|file| ["--test", file]));
    cargo
}

/// Runs the tests of all files, and those that fail once more: a browser hangs at its start now and then, and a run
/// starts hundreds. What fails twice has failed.
fn run_twice(command: &dyn Fn(&[String]) -> Command) -> Result<()> {
    let Err((message, said)) = process::run_heard(&mut command(&[])) else { return Ok(()) };
    let failed = failed_files(&said);
    if failed.is_empty() {
        return Err(message);
    }
    println!("FAILED at the first attempt: {}; once more", failed.join(", "));
    process::run_heard(&mut command(&failed)).map_err(|(message, _)| message)
}

/// The files that cargo says to run again.
fn failed_files(said: &str) -> Vec<String> {
    let name = |line: &str| Some(line.split_once("`-p tests --test ")?.1.split_once('`')?.0.to_owned());
    let mut names: Vec<_> = said.lines().filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_steps() {
        let outcomes = [
            (&STEPS[0], Ok(()), Duration::from_millis(1500)),
            (&STEPS[1], Err("lint".into()), Duration::from_secs(70)),
            (&STEPS[2], Ok(()), Duration::from_secs(2)),
        ];
        let text = summary(&outcomes);
        assert_eq!(text.lines().last(), Some("2 passed, 1 failed"));
        assert_eq!(text.lines().count(), 4);
        assert!(text.lines().nth(1).unwrap().contains("clippy        FAILED   1 min 10 s"), "{text}");
    }

    #[test]
    fn cargo_says_which_files_failed() {
        let said = "error: test failed, to rerun pass `-p tests --test threads`\nerror: 2 targets failed:\n    \
            `-p tests --test crash`\n    `-p tests --test threads`\n";
        assert_eq!(failed_files(said), ["crash", "threads"]);
        assert_eq!(failed_files("error: could not compile `tests`"), Vec::<String>::new());
    }

    #[test]
    fn packages_are_excluded_by_name() {
        assert_eq!(all_but(&["a", "b"]), ["--workspace", "--exclude", "a", "--exclude", "b"]);
    }
}
