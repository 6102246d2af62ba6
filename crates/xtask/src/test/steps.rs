//! The steps of `cargo xtask test`.

mod files;

use std::fs;
use std::process::Command;

use files::{
    IMPORT, IMPORTS_AT_NIGHT, IMPORTS_IN_EVERY_BROWSER, IN_CHROMIUM, IN_EVERY_BROWSER,
    IN_EVERY_BROWSER_AT_NIGHT, OVER_RELEASE, RUNTIMES,
};

use super::tally::Tally;
use super::{Prebuild, RETRIES, Step, When, cargo_test, lints};
use crate::added_models::{AddedModels, Beitscope};
use crate::app_shell;
use crate::browser::{Browser, SILENCE};
use crate::process::{self, find_on_path};
use crate::profile::Profile;
use crate::project::Project;
use crate::site::{self, Site};
use crate::tools::Tools;
use crate::workers::{LINTED, LINTED_AT_NIGHT, TESTED, Variant};
use crate::{Result, apt, axe, bits32, browser, deny, fuzz, package, runtimes, vulkan};

/// What steps need.
pub struct Context<'a> {
    project: &'a Project,
    /// None for steps that need none.
    tools: Option<Tools>,
    /// Clippy's driver compiles this workspace's crates, so that tests and lints take one compilation: where a run has
    /// both.
    lints_while_compiling: bool,
}

impl<'a> Context<'a> {
    /// For these steps.
    pub fn new(
        project: &'a Project,
        steps: &[&Step],
        set_up: impl FnOnce(&Project) -> Result<Tools>,
    ) -> Result<Self> {
        let wants_tools = steps.iter().any(|step| step.when != When::Quick);
        let tools = if wants_tools { Some(set_up(project)?) } else { None };
        let has = |name| steps.iter().any(|step| step.name == name);
        Ok(Self { project, tools, lints_while_compiling: has("unit") && has("clippy") })
    }

    fn tools(&self) -> Result<&Tools> {
        self.tools.as_ref().ok_or_else(|| "this step needs tools, and is among those that need none".into())
    }
}

/// Quick checks first; the browsers come last because they want the built site.
pub const STEPS: [Step; 26] = [
    step("fmt", "the code is formatted", When::Quick, fmt),
    step("unit", "unit tests, golden parity, the command line", When::Quick, unit),
    step("clippy", "no lint in native code", When::Always, clippy),
    step("clippy-wasm", "no lint in the page's and the workers' code", When::Always, clippy_wasm),
    step("bits32", "unit tests where usize has 32 bits", When::Always, bits32),
    step("deny", "dependencies' licences and sources", When::Always, deny),
    step("true-size", "BEiTv2-large with random weights against timm", When::Always, true_size),
    step("gpu", "the GPU's kernels by a Vulkan driver", When::Always, gpu),
    step("kernels-wasm", "the kernels as wasm in a browser", When::Always, kernels_wasm),
    Step {
        prebuild: Some(Prebuild { after: "unit", build: build_site }),
        ..step("site", "workers, page and command line build", When::Always, build)
    },
    step("runtimes", "the npm package in Node, Deno and Bun", When::Always, runtimes),
    step("chromium", "the page in Chromium", When::Always, chromium),
    step("firefox", "the page in Firefox", When::Always, firefox),
    step("webkit", "the page in WebKit", When::Always, webkit),
    Step {
        prebuild: Some(Prebuild { after: "site", build: build_release }),
        ..step(
            "release",
            "the page as visitors get it, in Chromium",
            When::Nightly("links of whole programs take as long as a browser's tests"),
            release,
        )
    },
    step("import-rest", "the other imports in Chromium", When::Nightly(SAME_FAULTS), import_rest),
    step(
        "clippy-rest",
        "no lint in the worker without threads, nor in the conversion without files",
        When::Nightly("all but a few of its lines are linted with threads"),
        clippy_wasm_rest,
    ),
    step("gpu-wasm", "the GPU's kernels by a browser's WebGPU", When::Nightly(SAME_KERNELS), gpu_wasm),
    step("gpu-memory", "weights on the GPU are not in wasm's memory", When::Nightly(SLOW_GPU), gpu_memory),
    step("silence", "servers that say nothing are given up", When::Nightly("a minute of waiting"), silence),
    step("firefox-rest", "the page's other files in Firefox", When::Nightly(SAME_CODE), firefox_rest),
    step("webkit-rest", "the page's other files in WebKit", When::Nightly(SAME_CODE), webkit_rest),
    step("thousand", "a thousand photos in flat memory", When::Nightly("two minutes of browser"), thousand),
    step(
        "large",
        "BEiTv2-large with random weights in Chromium",
        When::Nightly("it makes a model of 1.2 GB"),
        large,
    ),
    step(
        "release-all",
        "the whole site as visitors get it",
        When::Nightly("three links of whole programs"),
        release_all,
    ),
    step("fuzz", "no input breaks a reader of files", When::Nightly("a minute for each reader"), fuzz),
];

