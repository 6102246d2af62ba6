//! The files that a directory lists.

use super::{Directory, Entry, Method};
use crate::ArchiveFault;
use crate::bytes::{u16_at, u32_at};
use crate::names::SingleByte;

const ENTRY: usize = 46;
/// Bits of an entry's flags.
const ENCRYPTED: u16 = 1;
const UTF_8: u16 = 1 << 11;
/// Extra fields.
const WIDE: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

/// An archive's files; folders are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Those that can be read.
    pub entries: Vec<Entry>,
    /// Entries that are announced and can't be read.
    pub unreadable: u64,
}

/// The set of names that are in none of several bytes, if nothing says which.
pub const OTHER_NAMES: SingleByte = SingleByte::Cp437;

/// What a directory lists, before the names are decoded of which it does not say what character set they are in.
#[derive(Debug, Default)]
pub struct Records<'a> {
    records: Vec<(Entry, &'a [u8], Option<String>)>,
    unreadable: u64,
}

impl<'a> Records<'a> {
    /// The names that are to be decoded, in order.
    pub fn undeclared(&self) -> Vec<&'a [u8]> {
        self.records.iter().filter(|(.., declared)| declared.is_none()).map(|&(_, name, _)| name).collect()
    }

    /// The listing, with what [`Records::undeclared`] are decoded to, in the same order.
    pub fn with_names(self, decoded: Vec<String>) -> Listing {
        let mut decoded = decoded.into_iter();
        let mut listing = Listing { entries: Vec::new(), unreadable: self.unreadable };
        for (mut entry, _, declared) in self.records {
            entry.name = declared.or_else(|| decoded.next()).unwrap_or_default();
            let folder = entry.name.ends_with('/') || entry.name.ends_with('\\') && entry.size == 0;
            if !folder {
                listing.entries.push(entry);
            }
        }
        listing
    }
}

/// What the directory in these bytes lists: those of `place.range`.
///
/// # Errors
/// When there is no directory.
#[cfg(feature = "character-sets")]
pub fn list(bytes: &[u8], place: &Directory) -> Result<Listing, ArchiveFault> {
    let records = records(bytes, place)?;
    let names = crate::names::decode(&records.undeclared(), OTHER_NAMES);
    Ok(records.with_names(names))
}

/// As `list`, before the names are decoded.
///
/// # Errors
/// When there is no directory.
pub fn records<'a>(mut bytes: &'a [u8], place: &Directory) -> Result<Records<'a>, ArchiveFault> {
    let empty = bytes.is_empty() && place.entries == 0;
    if !empty && !bytes.starts_with(b"PK\x01\x02") {
        return Err(ArchiveFault::Damaged);
    }
    let (mut records, mut seen) = (Records::default(), 0u64);
    while let Some((record, rest)) = record(bytes) {
        bytes = rest;
        seen += 1;
        match entry(record.fixed, record.extra, place) {
            Some(entry) => records.records.push((entry, record.name, declared(&record))),
            None => records.unreadable += 1,
        }
    }
    records.unreadable += place.entries.saturating_sub(seen);
    Ok(records)
}

/// An entry as it stands in the directory.
struct Record<'a> {
    /// Its part of fixed length.
    fixed: &'a [u8],
    name: &'a [u8],
    extra: &'a [u8],
}

/// The next record, and what follows.
fn record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    if !bytes.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (fixed, rest) = bytes.split_at_checked(ENTRY)?;
    let length = |at| u16_at(fixed, at).ok().map(usize::from);
    let (name, rest) = rest.split_at_checked(length(28)?)?;
    let (extra, rest) = rest.split_at_checked(length(30)?)?;
    let (_comment, rest) = rest.split_at_checked(length(32)?)?;
    Some((Record { fixed, name, extra }, rest))
}

/// The entry without its name.
fn entry(fixed: &[u8], extra: &[u8], place: &Directory) -> Option<Entry> {
    let mut wide = field(extra, WIDE).unwrap_or_default();
    let mut number = |at: usize| match u32_at(fixed, at).ok()? {
        u32::MAX => {
            let (value, rest) = wide.split_first_chunk::<8>()?;
            wide = rest;
            Some(u64::from_le_bytes(*value))
        }
        value => Some(u64::from(value)),
    };
    // The extra field holds what did not fit, in this order.
    let (size, packed, header) = (number(24)?, number(20)?, number(42)?);
    // Files lie before the directory, as far as they claim to.
    let header = match place.claimed == place.range.start {
        true => header,
        false => place.range.start.checked_sub(place.claimed.checked_sub(header)?)?,
    };
    let (flags, method) = (u16_at(fixed, 8).ok()?, u16_at(fixed, 10).ok()?);
    let (encrypted, method) = (flags & ENCRYPTED != 0, Method::of(method));
    Some(Entry { name: String::new(), method, encrypted, packed, size, header })
}

/// The name, where the archive says how it is to be read.
fn declared(&Record { fixed, name, extra }: &Record) -> Option<String> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let flagged = u16_at(fixed, 8).is_ok_and(|flags| flags & UTF_8 != 0);
    let by_flag = flagged.then(|| text(name)).flatten();
    by_flag.or_else(|| {
        let field = field(extra, UNICODE_PATH)?;
        // A program that renamed the file without knowing this field has left the old name in it.
        let of_this_name = field.first() == Some(&1) && u32_at(field, 1).ok()? == crc32(name);
        text(field.get(5..)?).filter(|name| of_this_name && !name.is_empty())
    })
}

fn field(mut extra: &[u8], tag: u16) -> Option<&[u8]> {
    loop {
        let (found, length) = (u16_at(extra, 0).ok()?, usize::from(u16_at(extra, 2).ok()?));
        let data = extra.get(4..4 + length)?;
        if found == tag {
            return Some(data);
        }
        extra = &extra[4 + length..];
    }
}

/// Names are short: no table is worth it.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
