//! XMP in JPEG: an APP1 segment of at most 64 KB.

use super::mpf;
use super::{EmbedError, Holder};
use crate::splice::Splice;
use std::borrow::Cow;
use std::ops::Range;

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// What did not fit into the first segment. It is left as it is; the main packet names its hash.
const EXTENDED: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const EXIF: &[u8] = b"Exif\0";
const MPF: &[u8] = b"MPF\0";
/// A segment states its length in 16 bits, those two bytes included.
const MOST: usize = u16::MAX as usize - 2 - XMP.len();

/// A JPEG's segments, as far as they matter to XMP.
pub struct Jpeg<'a> {
    file: &'a [u8],
    /// The segment with XMP, from its marker.
    xmp: Option<Range<usize>>,
    /// Where a new segment belongs: behind JFIF and EXIF.
    place: usize,
    has_exif: bool,
    /// Content of the segment that lists further images of the file, behind its name.
    mpf: Option<Range<usize>>,
    extended: Vec<&'a [u8]>,
    has_credentials: bool,
    /// Behind the end marker of the first image.
    end: usize,
}

impl<'a> Jpeg<'a> {
    /// Reads the segments up to the end of the first image.
    pub fn read(file: &'a [u8]) -> Result<Self, EmbedError> {
        let mut jpeg = Self {
            file,
            xmp: None,
            place: 2,
            has_exif: false,
            mpf: None,
            extended: Vec::new(),
            has_credentials: false,
            end: 0,
        };
        let (mut at, mut leads, mut has_scan) = (2, true, false);
        loop {
            let (marker, start) = next_marker(file, &mut at)?;
            let segment = match marker {
                0xd9 if has_scan => break,
                0xd9 => return Err(EmbedError::Damaged("it ends before its first scan")),
                // Without a length: TEM and restart markers.
                0x01 | 0xd0..=0xd7 => continue,
                0x00 | 0xd8 => return Err(EmbedError::Damaged("a marker stands where none may")),
                _ => segment(file, &mut at)?,
            };
            let content = &file[segment.clone()];
            match marker {
                0xda => {
                    has_scan = true;
                    at = scan_end(file, at)?;
                }
                0xe0 if leads => jpeg.place = at,
                0xe1 if content.starts_with(EXIF) => {
                    jpeg.has_exif = true;
                    if !has_scan {
                        jpeg.place = at;
                    }
                }
                0xe1 if content.starts_with(XMP) => {
                    let earlier = jpeg.xmp.replace(start..at);
                    if earlier.is_some() {
                        return Err(EmbedError::SeveralPackets);
                    }
                }
                0xe1 if content.starts_with(EXTENDED) => jpeg.extended.push(&content[EXTENDED.len()..]),
                0xe2 if content.starts_with(MPF) && jpeg.mpf.is_none() => {
                    jpeg.mpf = Some(segment.start + MPF.len()..segment.end);
                }
                0xeb => jpeg.has_credentials |= content.windows(4).any(|word| word == b"c2pa"),
                _ => {}
            }
            leads &= matches!(marker, 0xe0);
        }
        jpeg.end = at;
        Ok(jpeg)
    }

    /// Changes of what states where further images are, if `splice` makes the first one longer or shorter.
    fn further_images(&self, splice: &Splice) -> Result<Vec<Splice>, EmbedError> {
        let delta = splice.inserted.len() as i64 - splice.removed as i64;
        let rest = &self.file[self.end..];
        match &self.mpf {
            _ if delta == 0 => Ok(Vec::new()),
            Some(content) => {
                let moves = splice.at >= content.end as u64;
                match mpf::moved(self.file, content, delta, moves) {
                    Some(splices) => Ok(splices),
                    None if rest.is_empty() => Ok(Vec::new()),
                    None => Err(EmbedError::Offsets),
                }
            }
            // Some cameras append a preview, and name its place in EXIF.
            None if self.has_exif && rest.starts_with(&[0xff, 0xd8]) => Err(EmbedError::Offsets),
            None => Ok(Vec::new()),
        }
    }
}

/// The next marker's second byte and where it begins, behind any fill bytes; `at` goes behind it.
fn next_marker(file: &[u8], at: &mut usize) -> Result<(u8, usize), EmbedError> {
    loop {
        match file.get(*at..*at + 2) {
            Some([0xff, 0xff]) => *at += 1,
            Some(&[0xff, marker]) => {
                *at += 2;
                return Ok((marker, *at - 2));
            }
            Some(_) => return Err(EmbedError::Damaged("a segment does not end where the next begins")),
            None => return Err(EmbedError::CutShort("its segments")),
        }
    }
}

/// A segment's content, whose length stands at `at`, which goes behind it.
fn segment(file: &[u8], at: &mut usize) -> Result<Range<usize>, EmbedError> {
    let cut_short = EmbedError::CutShort("a segment");
    let length = file.get(*at..*at + 2).ok_or(cut_short.clone())?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length < 2 {
        return Err(EmbedError::Damaged("a segment is shorter than its length"));
    }
    let content = *at + 2..*at + length;
    file.get(content.clone()).ok_or(cut_short)?;
    *at = content.end;
    Ok(content)
}

/// Where the marker behind a scan's entropy-coded data begins.
fn scan_end(file: &[u8], from: usize) -> Result<usize, EmbedError> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    let found = file[from..].windows(2).position(is_marker);
    found.map(|at| from + at).ok_or(EmbedError::CutShort("its image data"))
}

impl Holder for Jpeg<'_> {
    fn packet(&self) -> Result<Option<Cow<'_, [u8]>>, EmbedError> {
        let extended = self.extended.concat();
        let has = |word: &[u8]| extended.windows(word.len()).any(|at| at == word);
        if has(b"/dc/elements/1.1/") && has(b"subject") || has(b"hierarchicalSubject") {
            return Err(EmbedError::Extended);
        }
        // Marker and length are two bytes each.
        let packet = self.xmp.as_ref().map(|segment| &self.file[segment.start + 4 + XMP.len()..segment.end]);
        Ok(packet.map(Cow::Borrowed))
    }

    fn put(&self, packet: &[u8], shortest: &[u8]) -> Result<Vec<Splice>, EmbedError> {
        if self.has_credentials {
            return Err(EmbedError::ContentCredentials);
        }
        let packet = if packet.len() > MOST { shortest } else { packet };
        if packet.len() > MOST {
            return Err(EmbedError::NoRoom { bytes: packet.len() as u64, most: MOST as u64 });
        }
        // It fits: checked above.
        let length = (2 + XMP.len() + packet.len()) as u16;
        let segment = [&[0xff, 0xe1][..], &length.to_be_bytes(), XMP, packet].concat();
        let splice = Splice::new(self.xmp.clone().unwrap_or(self.place..self.place), segment);
        let mut splices = self.further_images(&splice)?;
        splices.push(splice);
        splices.sort_by_key(|splice| splice.at);
        Ok(splices)
    }
}
