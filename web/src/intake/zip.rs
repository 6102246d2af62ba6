//! What a zip file lists, read from its end: no byte of a photo is touched before that photo is wanted.
//!
//! Format: PKWARE's APPNOTE 6.3.9, with its 64-bit extension. Everything in an archive is somebody's
//! claim, so counts, sizes and offsets are checked before they are used.

use crate::photo::ArchiveFault;

/// The end record may be followed by a comment of at most this length.
const LONGEST_COMMENT: u64 = 65_535;
/// What has to be read of a file's end to find its directory.
pub const TAIL: u64 = LONGEST_COMMENT + END as u64 + LOCATOR as u64 + END_64 as u64;
/// More files are not listed.
const MAX_ENTRIES: u64 = 20_000;
/// A directory of [`MAX_ENTRIES`] files with long names takes less.
const MAX_DIRECTORY: u64 = 16 << 20;
/// A file's own header, without name and extra field.
pub const LOCAL_HEADER: u64 = 30;

const END: usize = 22;
const LOCATOR: usize = 20;
const END_64: usize = 56;
const ENTRY: usize = 46;

/// Where an archive's directory is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Directory {
    pub offset: u64,
    pub size: u64,
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// With its folders, separated by slashes.
    pub name: String,
    pub packing: Packing,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes unpacked, as the archive says.
    pub size: u64,
    /// Where its own header begins.
    header: u64,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Stored,
    Deflated,
}

/// Finds the directory in the last bytes of an archive of `length` bytes.
pub fn directory(tail: &[u8], length: u64) -> Result<Directory, ArchiveFault> {
    let damaged = ArchiveFault::Damaged;
    // The last record whose comment reaches exactly to the file's end.
    let last = tail.len().checked_sub(END).ok_or(damaged)?;
    let is_end = |&at: &usize| {
        tail[at..].starts_with(b"PK\x05\x06") && at + END + usize::from(u16_at(tail, at + 20)) == tail.len()
    };
    let at = (0..=last).rev().find(is_end).ok_or(damaged)?;
    let (mut entries, mut size, mut offset) = (
        u64::from(u16_at(tail, at + 10)),
        u64::from(u32_at(tail, at + 12)),
        u64::from(u32_at(tail, at + 16)),
    );
    let locator = at.checked_sub(LOCATOR).filter(|&at| tail[at..].starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let begin = length - tail.len() as u64;
        let record = u64_at(tail, locator + 8).checked_sub(begin).ok_or(damaged)?;
        let record = usize::try_from(record).map_err(|_| damaged)?;
        if record.checked_add(END_64).is_none_or(|end| end > locator)
            || !tail[record..].starts_with(b"PK\x06\x06")
        {
            return Err(damaged);
        }
        entries = u64_at(tail, record + 32);
        size = u64_at(tail, record + 40);
        offset = u64_at(tail, record + 48);
    }
    if entries > MAX_ENTRIES || size > MAX_DIRECTORY {
        return Err(ArchiveFault::TooManyFiles);
    }
    let inside = offset.checked_add(size).is_some_and(|end| end <= length);
    if inside { Ok(Directory { offset, size }) } else { Err(damaged) }
}

/// The files that a directory lists and that can be unpacked here: folders, encrypted files and those
/// packed in rare ways are left out.
pub fn entries(mut directory: &[u8]) -> Result<Vec<Entry>, ArchiveFault> {
    let mut entries = Vec::new();
    while directory.starts_with(b"PK\x01\x02") {
        if directory.len() < ENTRY {
            return Err(ArchiveFault::Damaged);
        }
        let length = |at| usize::from(u16_at(directory, at));
        let (name, extra, comment) = (length(28), length(30), length(32));
        let next = ENTRY + name + extra + comment;
        if next > directory.len() {
            return Err(ArchiveFault::Damaged);
        }
        let extra = &directory[ENTRY + name..ENTRY + name + extra];
        entries.extend(entry(&directory[..ENTRY], &directory[ENTRY..ENTRY + name], extra));
        if entries.len() as u64 > MAX_ENTRIES {
            return Err(ArchiveFault::TooManyFiles);
        }
        directory = &directory[next..];
    }
    Ok(entries)
}

