//! Checkpoints for tests: the golden ones, and changed copies of them.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod pytorch;
pub mod streams;

use beit::config::Config;
use beit::preprocess::Preprocessing;
use checkpoint::dialects::Dialect;
use checkpoint::{CheckpointError, Conversion, Options, Quantization, convert};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One tensor of a checkpoint.
#[derive(Clone, Debug)]
pub struct TestTensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

pub type Tensors = BTreeMap<String, TestTensor>;

/// The weights of one of the tiny networks (see `tests/data/golden/README.md`).
pub fn golden(network: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../tests/data/golden/{network}.weights.safetensors"))
}

pub fn tensors(file: &Path) -> Tensors {
    let bytes = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let read = |view: TensorView| TestTensor {
        dtype: view.dtype(),
        shape: view.shape().to_vec(),
        values: view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
    };
    file.iter().map(|(name, view)| (name.to_owned(), read(view))).collect()
}

/// `value` as `dtype` keeps it.
pub fn rounded(value: f32, dtype: Dtype) -> f32 {
    match dtype {
        Dtype::F16 => f16::from_f32(value).to_f32(),
        Dtype::BF16 => bf16::from_f32(value).to_f32(),
        _ => value,
    }
}

pub fn bytes_of(tensor: &TestTensor) -> Vec<u8> {
    let values = tensor.values.iter();
    match tensor.dtype {
        Dtype::F16 => values.flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
        Dtype::BF16 => values.flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect(),
        Dtype::F64 => values.flat_map(|&v| f64::from(v).to_le_bytes()).collect(),
        Dtype::I64 => values.flat_map(|&v| (v as i64).to_le_bytes()).collect(),
        _ => values.flat_map(|v| v.to_le_bytes()).collect(),
    }
}

pub fn write_safetensors(file: &Path, tensors: &Tensors) {
    let data: BTreeMap<&String, Vec<u8>> = tensors.iter().map(|(name, t)| (name, bytes_of(t))).collect();
    let views = tensors
        .iter()
        .map(|(name, t)| (name, TensorView::new(t.dtype, t.shape.clone(), &data[name]).unwrap()));
    fs::write(file, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The same network in another dialect.
pub fn renamed(timm: &Tensors, dialect: Dialect) -> Tensors {
    let mut tensors = Tensors::new();
    for (name, tensor) in timm {
        let parts = dialect.theirs(name);
        let rows = tensor.shape[0] / parts.len();
        let len = tensor.values.len() / parts.len();
        for (i, part) in parts.iter().enumerate() {
            let mut shape = tensor.shape.clone();
            shape[0] = rows;
            let values = tensor.values[i * len..(i + 1) * len].to_vec();
            tensors.insert(part.clone(), TestTensor { dtype: tensor.dtype, shape, values });
        }
    }
    tensors
}

pub fn convert_to(source: &Path, out: &Path, quantization: Quantization) -> Conversion {
    convert(&Options::new(source, out, quantization), &|_| ())
        .unwrap_or_else(|e| panic!("{}: {e}", source.display()))
}

/// Every file of a folder.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let items = fs::read_dir(folder).unwrap().map(|item| item.unwrap());
    items.map(|item| (item.file_name().into_string().unwrap(), fs::read(item.path()).unwrap())).collect()
}

/// The shard of a conversion to F32 under the name `x`, and its notes; the same network gives the same bytes.
pub fn shard_of(source: &Path) -> Result<(Vec<u8>, Vec<String>), CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let Preprocessing { mean, std, .. } = Config::beitv2_large().preprocessing;
    // Without them a note would say that the name does not tell them.
    let (mean, std) = (Some(mean), Some(std));
    let options =
        Options { name: Some("x".into()), mean, std, ..Options::new(source, &out, Quantization::F32) };
    let notes = convert(&options, &|_| ())?.notes.iter().map(ToString::to_string).collect();
    Ok((fs::read(out.join("x-f32.gguf-00001-of-00001")).unwrap(), notes))
}

/// [`shard_of`] of a file with this content.
pub fn shard_of_bytes(name: &str, bytes: &[u8]) -> Result<(Vec<u8>, Vec<String>), CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, bytes).unwrap();
    shard_of(&file)
}

/// [`shard_of`] of these tensors.
pub fn shard_of_tensors(tensors: &Tensors) -> Result<(Vec<u8>, Vec<String>), CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.safetensors");
    write_safetensors(&file, tensors);
    shard_of(&file)
}
