//! TIFFs of every layout: whatever the compression, in strips or tiles, pixel by pixel or in planes, the picture is that of
//! the same samples uncompressed in one strip.

use std::io::Write;

use beit::decode::{DecodeError, Rgb, decode};
use flate2::write::ZlibEncoder;
use weezl::{BitOrder, encode::Encoder};

/// Not a multiple of any tile's size.
const WIDTH: u32 = 75;
const HEIGHT: u32 = 41;

const SHORT: u16 = 3;
const LONG: u16 = 4;

/// What the samples of a pixel are.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    photometric: u32,
    samples: usize,
    /// The tag ExtraSamples of the last sample.
    extra: Option<u32>,
    /// Bytes of a sample.
    bytes: usize,
    /// The tag SampleFormat.
    format: u32,
}

const KINDS: [Kind; 11] = [
    Kind { name: "grey", photometric: 1, samples: 1, extra: None, bytes: 1, format: 1 },
    Kind { name: "grey with alpha", photometric: 1, samples: 2, extra: Some(2), bytes: 1, format: 1 },
    Kind { name: "RGB", photometric: 2, samples: 3, extra: None, bytes: 1, format: 1 },
    Kind { name: "RGB with alpha", photometric: 2, samples: 4, extra: Some(2), bytes: 1, format: 1 },
    Kind { name: "RGB with something else", photometric: 2, samples: 4, extra: Some(0), bytes: 1, format: 1 },
    Kind { name: "RGB of 16 bits", photometric: 2, samples: 3, extra: None, bytes: 2, format: 1 },
    Kind { name: "RGB of 32 bits", photometric: 2, samples: 3, extra: None, bytes: 4, format: 1 },
    Kind { name: "signed RGB of 16 bits", photometric: 2, samples: 3, extra: None, bytes: 2, format: 2 },
    Kind { name: "CMYK", photometric: 5, samples: 4, extra: None, bytes: 1, format: 1 },
    Kind { name: "YCbCr", photometric: 6, samples: 3, extra: None, bytes: 1, format: 1 },
    Kind { name: "CIELAB", photometric: 8, samples: 3, extra: None, bytes: 1, format: 1 },
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Compression {
    None,
    Lzw,
    /// With each byte's lowest bit first, as before TIFF 5.0.
    OldLzw,
    Deflate,
    PackBits,
}

impl Compression {
    const ALL: [Self; 5] = [Self::None, Self::Lzw, Self::OldLzw, Self::Deflate, Self::PackBits];

    fn tag(self) -> u32 {
        match self {
            Self::None => 1,
            Self::Lzw | Self::OldLzw => 5,
            Self::Deflate => 8,
            Self::PackBits => 32773,
        }
    }

    fn packed(self, part: &[u8]) -> Vec<u8> {
        match self {
            Self::None => part.to_vec(),
            Self::Lzw => Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(part).unwrap(),
            Self::OldLzw => Encoder::new(BitOrder::Lsb, 8).encode(part).unwrap(),
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(part).unwrap();
                encoder.finish().unwrap()
            }
            Self::PackBits => part
                .chunk_by(|before, after| before == after)
                .flat_map(|run| run.chunks(128))
                .flat_map(|run| [(1 - run.len() as i16) as u8, run[0]])
                .collect(),
        }
    }
}

/// Strips of so many rows, or tiles of so many columns and rows.
#[derive(Clone, Copy, Debug)]
enum Parts {
    Strips(u32),
    Tiles(u32, u32),
}

#[derive(Clone, Copy, Debug)]
struct Layout {
    parts: Parts,
    in_planes: bool,
    compression: Compression,
}

const PLAIN: Layout =
    Layout { parts: Parts::Strips(HEIGHT), in_planes: false, compression: Compression::None };

/// A sample's highest byte: the left is a photo, as far as that matters, and the right is flat.
fn sample(x: u32, y: u32, channel: usize) -> u8 {
    if x < 40 && y < 30 {
        (x * 5 + y * (3 + channel as u32 * 4) + x * y / 7) as u8
    } else {
        40 * channel as u8
    }
}

/// The channels of a rectangle, row by row. What is outside of the picture is zero.
fn part(kind: Kind, channels: &[usize], (left, top): (u32, u32), (width, height): (u32, u32)) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (y, x) in (top..top + height).flat_map(|y| (left..left + width).map(move |x| (y, x))) {
        for &channel in channels {
            let is_inside = x < WIDTH && y < HEIGHT;
            let mut value = vec![0; kind.bytes];
            value[kind.bytes - 1] = if is_inside { sample(x, y, channel) } else { 0 };
            bytes.extend(value);
        }
    }
    bytes
}

