//! How alike a photo and its copies are to a network, and how alike other photos: what the threshold of `beitscope
//! duplicates` is chosen by. `cargo run --example near_copies MODEL PHOTO…`

use beit::backend::Cpu;
use beit::model::Model;
use beit::preprocess::preprocess;
use checkpoint::ModelFolder;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use kernels::Isa;
use library::Feature;
use std::io::Cursor;
use std::path::Path;

/// A way to copy a photo.
type Copy = (&'static str, fn(&DynamicImage) -> Vec<u8>);

const COPIES: [Copy; 9] = [
    ("JPEG of quality 90", |photo| jpeg(photo, 90)),
    ("JPEG of quality 50", |photo| jpeg(photo, 50)),
    ("JPEG of quality 20", |photo| jpeg(photo, 20)),
    ("half the size", |photo| scaled(photo, 2)),
    ("a quarter of the size", |photo| scaled(photo, 4)),
    ("2 % cut off at each side", |photo| cropped(photo, 2)),
    ("5 % cut off at each side", |photo| cropped(photo, 5)),
    ("10 % cut off at each side", |photo| cropped(photo, 10)),
    ("in grey", |photo| jpeg(&photo.grayscale(), 90)),
];

fn jpeg(photo: &DynamicImage, quality: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&photo.to_rgb8()).unwrap();
    bytes.into_inner()
}

fn scaled(photo: &DynamicImage, by: u32) -> Vec<u8> {
    let (width, height) = ((photo.width() / by).max(1), (photo.height() / by).max(1));
    jpeg(&photo.resize_exact(width, height, FilterType::CatmullRom), 85)
}

fn cropped(photo: &DynamicImage, percent: u32) -> Vec<u8> {
    let (x, y) = (photo.width() * percent / 100, photo.height() * percent / 100);
    jpeg(&photo.crop_imm(x, y, photo.width() - 2 * x, photo.height() - 2 * y), 90)
}

fn feature(model: &Model<Cpu>, bytes: &[u8]) -> Feature {
    let rgb = codecs::decode_photo(bytes).unwrap().rgb;
    let pixels = preprocess(&rgb, &model.config().preprocessing);
    Feature::new(&pollster::block_on(model.features_and_logits(&pixels)).unwrap().0).unwrap()
}

fn cosine(a: &Feature, b: &Feature) -> f64 {
    let dot = |a: &Feature, b: &Feature| -> f64 {
        a.values.iter().zip(&b.values).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn print(what: &str, mut cosines: Vec<f64>) {
    cosines.sort_by(f64::total_cmp);
    let at = |part: f64| cosines[(part * (cosines.len() - 1) as f64).round() as usize];
    let above = |least: f64| {
        100.0 * cosines.iter().filter(|&&cosine| cosine >= least).count() as f64 / cosines.len() as f64
    };
    println!(
        "{what:28} least {:.3}  5 % {:.3}  median {:.3}  95 % {:.3}  99.9 % {:.3}  most {:.3}  ≥ 0.9: {:.2} %  ≥ 0.95: {:.3} %  ≥ 0.97: {:.3} %",
        at(0.0),
        at(0.05),
        at(0.5),
        at(0.95),
        at(0.999),
        at(1.0),
        above(0.9),
        above(0.95),
        above(0.97)
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = ModelFolder::open(Path::new(&arguments.next().expect("MODEL"))).unwrap();
    let (model, _) = folder.load(Cpu::new(Isa::best())).unwrap();
    let photos: Vec<String> = arguments.collect();
    let mut originals = Vec::new();
    let mut copies = COPIES.map(|_| Vec::new());
    for path in &photos {
        let bytes = std::fs::read(path).unwrap();
        let rgb = codecs::decode_photo(&bytes).unwrap().rgb;
        let photo: DynamicImage = RgbImage::from_raw(rgb.width, rgb.height, rgb.pixels).unwrap().into();
        let original = feature(&model, &bytes);
        for (cosines, (_, copy)) in copies.iter_mut().zip(COPIES) {
            cosines.push(cosine(&original, &feature(&model, &copy(&photo))));
        }
        originals.push(original);
    }
    println!("{} photos", photos.len());
    for (cosines, (what, _)) in copies.into_iter().zip(COPIES) {
        print(what, cosines);
    }
    let mut others = Vec::new();
    for (at, a) in originals.iter().enumerate() {
        for (b, name) in originals[at + 1..].iter().zip(&photos[at + 1..]) {
            let cosine = cosine(a, b);
            if cosine >= 0.95 {
                println!("{cosine:.3}  {} {name}", photos[at]);
            }
            others.push(cosine);
        }
    }
    print("two photos", others);
}
