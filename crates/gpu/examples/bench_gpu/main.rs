//! How fast a GPU runs the network, beside what it can do at most:
//!
//! ```sh
//! cargo run --release -p gpu --example bench_gpu -- [--photos 1,8] [--blocks 24] [--kernels-only]
//! ```
//!
//! First the adapter's measured bandwidth and arithmetic, then every kernel at BEiTv2-large's sizes with its share of
//! those, then whole photos through a network of BEiTv2-large's shape with random 8-bit weights: one a pass and
//! eight, in every arithmetic. `--blocks` takes fewer of its 24 blocks where the GPU is imitated on a processor, which
//! may take minutes a photo.

mod kernels;
mod network;
mod probes;

use gpu::{Gpu, GpuOptions};
use std::process::exit;

struct Arguments {
    photos: Vec<usize>,
    blocks: usize,
    kernels_only: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(arguments) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: bench [--photos 1,8] [--blocks 24] [--kernels-only]");
        exit(2);
    };
    let options = GpuOptions { allow_software: true, ..GpuOptions::default() };
    let gpu = pollster::block_on(Gpu::request(options))?;
    let subgroups = if gpu.has_subgroups() { "subgroups" } else { "no subgroups" };
    println!("{} by {}, {subgroups}", gpu.name(), gpu.info().backend);
    let peak = probes::measure(&gpu);
    for &photos in &arguments.photos {
        println!("\nKernels, {photos} photos a pass");
        kernels::time_all(&gpu, photos, &peak)?;
    }
    if !arguments.kernels_only {
        println!("\nBEiTv2-large's shape with {} blocks", arguments.blocks);
        network::time_photos(&gpu, arguments.blocks, &arguments.photos)?;
    }
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut parsed = Arguments { photos: vec![1, 8], blocks: 24, kernels_only: false };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--photos" => {
                let photos = arguments.next()?;
                let photos = photos.split(',').map(|n| n.parse().ok().filter(|&n| n > 0));
                parsed.photos = photos.collect::<Option<_>>()?;
            }
            "--blocks" => parsed.blocks = arguments.next()?.parse().ok().filter(|&n| n > 0)?,
            "--kernels-only" => parsed.kernels_only = true,
            _ => return None,
        }
    }
    Some(parsed)
}
