//! XMP in WebP: a chunk of the extended format, which a simple file becomes.

use super::{EmbedError, Holder};
use crate::splice::Splice;
use std::borrow::Cow;
use std::ops::Range;

/// Of `VP8X`: the file has XMP.
const HAS_XMP: u8 = 0x04;
/// Of `VP8X`: the image has transparent pixels.
const HAS_ALPHA: u8 = 0x10;
/// Bytes before the first chunk.
const HEADER: usize = 12;

/// A WebP's chunks, as far as they matter to XMP.
pub struct WebP<'a> {
    file: &'a [u8],
    /// The chunk with XMP: its header and content, without what fills it up.
    xmp: Option<Range<usize>>,
    /// Behind the last chunk.
    end: usize,
    form: Form,
    has_credentials: bool,
}

/// How the file is written.
enum Form {
    /// With `VP8X`, whose flags are at this offset.
    Extended { flags: usize },
    /// Of one image, whose size in pixels this is.
    Simple { width: u32, height: u32, has_alpha: bool },
}

impl<'a> WebP<'a> {
    /// Reads the chunks.
    pub fn read(file: &'a [u8]) -> Result<Self, EmbedError> {
        let cut_short = EmbedError::CutShort("its chunks");
        // Its size counts what follows it.
        let end = number(file, 4).and_then(|size| size.checked_add(8)).filter(|&end| end <= file.len());
        let end = end.ok_or(cut_short.clone())?;
        let (mut at, mut form, mut xmp, mut has_credentials, mut has_image) =
            (HEADER, None, None, false, false);
        while at < end {
            let size = file.get(at..end).and_then(|rest| number(rest, 4)).filter(|&size| size <= end);
            let content = at + 8..at + 8 + size.ok_or(cut_short.clone())?;
            let next = content.end + content.len() % 2;
            if next > end {
                return Err(cut_short);
            }
            let (kind, bytes) = (&file[at..at + 4], &file[content.clone()]);
            match kind {
                b"VP8X" if at == HEADER && bytes.len() >= 10 => {
                    form = Some(Form::Extended { flags: content.start })
                }
                b"VP8 " if at == HEADER => form = Some(lossy(bytes)?),
                b"VP8L" if at == HEADER => form = Some(lossless(bytes)?),
                b"XMP " if xmp.replace(at..content.end).is_some() => return Err(EmbedError::SeveralPackets),
                b"C2PA" => has_credentials = true,
                _ if at == HEADER => return Err(EmbedError::Damaged("its first chunk is no image")),
                _ => {}
            }
            has_image |= matches!(kind, b"VP8 " | b"VP8L" | b"ANMF");
            at = next;
        }
        match form {
            Some(form) if has_image => Ok(Self { file, xmp, end, form, has_credentials }),
            _ => Err(EmbedError::Damaged("it has no image")),
        }
    }
}

/// A number of 32 bits as an offset or a length.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(number)).ok()
}

/// The size that a key frame of VP8 states (RFC 6386, section 9.1).
fn lossy(frame: &[u8]) -> Result<Form, EmbedError> {
    match frame {
        // A frame tag, whose lowest bit is 0 for a key frame, a start code, width and height of 14 bits each.
        [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] if tag & 1 == 0 => {
            let side = |low: &u8, high: &u8| u32::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
            simple(side(w0, w1), side(h0, h1), false)
        }
        _ => Err(EmbedError::Damaged("its image has no size")),
    }
}

/// The size that a lossless image states: 14 bits each, less one, then whether it has transparent pixels.
fn lossless(image: &[u8]) -> Result<Form, EmbedError> {
    match image {
        [0x2f, b0, b1, b2, b3, ..] => {
            let bits = u32::from_le_bytes([*b0, *b1, *b2, *b3]);
            simple((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1, (bits >> 28) & 1 == 1)
        }
        _ => Err(EmbedError::Damaged("its image has no size")),
    }
}

fn simple(width: u32, height: u32, has_alpha: bool) -> Result<Form, EmbedError> {
    match width == 0 || height == 0 {
        true => Err(EmbedError::Damaged("its image has no size")),
        false => Ok(Form::Simple { width, height, has_alpha }),
    }
}

/// A chunk, filled up to an even length.
fn chunk(kind: &[u8; 4], content: &[u8], size: u32) -> Vec<u8> {
    let fill: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [&kind[..], &size.to_le_bytes(), content, fill].concat()
}

impl Holder for WebP<'_> {
    fn packet(&self) -> Result<Option<Cow<'_, [u8]>>, EmbedError> {
        Ok(self.xmp.as_ref().map(|chunk| Cow::Borrowed(&self.file[chunk.start + 8..chunk.end])))
    }

    fn put(&self, packet: &[u8], _: &[u8]) -> Result<Vec<Splice>, EmbedError> {
        if self.has_credentials {
            return Err(EmbedError::ContentCredentials);
        }
        let no_room =
            || EmbedError::NoRoom { bytes: packet.len() as u64, most: u64::from(u32::MAX) - self.end as u64 };
        let size = u32::try_from(packet.len()).map_err(|_| no_room())?;
        let mut splices = match &self.form {
            Form::Extended { flags } => {
                let with_xmp = self.file[*flags] | HAS_XMP;
                match with_xmp == self.file[*flags] {
                    true => Vec::new(),
                    false => vec![Splice::new(*flags..flags + 1, vec![with_xmp])],
                }
            }
            Form::Simple { width, height, has_alpha } => {
                let flags = HAS_XMP | if *has_alpha { HAS_ALPHA } else { 0 };
                let side = |side: u32| (side - 1).to_le_bytes();
                let [w, h] = [side(*width), side(*height)];
                let content = [&[flags, 0, 0, 0][..], &w[..3], &h[..3]].concat();
                vec![Splice::new(HEADER..HEADER, chunk(b"VP8X", &content, 10))]
            }
        };
        let place = match &self.xmp {
            Some(chunk) => chunk.start..chunk.end + chunk.len() % 2,
            None => self.end..self.end,
        };
        splices.push(Splice::new(place, chunk(b"XMP ", packet, size)));
        let change: i64 =
            splices.iter().map(|splice| splice.inserted.len() as i64 - splice.removed as i64).sum();
        let riff = u32::try_from(self.end as i64 - 8 + change).map_err(|_| no_room())?;
        if change != 0 {
            splices.insert(0, Splice::new(4..8, riff.to_le_bytes().to_vec()));
        }
        Ok(splices)
    }
}
