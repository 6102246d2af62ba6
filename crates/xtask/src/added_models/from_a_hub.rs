//! `build --model hf:OWNER/NAME --model-first --host github-pages` against a stand-in for the hub, with a tiny network and
//! without the page.

use super::*;
use crate::hosts::{self, Host};
use crate::models;
use ::tests::hub_stand_in::{HubStandIn, Repository};

const SOURCE: &str = "hf:timm/tiny";
const CARD_TEXT: &[u8] = b"---\nlicense: apache-2.0\n---\n# A tiny network\n";

/// What every host takes.
const LARGEST_SHARD: u64 = 20 << 20;

/// A project that has nothing but what a site gets from it, and a hub.
struct Build {
    project: Project,
    /// Where the program and its sources are.
    checkout: Project,
    hub: HubStandIn,
}

impl Build {
    fn new(test: &str) -> Self {
        let checkout = Project::find().unwrap();
        let root = std::env::temp_dir().join(format!("xtask-hub-{test}-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let checkpoint = "tests/data/golden/tiny-relative.weights.safetensors";
        for (file, copy) in [(APACHE_TEXT, APACHE_TEXT), (checkpoint, "model.safetensors")] {
            fs::copy(checkout.root.join(file), root.join(copy)).unwrap();
        }
        let hub = HubStandIn::start(Repository {
            small_files: vec![(CARD.into(), CARD_TEXT.into())],
            license: Some("apache-2.0".into()),
            ..Repository::new("timm/tiny", &root.join("model.safetensors"))
        });
        Self { project: Project { cargo_target: root.join("target"), root }, checkout, hub }
    }

    /// The command line that tests have built, which knows no other hub than this one, and whose cache is the project's.
    fn converter(&self) -> Beitscope<'_> {
        let mut converter = Beitscope::for_tests(&self.checkout);
        assert!(converter.program.is_file(), "run `cargo build --workspace --bin beitscope` first");
        converter.variables = vec![
            ("HF_ENDPOINT", self.hub.url().into()),
            ("HF_HOME", self.project.root.join("cache").into()),
            ("NO_PROXY", "127.0.0.1".into()),
        ];
        converter
    }

    /// A new site with the model, listed first, ready for GitHub Pages.
    fn site(&self, name: &str) -> PathBuf {
        let source = [SOURCE.parse().unwrap()];
        let added = AddedModels::convert(&self.project, &self.converter(), &source, true).unwrap();
        let site = self.project.root.join(name);
        fs::create_dir_all(site.join(FOLDER)).unwrap();
        fs::write(site.join("index.html"), "<!doctype html><html><head></head></html>").unwrap();
        let list = json!({ "models": [
            { "source": SOURCE, "quantization": "q8_0", "name": "Tiny" },
            { "source": SOURCE, "quantization": "q4_0", "name": "Tiny" },
        ] });
        fs::write(site.join(FOLDER).join("index.json"), list.to_string()).unwrap();
        models::index(&site, added.put(&self.project, &site).unwrap(), added.are_first).unwrap();
        hosts::prepare(Host::GithubPages, &site).unwrap();
        site
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.project.root).ok();
    }
}

#[test]
fn a_hubs_model_is_put_into_the_site_with_card_and_licence() {
    let build = Build::new("site");
    let site = build.site("site");
    let list: Value =
        serde_json::from_slice(&fs::read(site.join(FOLDER).join("index.json")).unwrap()).unwrap();
    let listed = list["models"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "what the site has itself it does not offer for import: {list}");
    assert_eq!((&listed[0]["quantization"], &listed[1]["quantization"]), (&json!("q8_0"), &json!("q4_0")));
    assert_eq!(listed[0]["note"], "From hf:timm/tiny, as q8_0. Licence: Apache-2.0.");
    let path = site.join(FOLDER).join(listed[0]["manifest"].as_str().unwrap());
    let manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((&listed[0]["bytes"], &listed[0]["sha256"]), (&manifest["bytes"], &manifest["sha256"]));
    let folder = path.parent().unwrap();
    let bytes = |shard: &Value| {
        let file = folder.join(shard["name"].as_str().unwrap());
        fs::metadata(file).unwrap().len()
    };
    let shards: Vec<u64> = manifest["shards"].as_array().unwrap().iter().map(bytes).collect();
    assert!(shards.iter().all(|&bytes| bytes <= LARGEST_SHARD), "{shards:?}");
    assert_eq!(json!(shards.iter().sum::<u64>()), manifest["bytes"]);
    let card = fs::read_to_string(folder.join(CARD)).unwrap();
    assert!(card.contains("# A tiny network"), "{card}");
    let license = fs::read(folder.join(LICENSE_TEXT)).unwrap();
    assert_eq!(license, fs::read(build.checkout.root.join(APACHE_TEXT)).unwrap());
    assert!(site.join(".nojekyll").is_file());
}

#[test]
fn a_second_build_fetches_and_converts_nothing() {
    let build = Build::new("again");
    let converted = || {
        let folders = fs::read_dir(build.project.root.join("target/models")).unwrap();
        let mut manifests =
            folders.map(|folder| folder.unwrap().path().join(MANIFEST)).filter(|path| path.is_file());
        let manifest = manifests.next().unwrap();
        assert_eq!(manifests.next(), None);
        fs::metadata(manifest).unwrap().modified().unwrap()
    };
    build.site("first");
    assert_eq!(build.hub.transfers().len(), 1);
    let first = converted();
    build.hub.forget();
    build.site("second");
    assert_eq!(build.hub.transfers(), vec![]);
    assert_eq!(converted(), first);
}
