//! A site whose list offers a checkpoint of the stand-ins, and what a visitor does with it.

use crate::checkpoints::{Tensors, pytorch, write_safetensors};
use crate::seeded_checkpoint;
use server::{Disturbance, Server};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use tempfile::TempDir;
use tests::browser::Client;
use tests::command_line::convert;
use tests::hub_stand_in::{HubStandIn, Repository};
use tests::import::{ask, finished, list, start};
use tests::{page, site};

/// The references of the list's entries, and their models' name.
pub const HUGGING_FACE: &str = "hf:timm/seeded";
pub const MODELSCOPE: &str = "modelscope:timm/seeded";
pub const MODEL: &str = "seeded";

/// What references of the visitor's own files begin with.
pub const FILE: &str = "file:";

/// What the page may look at while a few seconds pass.
pub const SLOW: Disturbance = Disturbance::Throttle(5_000_000);

/// As timm's files have it, with other numbers than ImageNet's.
const CONFIG: &str = r#"{
  "architecture": "beitv2_large_patch16_224", "num_classes": 1000, "num_features": 384, "global_pool": "avg",
  "pretrained_cfg": {
    "tag": "seeded", "input_size": [3, 224, 224], "fixed_input_size": true, "interpolation": "bicubic", "crop_pct": 0.95,
    "crop_mode": "center", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "num_classes": 1000, "license": "apache-2.0"
  }
}"#;

/// What `configuration.json` is on ModelScope.
const CONFIGURATION: &str = r#"{"framework": "pytorch", "task": "image-classification"}"#;

const CARD: &str =
    "---\nlicense: apache-2.0\ntags:\n- image-classification\n---\n# A model of seeded random weights\n";

/// Both hubs and the site.
pub struct Visit {
    pub hub: HubStandIn,
    pub site: Server,
    _folder: TempDir,
}

impl Visit {
    pub fn new() -> Self {
        Self::with_script_in_workers("")
    }

    /// With a script before the workers' own.
    pub fn with_script_in_workers(script: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let hub = hub(folder.path());
        let mut files = vec![list(&hub.url(), MODEL, &[HUGGING_FACE, MODELSCOPE])];
        files.extend(["simd128", "simd128-threads", "relaxed-threads"].map(|worker| {
            let path = format!("workers/{worker}/worker.js");
            let own = fs::read(site::dist().join(&path)).unwrap();
            (path, "text/javascript", [script.as_bytes(), &own].concat())
        }));
        let site = site::serve_with_files(files);
        Self { hub, site, _folder: folder }
    }

    /// Opens the site and waits for the model that it has of its own.
    pub async fn open(&self, client: &Client) {
        page::open(client, &self.site.url()).await;
        page::ready(client).await;
    }

    /// Opens the site, asks for the model of this reference and agrees.
    pub async fn begin(&self, client: &Client, reference: &str) {
        self.open(client).await;
        ask(client, reference).await;
        start(client).await;
    }

    /// Imports the model of this reference into the storage.
    pub async fn import(&self, client: &Client, reference: &str) {
        self.begin(client, reference).await;
        finished(client, reference).await;
    }

    /// The ranges and statuses of the checkpoint's transfers.
    pub fn ranges(&self) -> Vec<(Option<String>, u16)> {
        self.hub.transfers().into_iter().map(|record| (record.range, record.status)).collect()
    }
}

/// Both hubs with the seeded network, whose checkpoint is copied into this folder: a test may change it.
fn hub(folder: &Path) -> HubStandIn {
    let checkpoint = folder.join("model.safetensors");
    fs::copy(files().join("seeded.safetensors"), &checkpoint).unwrap();
    HubStandIn::start(Repository {
        small_files: vec![
            ("config.json".into(), CONFIG.into()),
            ("configuration.json".into(), CONFIGURATION.into()),
            ("README.md".into(), CARD.into()),
        ],
        license: Some("apache-2.0".into()),
        ..Repository::new("timm/seeded", &checkpoint)
    })
}

/// What the command line makes of the checkpoint of this reference, which is a hub's or one of [`files`]: converted once
/// for all tests of this process.
pub fn conversion(reference: &'static str) -> PathBuf {
    static CONVERTED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let folder = files().join(reference.replace([':', '/'], "-"));
    let mut converted = CONVERTED.lock().unwrap();
    if !converted.contains(reference) {
        let checkpoint = TempDir::new().unwrap();
        let hub = hub(checkpoint.path());
        let file = files().join(reference.trim_start_matches(FILE));
        let source = if reference.starts_with(FILE) { file.to_str().unwrap() } else { reference };
        convert(source, "q8_0", &hub.url(), &folder);
        converted.insert(reference);
    }
    folder
}

/// The folder of `seeded.safetensors` and `seeded.pth`, written once for all tests of this process.
pub fn files() -> &'static Path {
    static FILES: OnceLock<PathBuf> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = site::root().join("target/import");
        fs::create_dir_all(&folder).unwrap();
        let tensors: Tensors = seeded_checkpoint::tensors();
        write_safetensors(&folder.join("seeded.safetensors"), &tensors);
        fs::write(folder.join("seeded.pth"), pytorch::pth(&tensors, b"", b"")).unwrap();
        folder
    })
}

/// Waits until so many photos are answered by the model that the site has of its own.
pub async fn demo_answers(client: &Client, photos: usize) {
    let cards = page::settled(client, photos).await;
    assert!(cards.iter().all(|card| card.state == "done"), "{cards:?}");
    let named = "return document.body.innerText.includes('demo-vit-small-112')";
    assert_eq!(client.execute(named, vec![]).await.unwrap(), true);
}
