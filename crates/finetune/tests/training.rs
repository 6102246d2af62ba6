//! The network against `beit`'s, its gradients against finite differences, and whole runs on a tiny network.

use beit::backend::Cpu;
use beit::builder::ModelBuilder;
use beit::config::{Config, Position};
use beit::decode::Rgb;
use beit::preprocess::{Pixels, Preprocessing};
use beit::weights::{Tensor as Weights, TensorData};
use candle_core::{DType, Device, Tensor};
use checkpoint::seeded;
use finetune::{FinetuneError, Network, Photos, Progress, Settings, Trained, train};
use kernels::Isa;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

fn config(position: Position) -> Config {
    Config {
        name: "tiny".into(),
        image_size: 12,
        patch_size: 4,
        width: 16,
        depth: 2,
        heads: 2,
        mlp_width: 24,
        classes: 3,
        position,
        layer_norm_eps: 1e-6,
        preprocessing: Preprocessing { short_side: 12, crop: 12, mean: [0.5; 3], std: [0.25; 3] },
    }
}

fn values(config: &Config) -> HashMap<String, Vec<f32>> {
    config.tensors().into_iter().map(|spec| (spec.name.clone(), seeded::tensor(config, &spec))).collect()
}

fn pixels(config: &Config, inputs: usize) -> Tensor {
    let values: Vec<f32> = (0..inputs).flat_map(|i| seeded::pixels(config, i)).collect();
    let size = config.image_size;
    Tensor::from_vec(values, (inputs, 3, size, size), &Device::Cpu).unwrap()
}

