//! Kernels that are compiled before they are needed.

use crate::common::{Random, gpu};
use ::kernels::WeightFormat;
use beit::backend::Backend;
use beit::builder::ModelBuilder;
use beit::config::{Config, Position};
use beit::model::Model;
use beit::preprocess::{Pixels, Preprocessing};
use beit::weights::schema::Role;
use beit::weights::{Tensor, TensorData};
use gpu::{Arithmetic, Format, Gpu, Kernel};
use std::cell::RefCell;
use std::collections::HashSet;

fn config(width: usize, classes: usize) -> Config {
    Config {
        name: "tiny".into(),
        image_size: 64,
        patch_size: 16,
        width,
        depth: 1,
        heads: 2,
        mlp_width: 2 * width,
        classes,
        position: Position::RelativeBias,
        layer_norm_eps: 1e-6,
        preprocessing: Preprocessing { short_side: 64, crop: 64, mean: [0.5; 3], std: [0.5; 3] },
    }
}

fn model(config: &Config, gpu: &Gpu, format: Format) -> Model<Gpu> {
    let mut builder = ModelBuilder::new(config.clone(), gpu.clone());
    let mut random = Random(1);
    for spec in config.tensors() {
        let format = match format {
            Format::F32 => None,
            Format::Q8_0 => Some(WeightFormat::Q8_0),
            Format::Q4_0 => Some(WeightFormat::Q4_0),
        };
        let data = match format.filter(|_| spec.role == Role::Linear) {
            Some(format) => {
                TensorData::Blocks { format, bytes: random.blocks(format, spec.shape[0], spec.shape[1]).0 }
            }
            None => TensorData::Dense(random.floats(spec.shape.iter().product())),
        };
        builder.add(Tensor { spec, data }).unwrap();
    }
    builder.finish().unwrap()
}

fn compiled(gpu: &Gpu) -> HashSet<Kernel> {
    gpu.compiled().unwrap().into_iter().collect()
}

/// No photo compiles a kernel, and no kernel is compiled that no photo runs.
#[test]
fn a_network_runs_exactly_the_kernels_that_it_is_said_to_need() {
    // A head of more classes than a block's layers have columns, and one of fewer; one photo and several.
    for (format, width, classes, photos) in [
        (Format::Q8_0, 64, 70, 1),
        (Format::Q8_0, 128, 5, 8),
        (Format::Q4_0, 64, 70, 1),
        (Format::F32, 64, 5, 2),
    ] {
        let config = config(width, classes);
        let prepared = gpu();
        for &arithmetic in prepared.offered() {
            let said = prepared.kernels_for(&config, format, arithmetic, photos);
            let before = compiled(&prepared);
            pollster::block_on(prepared.prepare(&said, |_| ())).unwrap();
            let fresh = gpu();
            for gpu in [&prepared, &fresh] {
                gpu.set_arithmetic(arithmetic);
                let model = model(&config, gpu, format);
                let size = config.image_size;
                let photo = Pixels { size, values: vec![0.5; 3 * size * size] };
                let answers = pollster::block_on(model.batch_logits(&vec![photo; photos])).unwrap();
                assert_eq!(answers.len(), photos);
            }
            let said: HashSet<_> = said.into_iter().collect();
            let what = format!("{format:?}, {arithmetic:?}, {photos} photos");
            assert_eq!(compiled(&fresh), said, "{what}");
            assert_eq!(compiled(&prepared), &before | &said, "{what}");
        }
    }
}

#[test]
fn as_many_photos_go_together_as_a_buffer_holds() {
    let gpu = gpu();
    let limits = gpu.limits();
    let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
    // What the default limit holds of BEiTv2-large's hidden layer: 128 MiB of 3.2 MB each.
    assert!(gpu.most_photos(&Config::beitv2_large()) >= 41);
    let huge = Config { mlp_width: usize::try_from(most / 4 / 17 / 3).unwrap(), ..config(64, 10) };
    assert_eq!(gpu.most_photos(&huge), 3);
    let larger = Config { mlp_width: 10 * huge.mlp_width, ..huge };
    assert_eq!(gpu.most_photos(&larger), 1);
}

#[test]
fn progress_counts_every_kernel_once() {
    let gpu = gpu();
    let kernels = gpu.kernels_for(&config(64, 10), Format::Q8_0, Arithmetic::F32, 1);
    let heard = RefCell::new(Vec::new());
    pollster::block_on(gpu.prepare(&kernels, |ready| heard.borrow_mut().push(ready))).unwrap();
    assert_eq!(heard.into_inner(), (0..=kernels.len()).collect::<Vec<_>>());
    assert!(kernels.len() >= 7, "{kernels:?}");
}

#[test]
fn a_lost_device_prepares_nothing() {
    let gpu = gpu();
    gpu.destroy();
    let kernels = gpu.kernels_for(&config(64, 10), Format::Q8_0, Arithmetic::F32, 1);
    assert!(pollster::block_on(gpu.prepare(&kernels, |_| ())).is_err());
    assert!(gpu.vector(vec![0.0]).is_err());
}

/// The same kernel with the same buffers is bound once, and results come back through one small buffer.
#[test]
fn the_second_photo_binds_nothing_new() {
    let config = config(64, 10);
    let gpu = gpu();
    let model = model(&config, &gpu, Format::Q8_0);
    let size = config.image_size;
    let photo = Pixels { size, values: vec![0.5; 3 * size * size] };
    let first = pollster::block_on(model.logits(&photo)).unwrap();
    let bound = gpu.bound().unwrap();
    assert!(bound > 10, "{bound} bind groups");
    assert_eq!(pollster::block_on(model.logits(&photo)).unwrap(), first);
    assert_eq!(gpu.bound().unwrap(), bound);
}
