//! Documents stay true where a program can tell: links and their anchors lead somewhere, and files that are named exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the repository's documents are. Other folders of web/models hold what users have converted.
const FOLDERS: [&str; 7] =
    ["docs", "crates", "tools", "tests", "web/embed", "web/samples", "web/models/demo"];
/// What a path of the repository begins with.
const BEGINNINGS: [&str; 5] = ["crates/", "docs/", "tests/", "tools/", "web/"];

#[test]
fn links_and_paths_in_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut documents = BTreeMap::new();
    read(&root, false, &mut documents);
    for folder in FOLDERS {
        read(&root.join(folder), true, &mut documents);
    }
    assert!(documents.len() > 20, "{documents:?}");
    let mut wrong = Vec::new();
    for (document, text) in &documents {
        let name = document.strip_prefix(&root).unwrap().display();
        for link in links(text).filter(|link| !link.contains(':')) {
            let (path, anchor) =
                link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { document.clone() } else { document.with_file_name(path) };
            let Ok(target) = target.canonicalize() else {
                wrong.push(format!("{name}: there is no {link}"));
                continue;
            };
            let headed = anchor.zip(documents.get(&target));
            if headed.is_some_and(|(anchor, text)| !anchors(text).contains(&anchor.to_owned())) {
                wrong.push(format!("{name}: no heading for {link}"));
            }
        }
        let missing = paths(text).filter(|path| !root.join(path).exists());
        wrong.extend(missing.map(|path| format!("{name}: there is no file {path}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn read(folder: &Path, deep: bool, documents: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && deep {
            read(&path, deep, documents);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.insert(path.clone(), fs::read_to_string(path).unwrap());
        }
    }
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split(')').next()))
}

/// Paths of the repository in code spans, without those that stand for many.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let spans = prose(text).flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| {
        let is_plain = span.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
        is_plain && !span.contains("NAME") && BEGINNINGS.iter().any(|beginning| span.starts_with(beginning))
    })
}

/// The anchors that GitHub gives the headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}
