//! Which files of a crate import which, and where that goes in circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module's path in its crate; the crate's root has none.
type Module = Vec<String>;

/// Circles of files that import one another, a line each. A module and what lies within it may.
pub fn circles(folder: &Path) -> Vec<String> {
    let files = modules(&folder.join("src"), &[]);
    let known: BTreeSet<&Module> = files.keys().collect();
    let edges: BTreeMap<&Module, BTreeSet<Module>> =
        files.iter().map(|(module, text)| (module, imported(module, text, &known))).collect();
    let reached = |from: &Module| {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(module) = next.pop() {
            for to in &edges[module] {
                let (to, _) = edges.get_key_value(to).unwrap();
                if reached.insert((*to).clone()) {
                    next.push(to);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> =
        files.keys().map(|module| (module, reached(module))).collect();
    let mut circles = BTreeSet::new();
    for module in files.keys().filter(|module| reached[module].contains(*module)) {
        let all =
            files.keys().filter(|other| reached[module].contains(*other) && reached[other].contains(module));
        circles.insert(all.map(|module| module.join("::")).collect::<Vec<_>>().join(" ↔ "));
    }
    circles.into_iter().collect()
}

/// Each module with its text, without what is for its tests.
fn modules(folder: &Path, path: &[String]) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if file.is_dir() {
            found.extend(modules(&file, &[path, &[name]].concat()));
        } else if file.extension().is_some_and(|ending| ending == "rs") && name != "tests" {
            let text = fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            let is_root = matches!(name.as_str(), "lib" | "main" | "mod");
            found.insert(if is_root { path.to_vec() } else { [path, &[name]].concat() }, text);
        }
    }
    found.retain(|module, _| !module.iter().any(|name| name == "tests"));
    found
}

/// The modules that this one names, besides those around it and within it.
fn imported(module: &Module, text: &str, known: &BTreeSet<&Module>) -> BTreeSet<Module> {
    let mut paths = Vec::new();
    let text: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let text = text.replace("#[cfg(doc)]\nuse ", "");
    for (at, _) in text.match_indices("crate::") {
        if !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            expand(&text[at + "crate::".len()..], &[], &mut paths);
        }
    }
    for (at, _) in text.match_indices("super::") {
        if text[..at].ends_with("super::") || text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            continue;
        }
        let (mut around, mut rest) = (&module[..], &text[at..]);
        while let Some(after) = rest.strip_prefix("super::") {
            (around, rest) = (&around[..around.len().saturating_sub(1)], after);
        }
        expand(rest, around, &mut paths);
    }
    let module_of = |path: &Vec<String>| {
        (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|prefix| known.contains(prefix))
    };
    let mut modules: BTreeSet<Module> = paths.iter().filter_map(module_of).collect();
    modules.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    modules
}

/// The paths that begin here, below `path`: `a::{b, c::d}` is `a::b` and `a::c::d`. Gives what comes behind them.
fn expand<'a>(text: &'a str, path: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(behind) = rest.strip_prefix('}') {
                return behind;
            }
            let behind = expand(rest, path, paths);
            if behind.len() == rest.len() {
                return behind;
            }
            rest = behind;
        }
    }
    let length = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
    let (name, mut rest) = text.split_at(length);
    let path = [path, &[name.to_owned()]].concat();
    if let Some(within) = rest.strip_prefix("::") {
        return expand(within, &path, paths);
    }
    if let Some(renamed) = rest.strip_prefix(" as ") {
        rest = renamed.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    }
    paths.push(path);
    rest
}
