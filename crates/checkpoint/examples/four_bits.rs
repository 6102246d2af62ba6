//! How much each way of storing weights in about 4 bits loses, against the same network in F32:
//!
//! ```sh
//! cargo run --release -p checkpoint --example four_bits -- CHECKPOINT DATASET [EVERY] q4_0 q4_1 q4_k calibrated=PHOTOS,512 MODEL…
//! ```
//!
//! DATASET holds a folder of photos for each class, named by WordNet id; EVERY takes each n-th photo. What is
//! measured is `f32`, `q8_0`, `q4_0` as `convert` writes them, but without rotated heads; `q4_1` (a block has a
//! smallest value too) and `q4_k` (that, with scales and smallest values of 6 bits), which no kernel here reads, hence
//! with what the codes stand for in F32; `q4_0` calibrated on photos; and converted models' folders. Blocks that differ
//! from `q4_0` are fitted by least squares too.

use beit::backend::Cpu;
use beit::builder::ModelBuilder;
use beit::labels::imagenet_1k;
use beit::model::Model;
use beit::preprocess::preprocess;
use beit::topk::top_k;
use beit::weights::schema::{Role, TensorSpec};
use beit::weights::{Storage, Tensor, TensorData};
use checkpoint::agreement::kl_divergence;
use checkpoint::network::Network;
use checkpoint::quantize::{Quantization, encode};
use checkpoint::source::Source;
use checkpoint::{Calibration, ModelFolder, Options, convert, labels};
use half::f16;
use kernels::BLOCK;
use kernels::{Isa, WeightFormat};
use rayon::prelude::*;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let usage = "usage: four_bits CHECKPOINT DATASET [EVERY] q4_0|q4_1|q4_k|calibrated=PHOTOS,N|MODEL…";
    let checkpoint = arguments.next().ok_or(usage)?;
    let dataset = arguments.next().ok_or(usage)?;
    let every = match arguments.peek().and_then(|every| every.parse().ok()) {
        Some(every) => arguments.by_ref().next().map_or(1, |_| every),
        None => 1,
    };
    let network = Network::new(Source::open(Path::new(&checkpoint))?, "four-bits")?;
    let photos = photos(Path::new(&dataset), &wnids(&checkpoint, &network)?, every)?;
    println!("{} photos", photos.len());
    let exact = logits(&build(&network, "f32")?, &photos)?;
    print("f32", &photos, &exact, &exact);
    for variant in arguments {
        let calibration = variant.strip_prefix("calibrated=").and_then(|which| which.rsplit_once(','));
        let model = if let Some((folder, photos)) = calibration {
            let out = tempfile::tempdir()?;
            let options = Options {
                calibration: Some(Calibration { folder: folder.into(), photos: photos.parse()? }),
                ..Options::new(&checkpoint, out.path(), Quantization::Q4_0)
            };
            let begun = Instant::now();
            convert(&options, &|_| ())?;
            println!("calibrated in {:.0} s", begun.elapsed().as_secs_f64());
            ModelFolder::open(out.path())?.load(Cpu::new(Isa::best()))?.0
        } else if Path::new(&variant).is_dir() {
            ModelFolder::open(Path::new(&variant))?.load(Cpu::new(Isa::best()))?.0
        } else {
            build(&network, &variant)?
        };
        print(&variant, &photos, &logits(&model, &photos)?, &exact);
    }
    Ok(())
}

struct Photo {
    file: PathBuf,
    class: usize,
}

/// The head's rows: `classes.json` beside the checkpoint, else ImageNet's thousand.
fn wnids(checkpoint: &str, network: &Network) -> Fallible<Vec<String>> {
    let file = Path::new(checkpoint).with_file_name("classes.json");
    let file = file.is_file().then_some(file);
    let found = labels::find(file.as_deref(), network.source.class_names(), network.config.classes)?;
    let known = found.classes.labels.iter().any(|label| !label.wnid.is_empty());
    let labels = if known { found.classes.labels } else { imagenet_1k().to_vec() };
    Ok(labels.into_iter().map(|label| label.wnid).collect())
}

