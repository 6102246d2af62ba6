//! A converted network beside its checkpoint on photos, against the same computed plainly from both whole networks.

use crate::support::{convert_to, golden, tensors};
use beit::backend::{Cpu, CpuTokens};
use beit::decode::decode;
use beit::model::Model;
use beit::preprocess::{Pixels, preprocess};
use checkpoint::photo_agreement::{PhotoAgreement, compare};
use checkpoint::{ModelFolder, Quantization, find_photos, seeded};
use kernels::Isa;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

const PHOTOS: [&str; 4] = ["baseline.jpg", "cmyk.jpg", "grey.jpg", "photo.bmp"];

fn photos() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/photos");
    PHOTOS.map(|name| folder.join(name)).to_vec()
}

fn load(model: &Path) -> Model<Cpu> {
    ModelFolder::open(model).unwrap().load(Cpu::new(Isa::best())).unwrap().0
}

fn compared(source: &Path, model: &Path, photos: &[PathBuf]) -> Result<PhotoAgreement, String> {
    let folder = ModelFolder::open(model).unwrap();
    let header = folder.read(|_, _| Ok(())).unwrap();
    compare(source, &folder, &header, photos, &|| ()).map_err(|e| e.to_string())
}

fn probabilities(logits: &[f32]) -> Vec<f64> {
    let sum: f64 = logits.iter().map(|&v| f64::from(v).exp()).sum();
    logits.iter().map(|&v| f64::from(v).exp() / sum).collect()
}

fn first(values: &[f64]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn the_numbers_are_those_of_both_whole_networks() {
    for network in ["tiny-relative", "tiny-absolute"] {
        let folder = tempfile::tempdir().unwrap();
        let (exact, rounded) = (folder.path().join("exact"), folder.path().join("rounded"));
        convert_to(&golden(network), &exact, Quantization::F32);
        convert_to(&golden(network), &rounded, Quantization::Q4_0);
        let agreement = compared(&golden(network), &rounded, &photos()).unwrap();
        assert!(agreement.unreadable.is_empty());
        assert_eq!(agreement.photos.len(), PHOTOS.len());
        let (exact, rounded) = (load(&exact), load(&rounded));
        let (mut kls, mut cosines, mut same) = (Vec::new(), Vec::new(), 0);
        for (photo, file) in agreement.photos.iter().zip(photos()) {
            assert_eq!(photo.file, file);
            let rgb = decode(&fs::read(&file).unwrap()).unwrap();
            let pixels = preprocess(&rgb, &exact.config().preprocessing);
            let logits = |model: &Model<Cpu>| pollster::block_on(model.logits(&pixels)).unwrap();
            let (a, b) = (logits(&exact), logits(&rounded));
            let (p, q) = (probabilities(&a), probabilities(&b));
            kls.push(p.iter().zip(&q).map(|(p, q)| p * (p / q).ln()).sum::<f64>());
            cosines.push(cosine(&a, &b));
            same += usize::from(first(&p) == first(&q));
            assert_eq!((photo.source.0, photo.converted.0), (first(&p), first(&q)));
            assert!((f64::from(photo.source.1) - p[first(&p)]).abs() < 1e-6);
            assert!((f64::from(photo.converted.1) - q[first(&q)]).abs() < 1e-6);
        }
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{network}: {a} {b}");
        let (mean, largest) = agreement.kl_divergence();
        near(mean, kls.iter().sum::<f64>() / kls.len() as f64);
        near(largest, kls.iter().copied().fold(0.0, f64::max));
        near(agreement.lowest_cosine(), cosines.iter().copied().fold(1.0, f64::min));
        assert!(largest > mean && mean > 1e-5 && agreement.lowest_cosine() < 0.9999, "4 bits lose something");
        assert_eq!(agreement.same_first_class(), same);
        assert_eq!(agreement.disagreeing().len(), PHOTOS.len() - same);
    }
}

/// Adds 100 to class 7's bias in a model's only shard, and makes the manifest say so.
fn alter(model: &Path, bias: &[f32]) {
    let shard = fs::read_dir(model).unwrap().map(|item| item.unwrap().path());
    let shard = shard.filter(|path| path.to_string_lossy().contains("gguf")).min().unwrap();
    let hash = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut bytes = fs::read(&shard).unwrap();
    let before = hash(&bytes);
    let stored: Vec<u8> = bias.iter().flat_map(|v| v.to_le_bytes()).collect();
    let at = bytes.windows(stored.len()).position(|window| window == stored).unwrap() + 4 * 7;
    bytes[at..at + 4].copy_from_slice(&(bias[7] + 100.0).to_le_bytes());
    fs::write(&shard, &bytes).unwrap();
    let manifest = model.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace(&before, &hash(&bytes))).unwrap();
}