const SAME_KERNELS: &str = "`chromium` runs them in a whole network";
const SAME_FAULTS: &str = "`unit` runs the same faults without a browser";
const SLOW_GPU: &str = "a minute on an imitated GPU";
const SAME_CODE: &str = "what they test hardly differs between browsers";

const fn step(
    name: &'static str,
    what: &'static str,
    when: When,
    run: fn(&Context, &mut Tally) -> Result<()>,
) -> Step {
    Step { name, what, when, run, prebuild: None }
}

/// A test in `webgpu` that `large` runs once more at the true size.
const FAST_GPU: &str = "a_fast_gpu";

/// A test of a file in Chromium that is a step of its own in `nightly`.
const GPU_MEMORY: &str = "weights_on_the_gpu";

/// Where the release step builds the page; it lacks what other browsers need.
const RELEASE_SITE: &str = "target/site-release";

/// A checkpoint of 50 classes, small enough to be converted in a moment.
const ADDED_CHECKPOINT: &str = "tests/data/golden/tiny-relative.weights.safetensors";

/// Cargo with these arguments, separated by blanks.
///
/// What is compiled natively is always picked from the whole workspace, by target: with other packages (`--package`)
/// dependencies would get other features, and be compiled once more.
fn cargo(context: &Context, line: &str) -> Command {
    let mut cargo = context.project.cargo();
    cargo.args(line.split_whitespace());
    if context.lints_while_compiling {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    }
    cargo
}

fn fmt(context: &Context, _: &mut Tally) -> Result<()> {
    process::run(&mut cargo(context, "fmt --all --check"))
}

/// Plain `cargo test`, in two parts.
fn unit(context: &Context, tally: &mut Tally) -> Result<()> {
    if find_on_path("exiftool").is_none() {
        apt::install(context.project, "exiftool", &["libimage-exiftool-perl"])?;
    }
    cargo_test::run(cargo(context, "test --no-fail-fast --lib --bins --tests"), &[], tally)?;
    cargo_test::watch(cargo(context, "test --quiet --doc"), tally)
}

fn clippy(context: &Context, _: &mut Tally) -> Result<()> {
    if context.lints_while_compiling {
        // What is compiled already is not compiled again, but its warnings are printed again.
        return lints::none(cargo(context, "build --workspace --all-targets --test *"));
    }
    process::run(&mut cargo(context, "clippy --workspace --all-targets --test * -- -D warnings"))
}

fn clippy_wasm(context: &Context, _: &mut Tally) -> Result<()> {
    process::run(&mut LINTED.cargo_clippy(context.project))
}

fn clippy_wasm_rest(context: &Context, _: &mut Tally) -> Result<()> {
    process::run(&mut LINTED_AT_NIGHT.cargo_clippy(context.project))?;
    // What converts a checkpoint while it arrives needs no file system.
    let streaming = ["--package", "checkpoint", "--lib", "--no-default-features"];
    let mut clippy = context.project.cargo();
    clippy.arg("clippy").args(streaming).args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]);
    process::run(&mut clippy)
}

fn bits32(context: &Context, tally: &mut Tally) -> Result<()> {
    cargo_test::run(bits32::tests(context.project)?, &[], tally)
}

fn deny(context: &Context, _: &mut Tally) -> Result<()> {
    deny::run(context.project)
}

fn true_size(context: &Context, tally: &mut Tally) -> Result<()> {
    cargo_test::run(cargo(context, "test --workspace --test true_size"), &[], tally)
}

fn gpu(context: &Context, tally: &mut Tally) -> Result<()> {
    vulkan::ensure(context.project)?;
    cargo_test::run(
        cargo(context, "test --workspace --no-fail-fast --test gpu --test gpu_report --test on_gpu"),
        &[],
        tally,
    )
}

fn kernels_wasm(context: &Context, tally: &mut Tally) -> Result<()> {
    let browser = browser::find(context.project)?;
    TESTED.iter().try_for_each(|variant| {
        println!("{} in Chromium {}", variant.name, browser.version);
        wasm_test(context, &browser, variant, &["--package", "kernels"], tally)
    })
}

