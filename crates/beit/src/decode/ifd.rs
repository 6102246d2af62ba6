//! The directories of tags (IFDs) that TIFF, EXIF and most raw photos are made of.
//!
//! Format: TIFF 6.0, and BigTIFF with 64-bit offsets. Every offset and count is a claim of the file and checked.

/// Bytes with a TIFF header.
#[derive(Clone, Copy)]
pub(super) struct Tiff<'a> {
    bytes: &'a [u8],
    little_endian: bool,
    /// BigTIFF.
    is_big: bool,
}

/// An entry of a directory: `count` values of `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub tag: u16,
    pub kind: u16,
    pub count: u64,
    /// Where the values are, in the file.
    pub at: u64,
    /// Where the entry itself is.
    begin: u64,
}

pub(super) const SHORT: u16 = 3;
const LONG: u16 = 4;
/// Of BigTIFF.
const LONG_8: u16 = 16;

/// A directory has fewer entries; more are not looked at.
const MOST_ENTRIES: u64 = 4096;

impl<'a> Tiff<'a> {
    /// None without a TIFF header.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let little_endian = match bytes.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let mut tiff = Self { bytes, little_endian, is_big: false };
        tiff.is_big = match tiff.number(2, 2)? {
            43 => true,
            // Panasonic's and Olympus's raw photos have numbers of their own.
            42 | 0x55 | 0x4f52 | 0x5352 => false,
            _ => return None,
        };
        Some(tiff)
    }

    /// An unsigned number of so many bytes.
    fn number(&self, at: u64, length: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.little_endian { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    /// Where the first directory is.
    pub fn first(&self) -> Option<u64> {
        if self.is_big { self.number(8, 8) } else { self.number(4, 4) }
    }

    /// The entries of the directory at this place.
    pub fn directory(&self, at: u64) -> Vec<Entry> {
        let (count_length, entry_length, value_length) = if self.is_big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(at, count_length).unwrap_or_default().min(MOST_ENTRIES);
        let entry = |number: u64| {
            let begin = at.checked_add(count_length as u64 + number * entry_length)?;
            let (tag, kind) = (self.number(begin, 2)? as u16, self.number(begin + 2, 2)? as u16);
            let count = self.number(begin + 4, value_length)?;
            let inline = begin + 4 + value_length as u64;
            let fits = size_of(kind).checked_mul(count)? <= value_length as u64;
            let at = if fits { inline } else { self.number(inline, value_length)? };
            Some(Entry { tag, kind, count, at, begin })
        };
        (0..count).map_while(entry).collect()
    }

    /// The entry's whole number at this index.
    pub fn value(&self, entry: &Entry, index: u64) -> Option<u64> {
        let length = size_of(entry.kind);
        let is_whole = matches!(entry.kind, 1 | SHORT | LONG | 6 | 8 | 9 | 13 | 16..=18);
        (is_whole && index < entry.count).then_some(())?;
        self.number(entry.at.checked_add(index.checked_mul(length)?)?, length as usize)
    }

    /// The only whole number of the directory's entry with this tag.
    pub fn single(&self, directory: &[Entry], tag: u16) -> Option<u64> {
        let entry = find(directory, tag)?;
        (entry.count == 1).then(|| self.value(entry, 0)).flatten()
    }

    /// Lets an entry of this file's copy have other values, which go behind the copy if there is no room in the entry.
    pub fn replace(&self, copy: &mut Vec<u8>, entry: &Entry, values: &[u64]) -> Option<()> {
        let (kind, length) = if self.is_big { (LONG_8, 8) } else { (LONG, 4) };
        let numbers: Vec<u8> = values.iter().flat_map(|&value| self.bytes_of(value, length)).collect();
        let begin = usize::try_from(entry.begin).ok()?;
        let inline = if numbers.len() <= length {
            numbers
        } else {
            let at = copy.len() as u64;
            copy.extend(numbers);
            self.bytes_of(at, length)
        };
        let head =
            [self.bytes_of(kind.into(), 2), self.bytes_of(values.len() as u64, length), inline].concat();
        copy.get_mut(begin + 2..begin + 2 + head.len())?.copy_from_slice(&head);
        Some(())
    }

    /// A number in the file's order of bytes.
    fn bytes_of(&self, number: u64, length: usize) -> Vec<u8> {
        let mut bytes = number.to_le_bytes()[..length].to_vec();
        if !self.little_endian {
            bytes.reverse();
        }
        bytes
    }

    /// An entry's bytes.
    pub fn data(&self, entry: &Entry) -> Option<&'a [u8]> {
        let length = usize::try_from(size_of(entry.kind).checked_mul(entry.count)?).ok()?;
        let at = usize::try_from(entry.at).ok()?;
        self.bytes.get(at..at.checked_add(length)?)
    }
}

/// The directory's entry with this tag.
pub(super) fn find(directory: &[Entry], tag: u16) -> Option<&Entry> {
    directory.iter().find(|entry| entry.tag == tag)
}

/// Bytes of one value of this kind; 0 of an unknown one.
fn size_of(kind: u16) -> u64 {
    match kind {
        1 | 2 | 6 | 7 => 1,
        SHORT | 8 => 2,
        LONG | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_beyond_the_file_are_nothing() {
        assert!(Tiff::new(b"II*").is_none() && Tiff::new(b"XX*\0\x08\0\0\0").is_none());
        for bytes in [
            &b"II*\0\xff\xff\xff\xff"[..],
            b"MM\0*\0\0\0\x08\xff\xff",
            b"II+\0\x08\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            let tiff = Tiff::new(bytes).unwrap();
            assert_eq!(tiff.directory(tiff.first().unwrap()), [], "{bytes:?}");
        }
    }
}
