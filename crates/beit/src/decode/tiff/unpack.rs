//! Strips and tiles in compressions that the decoder lacks, Zstandard and fax of group 3, and in LZW where it fails: unpacked,
//! they go behind the file, whose entries then tell of an uncompressed one.
//!
//! tiff 0.11.3 reads LZW row by row where tiles are not as wide as the picture, or pixels have more samples than are
//! wanted. It then takes weezl's `NoProgress` for the end of the data, which weezl 0.1.12 reports also of a step that
//! gave bytes of codes it had taken in before. So tiles whose last codes stand for several rows, flat ones, are refused.

use std::borrow::Cow;
use std::io::Read;

use fax::Color;
use fax::decoder::{decode_g3, pels};
use ruzstd::decoding::StreamingDecoder;

use weezl::BitOrder;
use weezl::decode::Configuration;

use super::{BITS, COMPRESSION, EXTRA_SAMPLES, HEIGHT, PARTS, PLANAR, SAMPLES, TILE_HEIGHT};
use crate::decode::ifd::{Entry, Tiff, find};
use crate::decode::{DecodeError, Format, MAX_PIXELS, check_pixels, reserve};

const WIDTH: u16 = 256;
const ROWS_PER_STRIP: u16 = 278;
const T4_OPTIONS: u16 = 292;
const TILE_WIDTH: u16 = 322;

/// Compressions.
const UNCOMPRESSED: u64 = 1;
const GROUP_3: u64 = 3;
const LZW: u64 = 5;
const ZSTANDARD: u64 = 50_000;

/// Six of them, of twelve bits each, end a fax.
const ENDS_OF_LINES: [u8; 9] = [0x00, 0x10, 0x01, 0x00, 0x10, 0x01, 0x00, 0x10, 0x01];

/// The file, with the first page's parts uncompressed if the decoder can't read them as they are.
///
/// # Errors
/// When a part is damaged. What the directory says of the picture's size bounds what is unpacked.
pub fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let Some(file) = File::new(bytes) else { return Ok(Cow::Borrowed(bytes)) };
    match file.number(COMPRESSION, UNCOMPRESSED) {
        ZSTANDARD => file.rewritten(zstandard),
        LZW if file.is_tiled() || file.has(EXTRA_SAMPLES) || file.is_of_old_lzw() => file.rewritten(lzw),
        GROUP_3 if file.number(T4_OPTIONS, 0) & 1 == 0 => {
            let (width, rows) = (file.number(WIDTH, 0), file.number(ROWS_PER_STRIP, u64::from(u32::MAX)));
            let width = u16::try_from(width)
                .map_err(|_| DecodeError::variant(Format::Tiff, "a fax wider than 65,535"))?;
            file.rewritten(|part, most| group_3(part, width, rows, most))
        }
        _ => return Ok(Cow::Borrowed(bytes)),
    }
    .map(Cow::Owned)
}

/// One part, of at most so many bytes.
fn zstandard(part: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    StreamingDecoder::new(part).ok()?.take(most).read_to_end(&mut unpacked).ok()?;
    Some(unpacked)
}

