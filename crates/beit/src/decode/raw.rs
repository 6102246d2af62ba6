//! Cameras' raw photos, by the JPEG preview that cameras put in: the largest one.
//!
//! No raw sensor data is developed. Every maker keeps previews in a place of its own, but a JPEG is a JPEG: the file is
//! searched for them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ifd::{Tiff, find};
use super::jpeg::{Frame, first_frame, structure};

/// A kind of raw photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Raw {
    /// Canon, older.
    Cr2,
    /// Canon, newer.
    Cr3,
    /// Adobe's, and many phones'.
    Dng,
    /// Nikon, Sony, Pentax and others that build on TIFF.
    OfTiff,
    /// Fujifilm.
    Raf,
    /// Olympus.
    Orf,
    /// Panasonic.
    Rw2,
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cr2 => "CR2",
            Self::Cr3 => "CR3",
            Self::Dng => "DNG",
            Self::OfTiff => "NEF, ARW or the like",
            Self::Raf => "RAF",
            Self::Orf => "ORF",
            Self::Rw2 => "RW2",
        })
    }
}

/// A preview with a shorter side is a thumbnail, of which the network would see little.
const LEAST_SIDE: u16 = 200;

const SUBFILE_TYPE: u16 = 254;
const COMPRESSION: u16 = 259;
const SUB_DIRECTORIES: u16 = 330;
const DNG_VERSION: u16 = 50706;

/// Which kind of raw photo these bytes are, if they are one.
pub(super) fn kind(bytes: &[u8]) -> Option<Raw> {
    if bytes.starts_with(b"FUJIFILMCCD-RAW") {
        return Some(Raw::Raf);
    }
    if bytes.get(4..12) == Some(b"ftypcrx ") {
        return Some(Raw::Cr3);
    }
    let tiff = Tiff::new(bytes)?;
    match &bytes[..4] {
        b"IIRO" | b"IIRS" | b"MMOR" => return Some(Raw::Orf),
        b"IIU\0" => return Some(Raw::Rw2),
        _ if bytes.get(8..10) == Some(b"CR") => return Some(Raw::Cr2),
        _ => {}
    }
    let directory = tiff.directory(tiff.first()?);
    let has = |tag| find(&directory, tag).is_some();
    if has(DNG_VERSION) {
        return Some(Raw::Dng);
    }
    // Nikon's, Sony's and Pentax's compressed sensor data; or a reduced picture before others.
    let compression = tiff.single(&directory, COMPRESSION);
    let is_reduced = tiff.single(&directory, SUBFILE_TYPE) == Some(1);
    let is_raw = matches!(compression, Some(32767 | 34713 | 65535)) || is_reduced && has(SUB_DIRECTORIES);
    is_raw.then_some(Raw::OfTiff)
}

/// More JPEGs than any camera puts into a photo: a file of thousands is made to keep the search busy.
const MOST_CANDIDATES: usize = 4096;
const MOST_PREVIEWS: usize = 16;
/// A preview's frame comes within so many segments.
const MOST_SEGMENTS: usize = 64;

/// The largest JPEG in a raw photo that is no thumbnail.
pub(super) fn preview(bytes: &[u8]) -> Option<&[u8]> {
    let is_start = |window: &[u8]| matches!(window, [0xff, 0xd8, 0xff, 0xc0..=0xfe]);
    let starts = bytes.windows(4).enumerate().filter(|(_, window)| is_start(window)).map(|(at, _)| at);
    let mut previews: Vec<_> = starts
        .take(MOST_CANDIDATES)
        .filter_map(|at| {
            let jpeg = &bytes[at..];
            let frame = first_frame(jpeg, MOST_SEGMENTS).filter(is_preview)?;
            Some((frame.pixels(), jpeg))
        })
        .collect();
    previews.sort_by_key(|(pixels, _)| std::cmp::Reverse(*pixels));
    let is_whole = |jpeg: &&[u8]| {
        let structure = structure(jpeg);
        structure.end.is_some() && !structure.scans.is_empty()
    };
    previews.into_iter().take(MOST_PREVIEWS).map(|(_, jpeg)| jpeg).find(is_whole)
}

/// Sensor data is often coded as a lossless JPEG.
fn is_preview(frame: &Frame) -> bool {
    (frame.is_sequential() || frame.is_progressive())
        && frame.precision == 8
        && frame.components.len() == 3
        && frame.width.min(frame.height) >= LEAST_SIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, a frame of this size and process, a scan and an end.
    fn jpeg(process: u8, width: u16, height: u16) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, process, 0, 17, 8];
        file.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
        file.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
        file.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 0x12, 0xff, 0xd9]);
        file
    }

    /// Each start could be searched to the file's end.
    #[test]
    fn a_file_of_starts_is_given_up_soon() {
        assert!(preview(&[0xff, 0xd8, 0xff, 0xe0].repeat(4 << 20)).is_none());
    }

    #[test]
    fn the_largest_preview_counts_and_no_sensor_data() {
        let (small, large) = (jpeg(0xc0, 400, 300), jpeg(0xc0, 1600, 1200));
        let sensor = jpeg(0xc3, 6000, 4000);
        let file = [&b"FUJIFILMCCD-RAW "[..], &small, b"....", &large, b"..", &sensor].concat();
        assert!(preview(&file).unwrap().starts_with(&large));
        let cut = [&b"II"[..], &small, &large[..large.len() - 2]].concat();
        assert!(preview(&cut).unwrap().starts_with(&small), "the larger one has no end");
        let thumbnail = jpeg(0xc0, 160, 120);
        assert!(preview(&[&b"II"[..], &thumbnail].concat()).is_none());
    }
}
