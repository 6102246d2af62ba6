//! Strips and tiles in compressions that the decoder lacks, Zstandard and fax of group 3: unpacked, they go behind the file,
//! whose entries then tell of an uncompressed one.

use std::borrow::Cow;
use std::io::Read;

use fax::Color;
use fax::decoder::{decode_g3, pels};
use ruzstd::decoding::StreamingDecoder;

use super::{BITS, COMPRESSION, PARTS, SAMPLES};
use crate::decode::ifd::{Entry, Tiff, find};
use crate::decode::{DecodeError, Format, check_pixels};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const ROWS_PER_STRIP: u16 = 278;
const T4_OPTIONS: u16 = 292;

/// Compressions.
const UNCOMPRESSED: u64 = 1;
const GROUP_3: u64 = 3;
const ZSTANDARD: u64 = 50_000;

/// Six of them, of twelve bits each, end a fax.
const ENDS_OF_LINES: [u8; 9] = [0x00, 0x10, 0x01, 0x00, 0x10, 0x01, 0x00, 0x10, 0x01];

/// The file, with the first page's parts uncompressed if the decoder lacks their compression.
///
/// # Errors
/// When a part is damaged. What the directory says of the picture's size bounds what is unpacked.
pub fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let Some(file) = File::new(bytes) else { return Ok(Cow::Borrowed(bytes)) };
    match file.number(COMPRESSION, UNCOMPRESSED) {
        ZSTANDARD => file.rewritten(zstandard),
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

    /// No part of it, nor all together, has more bytes.
    fn most_bytes(&self) -> Result<u64, DecodeError> {
        let [width, height] =
            [WIDTH, HEIGHT].map(|tag| u32::try_from(self.number(tag, 0)).unwrap_or(u32::MAX));
        check_pixels((width, height))?;
        let bits =
            find(&self.directory, BITS).and_then(|entry| self.tiff.value(entry, 0)).unwrap_or(1).min(64);
        let samples = self.number(SAMPLES, 1).min(16);
        // Tiles reach over the edges; rows end with whole bytes.
        const EDGES: u64 = 4 << 20;
        Ok((u64::from(width) + 8) * u64::from(height) * samples * bits / 8 + EDGES)
    }

    /// The file with its parts unpacked, each by this function, which is told how many bytes are left.
    fn rewritten(&self, unpack: impl Fn(&[u8], u64) -> Option<Vec<u8>>) -> Result<Vec<u8>, DecodeError> {
        let corrupt = || DecodeError::corrupt(Format::Tiff, "its strips");
        let entry = |tag| find(&self.directory, tag);
        let (places, lengths) = PARTS
            .into_iter()
            .find_map(|(places, lengths)| entry(places).zip(entry(lengths)))
            .ok_or_else(corrupt)?;
        let mut left = self.most_bytes()?;
        let mut file = self.bytes.to_vec();
        let (mut new_places, mut new_lengths) = (Vec::new(), Vec::new());
        for part in 0..places.count.min(lengths.count) {
            let range = || {
                let at = usize::try_from(self.tiff.value(places, part)?).ok()?;
                let length = usize::try_from(self.tiff.value(lengths, part)?).ok()?;
                self.bytes.get(at..at.checked_add(length)?)
            };
            let packed = range().ok_or(DecodeError::Truncated { format: Format::Tiff })?;
            let unpacked = unpack(packed, left).ok_or_else(corrupt)?;
            left = left.saturating_sub(unpacked.len() as u64);
            new_places.push(file.len() as u64);
            new_lengths.push(unpacked.len() as u64);
            file.extend(unpacked);
        }
        let compression = entry(COMPRESSION).ok_or_else(corrupt)?;
        for (entry, values) in
            [(places, &new_places), (lengths, &new_lengths), (compression, &vec![UNCOMPRESSED])]
        {
            self.tiff.replace(&mut file, entry, values).ok_or_else(corrupt)?;
        }
        Ok(file)
    }
}
