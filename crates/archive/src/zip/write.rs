//! A new zip file, without the bytes of its files: those stay where they are, and whoever writes puts them after their
//! headers. Files are stored as they are.

/// The most that a field of 32 bits can say; larger ones are in the 64-bit extension.
const MOST_32: u64 = 0xffff_ffff;
/// The same of 16 bits.
const MOST_16: u64 = 0xffff;
/// Zip 4.5 has the 64-bit extension.
const VERSION: u16 = 45;
/// Names are UTF-8.
const UTF_8: u16 = 1 << 11;
/// The extra field of the 64-bit extension.
const ZIP64: u16 = 1;

/// When a file was last changed, on the clock of whoever writes, to two seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modified {
    time: u16,
    date: u16,
}

impl Modified {
    /// Month and day count from 1. Zip knows the years 1980 to 2107; others become the nearest.
    pub fn new(year: u32, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Self {
        let year = year.clamp(1980, 2107) - 1980;
        let date = (year << 9) | (month.clamp(1, 12) << 5) | day.clamp(1, 31);
        let time = (hour.min(23) << 11) | (minute.min(59) << 5) | (second.min(59) / 2);
        // Seven bits of years, four of months, five of days; five, six and five.
        Self { time: time as u16, date: date as u16 }
    }
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// With its folders, separated by slashes; at most 65,535 bytes.
    pub name: String,
    /// CRC-32 of its bytes.
    pub crc32: u32,
    /// How many they are.
    pub bytes: u64,
    /// When it was changed.
    pub modified: Modified,
}

/// A zip file that is being written: header, bytes, header, bytes, …, end.
#[derive(Clone, Debug, Default)]
pub struct ZipWriter {
    /// With where their headers are.
    entries: Vec<(NewEntry, u64)>,
    offset: u64,
}

impl ZipWriter {
    /// The header of the next file, whose `bytes` bytes follow. None if its name is too long.
    pub fn header(&mut self, entry: NewEntry) -> Option<Vec<u8>> {
        let name = u16::try_from(entry.name.len()).ok()?;
        let mut header = b"PK\x03\x04".to_vec();
        let large = entry.bytes >= MOST_32;
        put_common(&mut header, &entry, name, if large { 20 } else { 0 });
        header.extend(entry.name.bytes());
        if large {
            put_extension(&mut header, &[entry.bytes, entry.bytes]);
        }
        let at = self.offset;
        self.offset = at.checked_add(header.len() as u64)?.checked_add(entry.bytes)?;
        self.entries.push((entry, at));
        Some(header)
    }