fn entry(fixed: &[u8], name: &[u8], extra: &[u8]) -> Option<Entry> {
    let encrypted = u16_at(fixed, 8) & 1 == 1;
    let packing = match u16_at(fixed, 10) {
        0 => Packing::Stored,
        8 => Packing::Deflated,
        _ => return None,
    };
    if encrypted || name.ends_with(b"/") {
        return None;
    }
    let mut wide = Wide::find(extra);
    let mut field = |at: usize| match u32_at(fixed, at) {
        u32::MAX => wide.next(),
        value => Some(u64::from(value)),
    };
    // The extra field holds what did not fit, in this order.
    let (size, packed, header) = (field(24)?, field(20)?, field(42)?);
    Some(Entry { name: String::from_utf8_lossy(name).into_owned(), packing, packed, size, header })
}

/// The 64-bit values in an entry's extra field.
struct Wide<'a>(&'a [u8]);

impl<'a> Wide<'a> {
    fn find(mut extra: &'a [u8]) -> Self {
        while extra.len() >= 4 {
            let (tag, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
            let Some(data) = extra.get(4..4 + length) else { break };
            if tag == 1 {
                return Self(data);
            }
            extra = &extra[4 + length..];
        }
        Self(&[])
    }

    fn next(&mut self) -> Option<u64> {
        let (value, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*value))
    }
}

impl Entry {
    /// The file's name without its folders.
    pub fn file_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    /// Where its own header lies.
    pub fn header(&self) -> std::ops::Range<u64> {
        self.header..self.header.saturating_add(LOCAL_HEADER)
    }

    /// Where its packed bytes lie, by its own header.
    pub fn data(&self, header: &[u8]) -> Option<std::ops::Range<u64>> {
        if header.len() < LOCAL_HEADER as usize || !header.starts_with(b"PK\x03\x04") {
            return None;
        }
        let variable = u64::from(u16_at(header, 26)) + u64::from(u16_at(header, 28));
        let start = self.header.checked_add(LOCAL_HEADER + variable)?;
        Some(start..start.checked_add(self.packed)?)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    fn archive(large: bool) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(large);
        writer.add_directory("holiday", options).unwrap();
        writer.start_file("holiday/cat.jpg", options).unwrap();
        writer.write_all(b"a cat").unwrap();
        writer.start_file("猫.jpg", options).unwrap();
        writer.write_all(b"another cat").unwrap();
        writer.set_comment("made for a test").unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn listed(archive: &[u8]) -> Result<Vec<Entry>, ArchiveFault> {
        let tail = &archive[archive.len().saturating_sub(TAIL as usize)..];
        let found = directory(tail, archive.len() as u64)?;
        entries(&archive[found.offset as usize..][..found.size as usize])
    }

    #[test]
    fn files_are_found_by_the_directory_at_the_end() {
        for large in [false, true] {
            let bytes = archive(large);
            let entries = listed(&bytes).unwrap();
            let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(names, ["holiday/cat.jpg", "猫.jpg"]);
            assert_eq!((entries[0].file_name(), entries[0].size), ("cat.jpg", 5));
            let header = entries[1].header();
            let data = entries[1].data(&bytes[header.start as usize..header.end as usize]).unwrap();
            assert_eq!(&bytes[data.start as usize..data.end as usize], b"another cat");
        }
    }

    #[test]
    fn an_archive_cut_anywhere_is_refused_without_a_panic() {
        let bytes = archive(true);
        for end in 0..bytes.len() {
            assert!(listed(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn no_byte_turned_over_makes_a_panic() {
        let bytes = archive(true);
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] = !bent[at];
            if let Ok(entries) = listed(&bent) {
                for entry in entries {
                    let header = bent.get(entry.header().start as usize..).unwrap_or_default();
                    // What it says is checked against the file when the bytes are taken.
                    let _ = entry.data(header);
                }
            }
        }
    }

    #[test]
    fn a_directory_beyond_reason_is_refused_before_it_is_read() {
        let mut bytes = archive(false);
        let end = bytes.len() - "made for a test".len() - END;
        bytes[end + 12..end + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(listed(&bytes), Err(ArchiveFault::TooManyFiles));
    }
}
