//! Index ⇄ bytes of its file.

use crate::error::LibraryError;
use crate::feature::Feature;
use crate::frame::{self, Frame};
use crate::header::Header;
use crate::index::Index;
use crate::photo::{Photo, Record, check};
use std::fmt;

const MAGIC: &[u8; 8] = b"beitlib\n";
const VERSION: u32 = 1;

/// An index that was read.
#[derive(Debug)]
pub struct Opened {
    /// What its whole records say.
    pub index: Index,
    /// Length of the part that is whole: whoever appends cuts the file off here first.
    pub whole_bytes: u64,
    /// Of these, what later records have made superfluous.
    pub superseded_bytes: u64,
    /// What is behind that part, if anything is.
    pub tail: Option<Tail>,
}

/// What is left out at the end of an index. Its `Display` is a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Bytes of it.
    pub bytes: u64,
    /// Whether it is a record that was never written to its end, as a process that is killed leaves it; otherwise bytes
    /// are not what was written.
    pub is_cut_short: bool,
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { bytes, is_cut_short } = self;
        match is_cut_short {
            true => {
                write!(f, "the last record was cut off while it was written: its {bytes} bytes are left out")
            }
            false => write!(
                f,
                "the last {bytes} bytes are damaged and left out: photos that were in them are looked at again"
            ),
        }
    }
}

/// What an index file begins with.
///
/// # Errors
/// [`LibraryError::DamagedHeader`] for a header that no reader would take.
pub fn beginning(header: &Header) -> Result<Vec<u8>, LibraryError> {
    let json = header.to_json();
    Header::parse(&json)?;
    let mut bytes = [&MAGIC[..], &VERSION.to_le_bytes()].concat();
    frame::write(&json, &mut bytes).ok_or_else(|| LibraryError::DamagedHeader("too many classes".into()))?;
    Ok(bytes)
}

/// What to append for a photo, in place of what the index says of its path.
///
/// # Errors
/// [`LibraryError::Photo`] for what no index with this header can have.
pub fn photo_record(photo: &Photo, feature: &Feature, header: &Header) -> Result<Vec<u8>, LibraryError> {
    let fault = |reason| LibraryError::Photo { path: photo.path.clone(), reason };
    check(photo, feature, header).map_err(fault)?;
    let mut bytes = Vec::new();
    let written = frame::write(&Record::of_photo(photo, feature), &mut bytes);
    written.map(|()| bytes).ok_or_else(|| fault("its record is too long".into()))
}

/// What to append for a photo that is gone.
pub fn removal_record(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A path of 4 GB is in no index.
    let _ = frame::write(&Record::of_removal(path), &mut bytes);
    bytes
}

/// The whole file of an index, photos in the order of their paths: two indexes that say the same are the same bytes.
///
/// # Errors
/// When the header can't be written.
pub fn whole(index: &Index) -> Result<Vec<u8>, LibraryError> {
    let mut bytes = beginning(index.header())?;
    let mut order: Vec<usize> = (0..index.photos().len()).collect();
    order.sort_by(|&a, &b| index.photos()[a].path.cmp(&index.photos()[b].path));
    for photo in order {
        bytes.extend(photo_record(&index.photos()[photo], &index.feature(photo), index.header())?);
    }
    Ok(bytes)
}

/// Reads an index file.
///
/// # Errors
/// When it is something else, of a later version, or its header is not whole. Damage behind the header is no error: see
/// [`Opened::tail`].
pub fn read(bytes: &[u8]) -> Result<Opened, LibraryError> {
    let start = [&MAGIC[..], &VERSION.to_le_bytes()].concat();
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(if start.starts_with(bytes) {
            LibraryError::HeaderCutShort
        } else {
            LibraryError::NotAnIndex
        });
    };
    if magic != MAGIC {
        return Err(LibraryError::NotAnIndex);
    }
    let Some((version, _)) = rest.split_first_chunk::<4>() else { return Err(LibraryError::HeaderCutShort) };
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(LibraryError::Version(version));
    }
    let (header, mut at) = match frame::read(bytes, start.len()) {
        Frame::Whole(json, next) => (Header::parse(json)?, next),
        Frame::CutShort | Frame::End => return Err(LibraryError::HeaderCutShort),
        Frame::Damaged => return Err(LibraryError::DamagedHeader("its checksum is wrong".into())),
    };
    let mut index = Index::new(header);
    let beginning = at;
    let mut needed = 0;
    let is_cut_short = loop {
        let (content, next) = match frame::read(bytes, at) {
            Frame::Whole(content, next) => (content, next),
            Frame::CutShort => break true,
            Frame::Damaged | Frame::End => break false,
        };
        match Record::parse(content, index.header()) {
            Some(Record::Photo(photo, feature)) => index.put(photo, &feature)?,
            Some(Record::Removed(path)) => {
                index.remove(&path);
            }
            None => break false,
        }
        at = next;
    };
    for (photo, row) in index.photos().iter().map(|photo| (photo, index.width())) {
        needed += (RECORD + photo.path.len() + 8 * photo.answers.len() + row) as u64;
    }
    let tail = (at < bytes.len()).then(|| Tail { bytes: (bytes.len() - at) as u64, is_cut_short });
    Ok(Opened { index, whole_bytes: at as u64, superseded_bytes: (at - beginning) as u64 - needed, tail })
}

/// Bytes of a photo's frame, besides its path, its answers and its feature.
const RECORD: usize = 12 + 1 + 4 + 8 + 8 + 32 + 4 + 4 + 1 + 8 + 1 + 1 + 4;