    /// What follows the last file: the directory.
    pub fn end(self) -> Vec<u8> {
        let mut end = Vec::new();
        for (entry, at) in &self.entries {
            end.extend(b"PK\x01\x02");
            end.extend(VERSION.to_le_bytes());
            let large: Vec<u64> =
                [entry.bytes, entry.bytes, *at].into_iter().filter(|&value| value >= MOST_32).collect();
            let extra = if large.is_empty() { 0 } else { 4 + 8 * large.len() as u16 };
            put_common(&mut end, entry, entry.name.len() as u16, extra);
            // No comment, on the first disk, with no attributes.
            end.extend([0; 10]);
            end.extend(clamped_32(*at));
            end.extend(entry.name.bytes());
            if !large.is_empty() {
                put_extension(&mut end, &large);
            }
        }
        let (count, length) = (self.entries.len() as u64, end.len() as u64);
        let directory_end = self.offset + length;
        if count >= MOST_16 || length >= MOST_32 || self.offset >= MOST_32 {
            end.extend(b"PK\x06\x06");
            end.extend(44u64.to_le_bytes());
            end.extend([VERSION, VERSION].map(u16::to_le_bytes).concat());
            end.extend([0; 8]);
            end.extend([count, count, length, self.offset].map(u64::to_le_bytes).concat());
            end.extend(b"PK\x06\x07");
            end.extend([0; 4]);
            end.extend(directory_end.to_le_bytes());
            end.extend(1u32.to_le_bytes());
        }
        end.extend(b"PK\x05\x06");
        end.extend([0; 4]);
        let count = (count.min(MOST_16) as u16).to_le_bytes();
        end.extend([count, count].concat());
        end.extend(clamped_32(length));
        end.extend(clamped_32(self.offset));
        end.extend([0; 2]);
        end
    }
}

/// From the version to the length of the extra field, which a file's header and the directory have in common.
fn put_common(out: &mut Vec<u8>, entry: &NewEntry, name: u16, extra: u16) {
    let Modified { time, date } = entry.modified;
    // Method 0: stored.
    out.extend([VERSION, UTF_8, 0, time, date].map(u16::to_le_bytes).concat());
    out.extend(entry.crc32.to_le_bytes());
    out.extend(clamped_32(entry.bytes));
    out.extend(clamped_32(entry.bytes));
    out.extend([name, extra].map(u16::to_le_bytes).concat());
}

fn put_extension(out: &mut Vec<u8>, values: &[u64]) {
    out.extend([ZIP64, 8 * values.len() as u16].map(u16::to_le_bytes).concat());
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

/// All bits set stands for a value in the 64-bit extension.
fn clamped_32(value: u64) -> [u8; 4] {
    (value.min(MOST_32) as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};

    fn entry(name: &str, bytes: &[u8]) -> NewEntry {
        let crc32 = {
            // By the definition, a bit at a time.
            let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
        };
        let modified = Modified::new(2026, 11, 30, 14, 5, 58);
        NewEntry { name: name.into(), crc32, bytes: bytes.len() as u64, modified }
    }

    fn written(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut writer, mut out) = (ZipWriter::default(), Vec::new());
        for (name, bytes) in files {
            out.extend(writer.header(entry(name, bytes)).unwrap());
            out.extend_from_slice(bytes);
        }
        out.extend(writer.end());
        out
    }

    #[test]
    fn another_reader_finds_names_bytes_and_times() {
        let files: [(&str, &[u8]); 3] =
            [("a.jpg", b"photo"), ("文件夹/猫.png", b""), ("b/a.jpg.xmp", b"<x/>")];
        let mut archive = zip::ZipArchive::new(Cursor::new(written(&files))).unwrap();
        assert_eq!(archive.len(), 3);
        for (at, (name, bytes)) in files.iter().enumerate() {
            let mut file = archive.by_index(at).unwrap();
            let mut read = Vec::new();
            file.read_to_end(&mut read).unwrap();
            assert_eq!((&*file.name().unwrap(), read.as_slice()), (*name, *bytes));
            let modified = file.last_modified().unwrap();
            assert_eq!((modified.year(), modified.day(), modified.second()), (2026, 30, 58));
        }
    }

    #[test]
    fn an_archive_of_nothing_is_one() {
        assert_eq!(zip::ZipArchive::new(Cursor::new(written(&[]))).unwrap().len(), 0);
    }

    /// What lies before them is left out: 5 GB of it.
    #[test]
    fn files_beyond_four_gigabytes_are_found() {
        let five = 5 << 30;
        let mut writer = ZipWriter::default();
        let large = NewEntry { bytes: five, ..entry("large", b"") };
        let first = writer.header(large).unwrap().len() as u64;
        let second = writer.header(entry("small.jpg", b"photo")).unwrap();
        let end = writer.end();
        let all = first + five + second.len() as u64 + 5 + end.len() as u64;
        let directory = crate::zip::directories(&end, all).unwrap().remove(0);
        let from = (directory.range.start - (all - end.len() as u64)) as usize;
        let listing = crate::zip::list(&end[from..], &directory).unwrap();
        let [large, small] = &listing.entries[..] else { panic!("{listing:?}") };
        assert_eq!((large.size, small.size), (five, 5));
        assert_eq!(small.header().start, first + five);
    }

    #[test]
    fn more_files_than_sixteen_bits_count_are_listed() {
        let names: Vec<String> = (0..70_000).map(|n| n.to_string()).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        let archive = zip::ZipArchive::new(Cursor::new(written(&files))).unwrap();
        assert_eq!(archive.len(), 70_000);
    }

    #[test]
    fn times_out_of_range_become_the_nearest_and_names_have_an_end() {
        let early = Modified::new(1969, 0, 0, 99, 99, 99);
        assert_eq!(early, Modified::new(1980, 1, 1, 23, 59, 59));
        assert_eq!(ZipWriter::default().header(entry(&"x".repeat(65_536), b"")), None);
    }
}
