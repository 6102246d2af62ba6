//! Networks with outliers as trained ones have them: what rounding loses of them, and what is said of it.

use crate::support::convert_to;
use crate::support::streams::{converted, file_of, settings, streamed, tensors_with, written};
use beit::backend::{Cpu, CpuTokens};
use beit::builder::ModelBuilder;
use beit::config::Config;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::{Storage, Tensor, TensorData};
use checkpoint::quantize::{decode_blocks, encode, relative_rms_error};
use checkpoint::seeded::{self, Outliers};
use checkpoint::{Conversion, ModelFolder, Note, Quantization};
use kernels::Isa;
use std::fs;
use std::path::Path;

/// Small, but with as many patches as the true size: what one token has counts as much in the mean.
fn config() -> Config {
    Config {
        image_size: 112,
        patch_size: 8,
        width: 256,
        depth: 4,
        heads: 4,
        mlp_width: 1024,
        classes: 100,
        ..Config::beitv2_large()
    }
}

fn model(config: &Config, outliers: &[Outliers]) -> Model<Cpu> {
    let mut builder = ModelBuilder::new(config.clone(), Cpu::new(Isa::best()));
    for spec in config.tensors() {
        let data = TensorData::Dense(seeded::tensor_with(config, &spec, outliers));
        builder.add(Tensor { spec, data }).unwrap();
    }
    builder.finish().unwrap()
}

fn conversion(outliers: &[Outliers], quantization: Quantization, out: &Path) -> Conversion {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    fs::write(&file, file_of(&tensors_with(&config(), outliers))).unwrap();
    convert_to(&file, out, quantization)
}

fn lowest(cosines: &[f64]) -> f64 {
    cosines.iter().copied().fold(1.0, f64::min)
}

/// Magnitudes of the residual stream after the last block: `[tokens][width]`.
fn magnitudes(outliers: &[Outliers]) -> Vec<Vec<f32>> {
    let config = config();
    let pixels = Pixels { size: config.image_size, values: seeded::pixels(&config, 0) };
    let mut last = Vec::new();
    model(&config, outliers).tokens(&pixels, |_, x: &CpuTokens| last = x.values().to_vec()).unwrap();
    last.chunks(config.width).map(|row| row.iter().map(|v| v.abs()).collect()).collect()
}

fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

#[test]
fn seeded_networks_have_the_outliers_that_the_literature_describes() {
    let plain = magnitudes(&[]);
    let all = median(plain.iter().flatten().copied());
    assert!(plain.iter().flatten().all(|v| *v < 10.0 * all), "none without asking");

    let channels = magnitudes(&[Outliers::Channels]);
    let all = median(channels.iter().flatten().copied());
    let large: Vec<usize> = (0..config().width)
        .filter(|&channel| median(channels.iter().map(|row| row[channel])) > 20.0 * all)
        .collect();
    assert_eq!(large.len(), 6, "{large:?}");

    let tokens = magnitudes(&[Outliers::Tokens]);
    let all = median(tokens.iter().flatten().copied());
    let massive: Vec<usize> =
        (0..tokens.len()).filter(|&t| tokens[t].iter().any(|v| *v > 100.0 * all)).collect();
    assert!(massive.contains(&0) && massive.len() <= tokens.len() / 4, "{massive:?}");
    let of_class = tokens[0].iter().filter(|v| **v > 100.0 * all).count();
    assert_eq!(of_class, 3, "channels of the class token");
    assert!(tokens[0].iter().all(|v| *v < 1500.0 * all));
}

