//! Checks the workflows on GitHub against the existing steps.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Yaml};

use crate::test;

const COMMAND: &str = "cargo xtask test";
const MATRIX: &str = "${{ matrix.steps }}";

/// The steps that a workflow's jobs run; of a job with a matrix, those of all its rows.
fn steps_of(workflow: &str) -> Vec<String> {
    let documents = Yaml::load_from_str(workflow).unwrap();
    let jobs = documents[0].as_mapping_get("jobs").and_then(Yaml::as_mapping).expect("jobs");
    let mut steps = Vec::new();
    for job in jobs.values() {
        let rows = ["strategy", "matrix", "include"].iter().try_fold(job, |at, key| at.as_mapping_get(key));
        let rows = rows.and_then(Yaml::as_sequence).into_iter().flatten();
        let rows: Vec<_> = rows.filter_map(|row| row.as_mapping_get("steps")?.as_str()).collect();
        let commands = job.as_mapping_get("steps").and_then(Yaml::as_sequence).expect("steps");
        for command in commands.iter().filter_map(|step| step.as_mapping_get("run")?.as_str()) {
            let Some(named) = command.trim().strip_prefix(COMMAND) else {
                assert!(!command.contains(COMMAND), "a command of its own is wanted for {command:?}");
                continue;
            };
            let named = if named.trim() == MATRIX { rows.join(" ") } else { named.to_owned() };
            steps.extend(named.split_whitespace().map(str::to_owned));
        }
    }
    steps
}

/// Each file's name and text.
fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.github/workflows");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let file = |path: PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into(), fs::read_to_string(&path).unwrap())
    };
    files.map(file).collect()
}

fn workflows() -> Vec<(String, Vec<String>)> {
    files().into_iter().map(|(name, text)| (name, steps_of(&text))).collect()
}

#[test]
fn workflows_name_steps_that_exist() {
    // It publishes and tests nothing.
    for (file, steps) in workflows().into_iter().filter(|(file, _)| file != "pages.yml") {
        let unknown: Vec<_> = steps.iter().filter(|step| !test::is_known(step)).collect();
        assert!(unknown.is_empty(), "{file} names no such steps: {unknown:?}");
        assert!(!steps.is_empty(), "{file} runs no step");
    }
}

#[test]
fn every_step_of_the_default_run_is_in_a_job() {
    let all = workflows();
    let (_, ci) = all.iter().find(|(file, _)| file == "ci.yml").expect("ci.yml");
    let mut missing = test::default_steps();
    missing.retain(|step| !ci.iter().any(|name| name == step));
    assert!(missing.is_empty(), "no job of ci.yml runs {missing:?}");
    assert!(all.iter().any(|(file, steps)| file == "nightly.yml" && *steps == ["nightly"]));
}

/// A tag may be moved, a commit may not.
#[test]
fn actions_are_named_by_commit_with_their_version_beside_and_everywhere_the_same() {
    let mut known = BTreeMap::new();
    for (file, text) in files() {
        for used in text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses:"))
        {
            let (action, commit) = used.trim().split_once('@').expect("an action's version");
            let (commit, version) = commit.split_once(" # v").unwrap_or((commit, ""));
            assert!(
                commit.len() == 40 && commit.bytes().all(|digit| digit.is_ascii_hexdigit()),
                "{file}: {used}"
            );
            assert_eq!(version.split('.').count(), 3, "{file}: {used}");
            let other = known.insert(action.to_owned(), commit.to_owned());
            assert!(other.is_none_or(|other| other == commit), "{file}: {used}");
        }
    }
    assert!(known.len() >= 4, "{known:?}");
}

#[test]
fn a_matrix_is_spelt_out() {
    let workflow = "jobs:\n  a:\n    strategy:\n      matrix:\n        include:\n          - { steps: fmt clippy }\n          \
        - { steps: unit }\n    steps:\n      - uses: x\n      - run: cargo xtask test ${{ matrix.steps }}\n  b:\n    \
        steps:\n      - run: cargo xtask test deny\n      - run: true\n";
    assert_eq!(steps_of(workflow), ["fmt", "clippy", "unit", "deny"]);
}
