//! A checkpoint as small as one can be, and hubs that serve it.

use super::devices::{FakeDevices, GpuIs};
use super::network::{FakeNetwork, Redirect, Way};
use super::{FakePhoto, Tab, World};
use beit::config::Config;
use beit::preprocess::Preprocessing;
use beit::weights::schema::Role;
use beit::weights::{Manifest, sha256};
use checkpoint::{Options, Quantization, convert, seeded};
use engine::platform::Clock;
use futures_util::future::select;
use protocol::Reply;
use protocol::Request;
use protocol::import::{
    Hubs, ImportFault, ImportOffer, ImportProgress, ImportReply, ImportRequest, ImportSource,
};
use protocol::storage::Key;
use std::collections::BTreeMap;
use std::fs;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

pub const FILE: &str = "model.safetensors";
pub const HUB: &str = "https://huggingface.co";
pub const LISTING: &str = "/api/models/timm/tiny/revision/main";
/// The checkpoint's address on Hugging Face: of the listing's commit.
pub const ADDRESS: &str = "https://huggingface.co/timm/tiny/resolve/c0ffee/model.safetensors";
/// Where that address may lead.
pub const STORAGE: &str = "https://cdn.example/model.safetensors";
pub const CONFIG: &str = r#"{"architecture":"beitv2_tiny","pretrained_cfg":{"mean":[0.25,0.5,0.75],"std":[0.5,0.25,0.5],"crop_pct":0.9,"license":"mit"}}"#;

/// A page without a GPU.
pub fn tab(world: &Rc<World>) -> Tab {
    Tab::new(world, FakeDevices::new(&world.clock, GpuIs::Absent))
}

/// A world in which the hub has the checkpoint.
pub fn served() -> (Rc<World>, Vec<u8>) {
    let (world, checkpoint) = (World::new(), checkpoint(1));
    serve(&world.network, &checkpoint, true);
    (world, checkpoint)
}

/// Asks and imports.
pub async fn import(tab: &mut Tab) -> Result<String, ImportFault> {
    let offer = tab.inspect(&usual_source(), None).await?;
    tab.import(&offer, None).await
}

/// Imports until the network falls silent after so many bytes, and the visitor closes the page.
pub fn import_and_close(world: &Rc<World>, bytes: usize) {
    let mut tab = tab(world);
    world.clock.run(async {
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        world.network.then(ADDRESS, &[Way::StallsAfter(bytes)]);
        select(pin!(tab.import(&offer, None)), pin!(world.clock.sleep(10_000))).await;
    });
    world.network.heal();
}

/// Where the parts of the checkpoint begin that were asked for.
pub fn parts_asked_for(world: &World) -> Vec<u64> {
    let asked = world.network.asked.borrow();
    asked.iter().filter(|(url, from, _)| url == ADDRESS && *from > 0).map(|(_, from, _)| *from).collect()
}

