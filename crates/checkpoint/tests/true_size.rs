//! BEiTv2-large at its true size, 304,430,568 parameters, with seeded random weights: logits against
//! timm's (`tests/data/golden/large.expected.safetensors`), in F32 and quantised.

use beit::backend::Cpu;
use beit::builder::ModelBuilder;
use beit::config::Config;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::{Storage, Tensor, TensorData};
use checkpoint::quantize::{Quantization, encode};
use checkpoint::seeded;
use kernels::{Isa, WeightFormat};

const INPUTS: usize = 4;

#[test]
fn f32_equals_timm() {
    let model = build(Quantization::F32);
    for (input, expected) in timm_logits().iter().enumerate() {
        let got = logits(&model, input);
        let worst = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
        println!("F32, input {input}: |Δlogit| ≤ {worst}");
        assert!(worst <= 2e-3, "input {input}: a logit differs by {worst}");
    }
}

#[test]
fn eight_bit_keeps_direction_and_first_class() {
    close(Quantization::Q8_0, 0.9995);
}

#[test]
fn four_bit_keeps_direction() {
    close(Quantization::Q4_0, 0.985);
}

fn close(quantization: Quantization, least: f64) {
    let model = build(quantization);
    for (input, expected) in timm_logits().iter().enumerate() {
        let got = logits(&model, input);
        let cosine = cosine(&got, expected);
        let (top, expected_top) = (top_1(&got), top_1(expected));
        println!(
            "{}, input {input}: cosine {cosine:.6}, top-1 {top}, timm's {expected_top}",
            quantization.name()
        );
        assert!(cosine >= least, "input {input}: cosine {cosine}");
        if quantization == Quantization::Q8_0 {
            assert_eq!(top, expected_top, "input {input}");
        }
    }
}

fn build(quantization: Quantization) -> Model<Cpu> {
    let config = Config::beitv2_large();
    let mut builder = ModelBuilder::new(config.clone(), Cpu::new(Isa::best()));
    for spec in config.tensors() {
        let values = seeded::tensor(&config, &spec);
        let blocks = |format, storage| TensorData::Blocks { format, bytes: encode(storage, &values) };
        let data = match quantization.storage(&spec) {
            storage @ Storage::Q8_0 => blocks(WeightFormat::Q8_0, storage),
            storage @ Storage::Q4_0 => blocks(WeightFormat::Q4_0, storage),
            Storage::F32 | Storage::F16 => TensorData::Dense(values),
        };
        builder.add(Tensor { spec, data }).unwrap();
    }
    builder.finish().unwrap()
}

fn logits(model: &Model<Cpu>, input: usize) -> Vec<f32> {
    let values = seeded::pixels(model.config(), input);
    pollster::block_on(model.logits(&Pixels { size: 224, values })).unwrap()
}

fn timm_logits() -> Vec<Vec<f32>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/golden/large.expected.safetensors");
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let logits = file.tensor("logits").unwrap();
    assert_eq!(logits.shape(), [INPUTS, 1000]);
    let values: Vec<f32> = logits.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    values.chunks(1000).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn top_1(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}