fn photos(dataset: &Path, wnids: &[String], every: usize) -> Fallible<Vec<Photo>> {
    let mut all = Vec::new();
    for (class, wnid) in wnids.iter().enumerate() {
        let Ok(files) = std::fs::read_dir(dataset.join(wnid)) else { continue };
        for file in files {
            all.push(Photo { file: file?.path(), class });
        }
    }
    all.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(all.into_iter().step_by(every.max(1)).collect())
}

fn build(network: &Network, variant: &str) -> Fallible<Model<Cpu>> {
    let mut builder = ModelBuilder::new(network.config.clone(), Cpu::new(Isa::best()));
    for (spec, parts) in network.tensors() {
        let data = stored(variant, &spec, network.values(parts)?)?;
        builder.add(Tensor { spec, data })?;
    }
    Ok(builder.finish()?)
}

/// The weights as `variant` keeps them; the head in 8 bits.
fn stored(variant: &str, spec: &TensorSpec, values: Vec<f32>) -> Fallible<TensorData> {
    let linear = spec.role == Role::Linear && !spec.name.starts_with("head.");
    let columns = spec.shape.last().copied().unwrap_or(1);
    Ok(match variant {
        "q4_1" if linear => TensorData::Dense(values.par_chunks(BLOCK).flat_map_iter(q4_1).collect()),
        "q4_k" if linear => {
            // Eight blocks share what they can, or four where a row has no multiple of eight.
            let shared = if columns.is_multiple_of(8 * BLOCK) { 8 * BLOCK } else { 4 * BLOCK };
            TensorData::Dense(values.par_chunks(shared).flat_map_iter(q4_k).collect())
        }
        _ => {
            let quantization: Quantization =
                if matches!(variant, "q4_1" | "q4_k") { Quantization::Q8_0 } else { variant.parse()? };
            match quantization.storage_of(spec, &values) {
                storage @ (Storage::Q8_0 | Storage::Q4_0) => {
                    let format =
                        if storage == Storage::Q8_0 { WeightFormat::Q8_0 } else { WeightFormat::Q4_0 };
                    TensorData::Blocks { format, bytes: encode(storage, &values) }
                }
                Storage::F16 | Storage::F32 => TensorData::Dense(values),
            }
        }
    })
}

/// A block's step and smallest value.
#[derive(Clone, Copy, Default)]
struct Range {
    step: f32,
    least: f32,
}

impl Range {
    fn rounded(self) -> Self {
        let half = |v: f32| f16::from_f32(v).to_f32();
        Self { step: half(self.step), least: half(self.least) }
    }

    fn code(self, v: f32) -> f32 {
        if self.step == 0.0 { 0.0 } else { ((v - self.least) / self.step).round().clamp(0.0, 15.0) }
    }

    fn value(self, v: f32) -> f32 {
        self.least + self.step * self.code(v)
    }

    fn error(self, block: &[f32]) -> f32 {
        block.iter().map(|&v| (v - self.value(v)).powi(2)).sum()
    }

    /// The best of several ranges inside the block's own, each refitted to its codes three times.
    fn search(block: &[f32], greatest_least: f32) -> Self {
        let low = block.iter().copied().fold(f32::INFINITY, f32::min);
        let high = block.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut best = (f32::INFINITY, Self::default());
        for inset in 0..12 {
            let cut = (high - low) * 0.02 * inset as f32;
            let (low, high) = ((low + cut).min(greatest_least), high - cut);
            let mut range = Self { step: ((high - low) / 15.0).max(0.0), least: low };
            for _ in 0..4 {
                let rounded = range.rounded();
                let error = rounded.error(block);
                if error < best.0 {
                    best = (error, rounded);
                }
                range = rounded.refitted(block, greatest_least);
            }
        }
        best.1
    }

