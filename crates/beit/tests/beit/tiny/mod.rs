//! Two tiny networks with seeded weights and what timm makes of them (`tests/data/golden/make_golden.py`).

use beit::backend::Cpu;
use beit::builder::ModelBuilder;
use beit::config::{Config, Position};
use beit::model::Model;
use beit::preprocess::{Pixels, Preprocessing};
use beit::weights::{Tensor, TensorData};
use kernels::Isa;
use safetensors::SafeTensors;

/// Relative positions with patches of 16, absolute ones with patches of 14.
pub const NETWORKS: [&str; 2] = ["tiny-relative", "tiny-absolute"];

pub fn config(name: &str) -> Config {
    let (image_size, patch_size, position) = match name {
        "tiny-relative" => (224, 16, Position::RelativeBias),
        "tiny-absolute" => (112, 14, Position::AbsoluteEmbedding),
        other => panic!("there is no network {other}"),
    };
    Config {
        name: name.into(),
        image_size,
        patch_size,
        width: 128,
        depth: 3,
        heads: 2,
        mlp_width: 512,
        classes: 50,
        position,
        layer_norm_eps: 1e-6,
        preprocessing: Preprocessing { short_side: 256, crop: image_size, mean: [0.5; 3], std: [0.5; 3] },
    }
}

pub fn model(name: &str, isa: Isa) -> Model<Cpu> {
    let bytes = weights(name);
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    let config = config(name);
    let specs = config.tensors();
    assert_eq!(weights.len(), specs.len(), "the golden file and the schema list the same tensors");
    let mut builder = ModelBuilder::new(config, Cpu::new(isa));
    for spec in specs {
        let data = TensorData::Dense(values(&weights, &spec.name));
        builder.add(Tensor { spec, data }).unwrap();
    }
    builder.finish().unwrap()
}

/// The inputs that [`expected`] has answers for.
pub fn inputs(name: &str) -> Vec<Pixels> {
    let bytes = expected(name);
    let pixels = values(&SafeTensors::deserialize(&bytes).unwrap(), "pixels");
    let size = config(name).image_size;
    pixels.chunks_exact(3 * size * size).map(|values| Pixels { size, values: values.to_vec() }).collect()
}

/// The weights' file.
pub fn weights(name: &str) -> Vec<u8> {
    read(&format!("{name}.weights.safetensors"))
}

/// The file of inputs and answers.
pub fn expected(name: &str) -> Vec<u8> {
    read(&format!("{name}.expected.safetensors"))
}

pub fn values(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let tensor = tensors.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "{name}");
    tensor.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

fn read(file: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/data/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}