fn gpu_wasm(context: &Context, tally: &mut Tally) -> Result<()> {
    let browser = browser::find(context.project)?;
    wasm_test(context, &browser, &TESTED[0], &["--package", "gpu", "--test", "browser"], tally)
}

/// `cargo test` as wasm in a browser.
fn wasm_test(
    context: &Context,
    browser: &Browser,
    variant: &Variant,
    what: &[&str],
    tally: &mut Tally,
) -> Result<()> {
    let mut cargo = variant.cargo(context.project, "test");
    cargo
        .args(what)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &context.tools()?.wasm_bindgen_test_runner)
        .env("CHROMEDRIVER", &browser.driver)
        // Seconds; the default of 20 is short on a busy machine.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    cargo_test::watch(cargo, tally)
}

fn build_site(context: &Context) -> Result<()> {
    site::build(
        context.project,
        context.tools()?,
        Profile::Dev,
        Profile::Dev.site().as_ref(),
        AddedModels::default(),
    )
    .map(drop)
}

fn build(context: &Context, _: &mut Tally) -> Result<()> {
    build_command_line(context)
}

/// The browser's tests compare the page's answers with the command line's.
fn build_command_line(context: &Context) -> Result<()> {
    process::run(&mut cargo(context, "build --quiet --workspace --bin beitscope"))
}

fn runtimes(context: &Context, tally: &mut Tally) -> Result<()> {
    let mut cargo = cargo(context, "test --workspace --no-fail-fast");
    for runtime in runtimes::find(context.project)? {
        println!("{} {}", runtime.program.display(), runtime.version);
        cargo.env(runtime.variable, runtime.program);
    }
    package::assemble(context.project, &context.project.root.join(Profile::Dev.site()))?;
    cargo.args(["--test", RUNTIMES]);
    cargo_test::run(cargo, &[], tally)
}

fn chromium(context: &Context, tally: &mut Tally) -> Result<()> {
    if find_on_path("nginx").is_none() {
        apt::install(context.project, "nginx", &["nginx-light"])?;
    }
    let left_out = without(&[&[GPU_MEMORY, SILENCE], &IMPORTS_AT_NIGHT[..]].concat());
    in_chromium(context, &IN_CHROMIUM, &left_out, tally)
}

fn import_rest(context: &Context, tally: &mut Tally) -> Result<()> {
    in_chromium(context, &[IMPORT], &IMPORTS_AT_NIGHT, tally)
}

/// The page and one worker, enough for Chromium, and a model that is converted as `cargo xtask build --model` does it.
fn build_release(context: &Context) -> Result<()> {
    build_command_line(context)?;
    let checkpoint = context.project.root.join(ADDED_CHECKPOINT);
    let model = [checkpoint.to_string_lossy().parse()?];
    let converter = Beitscope::for_tests(context.project);
    let site = Site::begin(
        context.project,
        context.tools()?,
        Profile::Release,
        RELEASE_SITE.as_ref(),
        AddedModels::convert(context.project, &converter, &model, false)?,
    )?;
    app_shell::list(&site.out)
}

/// The page's own tests over what fat LTO and wasm-opt leave.
fn release(context: &Context, tally: &mut Tally) -> Result<()> {
    let mut cargo = browser_tests(context, &OVER_RELEASE)?;
    cargo.env(site::VARIABLE, RELEASE_SITE);
    cargo_test::run(cargo, &[], tally)
}

fn thousand(context: &Context, tally: &mut Tally) -> Result<()> {
    in_chromium(context, &["thousand"], &[], tally)
}

/// Makes the models where they are not there yet.
fn large(context: &Context, tally: &mut Tally) -> Result<()> {
    const CHECKPOINT: &str = "target/large/large.safetensors";
    const MODELS: [(&str, &str, &str); 2] = [
        ("q8_0", "target/large/q8_0", "BEITSCOPE_MODEL"),
        ("q4_0", "target/large/q4_0", "BEITSCOPE_MODEL_4_BIT"),
    ];
    let root = &context.project.root;
    for (quantization, model, _) in MODELS {
        let is_converted = root.join(model).join("manifest.json").is_file();
        if is_converted && root.join(CHECKPOINT).is_file() {
            continue;
        }
        fs::create_dir_all(root.join(model)).map_err(|error| format!("{model}: {error}"))?;
        if !root.join(CHECKPOINT).is_file() {
            let write =
                format!("run --release --package checkpoint --example seeded_checkpoint -- {CHECKPOINT}");
            process::run(&mut cargo(context, &write))?;
        }
        let convert = format!(
            "run --release --package beitscope -- convert {CHECKPOINT} --quant {quantization} --out {model}"
        );
        process::run(&mut cargo(context, &convert))?;
    }
    for (files, harness) in [(&["large", "import_large"][..], &[][..]), (&["webgpu"], &[FAST_GPU])] {
        let mut cargo = browser_tests(context, files)?;
        cargo.env("BEITSCOPE_CHECKPOINT", CHECKPOINT);
        cargo.envs(MODELS.map(|(_, model, variable)| (variable, model)));
        cargo_test::run(cargo, harness, tally)?;
    }
    Ok(())
}