fn logits(config: &Config, values: &HashMap<String, Vec<f32>>, inputs: usize) -> Vec<f64> {
    let network = Network::of_type(config.clone(), values, DType::F64).unwrap();
    network.logits(&pixels(config, inputs)).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_network_is_beits() {
    for position in [Position::RelativeBias, Position::AbsoluteEmbedding] {
        let config = config(position);
        let mut builder = ModelBuilder::new(config.clone(), Cpu::new(Isa::best()));
        for spec in config.tensors() {
            let data = TensorData::Dense(seeded::tensor(&config, &spec));
            builder.add(Weights { spec, data }).unwrap();
        }
        let model = builder.finish().unwrap();
        let ours = logits(&config, &values(&config), 2);
        for input in 0..2 {
            let pixels = Pixels { size: config.image_size, values: seeded::pixels(&config, input) };
            let theirs = pollster::block_on(model.logits(&pixels)).unwrap();
            for (a, b) in theirs.iter().zip(&ours[input * 3..]) {
                assert!((f64::from(*a) - b).abs() < 1e-4, "{position:?}: {theirs:?} {ours:?}");
            }
        }
    }
}

/// Every parameter of every kind, along a random direction of its own.
#[test]
fn gradients_are_the_finite_differences() {
    for position in [Position::RelativeBias, Position::AbsoluteEmbedding] {
        let config = config(position);
        let values = values(&config);
        let loss = |values: &HashMap<String, Vec<f32>>| -> f64 {
            // A plain function of the logits with a slope everywhere.
            logits(&config, values, 2).iter().enumerate().map(|(i, z)| (i as f64 + 1.0) * z.sin()).sum()
        };
        for spec in config.tensors() {
            let values_of = &values[&spec.name];
            // Of length about 1, so that a step is small however many values there are.
            let length = (values_of.len() as f32).sqrt();
            let direction: Vec<f32> =
                (0..values_of.len()).map(|i| ((i * 7919 % 13) as f32 - 6.0) / (4.0 * length)).collect();
            let gradient = gradient(&config, &values, &spec.name);
            let along: f64 = gradient.iter().zip(&direction).map(|(g, &d)| g * f64::from(d)).sum();
            // Not so small that the F32 in which parameters are given would round it away.
            let step = 1.0 / 512.0;
            let moved = |sign: f32| {
                let mut values = values.clone();
                let moved = values_of.iter().zip(&direction).map(|(v, d)| v + sign * step * d).collect();
                values.insert(spec.name.clone(), moved);
                loss(&values)
            };
            let slope = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
            let tolerance = 1e-3 * (1.0 + slope.abs());
            assert!((along - slope).abs() < tolerance, "{}: {along} {slope}", spec.name);
        }
    }
}

fn gradient(config: &Config, values: &HashMap<String, Vec<f32>>, name: &str) -> Vec<f64> {
    let network = Network::of_type(config.clone(), values, DType::F64).unwrap();
    let function = |logits: &Tensor| {
        let n = logits.elem_count();
        let factors = Tensor::from_vec((1..=n).map(|i| i as f64).collect(), n, &Device::Cpu)?;
        (logits.flatten_all()?.sin()? * factors)?.sum_all()
    };
    let gradient = network.gradient(name, &pixels(config, 2), function).unwrap();
    gradient.flatten_all().unwrap().to_vec1().unwrap()
}

/// Photos of three kinds: stripes across, stripes down, a plain grey; each of its own brightness.
fn photo(i: usize) -> Rgb {
    let side = 16;
    let light = 120 + (i * 29 % 100) as u8;
    let pixel = |x: usize, y: usize| match i % 3 {
        0 if y % 8 < 4 => 20,
        1 if x % 8 < 4 => 20,
        _ => light,
    };
    let pixels = (0..side * side).flat_map(|at| [pixel(at % side, at / side); 3]).collect();
    Rgb { width: side as u32, height: side as u32, pixels }
}

fn settings() -> Settings {
    Settings {
        epochs: 6,
        batch: 4,
        rate: 5e-3,
        layer_decay: 0.9,
        weight_decay: 0.05,
        smoothing: 0.1,
        warmup: 0.5,
        first_layer: 0,
        seed: 7,
        save_every: 2,
    }
}

/// Runs, breaking off after `stop` steps of this call.
fn run(settings: &Settings, state: Option<&Path>, stop: usize) -> Result<Option<Trained>, FinetuneError> {
    let config = config(Position::RelativeBias);
    let network = Network::new(config.clone(), &values(&config))?;
    let classes: Vec<usize> = (0..18).map(|i| i % 3).collect();
    let load = |i: usize| Ok(photo(i));
    let held_out = |i: usize| Ok(photo(i + 18));
    let (photos, validation) =
        (Photos { classes: &classes, load: &load }, Photos { classes: &classes[..9], load: &held_out });
    let mut steps = 0;
    train(network, photos, validation, settings, state, "photos", &mut |progress| {
        if let Progress::Step { .. } = progress {
            steps += 1;
            if steps == stop {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })
}

#[test]
fn the_loss_falls_and_photos_not_seen_are_known() {
    let trained = run(&settings(), None, usize::MAX).unwrap().unwrap();
    let losses: Vec<f64> = trained.history.iter().map(|epoch| epoch.loss).collect();
    let best = &trained.history[trained.best];
    println!("{:?}", trained.history);
    assert!(losses[5] < 0.7 * losses[0], "{losses:?}");
    assert!(best.validation.unwrap().1 > 0.8, "{best:?}");
    assert!(trained.history.iter().all(|epoch| epoch.validation.unwrap().1 <= best.validation.unwrap().1));
}

#[test]
fn resumed_is_uninterrupted() {
    let whole = run(&settings(), None, usize::MAX).unwrap().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.safetensors");
    // In mid-epoch just after a save, then one step later than a save, then to the end.
    assert!(run(&settings(), Some(&state), 2).unwrap().is_none());
    assert!(run(&settings(), Some(&state), 7).unwrap().is_none());
    assert!(run(&settings(), Some(&state), 13).unwrap().is_none());
    let resumed = run(&settings(), Some(&state), usize::MAX).unwrap().unwrap();
    assert_eq!(resumed.history, whole.history);
    assert!(resumed == whole, "the same parameters, bit for bit");

    let other = Settings { rate: 1e-3, ..settings() };
    let error = run(&other, Some(&state), usize::MAX).unwrap_err().to_string();
    assert!(error.contains("other settings"), "{error}");
    std::fs::write(&state, "not a state").unwrap();
    assert!(run(&settings(), Some(&state), usize::MAX).unwrap_err().to_string().contains("damaged"));
}

#[test]
fn what_lies_below_the_first_layer_stays() {
    let settings = Settings { first_layer: 2, epochs: 1, ..settings() };
    let trained = run(&settings, None, usize::MAX).unwrap().unwrap();
    let config = config(Position::RelativeBias);
    for (name, before) in values(&config) {
        let frozen =
            !name.starts_with("blocks.1.") && !name.starts_with("fc_norm") && !name.starts_with("head");
        assert_eq!(trained.tensors[&name] == before, frozen, "{name}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (bad, name) in [
        (Settings { epochs: 0, ..settings() }, "--epochs"),
        (Settings { batch: 0, ..settings() }, "--batch"),
        (Settings { rate: -1.0, ..settings() }, "--lr"),
        (Settings { smoothing: 1.0, ..settings() }, "--smoothing"),
        (Settings { layer_decay: 0.0, ..settings() }, "--layer-decay"),
    ] {
        let error = run(&bad, None, usize::MAX).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    let wild = Settings { rate: 1e30, weight_decay: 0.0, ..settings() };
    assert!(matches!(run(&wild, None, usize::MAX), Err(FinetuneError::Diverged { .. })));
}
