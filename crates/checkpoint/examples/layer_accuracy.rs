//! What rounding costs a network, layer by layer and on photos: how large its activations are, then for each way of
//! storing the weights how close the answers are to those of the checkpoint in F32.
//!
//! ```sh
//! cargo run --release -p checkpoint --example layer_accuracy -- CHECKPOINT PHOTOS N q8_0 q4_0 calibrated=PHOTOS,64 …
//! ```
//!
//! N photos are taken evenly from the folder PHOTOS; `calibrated` is `q4_0` calibrated on others, `calibrated8` `q8_0`.

use beit::backend::{Cpu, CpuTokens};
use beit::builder::ModelBuilder;
use beit::decode::decode;
use beit::preprocess::{Pixels, preprocess};
use beit::weights::{Tensor, TensorData};
use checkpoint::network::Network;
use checkpoint::photo_agreement::compare;
use checkpoint::source::Source;
use checkpoint::{Calibration, ModelFolder, Options, Quantization, convert, find_photos, seeded};
use kernels::Isa;
use std::error::Error;
use std::path::{Path, PathBuf};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// From this many times the median on an activation is massive (Sun et al. 2024).
const MASSIVE: f32 = 100.0;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let usage =
        "usage: layer_accuracy CHECKPOINT PHOTOS N q8_0|q4_0|calibrated=PHOTOS,N|calibrated8=PHOTOS,N…";
    let mut next = || arguments.next().ok_or(usage);
    let (checkpoint, folder, count) = (PathBuf::from(next()?), PathBuf::from(next()?), next()?.parse()?);
    let photos = find_photos("PHOTOS", &[folder], count)?;
    print_magnitudes(&checkpoint, photos.first().ok_or("no photos")?)?;
    for variant in arguments {
        print_variant(&checkpoint, &photos, &variant)?;
    }
    Ok(())
}

/// The residual stream of the source after some blocks, on one photo and on one picture of seeded noise.
fn print_magnitudes(checkpoint: &Path, photo: &Path) -> Fallible<()> {
    let network = Network::new(Source::open(checkpoint)?, "source")?;
    let config = &network.config;
    let mut builder = ModelBuilder::new(config.clone(), Cpu::new(Isa::best()));
    for (spec, parts) in network.tensors() {
        builder.add(Tensor { spec, data: TensorData::Dense(network.values(parts)?) })?;
    }
    let model = builder.finish()?;
    let photo = preprocess(&decode(&std::fs::read(photo)?)?, &config.preprocessing);
    let noise = Pixels { size: config.image_size, values: seeded::pixels(config, 0) };
    for (name, pixels) in [("photo", photo), ("noise", noise)] {
        println!("| after block, {name} | median | largest ÷ median | tokens with more than {MASSIVE} × |");
        println!("|---|---|---|---|");
        model.tokens(&pixels, |block, x: &CpuTokens| {
            if block % 6 != 5 && block != 0 && block + 1 != config.depth {
                return;
            }
            let mut sorted: Vec<f32> = x.values().iter().map(|v| v.abs()).collect();
            sorted.sort_by(f32::total_cmp);
            let median = sorted[sorted.len() / 2];
            let massive = |row: &&[f32]| row.iter().any(|v| v.abs() > MASSIVE * median);
            let tokens = x.values().chunks(config.width).filter(massive).count();
            println!("| {block} | {median:.3} | {:.0} | {tokens} |", sorted[sorted.len() - 1] / median);
        })?;
    }
    Ok(())
}

/// Converts, and compares with the source.
fn print_variant(checkpoint: &Path, photos: &[PathBuf], variant: &str) -> Fallible<()> {
    let (kind, calibration) = match variant.split_once('=') {
        Some((kind, with)) => (kind, Some(with.rsplit_once(',').ok_or("expected calibrated=PHOTOS,N")?)),
        None => (variant, None),
    };
    let quantization = match kind {
        "calibrated" => Quantization::Q4_0,
        "calibrated8" => Quantization::Q8_0,
        kind => kind.parse()?,
    };
    let calibration = match calibration {
        Some((folder, photos)) => Some(Calibration { folder: folder.into(), photos: photos.parse()? }),
        None => None,
    };
    let out = tempfile::tempdir()?;
    let options = Options { calibration, ..Options::new(checkpoint, out.path(), quantization) };
    let conversion = convert(&options, &|_| ())?;
    let folder = ModelFolder::open(out.path())?;
    let header = folder.read(|_, _| Ok(()))?;
    let agreement = compare(checkpoint, &folder, &header, photos, &|| ())?;
    let lowest = |cosines: &[f64]| cosines.iter().copied().fold(1.0, f64::min);
    println!(
        "{variant}: {} bytes; cosine of the logits: worst {:.5}, mean {:.5} on {} photos ({} with the same first class, mean KL {:.5}), \
         worst {:.5} on noise; the least of a layer by itself {:.5}",
        conversion.manifest.bytes,
        agreement.lowest_cosine(),
        agreement.photos.iter().map(|photo| photo.cosine).sum::<f64>() / agreement.photos.len() as f64,
        agreement.photos.len(),
        agreement.same_first_class(),
        agreement.kl_divergence().0,
        lowest(&conversion.logits_cosine),
        lowest(&conversion.own_cosine)
    );
    let digits = |cosines: &[f64]| cosines.iter().map(|v| format!("{v:.5}")).collect::<Vec<_>>().join(" ");
    println!("  after each layer: {}", digits(&conversion.layers_cosine));
    println!("  by itself: {}", digits(&conversion.own_cosine));
    conversion.notes.iter().for_each(|note| println!("  {note}"));
    Ok(())
}
