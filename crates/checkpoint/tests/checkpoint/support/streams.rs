//! Conversions of streams, and what `convert` makes of the same bytes.

use super::{Tensors, TestTensor, bytes_of, files, write_safetensors};
use beit::config::{Config, Position};
use beit::weights::Manifest;
use beit::weights::schema::{Role, TensorSpec};
use checkpoint::convert;
use checkpoint::seeded::{self, Outliers};
use checkpoint::streaming::StreamedModel;
use checkpoint::{CheckpointError, Options, Quantization, Settings, ShardSink, StreamingConversion};
use safetensors::Dtype;
use std::collections::BTreeMap;
use std::fs;
use std::io;

pub const FILE: &str = "net.safetensors";

/// Files in memory.
#[derive(Default)]
pub struct Memory(BTreeMap<String, Vec<u8>>);

impl ShardSink for Memory {
    async fn put(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        assert!(self.0.insert(name.to_owned(), bytes).is_none(), "{name} twice");
        Ok(())
    }
}

pub fn settings(quantization: Quantization) -> Settings {
    Settings { shard_bytes: 30_000, ..Settings::new(quantization) }
}

pub fn streamed(bytes: &[u8], piece: usize, settings: Settings) -> Result<StreamedModel, CheckpointError> {
    let mut conversion = StreamingConversion::new(FILE, settings, None)?;
    for piece in bytes.chunks(piece) {
        conversion.push(piece)?;
    }
    conversion.finish(None)
}

pub fn written(model: &StreamedModel) -> (Manifest, BTreeMap<String, Vec<u8>>) {
    let mut sink = Memory::default();
    let manifest = pollster::block_on(model.write(&mut sink)).unwrap();
    (manifest, sink.0)
}

/// What `convert` writes of a file with this content.
pub fn converted(bytes: &[u8], settings: &Settings) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join(FILE), folder.path().join("out"));
    fs::write(&file, bytes).unwrap();
    let options = Options {
        name: settings.name.clone(),
        license: settings.license.clone(),
        shard_bytes: settings.shard_bytes,
        short_side: settings.short_side,
        mean: settings.mean,
        std: settings.std,
        ..Options::new(file, &out, settings.quantization)
    };
    convert(&options, &|_| ()).unwrap();
    files(&out)
}

pub fn file_of(tensors: &Tensors) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    write_safetensors(&file, tensors);
    fs::read(file).unwrap()
}

/// A network of another shape than the golden ones, with seeded weights.
pub fn seeded_tensors() -> (Config, Tensors) {
    let config = Config {
        image_size: 64,
        width: 96,
        depth: 2,
        heads: 3,
        mlp_width: 416,
        classes: 77,
        position: Position::RelativeBias,
        ..Config::beitv2_large()
    };
    let tensors = tensors_of(&config);
    (config, tensors)
}

/// Seeded weights of a network, as PyTorch shapes them.
pub fn tensors_of(config: &Config) -> Tensors {
    tensors_with(config, &[])
}

/// The same with outliers.
pub fn tensors_with(config: &Config, outliers: &[Outliers]) -> Tensors {
    let tensor = |spec: TensorSpec| {
        let values = seeded::tensor_with(config, &spec, outliers);
        let shape = match (spec.role, spec.name.as_str()) {
            (Role::PatchEmbedding, _) => vec![config.width, 3, config.patch_size, config.patch_size],
            (_, "cls_token") => vec![1, 1, config.width],
            (_, "pos_embed") => vec![1, values.len() / config.width, config.width],
            _ => spec.shape,
        };
        (spec.name, TestTensor { dtype: Dtype::F32, shape, values })
    };
    config.tensors().into_iter().map(tensor).collect()
}

/// A safetensors file with its tensors in this order.
pub fn in_order(tensors: &Tensors, order: &[&String]) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for &name in order {
        let bytes = bytes_of(&tensors[name]);
        let offsets = [data.len(), data.len() + bytes.len()];
        let (dtype, shape) = ("F32", &tensors[name].shape);
        let entry = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        header.insert(name.clone(), entry);
        data.extend(bytes);
    }
    let header = serde_json::to_vec(&header).unwrap();
    [(header.len() as u64).to_le_bytes().to_vec(), header, data].concat()
}
