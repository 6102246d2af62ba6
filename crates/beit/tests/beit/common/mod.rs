//! Test data, and pictures compared pixel by pixel.

pub mod grid;
pub mod scrambler;

use std::path::{Path, PathBuf};

use beit::decode::{Rgb, decode};

/// A file under the workspace's `tests/data`.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path)
}

pub fn read(path: &str) -> Vec<u8> {
    std::fs::read(data(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file that has to decode.
pub fn photo(path: &str) -> Rgb {
    decode(&read(path)).unwrap_or_else(|error| panic!("{path}: {error} ({error:?})"))
}

/// Panics unless the two have the same size and no sample differs by more than `tolerance`.
pub fn assert_same(name: &str, got: &Rgb, expected: &Rgb, tolerance: u8) {
    assert_eq!((got.width, got.height), (expected.width, expected.height), "{name}: size");
    assert_eq!(got.pixels.len(), expected.pixels.len(), "{name}: bytes");
    let differences = got.pixels.iter().zip(&expected.pixels).map(|(a, b)| a.abs_diff(*b));
    let largest = differences.clone().max().unwrap_or(0);
    let differing = differences.clone().filter(|&difference| difference > tolerance).count();
    let first = differences.clone().position(|difference| difference > tolerance);
    assert!(
        largest <= tolerance,
        "{name}: {differing} of {} samples differ by more than {tolerance}, by up to {largest}; first at (x, y) {:?}",
        got.pixels.len(),
        first.map(|at| (at / 3 % got.width as usize, at / 3 / got.width as usize)),
    );
}
