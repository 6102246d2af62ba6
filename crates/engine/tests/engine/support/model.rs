//! A network that is as small as one can be, in shards.

use beit::config::Config;
use beit::labels::Label;
use beit::preprocess::Preprocessing;
use beit::weights::{MANIFEST_FORMAT, Manifest, Shard, Storage, StoredTensor, sha256, write};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Mutex, PoisonError};

/// Where tests serve it.
pub const URL: &str = "https://site.example/models/tiny/manifest.json";
pub const SHARDS: usize = 4;

#[derive(Clone)]
pub struct Model {
    pub manifest: Manifest,
    pub json: Vec<u8>,
    pub shards: Vec<(String, Vec<u8>)>,
}

impl Model {
    pub fn bytes(&self) -> u64 {
        self.manifest.bytes
    }

    /// Puts its files on a server, beside this manifest.
    pub fn serve(&self, network: &super::network::FakeNetwork, manifest: &str) {
        network.serve(manifest, &self.json);
        let (folder, _) = manifest.rsplit_once('/').expect("a folder");
        self.shards.iter().for_each(|(name, bytes)| network.serve(&format!("{folder}/{name}"), bytes));
    }
}

/// A version of the model: each has other weights. Made once.
pub fn model(version: u64) -> Model {
    static MADE: Mutex<BTreeMap<u64, Model>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(version).or_insert_with(|| make(version)).clone()
}

fn make(version: u64) -> Model {
    let config = Config {
        name: "tiny".into(),
        image_size: 16,
        patch_size: 8,
        width: 32,
        depth: 1,
        heads: 1,
        mlp_width: 64,
        classes: 5,
        preprocessing: Preprocessing { short_side: 16, crop: 16, ..Config::beitv2_large().preprocessing },
        ..Config::beitv2_large()
    };
    let mut random = Random(version);
    let mut stored = Vec::new();
    for spec in config.tensors() {
        let around = if spec.name.contains("norm") && spec.name.ends_with("weight") { 1.0 } else { 0.0 };
        let values = (0..spec.values()).flat_map(|_| (around + random.spread(0.3)).to_le_bytes());
        stored.push(StoredTensor::new(&spec, Storage::F32, values.collect()).unwrap());
    }
    let label = |i| Label { wnid: String::new(), en: format!("class {i}"), zh: format!("类{i}") };
    let labels: Vec<_> = (0..config.classes).map(label).collect();
    let mut file = Cursor::new(Vec::new());
    write(&mut file, &config, &labels, &[], &stored).unwrap();
    let file = file.into_inner();
    let shards: Vec<_> = file
        .chunks(file.len().div_ceil(SHARDS))
        .enumerate()
        .map(|(i, bytes)| (format!("tiny-{version}-{i}.gguf"), bytes.to_vec()))
        .collect();
    assert_eq!(shards.len(), SHARDS);
    let described = shards.iter().map(|(name, bytes)| Shard {
        name: name.clone(),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    });
    let manifest = Manifest {
        format: MANIFEST_FORMAT.into(),
        name: config.name.clone(),
        quantization: "f32".into(),
        parameters: config.parameters(),
        classes: config.classes,
        image_size: config.image_size,
        source: None,
        card: None,
        calibration: None,
        bytes: file.len() as u64,
        sha256: sha256(&file),
        shards: described.collect(),
    };
    Model { json: serde_json::to_vec(&manifest).unwrap(), manifest, shards }
}

/// A photo of noise, as BMP: each number's is another.
pub fn photo(number: u64) -> Vec<u8> {
    const SIDE: u32 = 16;
    let pixels = SIDE * SIDE * 3;
    let mut bmp = b"BM".to_vec();
    bmp.extend((54 + pixels).to_le_bytes());
    bmp.extend([0; 4]);
    bmp.extend(54u32.to_le_bytes());
    bmp.extend(40u32.to_le_bytes());
    bmp.extend(SIDE.to_le_bytes());
    bmp.extend(SIDE.to_le_bytes());
    bmp.extend([1, 0, 24, 0]);
    bmp.extend([0; 24]);
    let mut random = Random(number ^ 0x5eed);
    bmp.extend((0..pixels).map(|_| random.next() as u8));
    bmp
}

/// A 64-bit linear congruential generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    fn spread(&mut self, half: f32) -> f32 {
        (self.next() as f32 / (1u32 << 30) as f32 - 1.0) * half
    }
}