    fn refitted(self, block: &[f32], greatest_least: f32) -> Self {
        let n = block.len() as f32;
        let codes: Vec<f32> = block.iter().map(|&v| self.code(v)).collect();
        let (code, value) = (codes.iter().sum::<f32>() / n, block.iter().sum::<f32>() / n);
        let spread: f32 = codes.iter().map(|q| (q - code).powi(2)).sum();
        if spread == 0.0 {
            return self;
        }
        let product: f32 = codes.iter().zip(block).map(|(q, v)| (q - code) * (v - value)).sum();
        let step = product / spread;
        Self { step, least: (value - step * code).min(greatest_least) }
    }
}

fn q4_1(block: &[f32]) -> Vec<f32> {
    let range = Range::search(block, f32::INFINITY);
    block.iter().map(|&v| range.value(v)).collect()
}

/// Steps and smallest values (none above zero) as 6-bit multiples of two F16 numbers.
fn q4_k(blocks: &[f32]) -> Vec<f32> {
    let ranges: Vec<Range> = blocks.chunks(BLOCK).map(|block| Range::search(block, 0.0)).collect();
    let unit =
        |pick: fn(&Range) -> f32| f16::from_f32(ranges.iter().map(pick).fold(0.0, f32::max) / 63.0).to_f32();
    let (step, least) = (unit(|r| r.step), unit(|r| -r.least));
    let times =
        |v: f32, unit: f32| if unit == 0.0 { 0.0 } else { (v / unit).round().clamp(0.0, 63.0) * unit };
    let kept = ranges.iter().map(|r| Range { step: times(r.step, step), least: -times(-r.least, least) });
    blocks.chunks(BLOCK).zip(kept).flat_map(|(block, r)| block.iter().map(move |&v| r.value(v))).collect()
}

/// Each photo's logits; a thread a photo.
fn logits(model: &Model<Cpu>, photos: &[Photo]) -> Fallible<Vec<Vec<f32>>> {
    let answer = |photo: &Photo| {
        let bytes = std::fs::read(&photo.file).map_err(|e| e.to_string())?;
        let rgb = beit::decode::decode(&bytes).map_err(|e| format!("{}: {e}", photo.file.display()))?;
        let pixels = preprocess(&rgb, &model.config().preprocessing);
        pollster::block_on(model.logits(&pixels)).map_err(|e| e.to_string())
    };
    let threads = std::thread::available_parallelism()?.get();
    let parts: Vec<Result<Vec<_>, String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = photos
            .chunks(photos.len().div_ceil(threads).max(1))
            .map(|part| {
                scope.spawn(move || {
                    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
                    let alone = alone.map_err(|e| e.to_string())?;
                    alone.install(|| part.iter().map(answer).collect())
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(Err("a thread failed".into()))).collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

fn print(variant: &str, photos: &[Photo], logits: &[Vec<f32>], exact: &[Vec<f32>]) {
    let percent = |hit: &dyn Fn(usize) -> bool| {
        100.0 * (0..photos.len()).filter(|&i| hit(i)).count() as f64 / photos.len() as f64
    };
    let best = |logits: &[f32], k| top_k(logits, k).into_iter().map(|(class, _)| class).collect::<Vec<_>>();
    let top_1 = percent(&|i| best(&logits[i], 1)[0] == photos[i].class);
    let top_5 = percent(&|i| best(&logits[i], 5).contains(&photos[i].class));
    let agree = percent(&|i| best(&logits[i], 1) == best(&exact[i], 1));
    let divergence =
        logits.iter().zip(exact).map(|(q, p)| kl_divergence(p, q)).sum::<f64>() / photos.len().max(1) as f64;
    println!(
        "{variant:<40} top-1 {top_1:6.2}  top-5 {top_5:6.2}  same first class as f32 {agree:6.2}  KL from f32 {divergence:.5}"
    );
}