/// Files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A checkpoint; each version has other weights.
pub fn checkpoint(version: u64) -> Vec<u8> {
    let config = Config {
        name: "tiny".into(),
        image_size: 16,
        patch_size: 8,
        width: 32,
        depth: 2,
        heads: 1,
        mlp_width: 64,
        classes: 5,
        preprocessing: Preprocessing { short_side: 16, crop: 16, ..Config::beitv2_large().preprocessing },
        ..Config::beitv2_large()
    };
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for spec in config.tensors() {
        let shape = match (spec.role, spec.name.as_str()) {
            (Role::PatchEmbedding, _) => vec![config.width, 3, config.patch_size, config.patch_size],
            (_, "cls_token") => vec![1, 1, config.width],
            _ => spec.shape.clone(),
        };
        let start = data.len();
        let values = seeded::tensor(&config, &spec);
        data.extend(values.iter().flat_map(|value| (value * version as f32).to_le_bytes()));
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert(spec.name, entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    [(header.len() as u64).to_le_bytes().to_vec(), header, data].concat()
}

/// What the command line makes of it.
pub fn converted(checkpoint: &[u8], quantization: &str) -> Files {
    static MADE: Mutex<BTreeMap<(String, String), Files>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let of = (sha256(checkpoint), quantization.to_owned());
    made.entry(of).or_insert_with(|| convert_to_files(checkpoint, quantization)).clone()
}

fn convert_to_files(checkpoint: &[u8], quantization: &str) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join(FILE), folder.path().join("out"));
    fs::write(&file, checkpoint).unwrap();
    let quantization: Quantization = quantization.parse().unwrap();
    let options = Options {
        name: Some("tiny".into()),
        license: Some("MIT".into()),
        mean: Some([0.25, 0.5, 0.75]),
        std: Some([0.5, 0.25, 0.5]),
        crop: Some(0.9),
        ..Options::new(file, &out, quantization)
    };
    convert(&options, &|_| ()).unwrap();
    let files = fs::read_dir(out).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

/// Puts the checkpoint on Hugging Face. Its hash is told only if asked for.
pub fn serve(network: &FakeNetwork, checkpoint: &[u8], with_hash: bool) {
    let lfs = match with_hash {
        true => format!(r#","lfs":{{"sha256":"{}","size":{}}}"#, sha256(checkpoint), checkpoint.len()),
        false => String::new(),
    };
    let size = checkpoint.len();
    let listing = format!(
        r#"{{"sha":"c0ffee","siblings":[{{"rfilename":"config.json","size":1}},{{"rfilename":"{FILE}","size":{size}{lfs}}}]}}"#
    );
    network.serve(&format!("{HUB}{LISTING}?blobs=true"), listing.as_bytes());
    network.serve(&format!("{HUB}/timm/tiny/resolve/c0ffee/config.json"), CONFIG.as_bytes());
    network.serve(ADDRESS, checkpoint);
    network.etags.borrow_mut().insert(ADDRESS.into(), format!("\"{}\"", sha256(checkpoint)));
}

/// The same, and on the storage server that [`redirect`] leads to.
pub fn serve_both(network: &FakeNetwork, checkpoint: &[u8], with_hash: bool) {
    serve(network, checkpoint, with_hash);
    network.serve(STORAGE, checkpoint);
    let etag = network.etags.borrow()[ADDRESS].clone();
    network.etags.borrow_mut().insert(STORAGE.into(), etag);
}

/// From Hugging Face to the storage server.
pub fn redirect() -> Redirect {
    Redirect { from: ADDRESS.into(), to: STORAGE.into(), ..Redirect::default() }
}

/// The same on ModelScope.
pub fn serve_on_modelscope(network: &FakeNetwork, checkpoint: &[u8]) {
    let (hash, size) = (sha256(checkpoint), checkpoint.len());
    let listing = format!(
        r#"{{"Code":200,"Success":true,"Data":{{"Files":[{{"Path":"config.json","Type":"blob","Size":1}},
            {{"Path":"{FILE}","Type":"blob","Size":{size},"Sha256":"{hash}","Revision":"c0ffee"}}]}}}}"#
    );
    let repository = "https://modelscope.cn/api/v1/models/timm/tiny/repo";
    network.serve(&format!("{repository}/files?Revision=master&Recursive=True"), listing.as_bytes());
    network.serve(&format!("{repository}?Revision=master&FilePath=config.json"), CONFIG.as_bytes());
    network.serve(&format!("{repository}?Revision=master&FilePath={FILE}"), checkpoint);
}

pub fn source(checkpoint: &str, quantization: &str) -> ImportSource {
    ImportSource { checkpoint: checkpoint.into(), quantization: quantization.into() }
}

/// The one on Hugging Face, in 8 bits.
pub fn usual_source() -> ImportSource {
    source("hf:timm/tiny", "q8_0")
}

impl Tab {
    pub async fn inspect(
        &mut self,
        source: &ImportSource,
        file: Option<FakePhoto>,
    ) -> Result<ImportOffer, ImportFault> {
        let request = ImportRequest::Inspect { source: source.clone(), hubs: Hubs::default() };
        self.send(Request::Import(request), file.into_iter().collect()).await;
        match self.import_replies().pop() {
            Some(ImportReply::Offer(offer)) => Ok(offer),
            Some(ImportReply::Failed { fault, .. }) => Err(fault),
            other => panic!("{other:?}"),
        }
    }

    pub async fn import(
        &mut self,
        offer: &ImportOffer,
        file: Option<FakePhoto>,
    ) -> Result<String, ImportFault> {
        let request = ImportRequest::Start { offer: offer.clone(), threads: 2 };
        self.send(Request::Import(request), file.into_iter().collect()).await;
        match self.import_replies().pop() {
            Some(ImportReply::Done { manifest }) => Ok(manifest),
            Some(ImportReply::Failed { fault, .. }) => Err(fault),
            other => panic!("{other:?}"),
        }
    }

    pub fn import_replies(&self) -> Vec<ImportReply> {
        let reply = |reply| match reply {
            Reply::Import(reply) => Some(reply),
            _ => None,
        };
        self.posted().into_iter().filter_map(reply).collect()
    }

    pub fn import_progress(&self) -> Vec<ImportProgress> {
        let progress = |reply| match reply {
            ImportReply::Progress(progress) => Some(progress),
            _ => None,
        };
        self.import_replies().into_iter().filter_map(progress).collect()
    }
}

impl World {
    /// The files of the model under this address; none if it is not there whole.
    pub fn model_in_storage(&self, address: &str) -> Option<Files> {
        let entries = self.storage.entries.borrow();
        let (json, _) = entries.get(&Key::Manifest(address.into()).path())?;
        let manifest = Manifest::parse(json).unwrap();
        let mut files = Files::from([("manifest.json".to_owned(), json.clone())]);
        for shard in manifest.shards {
            let (bytes, _) = entries.get(&Key::Shard(shard.sha256).path())?;
            files.insert(shard.name, bytes.clone());
        }
        Some(files)
    }

    /// Entries of imports that are under way.
    pub fn import_entries(&self) -> Vec<String> {
        [self.storage.keys_with("/import?"), self.storage.keys_with("/piece?")].concat()
    }
}
