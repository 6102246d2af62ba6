//! A labelled set of photos from the repository, in every layout that `evaluate` reads.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use super::{beitscope, data};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The demo model: it has 200 of ImageNet's classes, with their WordNet ids.
pub fn demo() -> String {
    data("../../web/models/demo").display().to_string()
}

/// A photo and the class that shall be right for it.
pub struct Photo {
    pub name: String,
    pub bytes: Vec<u8>,
    pub wnid: String,
}

/// 18 photos: of every four, two are right at once, one at the third guess and one not at all.
pub fn photos() -> &'static [Photo] {
    static PHOTOS: OnceLock<Vec<Photo>> = OnceLock::new();
    PHOTOS.get_or_init(|| {
        let pillow = ["landscape", "portrait", "odd", "strip", "small", "exact", "rings"];
        let mut files: Vec<PathBuf> = pillow.iter().map(|name| data(&format!("pillow/{name}.png"))).collect();
        files.extend((1..=8).map(|n| data(&format!("exif/orientation-{n}.jpg"))));
        files
            .extend(["cat", "coffee", "mountain"].map(|name| data(&format!("../../web/samples/{name}.jpg"))));
        let mut arguments: Vec<PathBuf> =
            ["classify", "--json", "--top-k", "6", "--model"].map(Into::into).to_vec();
        arguments.push(demo().into());
        arguments.extend(files.iter().cloned());
        let run = beitscope(&arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let answers = run.json();
        let photo = |(i, (file, answer)): (usize, (&PathBuf, &Value))| {
            let rank = [0, 2, 0, 5][i % 4];
            let wnid = answer["predictions"][rank]["wnid"].as_str().unwrap().to_owned();
            let name = format!("{i:02}-{}", file.file_name().unwrap().to_string_lossy());
            Photo { name, bytes: fs::read(file).unwrap(), wnid }
        };
        files.iter().zip(&answers).enumerate().map(photo).collect()
    })
}

/// Top-1, top-5 and number of [`photos`].
pub const RIGHT: (usize, usize, usize) = (9, 14, 18);

/// Files of a layout, by name.
pub type Files = Vec<(String, Vec<u8>)>;

/// One folder a class.
pub fn by_class() -> Files {
    photos().iter().map(|photo| (format!("{}/{}", photo.wnid, photo.name), photo.bytes.clone())).collect()
}

/// Photos beside `labels.json`, which comes last.
pub fn flat() -> Files {
    let mut files: Files = photos().iter().map(|photo| (photo.name.clone(), photo.bytes.clone())).collect();
    let index = |photo: &Photo| beit::labels::imagenet_index(&photo.wnid).unwrap();
    let labels: serde_json::Map<String, Value> =
        photos().iter().map(|photo| (photo.name.clone(), index(photo).into())).collect();
    files.push(("labels.json".into(), Value::Object(labels).to_string().into_bytes()));
    files
}

/// Photos with ILSVRC's names in a folder.
pub fn ilsvrc(folder: &str) -> Files {
    let photos = photos().iter().enumerate();
    photos
        .map(|(i, photo)| (format!("{folder}ILSVRC2012_val_{:08}.JPEG", i + 1), photo.bytes.clone()))
        .collect()
}

/// Kaggle's table of ILSVRC's validation photos.
pub fn kaggle_table() -> String {
    let row = |(i, photo): (usize, &Photo)| format!("ILSVRC2012_val_{:08},{} 1 2 3 4 \n", i + 1, photo.wnid);
    // In no order, as Kaggle's is.
    format!("ImageId,PredictionString\n{}", photos().iter().enumerate().map(row).rev().collect::<String>())
}

/// The development kit's ground truth, and its table of numbers.
pub fn devkit() -> [(String, Vec<u8>); 2] {
    let truth: String = (0..photos().len()).map(|i| format!("{}\n", 500 - i)).collect();
    let row = |(i, photo): (usize, &Photo)| format!("{} {} name\n", photo.wnid, 500 - i);
    let map: String = photos().iter().enumerate().map(row).collect();
    [
        ("data/ILSVRC2012_validation_ground_truth.txt".into(), truth.into_bytes()),
        ("data/map_clsloc.txt".into(), map.into_bytes()),
    ]
}

/// Tiny-ImageNet's, as it is when unpacked.
pub fn tiny_imagenet() -> Files {
    let mut files: Files = photos()
        .iter()
        .map(|p| (format!("tiny-imagenet-200/val/images/{}", p.name), p.bytes.clone()))
        .collect();
    let annotations: String =
        photos().iter().map(|p| format!("{}\t{}\t0\t0\t62\t57\n", p.name, p.wnid)).collect();
    files.push(("tiny-imagenet-200/val/val_annotations.txt".into(), annotations.into_bytes()));
    files.push(("tiny-imagenet-200/train/n01443537/images/n01443537_0.JPEG".into(), vec![1, 2, 3]));
    files.push(("tiny-imagenet-200/wnids.txt".into(), b"n01443537\n".to_vec()));
    files
}

/// The files with a folder around them.
pub fn within(folder: &str, files: Files) -> Files {
    files.into_iter().map(|(name, bytes)| (format!("{folder}/{name}"), bytes)).collect()
}

pub fn write_folder(path: &Path, files: &Files) -> PathBuf {
    for (name, bytes) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    path.to_owned()
}

pub fn write_zip(path: &Path, files: &Files, method: CompressionMethod) -> PathBuf {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    path.to_owned()
}

/// The bytes of a tar file. Names are written as they are, however hostile.
pub fn tar(files: &Files) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.len() < 100 {
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, &bytes[..]).unwrap();
        } else {
            tar.append_data(&mut header, name, &bytes[..]).unwrap();
        }
    }
    tar.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

pub fn write(path: PathBuf, bytes: Vec<u8>) -> PathBuf {
    fs::write(&path, bytes).unwrap();
    path
}