/// Every build of the worker.
fn release_all(context: &Context, tally: &mut Tally) -> Result<()> {
    let release = Profile::Release;
    site::build(context.project, context.tools()?, release, release.site().as_ref(), AddedModels::default())?;
    let mut cargo = browser_tests(context, &["page", "threads", "instructions"])?;
    cargo.env(site::VARIABLE, release.site());
    cargo_test::run(cargo, &[], tally)
}

fn fuzz(context: &Context, _: &mut Tally) -> Result<()> {
    fuzz::run_all(context.project)
}

fn gpu_memory(context: &Context, tally: &mut Tally) -> Result<()> {
    in_chromium(context, &["webgpu"], &[GPU_MEMORY], tally)
}

fn silence(context: &Context, tally: &mut Tally) -> Result<()> {
    in_chromium(context, &["hosting"], &[SILENCE], tally)
}

fn in_chromium(context: &Context, files: &[&str], harness: &[&str], tally: &mut Tally) -> Result<()> {
    let browser = browser::find(context.project)?;
    println!("{} {}", browser.chromium.display(), browser.version);
    let mut cargo = browser_tests(context, files)?;
    cargo.env(axe::VARIABLE, axe::find(context.project)?);
    cargo_test::run(cargo, harness, tally)
}

fn firefox(context: &Context, tally: &mut Tally) -> Result<()> {
    in_other_browser(context, in_firefox, tally)
}

fn firefox_rest(context: &Context, tally: &mut Tally) -> Result<()> {
    in_firefox(context, &IN_EVERY_BROWSER_AT_NIGHT, &[], tally)
}

fn in_firefox(context: &Context, files: &[&str], tests: &[&str], tally: &mut Tally) -> Result<()> {
    let (firefox, version) = browser::find_firefox(context.project)?;
    println!("{} {version}", firefox.display());
    in_browser(context, "firefox", files, &[tests, &without(&browser::NOT_IN_FIREFOX)].concat(), tally)
}

fn webkit(context: &Context, tally: &mut Tally) -> Result<()> {
    in_other_browser(context, in_webkit, tally)
}

fn webkit_rest(context: &Context, tally: &mut Tally) -> Result<()> {
    in_webkit(context, &IN_EVERY_BROWSER_AT_NIGHT, &[], tally)
}

fn in_webkit(context: &Context, files: &[&str], tests: &[&str], tally: &mut Tally) -> Result<()> {
    let (driver, version) = browser::find_webkit(context.project)?;
    println!("{} {version}", driver.display());
    in_browser(context, "webkit", files, &[tests, &without(&browser::NOT_IN_WEBKIT)].concat(), tally)
}

/// What the default run tests in a browser that is not Chromium.
fn in_other_browser(
    context: &Context,
    run: impl Fn(&Context, &[&str], &[&str], &mut Tally) -> Result<()>,
    tally: &mut Tally,
) -> Result<()> {
    let files = run(context, &IN_EVERY_BROWSER, &[], tally);
    let imports = run(context, &[IMPORT], &IMPORTS_IN_EVERY_BROWSER, tally);
    files.and(imports)
}

/// The test harness's options that leave these modules out.
fn without<'a>(modules: &[&'a str]) -> Vec<&'a str> {
    modules.iter().flat_map(|&module| ["--skip", module]).collect()
}

/// The tests in these files, as the test harness's options say, in the browser of this name.
fn in_browser(
    context: &Context,
    name: &str,
    files: &[&str],
    harness: &[&str],
    tally: &mut Tally,
) -> Result<()> {
    let mut cargo = browser_tests(context, files)?;
    cargo.env(browser::VARIABLE, name);
    cargo_test::run(cargo, harness, tally)
}

/// The tests in these files of `tests`.
fn browser_tests(context: &Context, files: &[&str]) -> Result<Command> {
    let mut cargo = cargo(context, "test --workspace --no-fail-fast");
    cargo.args(files.iter().flat_map(|file| ["--test", file]));
    cargo.env(RETRIES, context.project.log(super::BROWSER_STARTS)?);
    Ok(cargo)
}