#[test]
fn a_network_altered_after_quantising_disagrees() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (golden("tiny-relative"), folder.path().join("out"));
    convert_to(&source, &out, Quantization::Q8_0);
    let good = compared(&source, &out, &photos()).unwrap();
    assert_eq!(good.same_first_class(), PHOTOS.len());
    assert!(good.photos.iter().all(|photo| photo.source.0 != 7));
    // More photos than go through the networks at a time.
    let many = compared(&source, &out, &vec![photos(); 9].concat()).unwrap();
    let numbers = |all: &PhotoAgreement| -> Vec<_> {
        all.photos
            .iter()
            .map(|p| (p.file.clone(), p.source, p.converted, p.kl_divergence, p.cosine))
            .collect()
    };
    assert_eq!(numbers(&many), vec![numbers(&good); 9].concat());
    alter(&out, &tensors(&source)["head.bias"].values);
    let bad = compared(&source, &out, &photos()).unwrap();
    assert_eq!((bad.same_first_class(), bad.disagreeing().len()), (0, PHOTOS.len()));
    for (before, after) in good.photos.iter().zip(&bad.photos) {
        assert_eq!((after.source.0, after.converted.0), (before.source.0, 7));
    }
    let differing = bad.disagreeing();
    assert!(differing.is_sorted_by(|a, b| a.kl_divergence >= b.kl_divergence));
    assert!(bad.kl_divergence().0 > 50.0 && bad.lowest_cosine() < 0.9);
}

#[test]
fn what_cannot_be_compared_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out, photos_in) =
        (golden("tiny-absolute"), folder.path().join("out"), folder.path().join("photos"));
    convert_to(&source, &out, Quantization::Q8_0);
    fs::create_dir_all(photos_in.join("inside")).unwrap();
    let (bad, good) = (photos_in.join("bad.jpg"), photos_in.join("inside/good.jpg"));
    fs::copy(&photos()[0], &good).unwrap();
    fs::write(&bad, "no photo").unwrap();
    // A photo that lies in a folder given too counts once.
    let found = find_photos("--verify", &[photos_in.clone(), good.clone()], 9).unwrap();
    assert_eq!(found, [bad.clone(), good.clone()]);
    let agreement = compared(&source, &out, &found).unwrap();
    assert_eq!((agreement.photos.len(), agreement.photos[0].file.clone()), (1, good));
    assert_eq!((agreement.unreadable.len(), agreement.unreadable[0].0.clone()), (1, bad.clone()));

    let error = compared(&source, &out, &[bad]).unwrap_err();
    assert!(error.contains("bad.jpg") && error.contains("none of 1 photos"), "{error}");
    let error = compared(&golden("tiny-relative"), &out, &photos()).unwrap_err();
    assert!(error.contains("another shape"), "{error}");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let error = find_photos("--verify", &[photos_in, empty], 9).unwrap_err().to_string();
    assert!(error.starts_with("--verify: expected a folder of photos"), "{error}");
}

/// The residual streams of the check inputs after the stem and each block, as both whole networks have them.
#[test]
fn layers_are_compared_on_the_check_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let (exact, rounded) = (folder.path().join("exact"), folder.path().join("rounded"));
    let same = convert_to(&golden("tiny-relative"), &exact, Quantization::F32);
    let lossy = convert_to(&golden("tiny-relative"), &rounded, Quantization::Q4_0);
    let (exact, rounded) = (load(&exact), load(&rounded));
    let config = exact.config();
    assert!(same.layers_cosine.iter().all(|cosine| (cosine - 1.0).abs() < 1e-12));
    assert_eq!((same.layers_cosine.len(), lossy.layers_cosine.len()), (config.depth + 1, config.depth + 1));
    let streams = |model: &Model<Cpu>, input| {
        let pixels = Pixels { size: config.image_size, values: seeded::pixels(config, input) };
        let mut blocks = Vec::new();
        model.tokens(&pixels, |_, x: &CpuTokens| blocks.push(x.values().to_vec())).unwrap();
        blocks
    };
    let mut lowest = vec![1.0f64; config.depth];
    for input in 0..lossy.logits_cosine.len() {
        for (block, (a, b)) in streams(&exact, input).iter().zip(streams(&rounded, input)).enumerate() {
            lowest[block] = lowest[block].min(cosine(a, &b));
        }
    }
    assert!((0.99999..1.0).contains(&lossy.layers_cosine[0]), "the patch embedding has 16 bits");
    for (got, expected) in lossy.layers_cosine[1..].iter().zip(&lowest) {
        assert!((got - expected).abs() < 1e-12 && *got < 0.9999, "{got} {expected}");
    }
}
