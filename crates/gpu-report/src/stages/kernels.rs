//! Every kernel at BEiTv2-large's sizes, products in every variant.

use super::{Context, HEADS, StageError, TOKENS, WIDTH, least, median, request};
use crate::budget::Pace;
use crate::record::{Kernel, Rate, Record};
use ::kernels::{BLOCK, WeightFormat};
use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use gpu::{Arithmetic, Format, Gpu, GpuVector, Tile, TimedBy};
use std::collections::HashMap;

/// Seconds of dispatches in a run, and runs at most.
const RUN_SECONDS: f64 = 0.02;
const RUNS: usize = 5;
const MOST_DISPATCHES: f64 = 500.0;

/// A block's products: name, columns, depth.
const PRODUCTS: [(&str, usize, usize, Activation); 4] = [
    ("fc1", 4 * WIDTH, WIDTH, Activation::Gelu),
    ("fc2", WIDTH, 4 * WIDTH, Activation::None),
    ("qkv", 3 * WIDTH, WIDTH, Activation::None),
    ("proj", WIDTH, WIDTH, Activation::None),
];

/// The time of one dispatch, from several runs.
struct Times {
    seconds: Vec<f64>,
    by: TimedBy,
}

/// What limits a kernel, and how much of it there is to do.
#[derive(Clone, Copy)]
enum Work {
    Operations(f64),
    Bytes(f64),
}

/// Times them all; what has no time is said.
///
/// # Errors
/// When the GPU fails.
pub fn run(context: &Context) -> Result<(), StageError> {
    let gpu = request(None)?;
    let tiled = Tile::ALL.map(|tile| request(Some(tile)).map(|gpu| (tile, gpu)));
    let tiled: Vec<_> = tiled.into_iter().collect::<Result<_, _>>()?;
    let mut paces = Paces::default();
    // The weights of each product on each GPU: packed once.
    let mut weights = HashMap::new();
    for &photos in &context.batches {
        for (what, n, k, activation) in PRODUCTS {
            for format in Format::ALL {
                for &arithmetic in gpu.offered() {
                    if format == Format::F32 && arithmetic == Arithmetic::Int8 {
                        continue;
                    }
                    for (tile, gpu) in &tiled {
                        let key = (what, format, *tile);
                        if !weights.contains_key(&key) {
                            weights.insert(key, linear(gpu, format, n, k)?);
                        }
                        let product = Product { what, format, arithmetic, tile: *tile, n, k, activation };
                        product.time(context, gpu, &weights[&key], photos, &mut paces)?;
                    }
                }
            }
        }
        others(context, &gpu, photos, &mut paces)?;
    }
    Ok(())
}

