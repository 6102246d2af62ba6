//! Tiles that are chosen by timing, and products with each of them.

use crate::common::{Random, assert_close, gpu};
use ::kernels::WeightFormat;
use beit::backend::{Activation, Backend, Linear};
use beit::config::{Config, Position};
use beit::preprocess::Preprocessing;
use beit::weights::TensorData;
use gpu::{Arithmetic, Format, Gpu, Kernel, Tile, Tiles};
use std::cell::Cell;
use std::time::Instant;

fn config() -> Config {
    Config {
        name: "tuned".into(),
        image_size: 32,
        patch_size: 8,
        width: 64,
        depth: 1,
        heads: 2,
        mlp_width: 128,
        classes: 10,
        position: Position::RelativeBias,
        layer_norm_eps: 1e-6,
        preprocessing: Preprocessing { short_side: 32, crop: 32, mean: [0.5; 3], std: [0.5; 3] },
    }
}

fn tuned(gpu: &Gpu, format: Format, most_photos: usize) -> Tiles {
    let begun = Instant::now();
    let now = || begun.elapsed().as_secs_f64() * 1e3;
    pollster::block_on(gpu.tune(&config(), format, gpu.offered(), most_photos, &now)).unwrap()
}

#[test]
fn every_arithmetic_is_timed_and_its_fastest_tiles_are_used_and_remembered() {
    let gpu = gpu();
    let tiles = tuned(&gpu, Format::Q8_0, 2);
    assert_eq!(gpu.tiles(), tiles);
    assert_eq!(gpu.arithmetic(), Arithmetic::F32, "as it was");
    let text = tiles.to_string();
    assert!(text.starts_with("Q8_0 F32 17 1 "), "{text}");
    assert_eq!(text.parse::<Tiles>().unwrap(), tiles);
    // What was remembered leads another device to the same kernels.
    let other = crate::common::gpu();
    other.set_tiles(text.parse().unwrap());
    for &arithmetic in gpu.offered() {
        let kernels = |gpu: &Gpu| gpu.kernels_for(&config(), Format::Q8_0, arithmetic, 2);
        assert_eq!(kernels(&gpu), kernels(&other));
    }
}

#[test]
fn remembered_tiles_decide_which_kernels_a_network_runs() {
    let gpu = gpu();
    for tile in Tile::ALL {
        gpu.set_tiles(format!("Q8_0 F32 17 2 {tile:?}").parse().unwrap());
        let kernels = gpu.kernels_for(&config(), Format::Q8_0, Arithmetic::F32, 1);
        let is_of_blocks = |kernel: &&Kernel| matches!(kernel, Kernel::Linear { format: Format::Q8_0, tile: used, .. } if *used == tile);
        assert!(kernels.iter().any(|kernel| is_of_blocks(&kernel)), "{tile:?}: {kernels:?}");
    }
}

/// Neither a clock that stands still nor one that jumps keeps the page waiting.
#[test]
fn a_bad_clock_ends_too() {
    let gpu = gpu();
    let still =
        pollster::block_on(gpu.tune(&config(), Format::Q8_0, &[Arithmetic::F32], 1, &|| 5.0)).unwrap();
    assert!(!still.is_empty());
    let time = Cell::new(0.0);
    let jumping = || {
        time.set(time.get() + 10_000.0);
        time.get()
    };
    let none =
        pollster::block_on(gpu.tune(&config(), Format::Q8_0, &[Arithmetic::F32], 1, &jumping)).unwrap();
    assert!(none.is_empty(), "the time was over at once: {none}");
}

#[test]
fn a_lost_device_is_an_error() {
    let gpu = gpu();
    gpu.destroy();
    assert!(pollster::block_on(gpu.tune(&config(), Format::Q8_0, &[Arithmetic::F32], 1, &|| 0.0)).is_err());
}

/// One device, one set of weights, every tile.
#[test]
fn a_product_has_the_same_results_with_each_tile() {
    let gpu = gpu();
    let mut random = Random(11);
    let (rows, n, k) = (197, 130, 160);
    let (bytes, _) = random.blocks(WeightFormat::Q8_0, n, k);
    let data = TensorData::Blocks { format: WeightFormat::Q8_0, bytes };
    let linear = Linear::<Gpu> {
        weight: gpu.matrix(n, k, data).unwrap(),
        bias: gpu.vector(random.floats(n)).unwrap(),
    };
    let x = gpu.upload(&random.floats(rows * k), 1, rows, k).unwrap();
    let product = |tile| {
        let out = gpu.product(&x, &linear, Activation::Gelu, tile).unwrap();
        pollster::block_on(gpu.read(&out)).unwrap()
    };
    let expected = product(Tile::Low);
    for tile in Tile::ALL {
        assert_close(&format!("{tile:?}"), &product(tile), &expected, 2e-5);
    }
}

/// The GPU's own time: twice as many products take longer, and more than none.
#[test]
fn times_are_of_what_was_recorded() {
    let options = gpu::GpuOptions { allow_software: true, timestamps: true, ..Default::default() };
    let gpu = pollster::block_on(Gpu::request(options)).unwrap();
    let k = 512;
    let weight = gpu.matrix(k, k, TensorData::Dense(vec![0.01; k * k])).unwrap();
    let linear = Linear::<Gpu> { weight, bias: gpu.vector(vec![0.0; k]).unwrap() };
    let x = gpu.upload(&vec![0.5; 197 * k], 1, 197, k).unwrap();
    let time = |calls: usize| {
        gpu.time(|| (0..calls).try_for_each(|_| gpu.linear(&x, &linear, Activation::None).map(drop))).unwrap()
    };
    time(1);
    let (one, many) = (time(1), time(20));
    assert!(one.seconds > 0.0 && many.seconds > 3.0 * one.seconds, "{one:?}, {many:?}");
    assert_eq!(one.by, many.by);
    assert!(gpu.time(|| Err(beit::backend::BackendError::Device("so".into()))).is_err());
}
