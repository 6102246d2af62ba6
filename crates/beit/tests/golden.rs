//! The forward pass against timm's, on two tiny networks with seeded weights
//! (`tests/data/golden/make_golden.py`): every block's output and the logits, element by element.

use beit::backend::Cpu;
use beit::builder::ModelBuilder;
use beit::config::{Config, Position};
use beit::model::Model;
use beit::preprocess::{Pixels, Preprocessing};
use beit::weights::{Tensor, TensorData};
use kernels::Isa;
use safetensors::SafeTensors;

/// F32 against F32, summed in another order.
const TOLERANCE: f32 = 1e-4;

#[test]
fn relative_positions_patch_16() {
    check("tiny-relative", 224, 16, Position::RelativeBias);
}

#[test]
fn absolute_positions_patch_14() {
    check("tiny-absolute", 112, 14, Position::AbsoluteEmbedding);
}

fn check(name: &str, image_size: usize, patch_size: usize, position: Position) {
    let config = Config {
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
    };
    let expected = read(&format!("{name}.expected.safetensors"));
    let expected = SafeTensors::deserialize(&expected).unwrap();
    let (pixels, logits) = (values(&expected, "pixels"), values(&expected, "logits"));
    let blocks: Vec<_> = (0..config.depth).map(|i| values(&expected, &format!("block.{i}"))).collect();
    let inputs = logits.len() / config.classes;
    assert_eq!(inputs, 2);
    for isa in Isa::available() {
        let model = model(name, config.clone(), isa);
        let photo = |values: &[f32]| Pixels { size: image_size, values: values.to_vec() };
        let photos: Vec<_> = pixels.chunks_exact(pixels.len() / inputs).map(photo).collect();
        let both = pollster::block_on(model.batch_logits(&photos)).unwrap();
        close(&format!("{name}, {}, both inputs in one pass", isa.name()), &both.concat(), &logits);
        for input in 0..inputs {
            let part = |all: &[f32]| {
                let len = all.len() / inputs;
                all[input * len..(input + 1) * len].to_vec()
            };
            let pixels = Pixels { size: image_size, values: part(&pixels) };
            let mut seen = 0;
            let observe = |i: usize, tokens: &beit::backend::CpuTokens| {
                close(
                    &format!("{name}, {}, input {input}, block {i}", isa.name()),
                    tokens.values(),
                    &part(&blocks[i]),
                );
                seen += 1;
            };
            model.tokens(&pixels, observe).unwrap();
            assert_eq!(seen, config.depth);
            let got = pollster::block_on(model.logits(&pixels)).unwrap();
            close(&format!("{name}, {}, input {input}, logits", isa.name()), &got, &part(&logits));
        }
    }
}

fn model(name: &str, config: Config, isa: Isa) -> Model<Cpu> {
    let bytes = read(&format!("{name}.weights.safetensors"));
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    let specs = config.tensors();
    assert_eq!(weights.len(), specs.len(), "the golden file and the schema list the same tensors");
    let mut builder = ModelBuilder::new(config, Cpu::new(isa));
    for spec in specs {
        let data = TensorData::Dense(values(&weights, &spec.name));
        builder.add(Tensor { spec, data }).unwrap();
    }
    builder.finish().unwrap()
}

fn close(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let worst = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "{what}: differs by up to {worst}");
}

fn values(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let tensor = tensors.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "{name}");
    tensor.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

fn read(file: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/data/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}