/// How fast each variant has been.
#[derive(Default)]
struct Paces(HashMap<(&'static str, Option<(Format, Arithmetic, Tile)>), Pace>);

struct Product {
    what: &'static str,
    format: Format,
    arithmetic: Arithmetic,
    tile: Tile,
    n: usize,
    k: usize,
    activation: Activation,
}

impl Product {
    fn time(
        &self,
        context: &Context,
        gpu: &Gpu,
        linear: &Linear<Gpu>,
        photos: usize,
        paces: &mut Paces,
    ) -> Result<(), StageError> {
        let Self { what, format, arithmetic, tile, n, k, activation } = *self;
        let rows = photos * TOKENS;
        let operations = 2.0 * (rows * n * k) as f64;
        let shape = format!("{rows} × {k} × {n}");
        let name = format!("{what}, {format:?} weights in {}, {tile:?}, {shape}", arithmetic.name());
        let pace = paces.0.entry(("product", Some((format, arithmetic, tile)))).or_default();
        // The first run compiles, the second tells how many are in a run.
        if !context.has_time_for(3.0 * pace.predict(operations), &name) {
            return Ok(());
        }
        gpu.set_arithmetic(arithmetic);
        let x = gpu.upload(&values(rows * k), 1, rows, k)?;
        let times = time(context, gpu, || gpu.linear(&x, linear, activation).map(drop))?;
        pace.observe(operations, least(&times.seconds));
        let kernel = Described { what, shape, weights: Some(format), arithmetic, tile: Some(tile), photos };
        report(context, &kernel, &times, Work::Operations(operations));
        Ok(())
    }
}

fn linear(gpu: &Gpu, format: Format, n: usize, k: usize) -> Result<Linear<Gpu>, BackendError> {
    let blocks = |format: WeightFormat| {
        // A scale of 2⁻⁷ and codes that differ.
        let block: Vec<u8> = [0x00, 0x20].into_iter().chain((1..).take(format.block_bytes() - 2)).collect();
        TensorData::Blocks { format, bytes: block.repeat(n * k / BLOCK) }
    };
    let data = match format {
        Format::F32 => TensorData::Dense(values(n * k)),
        Format::Q8_0 => blocks(WeightFormat::Q8_0),
        Format::Q4_0 => blocks(WeightFormat::Q4_0),
    };
    Ok(Linear { weight: gpu.matrix(n, k, data)?, bias: vector(gpu, n)? })
}

fn others(context: &Context, gpu: &Gpu, photos: usize, paces: &mut Paces) -> Result<(), StageError> {
    gpu.set_arithmetic(Arithmetic::F32);
    let rows = photos * TOKENS;
    let read_and_written = (4 * rows * WIDTH) as f64;
    let shape = format!("{rows} × {WIDTH}");
    let mut timed = |what: &'static str, work: Work, call: &mut dyn FnMut() -> Result<(), BackendError>| {
        let (Work::Operations(amount) | Work::Bytes(amount)) = work;
        let pace = paces.0.entry((what, None)).or_default();
        if !context.has_time_for(3.0 * pace.predict(amount), format!("{what}, {shape}")) {
            return Ok::<_, StageError>(());
        }
        let times = time(context, gpu, call)?;
        pace.observe(amount, least(&times.seconds));
        let arithmetic = Arithmetic::F32;
        let kernel = Described { what, shape: shape.clone(), weights: None, arithmetic, tile: None, photos };
        report(context, &kernel, &times, work);
        Ok(())
    };
    let qkv = gpu.upload(&values(rows * 3 * WIDTH), photos, TOKENS, 3 * WIDTH)?;
    let bias = vector(gpu, HEADS * TOKENS * TOKENS)?;
    let operations = Work::Operations(4.0 * (rows * TOKENS * WIDTH) as f64);
    timed("attention", operations, &mut || gpu.attention(&qkv, HEADS, Some(&bias)).map(drop))?;
    let x = gpu.upload(&values(rows * WIDTH), photos, TOKENS, WIDTH)?;
    let norm = LayerNorm::<Gpu> { weight: vector(gpu, WIDTH)?, bias: vector(gpu, WIDTH)?, eps: 1e-6 };
    timed("layer norm", Work::Bytes(2.0 * read_and_written), &mut || gpu.layer_norm(&x, &norm).map(drop))?;
    let gamma = vector(gpu, WIDTH)?;
    let mut sum = gpu.upload(&values(rows * WIDTH), photos, TOKENS, WIDTH)?;
    timed("scaled sum", Work::Bytes(3.0 * read_and_written), &mut || gpu.add_scaled(&mut sum, &x, &gamma))?;
    timed("mean of patches", Work::Bytes(read_and_written), &mut || gpu.mean_of_patches(&x).map(drop))
}

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 31 % 201) as f32 / 100.0 - 1.0).collect()
}

fn vector(gpu: &Gpu, len: usize) -> Result<GpuVector, BackendError> {
    gpu.vector(values(len))
}

/// The time of one call: some runs of as many as take [`RUN_SECONDS`]; one run where there is no time for more.
fn time(
    context: &Context,
    gpu: &Gpu,
    mut call: impl FnMut() -> Result<(), BackendError>,
) -> Result<Times, BackendError> {
    let mut run = |calls: usize| gpu.time(|| (0..calls).try_for_each(|_| call()));
    run(1)?;
    let first = run(1)?;
    let calls = (RUN_SECONDS / first.seconds).clamp(1.0, MOST_DISPATCHES) as usize;
    let mut times = Times { seconds: Vec::new(), by: first.by };
    if calls == 1 {
        times.seconds.push(first.seconds);
    }
    while times.seconds.len() < RUNS {
        if !times.seconds.is_empty() && !context.deadline.fits(first.seconds * calls as f64) {
            break;
        }
        times.seconds.push(run(calls)?.seconds / calls as f64);
    }
    Ok(times)
}

/// A kernel, as the report names it.
struct Described {
    what: &'static str,
    shape: String,
    weights: Option<Format>,
    arithmetic: Arithmetic,
    tile: Option<Tile>,
    photos: usize,
}

fn report(context: &Context, kernel: &Described, times: &Times, work: Work) {
    let seconds = median(&times.seconds);
    let rate = match work {
        Work::Operations(operations) => Rate::operations(operations, seconds),
        Work::Bytes(bytes) => Rate::bytes(bytes, seconds),
    };
    let lower = |text: String| text.to_lowercase();
    (context.emit)(Record::Kernel(Kernel {
        what: kernel.what.into(),
        photos: kernel.photos as u64,
        shape: kernel.shape.clone(),
        weights: kernel.weights.map(|format| lower(format!("{format:?}"))),
        arithmetic: kernel.arithmetic.name().into(),
        tile: kernel.tile.map(|tile| lower(format!("{tile:?}"))),
        ms: seconds * 1e3,
        least_ms: least(&times.seconds) * 1e3,
        runs: times.seconds.len() as u64,
        rate,
        percent_of_peak: context.peaks.percent(rate, kernel.arithmetic),
        timed_by: match times.by {
            TimedBy::Timestamps => "timestamps".into(),
            TimedBy::HostClock => "host clock".into(),
        },
    }));
}
