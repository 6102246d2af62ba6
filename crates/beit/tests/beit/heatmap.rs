//! The heat map on the tiny networks: each term by the formula's own letters, all of them summing to
//! the logit; and on the demo model, whose weights have 8 bits.

use crate::tiny::{NETWORKS, config, inputs, model, values, weights};
use beit::backend::Cpu;
use beit::builder::ModelBuilder;
use beit::decode::decode;
use beit::preprocess::preprocess;
use beit::weights::{Loader, Manifest};
use kernels::Isa;
use safetensors::SafeTensors;
use std::path::Path;

#[test]
fn every_class_of_every_input_sums_to_its_logit_term_by_term() {
    for name in NETWORKS {
        let bytes = weights(name);
        let weights = SafeTensors::deserialize(&bytes).unwrap();
        let head = values(&weights, "head.weight");
        let gamma = values(&weights, "fc_norm.weight");
        let config = config(name);
        for isa in Isa::available() {
            let model = model(name, isa);
            for (input, pixels) in inputs(name).iter().enumerate() {
                let tokens = model.tokens(pixels, |_, _| ()).unwrap();
                let logits = pollster::block_on(model.logits(pixels)).unwrap();
                let plain = terms(tokens.values(), config.width, &gamma);
                for class in 0..config.classes {
                    let what = format!("{name}, {}, input {input}, class {class}", isa.name());
                    let map = pollster::block_on(model.heat_map(&tokens, class)).unwrap();
                    assert_eq!((map.grid, map.contributions.len()), (config.grid(), config.patches()));
                    assert!((map.logit - logits[class]).abs() < 1e-6, "{what}: {map:?}");
                    let sum = map.contributions.iter().sum::<f32>() + map.constant;
                    assert!((sum - map.logit).abs() < 1e-3, "{what}: {sum} instead of {}", map.logit);
                    assert!(map.rounding().abs() < 1e-3, "{what}: {}", map.rounding());
                    let row = &head[class * config.width..][..config.width];
                    for (got, patch) in map.contributions.iter().zip(&plain) {
                        let expected: f64 = row.iter().zip(patch).map(|(&w, x)| f64::from(w) * x).sum();
                        assert!((f64::from(*got) - expected).abs() < 1e-4, "{what}: {got}, not {expected}");
                    }
                }
                assert!(pollster::block_on(model.heat_map(&tokens, config.classes)).is_err());
            }
        }
    }
}

/// `γ ⊙ (x_p − mean(x_p)) / (σ·P)` of each patch, as it is written.
fn terms(tokens: &[f32], width: usize, gamma: &[f32]) -> Vec<Vec<f64>> {
    let patches: Vec<Vec<f64>> =
        tokens[width..].chunks_exact(width).map(|x| x.iter().map(|&x| f64::from(x)).collect()).collect();
    let count = patches.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / width as f64;
    let pooled: Vec<f64> = (0..width).map(|i| patches.iter().map(|x| x[i]).sum::<f64>() / count).collect();
    let variance = pooled.iter().map(|x| (x - mean(&pooled)).powi(2)).sum::<f64>() / width as f64;
    let sigma = (variance + 1e-6).sqrt();
    let term = |x: &Vec<f64>| {
        x.iter()
            .zip(gamma)
            .map(|(value, &gamma)| f64::from(gamma) * (value - mean(x)) / (sigma * count))
            .collect()
    };
    patches.iter().map(term).collect()
}

/// The head's inputs are rounded to 8 bits, block by block, when the logit is made; the map is not.
#[test]
fn with_quantised_weights_only_the_heads_rounding_is_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("web/models/demo");
    let manifest = Manifest::parse(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mut loader = Loader::new(manifest.bytes);
    let mut builder = None;
    for shard in &manifest.shards {
        let tensors = loader.push(&std::fs::read(folder.join(&shard.name)).unwrap()).unwrap();
        let config = loader.header().unwrap().config.clone();
        let builder = builder.get_or_insert_with(|| ModelBuilder::new(config, Cpu::new(Isa::best())));
        tensors.into_iter().for_each(|tensor| builder.add(tensor).unwrap());
    }
    let model = builder.unwrap().finish().unwrap();
    let photo = decode(&std::fs::read(root.join("web/samples/cat.jpg")).unwrap()).unwrap();
    let pixels = preprocess(&photo, &model.config().preprocessing);
    let tokens = model.tokens(&pixels, |_, _| ()).unwrap();
    let mut worst = 0.0f32;
    for class in 0..model.config().classes {
        let map = pollster::block_on(model.heat_map(&tokens, class)).unwrap();
        assert!(map.contributions.iter().any(|&term| term != map.contributions[0]), "class {class}");
        worst = worst.max(map.rounding().abs());
    }
    assert!(worst < 0.05, "the head's rounding moves a logit by up to {worst}");
    assert!(worst > 0.0, "a logit of 8-bit products is never exact");
}
