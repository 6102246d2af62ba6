//! Whole networks: the tiny ones against timm, the demo model against the processor.

use crate::common::{assert_close, gpu};
use ::kernels::{Isa, PackedWeights, WeightFormat};
use beit::backend::{Backend, Cpu};
use beit::builder::ModelBuilder;
use beit::config::{Config, Position};
use beit::model::Model;
use beit::preprocess::{Pixels, Preprocessing};
use beit::topk::top_k;
use beit::weights::{Tensor, TensorData};
use checkpoint::ModelFolder;
use checkpoint::quantize::{Quantization, encode};
use checkpoint::seeded;
use gpu::GpuTokens;
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

#[test]
fn relative_positions_equal_timm() {
    equals_timm("tiny-relative", tiny(224, 16, Position::RelativeBias));
}

#[test]
fn absolute_positions_equal_timm() {
    equals_timm("tiny-absolute", tiny(112, 14, Position::AbsoluteEmbedding));
}

fn tiny(image_size: usize, patch_size: usize, position: Position) -> Config {
    Config {
        name: "tiny".into(),
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

fn equals_timm(name: &str, config: Config) {
    let expected = read(&format!("{name}.expected.safetensors"));
    let expected = SafeTensors::deserialize(&expected).unwrap();
    let (pixels, logits) = (values(&expected, "pixels"), values(&expected, "logits"));
    let weights = read(&format!("{name}.weights.safetensors"));
    let weights = SafeTensors::deserialize(&weights).unwrap();
    let model = build(&config, gpu(), |name| TensorData::Dense(values(&weights, name)));
    let size = config.image_size;
    let photos: Vec<_> =
        pixels.chunks_exact(3 * size * size).map(|values| Pixels { size, values: values.to_vec() }).collect();
    let both = pollster::block_on(model.batch_logits(&photos)).unwrap();
    assert_close(&format!("{name}, both inputs in one pass"), &both.concat(), &logits, 1e-4);
    let inputs = pixels.chunks_exact(3 * size * size).zip(logits.chunks_exact(config.classes));
    assert_eq!(inputs.len(), 2);
    for (input, (pixels, logits)) in inputs.enumerate() {
        let pixels = Pixels { size, values: pixels.to_vec() };
        let observe = |i: usize, tokens: &GpuTokens| {
            let blocks = values(&expected, &format!("block.{i}"));
            let part = blocks.len() / 2;
            let got = pollster::block_on(model.backend().read(tokens)).unwrap();
            let what = format!("{name}, input {input}, block {i}");
            assert_close(&what, &got, &blocks[input * part..(input + 1) * part], 1e-4);
        };
        model.tokens(&pixels, observe).unwrap();
        let got = answer(&model, &pixels);
        assert_close(&format!("{name}, input {input}, logits"), &got, logits, 1e-4);
        // The second time, buffers and bind groups are used again.
        assert_eq!(answer(&model, &pixels), got);
    }
}

/// The same quantised weights on both, dequantised for the processor, which would also quantise activations.
#[test]
fn quantised_networks_equal_the_processors() {
    let config = Config { width: 192, heads: 3, classes: 70, ..tiny(64, 16, Position::RelativeBias) };
    for quantization in [Quantization::Q8_0, Quantization::Q4_0] {
        let tensor = |name: &str| {
            let spec = config.tensors().into_iter().find(|spec| spec.name == name).unwrap();
            let values = seeded::tensor(&config, &spec);
            let format = match quantization.storage(&spec) {
                beit::weights::Storage::Q8_0 => WeightFormat::Q8_0,
                beit::weights::Storage::Q4_0 => WeightFormat::Q4_0,
                _ => return TensorData::Dense(values),
            };
            TensorData::Blocks { format, bytes: encode(quantization.storage(&spec), &values) }
        };
        let pixels = Pixels { size: 64, values: seeded::pixels(&config, 0) };
        let got = answer(&build(&config, gpu(), tensor), &pixels);
        let shapes: std::collections::HashMap<String, Vec<usize>> =
            config.tensors().into_iter().map(|spec| (spec.name, spec.shape)).collect();
        let widened = |name: &str| dequantised(tensor(name), &shapes[name]);
        let expected = answer(&build(&config, Cpu::new(Isa::best()), widened), &pixels);
        assert_close(quantization.name(), &got, &expected, 1e-3);
    }
}

#[test]
fn the_demo_model_answers_as_on_the_processor() {
    let folder = ModelFolder::open(&workspace("web/models/demo")).unwrap();
    let (on_gpu, classes) = folder.load(gpu()).unwrap();
    let (on_cpu, _) = folder.load(Cpu::new(Isa::best())).unwrap();
    let exact = dequantised_model(&folder);
    let photos = std::fs::read_dir(workspace("web/samples")).unwrap();
    let photos =
        photos.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "jpg"));
    let mut seen = 0;
    for photo in photos {
        let rgb = beit::decode::decode(&std::fs::read(&photo).unwrap()).unwrap();
        let pixels = beit::preprocess::preprocess(&rgb, &on_gpu.config().preprocessing);
        let got = answer(&on_gpu, &pixels);
        let what = photo.file_name().unwrap().to_string_lossy().into_owned();
        assert_close(&what, &got, &answer(&exact, &pixels), 1e-3);
        // With quantised activations logits move by some hundredths: the first class stays.
        let (got, expected) = (top_k(&got, 5), top_k(&answer(&on_cpu, &pixels), 5));
        println!("{what}: {}", classes.labels[got[0].0].en);
        assert_eq!(got[0].0, expected[0].0, "{what}");
        seen += 1;
    }
    assert_eq!(seen, 3, "sample photos");
}

/// The model on the processor with its weights as F32, so that activations aren't quantised either.
fn dequantised_model(folder: &ModelFolder) -> Model<Cpu> {
    let mut builder = None;
    folder
        .read(|header, tensor| {
            let builder = builder
                .get_or_insert_with(|| ModelBuilder::new(header.config.clone(), Cpu::new(Isa::best())));
            let data = dequantised(tensor.data, &tensor.spec.shape);
            builder.add(Tensor { spec: tensor.spec, data }).unwrap();
            Ok(())
        })
        .unwrap();
    builder.unwrap().finish().unwrap()
}

fn dequantised(data: TensorData, shape: &[usize]) -> TensorData {
    match data {
        TensorData::Dense(values) => TensorData::Dense(values),
        TensorData::Blocks { format, bytes } => {
            let weights = PackedWeights::pack(format, shape[0], shape[1], bytes).unwrap();
            TensorData::Dense(weights.dequantize())
        }
    }
}

fn build<B: Backend>(config: &Config, backend: B, tensor: impl Fn(&str) -> TensorData) -> Model<B> {
    let mut builder = ModelBuilder::new(config.clone(), backend);
    for spec in config.tensors() {
        let data = tensor(&spec.name);
        builder.add(Tensor { spec, data }).unwrap();
    }
    builder.finish().unwrap()
}

fn answer<B: Backend>(model: &Model<B>, pixels: &Pixels) -> Vec<f32> {
    pollster::block_on(model.logits(pixels)).unwrap()
}

fn values(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let tensor = tensors.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    tensor.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

fn read(file: &str) -> Vec<u8> {
    let path = workspace("tests/data/golden").join(file);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
