//! `.github/workflows/pages.yml`: a fork's button that puts the site, with a model of one's choice, on GitHub Pages.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

const FILE: &str = ".github/workflows/pages.yml";

/// Actions by the commit that their version's tag names: a tag may be moved, a commit may not.
const ACTIONS: [(&str, &str, &str); 4] = [
    ("actions/checkout", "de0fac2e4500dabe0009e67214ff5f5447ce83dd", "v6.0.2"),
    ("actions/cache", "27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
    ("actions/upload-pages-artifact", "fc324d3547104276b827a68afc52ff2a11cc49c9", "v5.0.0"),
    ("actions/deploy-pages", "cd2ce8fcbc39b97be8ca5fce6e763baed58fa128", "v5.0.0"),
];

/// What is published unless whoever presses the button says otherwise.
const MODEL: &str = "hf:timm/beitv2_large_patch16_224.in1k_ft_in22k_in1k";

/// Writes it into the checkout.
pub fn write(root: &Path) -> Result<PathBuf> {
    let path = root.join(FILE);
    let folder = path.parent().unwrap_or(root);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text()));
    written.map(|()| path.clone()).map_err(|error| format!("{}: {error}", path.display()))
}

/// The model's name reaches the shell as a variable, never as a part of the script.
fn text() -> String {
    let [checkout, cache, upload, deploy] =
        ACTIONS.map(|(name, commit, version)| format!("{name}@{commit} # {version}"));
    format!(
        r#"# Written by `cargo xtask workflow`.
name: Pages

on:
  workflow_dispatch:
    inputs:
      model:
        description: A model of the BEiT family, hf:OWNER/NAME or modelscope:OWNER/NAME
        type: string
        required: true
        default: {MODEL}
      quantization:
        description: How its weights are stored
        type: choice
        options: [q8_0, q4_0]
        default: q8_0

permissions: {{}}

concurrency:
  group: pages
  cancel-in-progress: false

env:
  CARGO_INCREMENTAL: 0
  CARGO_TERM_COLOR: always

jobs:
  build:
    runs-on: ubuntu-24.04
    timeout-minutes: 90
    permissions:
      contents: read
    steps:
      - uses: {checkout}
        with:
          persist-credentials: false
      # Of the version that rust-toolchain.toml names.
      - run: rustup toolchain install
      - uses: {cache}
        with:
          path: |
            ~/.cache/beitscope
            ~/.cargo/registry
          key: pages-${{{{ runner.os }}}}-${{{{ hashFiles('rust-toolchain.toml', 'Cargo.lock') }}}}
          restore-keys: pages-${{{{ runner.os }}}}-
      - run: cargo xtask build --model "$MODEL:$QUANTIZATION" --model-first --host github-pages
        env:
          MODEL: ${{{{ inputs.model }}}}
          QUANTIZATION: ${{{{ inputs.quantization }}}}
      - uses: {upload}
        with:
          path: dist

  deploy:
    needs: build
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      pages: write
      id-token: write
    environment:
      name: github-pages
      url: ${{{{ steps.deployment.outputs.page_url }}}}
    steps:
      - uses: {deploy}
        id: deployment
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use saphyr::{LoadableYamlNode, Yaml};

    fn lines(start: &str) -> Vec<String> {
        let text = text();
        let trimmed = text.lines().map(|line| line.trim().trim_start_matches("- "));
        trimmed.filter_map(|line| line.strip_prefix(start)).map(|rest| rest.trim().to_owned()).collect()
    }

    #[test]
    fn the_file_of_the_project_is_what_the_command_writes() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FILE);
        assert!(fs::read_to_string(file).unwrap() == text(), "run `cargo xtask workflow`");
    }

    #[test]
    fn it_is_yaml_with_two_jobs_and_each_has_only_the_rights_it_needs() {
        let text = text();
        let documents = Yaml::load_from_str(&text).unwrap();
        let workflow = &documents[0];
        let get = |path: &[&str]| path.iter().try_fold(workflow, |at, key| at.as_mapping_get(key));
        assert_eq!(get(&["permissions"]).and_then(Yaml::as_mapping).map(|rights| rights.len()), Some(0));
        for (job, rights) in
            [("build", &["contents: read"][..]), ("deploy", &["pages: write", "id-token: write"])]
        {
            let given = get(&["jobs", job, "permissions"]).and_then(Yaml::as_mapping).unwrap();
            let given =
                given.iter().map(|(k, v)| format!("{}: {}", k.as_str().unwrap(), v.as_str().unwrap()));
            assert_eq!(given.collect::<Vec<_>>(), rights, "{job}");
        }
        let default = get(&["on", "workflow_dispatch", "inputs", "model", "default"]).and_then(Yaml::as_str);
        assert_eq!(default, Some(MODEL));
        assert_eq!(get(&["concurrency", "group"]).and_then(Yaml::as_str), Some("pages"));
        assert!(!text.contains("secrets."), "{text}");
    }

    #[test]
    fn what_is_typed_is_no_part_of_a_script_and_the_command_is_one_of_ours() {
        let scripts = lines("run: ");
        assert!(scripts.iter().all(|script| !script.contains("${{")), "{scripts:?}");
        let build = scripts.iter().find_map(|script| script.strip_prefix("cargo xtask ")).unwrap();
        let filled = build.replace('"', "").replace("$MODEL", MODEL).replace("$QUANTIZATION", "q4_0");
        let words = ["xtask"].into_iter().chain(filled.split(' '));
        assert!(matches!(
            crate::args::Command::try_parse_from(words),
            Ok(crate::args::Command::Build { .. })
        ));
    }
}