#[test]
fn heavy_tails_have_the_usual_standard_deviation() {
    let config = config();
    let spec = config.tensors().into_iter().find(|spec| spec.name == "blocks.2.attn.qkv.weight").unwrap();
    let deviation = |values: &[f32]| {
        (values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let (plain, tailed) =
        (seeded::tensor(&config, &spec), seeded::tensor_with(&config, &spec, &[Outliers::Tails]));
    let (plain_deviation, tailed_deviation) = (deviation(&plain), deviation(&tailed));
    assert!((tailed_deviation / plain_deviation - 1.0).abs() < 0.1, "{plain_deviation} {tailed_deviation}");
    let largest = |values: &[f32]| f64::from(values.iter().fold(0.0f32, |m, v| m.max(v.abs())));
    assert!(largest(&plain) < 4.0 * plain_deviation && largest(&tailed) > 15.0 * tailed_deviation);
}

/// The bar for 8 bits; and 4 bits lose no more than this.
#[test]
fn outliers_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    for (outliers, four_bits) in [
        (&[][..], 0.98),
        (&[Outliers::Channels], 0.98),
        (&[Outliers::Tokens], 0.98),
        (&[Outliers::Tails], 0.96),
        (&Outliers::ALL, 0.96),
    ] {
        let eight = conversion(outliers, Quantization::Q8_0, &folder.path().join("q8_0"));
        let four = conversion(outliers, Quantization::Q4_0, &folder.path().join("q4_0"));
        let (eight_lowest, four_lowest) = (lowest(&eight.logits_cosine), lowest(&four.logits_cosine));
        println!(
            "{outliers:?}: {eight_lowest:.5} (by itself {:.5}), {four_lowest:.5} (by itself {:.5})",
            lowest(&eight.own_cosine),
            lowest(&four.own_cosine)
        );
        assert!(eight_lowest >= 0.999, "{outliers:?}: {eight_lowest}");
        assert!(four_lowest >= four_bits, "{outliers:?}: {four_lowest}");
    }
}

#[test]
fn rotated_weights_of_heavy_tails_lose_less() {
    let (config, folder) = (config(), tempfile::tempdir().unwrap());
    for (quantization, storage) in [(Quantization::Q8_0, Storage::Q8_0), (Quantization::Q4_0, Storage::Q4_0)]
    {
        let conversion = conversion(&[Outliers::Tails], quantization, folder.path());
        for spec in config.tensors().into_iter().filter(|spec| spec.name.ends_with("attn.proj.weight")) {
            let values = seeded::tensor_with(&config, &spec, &[Outliers::Tails]);
            let plain = relative_rms_error(&values, &decode_blocks(storage, &encode(storage, &values)));
            let rotated = conversion.tensors.iter().find(|tensor| tensor.name == spec.name).unwrap();
            let rotated = rotated.relative_rms_error;
            println!("{quantization}, {}: {rotated:.5} instead of {plain:.5}", spec.name);
            assert!(rotated < 0.8 * plain, "{quantization}, {}: {rotated} {plain}", spec.name);
        }
    }
}

#[test]
fn a_heavy_tailed_head_is_kept_in_16_bits() {
    let folder = tempfile::tempdir().unwrap();
    for (outliers, kept) in [(Outliers::Tails, true), (Outliers::Channels, false)] {
        for quantization in Quantization::ALL {
            let conversion = conversion(&[outliers], quantization, folder.path());
            let in_blocks = matches!(quantization, Quantization::Q8_0 | Quantization::Q4_0);
            assert_eq!(conversion.notes.contains(&Note::HeadKept), kept && in_blocks);
            let head = conversion.tensors.iter().find(|tensor| tensor.name == "head.weight").unwrap();
            let expected = match quantization {
                Quantization::F32 => "F32",
                Quantization::F16 => "F16",
                _ if kept => "F16",
                _ => "Q8_0",
            };
            assert_eq!(head.storage, expected, "{outliers:?} {quantization}");
        }
    }
}

/// In a stream each tensor is rotated and rounded when it comes.
#[test]
fn streams_give_the_files_of_convert() {
    let small = Config { width: 96, heads: 3, depth: 2, mlp_width: 160, ..config() };
    let bytes = file_of(&tensors_with(&small, &Outliers::ALL));
    for quantization in Quantization::ALL {
        let settings = settings(quantization);
        let model = streamed(&bytes, 50_000, settings.clone()).unwrap();
        assert_eq!(
            model.notes().contains(&Note::HeadKept),
            settings.quantization != Quantization::F32 && settings.quantization != Quantization::F16
        );
        assert!(written(&model).1 == converted(&bytes, &settings), "{quantization}");
    }
}

/// The network as written, but with its weights as they were before rounding: what conversion changes of the weights
/// changes no answer.
#[test]
fn what_is_changed_before_rounding_changes_no_answer() {
    let config = config();
    let folder = tempfile::tempdir().unwrap();
    conversion(&[], Quantization::Q8_0, folder.path());
    let mut rotated = 0;
    let mut builder = ModelBuilder::new(config.clone(), Cpu::new(Isa::best()));
    ModelFolder::open(folder.path())
        .unwrap()
        .read(|_, tensor| {
            let source = seeded::tensor(&config, &tensor.spec);
            let values = match &tensor.data {
                TensorData::Blocks { bytes, .. } => decode_blocks(Storage::Q8_0, bytes),
                TensorData::Dense(values) => values.clone(),
            };
            // As far from the source as rounding never is.
            let error = relative_rms_error(&source, &values);
            rotated += usize::from(error > 0.1);
            builder.add(Tensor { spec: tensor.spec, data: TensorData::Dense(values) }).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(rotated, 3 * config.depth, "values' rows, their biases and the projection's columns");
    let (written, source) = (builder.finish().unwrap(), model(&config, &[]));
    for input in 0..2 {
        let pixels = Pixels { size: config.image_size, values: seeded::pixels(&config, input) };
        let logits = |model: &Model<Cpu>| pollster::block_on(model.logits(&pixels)).unwrap();
        let cosine = checkpoint::agreement::cosine(&logits(&written), &logits(&source));
        assert!(cosine > 0.9995, "{cosine}");
    }
}
