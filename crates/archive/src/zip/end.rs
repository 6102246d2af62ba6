//! Finds the directory by the record at an archive's end.

use crate::ArchiveFault;
use crate::bytes::{u16_at, u32_at, u64_at};
use std::ops::Range;

/// The end record may be followed by a comment of at most this length.
const LONGEST_COMMENT: u64 = 65_535;
/// So much may stand behind an archive that is found all the same.
const LONGEST_JUNK: u64 = 1 << 20;
/// What has to be read of a file's end to find its directory.
pub const TAIL: u64 = LONGEST_JUNK + LONGEST_COMMENT + (END + LOCATOR + END_64) as u64;
/// A longer directory is not read: it holds hundreds of thousands of files.
const MAX_DIRECTORY: u64 = 32 << 20;
/// The mark of an end record may occur in a comment, in a file, or in what stands behind; more are not tried.
const MAX_TRIES: usize = 16;

const END: usize = 22;
const LOCATOR: usize = 20;
const END_64: usize = 56;

/// Where an archive's directory may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Directory {
    /// Of the directory, in the archive.
    pub range: Range<u64>,
    /// Where it claims to begin.
    pub claimed: u64,
    /// How many entries are announced. Without the 64-bit extension, the rest of a division by 65,536.
    pub entries: u64,
}

/// Where the directory may be, by the last bytes of an archive of `length` bytes: [`TAIL`], or all of a shorter
/// archive. The likeliest place is first; [`super::list`] tells whether it is there.
///
/// # Errors
/// When there is no end record, or what it says can't be or is not read.
pub fn directories(tail: &[u8], length: u64) -> Result<Vec<Directory>, ArchiveFault> {
    let begin = length.checked_sub(tail.len() as u64).ok_or(ArchiveFault::Damaged)?;
    let Some(last) = tail.len().checked_sub(END) else { return Err(ArchiveFault::Damaged) };
    let marks = (0..=last).rev().filter(|&at| tail[at..].starts_with(b"PK\x05\x06")).take(MAX_TRIES);
    // A record whose comment reaches exactly to the file's end comes first.
    let exact =
        |at: usize| u16_at(tail, at + 20).is_ok_and(|comment| at + END + usize::from(comment) == tail.len());
    let (exact, others): (Vec<_>, Vec<_>) = marks.partition(|&at| exact(at));
    let mut places = Vec::new();
    let mut fault = ArchiveFault::Damaged;
    for at in exact.into_iter().chain(others) {
        match places_by(tail, at, begin) {
            Ok(more) => places.extend(more),
            // What a record says that looks true goes before what it doesn't say.
            Err(told) if fault == ArchiveFault::Damaged => fault = told,
            Err(_) => {}
        }
    }
    places.retain(|place: &Directory| place.range.end <= length);
    if places.is_empty() { Err(fault) } else { Ok(places) }
}

fn places_by(tail: &[u8], at: usize, begin: u64) -> Result<Vec<Directory>, ArchiveFault> {
    let disk = u16_at(tail, at + 4)?;
    let mut entries = u64::from(u16_at(tail, at + 10)?);
    let mut size = u64::from(u32_at(tail, at + 12)?);
    let mut claimed = u64::from(u32_at(tail, at + 16)?);
    let mut end = at;
    if let Some(record) = wide_record(tail, at, begin) {
        entries = u64_at(tail, record + 32)?;
        size = u64_at(tail, record + 40)?;
        claimed = u64_at(tail, record + 48)?;
        end = record;
    }
    if disk != 0 && disk != u16::MAX {
        return Err(ArchiveFault::Split);
    }
    if size > MAX_DIRECTORY {
        return Err(ArchiveFault::TooManyFiles);
    }
    // Right before the record, whatever stands before the archive; else where it claims to be.
    let found = (begin + end as u64).checked_sub(size);
    let starts = [found, Some(claimed).filter(|start| found != Some(*start))];
    let place = |start: u64| {
        let range = start..start.checked_add(size)?;
        Some(Directory { range, claimed, entries })
    };
    Ok(starts.into_iter().flatten().filter_map(place).collect())
}

/// The 64-bit end record of the end record at `at`: where its locator says, or right before that.
fn wide_record(tail: &[u8], at: usize, begin: u64) -> Option<usize> {
    let locator = at.checked_sub(LOCATOR).filter(|&at| tail[at..].starts_with(b"PK\x06\x07"))?;
    let told = u64_at(tail, locator + 8).ok()?.checked_sub(begin).and_then(|at| usize::try_from(at).ok());
    let there = |record: &usize| {
        record.checked_add(END_64).is_some_and(|end| end <= locator)
            && tail[*record..].starts_with(b"PK\x06\x06")
    };
    [told, locator.checked_sub(END_64)].into_iter().flatten().find(there)
}
