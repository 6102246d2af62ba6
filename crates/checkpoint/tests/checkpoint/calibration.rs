//! Conversions that photos guide: closer to the source in the same bytes, and nothing lost on the way.

use crate::support::{files, golden};
use beit::backend::Cpu;
use beit::decode::decode;
use beit::preprocess::preprocess;
use checkpoint::agreement::cosine;
use checkpoint::{Calibration, CheckpointError, Conversion, ModelFolder, Options, Quantization, convert};
use kernels::Isa;
use std::fs;
use std::path::{Path, PathBuf};

/// The same scenes in many orientations and formats: enough tokens for networks as small as these.
fn photos() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/photos")
}

fn calibrated(
    source: &Path,
    out: &Path,
    quantization: Quantization,
    folder: &Path,
) -> Result<Conversion, CheckpointError> {
    let calibration = Some(Calibration { folder: folder.to_owned(), photos: 64 });
    convert(&Options { calibration, ..Options::new(source, out, quantization) }, &|_| ())
}

/// The logits of every photo that can be read.
fn logits(model: &Path) -> Vec<Vec<f32>> {
    let (model, _) = ModelFolder::open(model).unwrap().load(Cpu::new(Isa::best())).unwrap();
    let mut files: Vec<_> = fs::read_dir(photos()).unwrap().map(|item| item.unwrap().path()).collect();
    files.sort();
    let pixels = files.iter().filter_map(|file| decode(&fs::read(file).ok()?).ok());
    let pixels = pixels.map(|photo| preprocess(&photo, &model.config().preprocessing));
    pixels.map(|pixels| pollster::block_on(model.logits(&pixels)).unwrap()).collect()
}

#[test]
fn calibrated_answers_are_closer_to_the_sources() {
    for network in ["tiny-relative", "tiny-absolute"] {
        let folder = tempfile::tempdir().unwrap();
        let out = |name: &str| folder.path().join(name);
        let source = golden(network);
        convert(&Options::new(&source, out("exact"), Quantization::F32), &|_| ()).unwrap();
        let plain = convert(&Options::new(&source, out("plain"), Quantization::Q4_0), &|_| ()).unwrap();
        let better = calibrated(&source, &out("better"), Quantization::Q4_0, &photos()).unwrap();
        assert!(better.calibration_photos > 1 && plain.calibration_photos == 0);
        assert_eq!(better.manifest.bytes, plain.manifest.bytes);
        let moved = better.tensors.iter().find(|t| t.name == "blocks.1.mlp.fc2.bias").unwrap();
        assert!(moved.relative_rms_error > 0.0, "the bias makes good the mean error");
        let exact = logits(&out("exact"));
        let away = |model: &str| {
            let cosines =
                logits(&out(model)).iter().zip(&exact).map(|(a, b)| cosine(a, b)).collect::<Vec<_>>();
            1.0 - cosines.iter().sum::<f64>() / cosines.len() as f64
        };
        let (before, after) = (away("plain"), away("better"));
        println!("{network}: 1 − cosine {before:.2e} plain, {after:.2e} calibrated");
        assert!(after < 0.5 * before, "{network}: {before} {after}");
    }
}

#[test]
fn the_same_photos_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |out: &str, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let out = folder.path().join(out);
        pool.install(|| calibrated(&golden("tiny-absolute"), &out, Quantization::Q8_0, &photos())).unwrap();
        files(&out)
    };
    assert!(run("one", 1) == run("three", 3), "whatever the number of threads");
}

#[test]
fn photos_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (mixed, none, out) =
        (folder.path().join("mixed"), folder.path().join("none"), folder.path().join("out"));
    fs::create_dir_all(mixed.join("inside")).unwrap();
    fs::create_dir(&none).unwrap();
    let photo = fs::read_dir(photos()).unwrap().map(|item| item.unwrap().path());
    let photo = photo.filter(|file| fs::read(file).is_ok_and(|bytes| decode(&bytes).is_ok())).min().unwrap();
    fs::copy(&photo, mixed.join("inside").join("good").with_extension(photo.extension().unwrap())).unwrap();
    fs::write(mixed.join("bad.jpg"), "no photo").unwrap();
    fs::write(none.join("notes.txt"), "no photo").unwrap();
    let source = golden("tiny-absolute");
    let conversion = calibrated(&source, &out, Quantization::Q4_0, &mixed).unwrap();
    assert_eq!((conversion.calibration_photos, conversion.unreadable.len()), (1, 1));
    assert_eq!(conversion.unreadable[0].0, mixed.join("bad.jpg"));

    let before = files(&out);
    fs::remove_dir_all(mixed.join("inside")).unwrap();
    for (folder, quantization, reason) in [
        (&none, Quantization::Q4_0, "expected a folder of photos"),
        (&mixed, Quantization::Q4_0, "bad.jpg"),
        (&mixed, Quantization::F16, "q8_0 or q4_0"),
    ] {
        let error = calibrated(&source, &out, quantization, folder).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(files(&out) == before, "the earlier conversion is untouched");
    }
}
