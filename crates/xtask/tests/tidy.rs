//! What holds for the files of this project, whatever they do: where `unsafe` may stand, which crate may depend on which,
//! how long a file is, that files import one another in one direction, that no file names a machine, and that links and
//! paths in the documentation lead somewhere.

#[path = "tidy/imports.rs"]
mod imports;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

const LINES: usize = 450;

/// Files besides those of `kernels` with `unsafe` code, and what for.
const UNSAFE: [(&str, &str); 4] = [
    ("crates/archive-names/src/lib.rs", "exports functions of WebAssembly"),
    ("crates/checkpoint/src/source.rs", "maps a file into memory"),
    ("crates/codec-module/src/lib.rs", "exports functions of WebAssembly"),
    ("crates/keyword-writer/src/exports.rs", "exports functions of WebAssembly"),
];

/// The workspace's crates from the bottom up: each depends on those before it alone.
const ORDER: [&str; 25] = [
    "splitmix64",
    "kernels",
    "archive",
    "archive-names",
    "keywords",
    "server",
    "hub",
    "beit",
    "library",
    "codecs",
    "codec-module",
    "head",
    "gpu",
    "protocol",
    "keyword-writer",
    "checkpoint",
    "gpu-report",
    "evaluate",
    "finetune",
    "engine",
    "page",
    "worker",
    "web",
    "beitscope",
    "xtask",
];

/// Crates of plain logic, and what of the browser, the network or a device they do not depend on.
const PURE: [&str; 10] =
    ["archive", "beit", "codecs", "engine", "head", "kernels", "keywords", "library", "page", "protocol"];
const IMPURE: [&str; 7] = ["gloo", "js-sys", "ureq", "wasm-bindgen", "web-sys", "wgpu", "yew"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The project's files below these folders, but what was built.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_file() {
                found.push(path);
            } else if name != "target" && name != "corpus" && !name.starts_with('.') {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The same, and the files at the project's top level.
fn files_and_top(folders: &[&str]) -> impl Iterator<Item = PathBuf> {
    files(folders).into_iter().chain(entries(root()).filter(|path| path.is_file()))
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path())
}

fn name(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

fn has_ending(file: &Path, ending: &str) -> bool {
    file.extension() == Some(OsStr::new(ending))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Names and texts.
fn rust() -> impl Iterator<Item = (String, String)> {
    let files = files(&["crates", "web", "tests"]).into_iter().filter(|file| has_ending(file, "rs"));
    files.map(|file| (name(&file), read(&file)))
}

fn expect_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn files_are_short() {
    let long = rust().filter(|(_, text)| text.lines().count() > LINES);
    expect_none(
        &format!("files of more than {LINES} lines"),
        &long.map(|(name, _)| name).collect::<Vec<_>>(),
    );
}

#[test]
fn unsafe_code_stands_where_it_may() {
    let is_unsafe = |line: &str| {
        // Without what is quoted.
        let code: String = line.split('"').step_by(2).collect();
        let code = code.split("//").next().unwrap_or_default();
        code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    };
    let may =
        |name: &str| name.starts_with("crates/kernels/") || UNSAFE.iter().any(|(file, _)| *file == name);
    let found = rust().filter(|(name, text)| !may(name) && text.lines().any(is_unsafe));
    expect_none("unsafe code", &found.map(|(name, _)| name).collect::<Vec<_>>());
    for (file, _) in UNSAFE {
        assert!(read(&root().join(file)).lines().any(is_unsafe), "{file} needs no exception");
    }
}

/// Each crate's dependencies, those for its tests aside.
fn crates() -> BTreeMap<String, Vec<String>> {
    let manifests = files(&["crates", "web"]).into_iter().filter(|file| file.ends_with("Cargo.toml"));
    let with_dependencies = |manifest: PathBuf| {
        let text = read(&manifest);
        let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap();
        let mut counts = false;
        let mut dependencies = Vec::new();
        for line in text.lines() {
            if line.starts_with('[') {
                counts = line.ends_with("dependencies]") && !line.contains("dev-");
            } else if let Some((name, _)) = line.split_once(['.', ' ', '=']).filter(|_| counts) {
                dependencies.push(name.to_owned());
            }
        }
        (name.to_owned(), dependencies)
    };
    manifests.map(with_dependencies).collect()
}

#[test]
fn crates_depend_downwards() {
    let place = |name: &str| ORDER.iter().position(|listed| *listed == name);
    let mut wrong = Vec::new();
    for (name, dependencies) in &crates() {
        let own = place(name).unwrap_or_else(|| panic!("{name} has no place in the order"));
        let is_wrong = |on: &&String| {
            let is_impure = PURE.contains(&name.as_str()) && IMPURE.contains(&on.as_str());
            is_impure || place(on).is_some_and(|place| place >= own)
        };
        wrong.extend(dependencies.iter().filter(is_wrong).map(|on| format!("{name} → {on}")));
    }
    expect_none("dependencies", &wrong);
}

#[test]
fn files_import_in_one_direction() {
    let mut folders: Vec<_> = entries(&root().join("crates")).collect();
    folders.push(root().join("web"));
    let circles = |folder: &PathBuf| {
        let name = name(folder);
        imports::circles(folder)
            .into_iter()
            .map(move |circle| format!("{name}: {circle}"))
            .collect::<Vec<_>>()
    };
    let circles: Vec<String> = folders.iter().flat_map(circles).collect();
    expect_none("files that import one another", &circles);
}

#[test]
fn no_file_names_a_machine() {
    // Put together here, so that this file has none of them.
    let words = ["root", "work"].map(|folder| format!("/{folder}/"));
    let texts = ["css", "html", "js", "json", "md", "py", "rs", "sh", "toml", "wgsl", "yml"];
    let mut found = Vec::new();
    for file in files_and_top(&["crates", "web", "tests", "docs", "tools"]) {
        if texts.iter().any(|ending| has_ending(&file, ending)) {
            let text = read(&file);
            let lines = text.lines().enumerate();
            let lines = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
            found.extend(lines.map(|(at, line)| format!("{}:{}: {line}", name(&file), at + 1)));
        }
    }
    expect_none("paths of a machine", &found);
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut broken = Vec::new();
    for file in files_and_top(&["docs", "crates", "web", "tests", "tools"]) {
        if !has_ending(&file, "md") {
            continue;
        }
        for target in read(&file).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            if path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            let linked = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            if !linked.exists() || !has_heading(&linked, anchor) {
                broken.push(format!("{}: {target}", name(&file)));
            }
        }
    }
    expect_none("links that lead nowhere", &broken);
}

#[test]
fn paths_in_the_documentation_exist() {
    let mut missing = Vec::new();
    for file in files_and_top(&["docs"]).filter(|file| has_ending(file, "md")) {
        let text = read(&file);
        // Every second part of the text stands between backticks; blocks of code have three of them on each side.
        for path in text.split('`').skip(1).step_by(2) {
            let is_plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
            let begins = ["crates/", "docs/", "tests/", "tools/", "web/"].iter().any(|b| path.starts_with(b));
            if is_plain && begins && !path.contains("NAME") && !root().join(path).exists() {
                missing.push(format!("{}: {path}", name(&file)));
            }
        }
    }
    expect_none("paths without a file", &missing);
}

/// Whether a Markdown file has a heading of this anchor, as GitHub makes anchors.
fn has_heading(file: &Path, anchor: &str) -> bool {
    if anchor.is_empty() || !has_ending(file, "md") {
        return true;
    }
    read(file).lines().filter(|line| line.starts_with('#')).any(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>() == anchor
    })
}