fn file(kind: Kind, layout: Layout) -> Vec<u8> {
    let size = match layout.parts {
        Parts::Strips(rows) => (WIDTH, rows),
        Parts::Tiles(width, height) => (width, height),
    };
    let all: Vec<_> = (0..kind.samples).collect();
    let planes: Vec<_> = if layout.in_planes { all.chunks(1).collect() } else { vec![&*all] };
    let mut file = b"II*\0\0\0\0\0".to_vec();
    let (mut places, mut lengths) = (Vec::new(), Vec::new());
    for channels in planes {
        for top in (0..HEIGHT).step_by(size.1 as usize) {
            for left in (0..WIDTH).step_by(size.0 as usize) {
                let height = match layout.parts {
                    Parts::Strips(rows) => rows.min(HEIGHT - top),
                    Parts::Tiles(_, height) => height,
                };
                let packed = layout.compression.packed(&part(kind, channels, (left, top), (size.0, height)));
                places.push(file.len() as u32);
                lengths.push(packed.len() as u32);
                file.extend(packed);
            }
        }
    }
    let mut entries = vec![
        (256, SHORT, vec![WIDTH]),
        (257, SHORT, vec![HEIGHT]),
        (258, SHORT, vec![kind.bytes as u32 * 8; kind.samples]),
        (259, SHORT, vec![layout.compression.tag()]),
        (262, SHORT, vec![kind.photometric]),
        (277, SHORT, vec![kind.samples as u32]),
        (284, SHORT, vec![if layout.in_planes { 2 } else { 1 }]),
        (339, SHORT, vec![kind.format; kind.samples]),
        (530, SHORT, vec![1, 1]),
    ];
    entries.extend(kind.extra.map(|extra| (338, SHORT, vec![extra])));
    entries.extend(match layout.parts {
        Parts::Strips(rows) => {
            vec![(273, LONG, places), (278, SHORT, vec![rows]), (279, LONG, lengths)]
        }
        Parts::Tiles(width, height) => vec![
            (322, SHORT, vec![width]),
            (323, SHORT, vec![height]),
            (324, LONG, places),
            (325, LONG, lengths),
        ],
    });
    entries.sort_by_key(|(tag, ..)| *tag);
    with_directory(file, &entries)
}

/// The file with a directory of these entries, of tag, kind and values, behind its data.
fn with_directory(mut file: Vec<u8>, entries: &[(u16, u16, Vec<u32>)]) -> Vec<u8> {
    let mut directory = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, kind, values) in entries {
        let mut bytes: Vec<u8> = match *kind {
            SHORT => values.iter().flat_map(|&value| (value as u16).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|&value| value.to_le_bytes()).collect(),
        };
        if bytes.len() > 4 {
            let at = file.len() as u32;
            file.extend(bytes);
            bytes = at.to_le_bytes().to_vec();
        }
        bytes.resize(4, 0);
        directory.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        directory.extend((values.len() as u32).to_le_bytes());
        directory.extend(bytes);
    }
    let at = file.len() as u32;
    file[4..8].copy_from_slice(&at.to_le_bytes());
    file.extend(directory);
    file.extend([0; 4]);
    file
}

/// What the same samples are, uncompressed and in one strip.
fn expected(kind: Kind) -> Rgb {
    let picture = decode(&file(kind, PLAIN)).unwrap_or_else(|error| panic!("{kind:?}: {error} ({error:?})"));
    let pixel = |x, y| &picture.pixels[(y * WIDTH as usize + x) * 3..][..3];
    let samples = |x: u32, y: u32| -> Vec<u8> { (0..3).map(|channel| sample(x, y, channel)).collect() };
    for (x, y) in [(3, 2), (20, 25), (74, 40)] {
        let got = pixel(x as usize, y as usize);
        match (kind.photometric, kind.format) {
            (1, _) => assert_eq!(got, [sample(x, y, 0); 3], "{kind:?} at {x}, {y}"),
            (2, 1) => assert_eq!(got, samples(x, y), "{kind:?} at {x}, {y}"),
            _ => {}
        }
    }
    picture
}

#[test]
fn every_layout_gives_the_same_picture() {
    let parts = [
        Parts::Strips(HEIGHT),
        Parts::Strips(12),
        Parts::Tiles(16, 16),
        Parts::Tiles(48, 32),
        Parts::Tiles(80, 48),
    ];
    let mut wrong = Vec::new();
    for kind in KINDS {
        let expected = expected(kind);
        for parts in parts {
            for in_planes in [false, true] {
                for compression in Compression::ALL {
                    let layout = Layout { parts, in_planes, compression };
                    match decode(&file(kind, layout)) {
                        Ok(picture) if picture == expected => {}
                        Ok(_) => wrong.push(format!("{}: {layout:?}: another picture", kind.name)),
                        Err(error) => wrong.push(format!("{}: {layout:?}: {error} ({error:?})", kind.name)),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// A tile whose codes end too early is no picture with a hole.
#[test]
fn tiles_that_lack_data_are_refused() {
    let layout = Layout { parts: Parts::Tiles(48, 32), in_planes: false, compression: Compression::Lzw };
    let whole = file(KINDS[2], layout);
    let mut refused = 0;
    for less in [1, 2, 20] {
        let mut cut = whole.clone();
        // The first tile's length, where the directory has it: the lengths are the last values before it.
        let directory = u32::from_le_bytes(cut[4..8].try_into().unwrap()) as usize;
        let entry =
            (0..).map(|at| directory + 2 + at * 12).find(|&at| cut[at..at + 2] == 325u16.to_le_bytes());
        let at = u32::from_le_bytes(cut[entry.unwrap() + 8..][..4].try_into().unwrap()) as usize;
        let length = u32::from_le_bytes(cut[at..at + 4].try_into().unwrap());
        cut[at..at + 4].copy_from_slice(&(length - less).to_le_bytes());
        match decode(&cut) {
            Err(DecodeError::Truncated { .. }) => refused += 1,
            // Of the end code alone nothing is missed.
            Ok(picture) => assert!(picture == decode(&whole).unwrap(), "{less} bytes less"),
            Err(error) => panic!("{less} bytes less: {error:?}"),
        }
    }
    assert!(refused >= 1);
}
