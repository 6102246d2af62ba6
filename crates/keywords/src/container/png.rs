//! XMP in PNG: an uncompressed `iTXt` chunk.

use super::{EmbedError, Holder};
use crate::splice::Splice;
use flate2::read::ZlibDecoder;
use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";
const RAW_PROFILE: &[u8] = b"Raw profile type xmp\0";
/// Length, type and CRC.
const FRAME: usize = 12;
/// A chunk states its length in 31 bits.
const MOST: usize = i32::MAX as usize;
/// More than any photo's XMP unpacks to.
const MOST_UNPACKED: u64 = 16 << 20;

/// A PNG's chunks, as far as they matter to XMP.
pub struct Png<'a> {
    file: &'a [u8],
    /// The chunk with XMP, from its length to its CRC.
    xmp: Option<Range<usize>>,
    /// Behind the header.
    place: usize,
    has_credentials: bool,
}

impl<'a> Png<'a> {
    /// Reads the chunks.
    pub fn read(file: &'a [u8]) -> Result<Self, EmbedError> {
        let mut png = Self { file, xmp: None, place: 0, has_credentials: false };
        let (mut at, mut has_data) = (SIGNATURE.len(), false);
        loop {
            let chunk = chunk(file, at)?;
            let (kind, content) = (&file[at + 4..at + 8], &file[at + 8..chunk.end - 4]);
            match kind {
                b"IHDR" if png.place == 0 && content.len() == 13 => png.place = chunk.end,
                _ if png.place == 0 => return Err(EmbedError::Damaged("its first chunk is no header")),
                b"IDAT" => has_data = true,
                b"IEND" if has_data => return Ok(png),
                b"IEND" => return Err(EmbedError::Damaged("it has no image data")),
                b"iTXt" if content.starts_with(KEYWORD) => {
                    if crc(&file[at + 4..chunk.end - 4]) != file[chunk.end - 4..chunk.end] {
                        return Err(EmbedError::Damaged("the checksum of its XMP is wrong"));
                    }
                    if png.xmp.replace(chunk.clone()).is_some() {
                        return Err(EmbedError::SeveralPackets);
                    }
                }
                b"iTXt" | b"tEXt" | b"zTXt" if content.starts_with(RAW_PROFILE) => {
                    return Err(EmbedError::RawProfile);
                }
                b"caBX" => png.has_credentials = true,
                _ => {}
            }
            at = chunk.end;
        }
    }
}

/// The chunk at `at`, from its length to its CRC.
fn chunk(file: &[u8], at: usize) -> Result<Range<usize>, EmbedError> {
    let cut_short = EmbedError::CutShort("its chunks");
    let head = file.get(at..at + 8).ok_or(cut_short.clone())?;
    if !head[4..].iter().all(u8::is_ascii_alphabetic) {
        return Err(EmbedError::Damaged("a chunk does not end where the next begins"));
    }
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    // At most what the file has: no sum wraps around.
    let length =
        usize::try_from(length).ok().filter(|&length| length <= file.len()).ok_or(cut_short.clone())?;
    let end = at + FRAME + length;
    if end > file.len() { Err(cut_short) } else { Ok(at..end) }
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    crc32fast::hash(bytes).to_be_bytes()
}

impl Holder for Png<'_> {
    fn packet(&self) -> Result<Option<Cow<'_, [u8]>>, EmbedError> {
        let Some(chunk) = &self.xmp else { return Ok(None) };
        let damaged = EmbedError::Damaged("its XMP is not stored as iTXt says");
        let content = &self.file[chunk.start + 8 + KEYWORD.len()..chunk.end - 4];
        let [is_packed, _method, rest @ ..] = content else { return Err(damaged) };
        // Language and translated keyword.
        let mut text = rest;
        for _ in 0..2 {
            let end = text.iter().position(|&byte| byte == 0).ok_or(damaged.clone())?;
            text = &text[end + 1..];
        }
        match is_packed {
            0 => Ok(Some(Cow::Borrowed(text))),
            1 => {
                let mut unpacked = Vec::new();
                let read = ZlibDecoder::new(text).take(MOST_UNPACKED + 1).read_to_end(&mut unpacked);
                read.map_err(|_| EmbedError::Damaged("its XMP can't be unpacked"))?;
                Ok(Some(Cow::Owned(unpacked)))
            }
            _ => Err(damaged),
        }
    }

    fn put(&self, packet: &[u8], _: &[u8]) -> Result<Vec<Splice>, EmbedError> {
        if self.has_credentials {
            return Err(EmbedError::ContentCredentials);
        }
        // Not compressed, no language, no translated keyword.
        let content = [&b"iTXt"[..], KEYWORD, &[0, 0, 0, 0], packet].concat();
        let length = content.len() - 4;
        if length > MOST {
            return Err(EmbedError::NoRoom { bytes: length as u64, most: MOST as u64 });
        }
        let chunk = [&(length as u32).to_be_bytes()[..], &content, &crc(&content)].concat();
        Ok(vec![Splice::new(self.xmp.clone().unwrap_or(self.place..self.place), chunk)])
    }
}