/// LZW with each byte's highest bit first, or as before TIFF 5.0.
fn lzw(part: &[u8], most: u64) -> Option<Vec<u8>> {
    let configuration = if is_old_lzw(part) {
        Configuration::new(BitOrder::Lsb, 8)
    } else {
        Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    // What follows the last byte that is wanted may be damaged.
    let mut decoder = configuration.with_yield_on_full_buffer(true).build();
    let mut unpacked = Vec::new();
    let (mut packed, mut piece) = (part, [0; 4096]);
    while let missing @ 1.. = most.saturating_sub(unpacked.len() as u64) {
        let wanted = missing.min(piece.len() as u64) as usize;
        let step = decoder.decode_bytes(packed, &mut piece[..wanted]);
        packed = &packed[step.consumed_in..];
        unpacked.extend(&piece[..step.consumed_out]);
        step.status.ok()?;
        if (step.consumed_in, step.consumed_out) == (0, 0) {
            break;
        }
    }
    Some(unpacked)
}

/// Whether codes begin at each byte's lowest bit, by which libtiff knows files of before TIFF 5.0.
fn is_old_lzw(part: &[u8]) -> bool {
    matches!(part, [0, second, ..] if second & 1 == 1)
}

/// Rows of bits, white being 0, each in whole bytes.
fn group_3(part: &[u8], width: u16, rows: u64, most: u64) -> Option<Vec<u8>> {
    let row_bytes = usize::from(width).div_ceil(8);
    let rows = rows.min(most / row_bytes.max(1) as u64) as usize;
    let mut unpacked = Vec::new();
    // libtiff writes an end of line before each row and none behind the last, which the decoder waits for.
    let packed = part.iter().copied().chain(ENDS_OF_LINES);
    decode_g3(packed, |transitions| {
        if unpacked.len() >= rows * row_bytes {
            return;
        }
        let begin = unpacked.len();
        unpacked.resize(begin + row_bytes, 0);
        for (at, _) in pels(transitions, width).enumerate().filter(|(_, color)| *color == Color::Black) {
            unpacked[begin + at / 8] |= 0x80 >> (at % 8);
        }
    });
    (!unpacked.is_empty()).then_some(unpacked)
}

/// A TIFF, its first directory, and where its parts are.
struct File<'a> {
    bytes: &'a [u8],
    tiff: Tiff<'a>,
    directory: Vec<Entry>,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let tiff = Tiff::new(bytes)?;
        Some(Self { bytes, tiff, directory: tiff.directory(tiff.first()?) })
    }

    fn number(&self, tag: u16, otherwise: u64) -> u64 {
        self.tiff.single(&self.directory, tag).unwrap_or(otherwise)
    }

    fn has(&self, tag: u16) -> bool {
        find(&self.directory, tag).is_some()
    }

    fn is_tiled(&self) -> bool {
        self.has(TILE_WIDTH)
    }

    /// Where its parts are, and how long.
    fn parts(&self) -> Option<(&Entry, &Entry)> {
        let entry = |tag| find(&self.directory, tag);
        PARTS.into_iter().find_map(|(places, lengths)| entry(places).zip(entry(lengths)))
    }

    fn part(&self, (places, lengths): (&Entry, &Entry), number: u64) -> Option<&'a [u8]> {
        let at = usize::try_from(self.tiff.value(places, number)?).ok()?;
        let length = usize::try_from(self.tiff.value(lengths, number)?).ok()?;
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// Whether its first part is in LZW as before TIFF 5.0, which the decoder does not know.
    fn is_of_old_lzw(&self) -> bool {
        self.parts().and_then(|parts| self.part(parts, 0)).is_some_and(is_old_lzw)
    }

    /// Its width and height in pixels, whole tiles included.
    fn size(&self) -> Result<(u32, u32), DecodeError> {
        let number = |tag| u32::try_from(self.number(tag, 0)).unwrap_or(u32::MAX);
        let (width, height) = (number(WIDTH), number(HEIGHT));
        check_pixels((width, height))?;
        if !self.is_tiled() {
            return Ok((width, height));
        }
        let whole = |size: u32, tile| size.checked_next_multiple_of(number(tile).max(1)).unwrap_or(u32::MAX);
        let (width, height) = (whole(width, TILE_WIDTH), whole(height, TILE_HEIGHT));
        if u64::from(width) * u64::from(height) > 2 * MAX_PIXELS {
            return Err(DecodeError::corrupt(Format::Tiff, "its tiles are far larger than the picture"));
        }
        Ok((width, height))
    }

    /// Bytes of so many rows, each of whole bytes, with so many samples a pixel.
    fn bytes_of_rows(&self, width: u64, rows: u64, samples: u64) -> u64 {
        let bits = find(&self.directory, BITS).and_then(|entry| self.tiff.value(entry, 0)).unwrap_or(1);
        rows * (width * samples * bits.min(64)).div_ceil(8)
    }

    /// How many planes it has, and how many samples of a pixel are together in each.
    fn planes(&self) -> (u64, u64) {
        let samples = self.number(SAMPLES, 1).min(16);
        if self.number(PLANAR, 1) == 2 { (samples, 1) } else { (1, samples) }
    }

    /// Bytes of all parts together.
    fn all_bytes(&self, (width, height): (u32, u32)) -> u64 {
        let (planes, samples) = self.planes();
        planes * self.bytes_of_rows(width.into(), height.into(), samples)
    }

    /// Bytes of the part of this number. Tiles are whole also where they reach over the picture's edges.
    fn part_bytes(&self, number: u64, (width, height): (u32, u32)) -> u64 {
        let (width, height) = (u64::from(width), u64::from(height).max(1));
        let (width, rows) = if self.is_tiled() {
            (self.number(TILE_WIDTH, 0).min(width), self.number(TILE_HEIGHT, 0).min(height))
        } else {
            let rows = self.number(ROWS_PER_STRIP, height).clamp(1, height);
            let strips = height.div_ceil(rows);
            (width, rows.min(height - number % strips * rows))
        };
        self.bytes_of_rows(width, rows, self.planes().1)
    }

    /// The file with its parts unpacked, each by this function, which is told how many bytes are left.
    fn rewritten(&self, unpack: impl Fn(&[u8], u64) -> Option<Vec<u8>>) -> Result<Vec<u8>, DecodeError> {
        let corrupt = || DecodeError::corrupt(Format::Tiff, "its strips");
        let parts @ (places, lengths) = self.parts().ok_or_else(corrupt)?;
        let size = self.size()?;
        let mut left = self.all_bytes(size);
        let count = places.count.min(lengths.count);
        // What the entries tell of the parts goes behind them.
        let told = 16 * count.min(self.bytes.len() as u64 / 4) + 64;
        let mut file = Vec::new();
        reserve(&mut file, self.bytes.len() as u64 + left + told, size)?;
        file.extend(self.bytes);
        let (mut new_places, mut new_lengths) = (Vec::new(), Vec::new());
        for number in 0..count {
            let truncated = DecodeError::Truncated { format: Format::Tiff };
            let packed = self.part(parts, number).ok_or(truncated.clone())?;
            let length = self.part_bytes(number, size).min(left);
            let unpacked = unpack(packed, length).ok_or_else(corrupt)?;
            // The decoder would read on in the next part.
            if (unpacked.len() as u64) < length {
                return Err(truncated);
            }
            left = left.saturating_sub(unpacked.len() as u64);
            new_places.push(file.len() as u64);
            new_lengths.push(unpacked.len() as u64);
            file.extend(unpacked);
        }
        let compression = find(&self.directory, COMPRESSION).ok_or_else(corrupt)?;
        for (entry, values) in
            [(places, &new_places), (lengths, &new_lengths), (compression, &vec![UNCOMPRESSED])]
        {
            self.tiff.replace(&mut file, entry, values).ok_or_else(corrupt)?;
        }
        Ok(file)
    }
}
