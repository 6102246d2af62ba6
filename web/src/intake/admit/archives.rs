//! Opens archives: what can be classified is taken in, all else rejected or counted.

use super::Intake;
use crate::archive_names;
use crate::inflate::{End, Format, inflate};
use crate::photo_source::{self, Source};
use archive::{ArchiveFault, ArchiveFormat, Kind, Reason, tar, zip};
use page::photo::PhotoError;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use web_sys::Blob;

/// An archive in an archive is opened, and one in that.
const DEEPEST: usize = 2;
/// A packed archive in an archive is unpacked up to this length, and all of a drop up to that.
const MAX_NESTED: u64 = 256 << 20;
const MAX_ALL_NESTED: u64 = 1 << 30;
/// More archives in archives are not opened: entries may all be the same bytes.
const MOST_NESTED: usize = 500;
/// A tar file that is packed as a whole is unpacked up to this length.
const MAX_UNPACKED: u64 = 1 << 30;
/// More members of a tar file are not listed.
const MAX_MEMBERS: usize = 200_000;
/// So much of a tar file is read at a time: headers of small files lie close together.
const WINDOW: u64 = 8 << 10;

/// The archives in archives that a drop held so far.
#[derive(Default)]
pub(super) struct Nested {
    opened: usize,
    unpacked: u64,
}

impl Intake {
    /// Opens an archive that lies in so many others.
    ///
    /// # Errors
    /// When it can't be read, or not to its end. What was read before is taken in.
    pub(super) fn archive(
        &mut self,
        archive: Blob,
        format: ArchiveFormat,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Result<(), ArchiveFault>> + '_>> {
        Box::pin(async move {
            // A name may be wrong, as where a browser has unpacked what it saved.
            let head = photo_source::bytes(&archive, 0..ArchiveFormat::HEAD).await.unwrap_or_default();
            match ArchiveFormat::by_content(&head).unwrap_or(format) {
                ArchiveFormat::Zip => self.zip(archive, depth).await,
                ArchiveFormat::Tar => self.tar(archive, depth).await,
                ArchiveFormat::TarGz => self.tar_gz(archive, depth).await,
                ArchiveFormat::Foreign(format) => Err(ArchiveFault::Foreign(format)),
            }
        })
    }

    async fn zip(&mut self, archive: Blob, depth: usize) -> Result<(), ArchiveFault> {
        let zip::Listing { entries, unreadable } = list(&archive).await?;
        for entry in entries {
            let kind = Kind::of(&entry.name, "");
            let obstacle = match entry.obstacle() {
                Some(Reason::Encrypted) => Some((PhotoError::Encrypted, Reason::Encrypted)),
                Some(reason) => Some((PhotoError::PackedBy(entry.method), reason)),
                None => None,
            };
            match (kind, obstacle) {
                (Kind::Other(reason), _) => self.leave_out(&entry.name, reason),
                (_, Some((error, reason))) => self.reject(&entry.name, error, reason),
                (Kind::Photo, None) => {
                    self.photo(Source::Packed { archive: archive.clone(), entry: Rc::new(entry) }).await;
                }
                (Kind::Archive(format), None) => {
                    if !self.may_open(&entry.name, format, depth) {
                        continue;
                    }
                    if entry.method == zip::Method::Deflated && !self.may_unpack(&entry.name, entry.size) {
                        continue;
                    }
                    let nested = photo_source::unpack(&archive, &entry, MAX_NESTED).await;
                    self.nested(&entry.name, nested, format, depth).await;
                }
            }
        }
        self.count_left_out(Reason::Unreadable, unreadable);
        Ok(())
    }

    async fn tar(&mut self, archive: Blob, depth: usize) -> Result<(), ArchiveFault> {
        let (members, end) = members(&archive).await;
        let names: Vec<_> = members.iter().map(|member| member.name.as_slice()).collect();
        let names = archive_names::decode(&names, tar::OTHER_NAMES).await;
        for (member, name) in members.into_iter().zip(names) {
            match (Kind::of(&name, ""), member.content) {
                (Kind::Other(reason), _) => self.leave_out(&name, reason),
                (_, Err(Reason::Unreadable)) => {
                    self.reject(&name, PhotoError::NotUnpacked, Reason::Unreadable)
                }
                (_, Err(reason)) => self.leave_out(&name, reason),
                (Kind::Photo, Ok(range)) => {
                    let name = archive::file_name(&name).into();
                    self.photo(Source::Part { archive: archive.clone(), range, name }).await;
                }
                (Kind::Archive(format), Ok(range)) => {
                    if self.may_open(&name, format, depth) {
                        self.nested(&name, photo_source::slice(&archive, range), format, depth).await;
                    }
                }
            }
        }
        end
    }

