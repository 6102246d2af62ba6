//! Reads a tar file header by header, without reading the files between them.

use super::header::{self, BLOCK, Header};
use super::pax::Pax;
use crate::names::SingleByte;
use crate::{ArchiveFault, Reason};
use std::collections::HashMap;
use std::ops::Range;

/// A long name or pax header takes less.
const MAX_EXTENSION: u64 = 1 << 20;

/// A file in a tar file; folders are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// With its folders, in the bytes of whatever character set.
    pub name: Vec<u8>,
    /// Where its content lies, or why it has none that can be read.
    pub content: Result<Range<u64>, Reason>,
}

/// The set of names that are in none of several bytes. Names are UTF-8 on today's systems, whatever they are in on others.
pub const OTHER_NAMES: SingleByte = SingleByte::Windows1252;

/// The members' names, decoded all together.
#[cfg(feature = "character-sets")]
pub fn decode_names(members: &[Member]) -> Vec<String> {
    let names: Vec<_> = members.iter().map(|member| member.name.as_slice()).collect();
    crate::names::decode(&names, OTHER_NAMES)
}

/// A reader without input of its own: [`HeaderReader::wants`] says which bytes it needs, [`HeaderReader::give`] takes
/// them.
#[derive(Debug)]
pub struct HeaderReader {
    length: u64,
    at: u64,
    step: Step,
    /// What headers have said of the next file.
    next: Pax,
    /// What a global header has said of all that follow.
    all: Pax,
    /// Where files are that later ones may be links to.
    contents: HashMap<Vec<u8>, Range<u64>>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Header,
    /// After a block of zeros: another ends the archive.
    AfterZeros,
    /// A header's extension, of this kind and size.
    Extension(u8, u64),
    /// The archive ends before the last file does.
    Cut,
    Done,
}

impl HeaderReader {
    /// Through an archive of so many bytes.
    pub fn new(length: u64) -> Self {
        let (next, all) = (Pax::default(), Pax::default());
        Self { length, at: 0, step: Step::Header, next, all, contents: HashMap::new() }
    }

    /// The bytes that are wanted next; none once the archive is through.
    pub fn wants(&self) -> Option<Range<u64>> {
        let size = match self.step {
            Step::Done => return None,
            // An archive need not end in blocks of zeros.
            Step::Header | Step::AfterZeros if self.at == self.length => return None,
            Step::Header | Step::AfterZeros => BLOCK,
            Step::Extension(_, size) => size,
            Step::Cut => 0,
        };
        Some(self.at..self.at.saturating_add(size).min(self.length))
    }

    /// Takes the bytes that were wanted; returns a file if they complete one.
    ///
    /// # Errors
    /// When they are no header. The files before it stay valid.
    pub fn give(&mut self, bytes: &[u8]) -> Result<Option<Member>, ArchiveFault> {
        match self.step {
            Step::Done => Ok(None),
            Step::Cut => self.end(ArchiveFault::Damaged),
            Step::Header | Step::AfterZeros => {
                let header = header::read(bytes);
                self.at += bytes.len() as u64;
                match header {
                    Ok(Some(header)) => self.header(header),
                    Ok(None) => {
                        self.step =
                            if matches!(self.step, Step::AfterZeros) { Step::Done } else { Step::AfterZeros };
                        Ok(None)
                    }
                    // Behind zeros anything may stand.
                    Err(_) if matches!(self.step, Step::AfterZeros) => {
                        self.step = Step::Done;
                        Ok(None)
                    }
                    Err(fault) => self.end(fault),
                }
            }
            Step::Extension(kind, size) => {
                if bytes.len() as u64 != size {
                    return self.end(ArchiveFault::Damaged);
                }
                self.extension(kind, bytes);
                self.step = Step::Header;
                self.skip(size)
            }
        }
    }

    fn header(&mut self, header: Header) -> Result<Option<Member>, ArchiveFault> {
        self.step = Step::Header;
        if matches!(header.kind, b'L' | b'K' | b'x' | b'X' | b'g') {
            if header.size > MAX_EXTENSION {
                return self.end(ArchiveFault::Damaged);
            }
            // One of no bytes says nothing.
            if header.size > 0 {
                self.step = Step::Extension(header.kind, header.size);
            }
            return Ok(None);
        }
        let said = std::mem::take(&mut self.next);
        let all = &self.all;
        let name = said.path.or_else(|| all.path.clone()).unwrap_or(header.name);
        let link = said.link.or_else(|| all.link.clone()).unwrap_or(header.link);
        // A link has no content of its own, whatever size it tells.
        let size = if matches!(header.kind, b'1'..=b'6') {
            0
        } else {
            said.size.or(all.size).unwrap_or(header.size)
        };
        let start = self.at;
        let inside = start.checked_add(size).filter(|end| *end <= self.length).map(|end| start..end);
        let content = match header.kind {
            b'5' => return self.skip(size),
            b'0' | b'\0' if name.ends_with(b"/") => return self.skip(size),
            b'0' | b'\0' | b'7' if !said.sparse => inside.ok_or(Reason::Unreadable),
            b'1' => self.contents.get(&link).cloned().ok_or(Reason::Special),
            _ => Err(Reason::Special),
        };
        if let Ok(content) = &content {
            self.contents.insert(name.clone(), content.clone());
        }
        if self.skip(size).is_err() {
            self.step = Step::Cut;
        }
        Ok(Some(Member { name, content }))
    }

    fn extension(&mut self, kind: u8, bytes: &[u8]) {
        let text = || bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        match kind {
            b'L' => self.next.path = Some(text()),
            b'K' => self.next.link = Some(text()),
            b'g' => self.all.read(bytes),
            _ => self.next.read(bytes),
        }
    }

    /// To the block after so many bytes.
    fn skip(&mut self, size: u64) -> Result<Option<Member>, ArchiveFault> {
        let end = size.checked_next_multiple_of(BLOCK).and_then(|size| self.at.checked_add(size));
        match (end, self.at.checked_add(size)) {
            (Some(end), _) if end <= self.length => self.at = end,
            // The last block may be short.
            (_, Some(end)) if end <= self.length => self.at = self.length,
            _ => return self.end(ArchiveFault::Damaged),
        }
        Ok(None)
    }

    fn end(&mut self, fault: ArchiveFault) -> Result<Option<Member>, ArchiveFault> {
        self.step = Step::Done;
        Err(fault)
    }
}
