//! Every kernel at BEiTv2-large's sizes, products in every variant.

use super::{Context, HEADS, StageError, TOKENS, WIDTH, least, median, request};
use crate::budget::Pace;
use crate::record::{Kernel, Rate, Record};
use ::kernels::{BLOCK, WeightFormat};
use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use gpu::{Arithmetic, Format, Gpu, GpuVector, Tile, TimedBy};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Seconds of dispatches in a run, and runs at most.
const RUN_SECONDS: f64 = 0.02;
const RUNS: usize = 5;
const MOST_DISPATCHES: f64 = 500.0;

/// A block's products, the smallest first, by which the time of the others is foretold: name, columns, depth.
const PRODUCTS: [(&str, usize, usize, Activation); 4] = [
    ("proj", WIDTH, WIDTH, Activation::None),
    ("qkv", 3 * WIDTH, WIDTH, Activation::None),
    ("fc1", 4 * WIDTH, WIDTH, Activation::Gelu),
    ("fc2", WIDTH, 4 * WIDTH, Activation::None),
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
    let gpu = request()?;
    let mut paces = Paces::default();
    // The weights of each product: packed once.
    let mut weights = HashMap::new();
    for &photos in &context.batches {
        for (what, n, k, activation) in PRODUCTS {
            for format in Format::ALL {
                if context.deadline.remaining() == 0.0 {
                    context.skip(
                        format!("{what}, {format:?} weights, {photos} photos a pass"),
                        "the time was over",
                    );
                    continue;
                }
                let linear = match weights.entry((what, format)) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(linear(&gpu, format, n, k)?),
                };
                for &arithmetic in gpu.offered() {
                    if format == Format::F32 && arithmetic == Arithmetic::Int8 {
                        continue;
                    }
                    for tile in Tile::ALL {
                        let product = Product { what, format, arithmetic, tile, n, k, activation };
                        product.time(context, &gpu, linear, photos, &mut paces)?;
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
struct Paces(HashMap<Variant, Pace>);

/// A kernel by its name, a product by its variant.
type Variant = (&'static str, Option<(Format, Arithmetic, Tile)>);

impl Paces {
    /// Seconds that so many operations take at most; of a variant that was not met yet, as those that were.
    fn predict(&self, variant: &Variant, operations: f64) -> f64 {
        match self.0.get(variant) {
            Some(pace) => pace.predict(operations),
            None => {
                let alike = self.0.iter().filter(|((what, _), _)| *what == variant.0);
                alike.map(|(_, pace)| pace.predict(operations)).fold(0.0, f64::max)
            }
        }
    }

    fn observe(&mut self, variant: Variant, operations: f64, seconds: f64) {
        self.0.entry(variant).or_default().observe(operations, seconds);
    }
}

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
        let variant = ("product", Some((format, arithmetic, tile)));
        // The first run compiles, the second tells how many are in a run.
        if !context.has_time_for(2.0 * paces.predict(&variant, operations), &name) {
            return Ok(());
        }
        gpu.set_arithmetic(arithmetic);
        let x = gpu.upload(&values(rows * k), 1, rows, k)?;
        let times = time(context, gpu, || gpu.product(&x, linear, activation, tile).map(drop))?;
        paces.observe(variant, operations, least(&times.seconds));
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
        let variant = (what, None);
        if !context.has_time_for(2.0 * paces.predict(&variant, amount), format!("{what}, {shape}")) {
            return Ok::<_, StageError>(());
        }
        let times = time(context, gpu, call)?;
        paces.observe(variant, amount, least(&times.seconds));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_that_was_not_met_is_expected_to_be_as_slow_as_the_slowest() {
        let variant = |tile| ("product", Some((Format::Q8_0, Arithmetic::F32, tile)));
        let mut paces = Paces::default();
        assert_eq!(paces.predict(&variant(Tile::Tall), 1e9), 0.0);
        paces.observe(variant(Tile::Tall), 1e9, 4.0);
        paces.observe(variant(Tile::Low), 1e9, 1.0);
        paces.observe(("attention", None), 1e9, 100.0);
        assert_eq!(paces.predict(&variant(Tile::Low), 2e9), 2.0);
        assert_eq!(paces.predict(&variant(Tile::Middle), 2e9), 8.0);
    }
}