    async fn tar_gz(&mut self, archive: Blob, depth: usize) -> Result<(), ArchiveFault> {
        let most = match depth {
            0 => MAX_UNPACKED,
            _ => MAX_NESTED.min(MAX_ALL_NESTED.saturating_sub(self.nested.unpacked)),
        };
        let inflated = inflate(&archive, Format::Gzip, most).await.ok_or(ArchiveFault::Damaged)?;
        if depth > 0 {
            self.nested.unpacked += inflated.length;
        }
        let end = self.tar(inflated.blob, depth).await;
        match inflated.end {
            End::Whole => end,
            End::Damaged => Err(ArchiveFault::Damaged),
            End::TooLong => Err(ArchiveFault::TooLarge { most_megabytes: most >> 20 }),
        }
    }

    /// Whether an archive in one at this depth is opened; if not, it is rejected.
    fn may_open(&mut self, name: &str, format: ArchiveFormat, depth: usize) -> bool {
        let error = match format {
            ArchiveFormat::Foreign(format) => PhotoError::Archive(ArchiveFault::Foreign(format)),
            _ if depth >= DEEPEST => PhotoError::NestedTooDeep,
            _ if self.nested.opened >= MOST_NESTED => PhotoError::Archive(ArchiveFault::TooManyFiles),
            _ => {
                self.nested.opened += 1;
                return true;
            }
        };
        self.reject(name, error, Reason::Nested);
        false
    }

    /// Whether so many bytes of an archive in one are unpacked; if not, it is rejected.
    fn may_unpack(&mut self, name: &str, size: u64) -> bool {
        let all = self.nested.unpacked.saturating_add(size);
        if size <= MAX_NESTED && all <= MAX_ALL_NESTED {
            self.nested.unpacked = all;
            return true;
        }
        let most = if size > MAX_NESTED { MAX_NESTED } else { MAX_ALL_NESTED };
        let error = PhotoError::NestedTooLarge { most_megabytes: most >> 20 };
        self.reject(name, error, Reason::Nested);
        false
    }

    async fn nested(&mut self, name: &str, archive: Option<Blob>, format: ArchiveFormat, depth: usize) {
        let opened = match archive {
            Some(archive) => self.archive(archive, format, depth + 1).await,
            None => Err(ArchiveFault::Damaged),
        };
        if let Err(fault) = opened {
            self.reject(name, PhotoError::Archive(fault), Reason::Nested);
        }
    }
}

async fn list(archive: &Blob) -> Result<zip::Listing, ArchiveFault> {
    let length = archive.size() as u64;
    let damaged = ArchiveFault::Damaged;
    let tail = photo_source::bytes(archive, length.saturating_sub(zip::TAIL)..length).await.ok_or(damaged)?;
    for place in zip::directories(&tail, length)? {
        let directory = photo_source::bytes(archive, place.range.clone()).await.ok_or(damaged)?;
        if let Ok(records) = zip::records(&directory, &place) {
            let names = archive_names::decode(&records.undeclared(), zip::OTHER_NAMES).await;
            return Ok(records.with_names(names));
        }
    }
    Err(damaged)
}

/// A tar file's members, and why there are no more if it was not read to its end.
async fn members(archive: &Blob) -> (Vec<tar::Member>, Result<(), ArchiveFault>) {
    let length = archive.size() as u64;
    let mut walk = tar::HeaderReader::new(length);
    let mut members = Vec::new();
    let mut window = Window { start: 0, bytes: Vec::new() };
    while let Some(range) = walk.wants() {
        let Some(bytes) = window.read(archive, range, length).await else {
            return (members, Err(ArchiveFault::Damaged));
        };
        match walk.give(bytes) {
            Ok(member) => members.extend(member),
            Err(fault) => return (members, Err(fault)),
        }
        if members.len() > MAX_MEMBERS {
            return (members, Err(ArchiveFault::TooManyFiles));
        }
    }
    (members, Ok(()))
}

/// A part of a blob that is in memory.
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    async fn read(&mut self, blob: &Blob, range: Range<u64>, length: u64) -> Option<&[u8]> {
        let end = self.start + self.bytes.len() as u64;
        if range.start < self.start || range.end > end {
            let wanted = range.start..range.end.max(range.start.saturating_add(WINDOW).min(length));
            self.bytes = photo_source::bytes(blob, wanted).await?;
            self.start = range.start;
        }
        let from = usize::try_from(range.start - self.start).ok()?;
        let to = usize::try_from(range.end - self.start).ok()?;
        self.bytes.get(from..to)
    }
}
