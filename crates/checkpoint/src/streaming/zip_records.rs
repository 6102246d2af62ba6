//! The records of a zip archive that stand between its members' contents. Offsets and signatures: PKWARE's
//! APPNOTE.TXT, sections 4.3 and 4.5.

/// How a member's header begins.
pub(super) const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
/// How what follows the last member may begin: the central directory, or its end where there is no member.
pub(super) const DIRECTORY: [[u8; 4]; 2] = [*b"PK\x01\x02", *b"PK\x05\x06"];
/// How the archive's last record begins, without a comment [`END_BYTES`] long.
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
pub(super) const END_BYTES: usize = 22;
/// Bytes of a member's header before its name.
pub(super) const FIXED_BYTES: usize = 30;

const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// The descriptor's length where sizes have 32 bits, and 64: signature, checksum, two sizes.
const DESCRIPTOR_BYTES: [usize; 2] = [16, 24];
/// The extra field that says that sizes have 64 bits.
const ZIP64: u16 = 1;

/// The header before a member's content.
pub(super) struct LocalHeader {
    pub(super) name: String,
    /// Length of the content, unless only the descriptor behind it tells.
    pub(super) size: Option<u64>,
    /// Length of the descriptor behind the content; 0 without one.
    pub(super) descriptor: usize,
}

/// Bytes of the header with this beginning.
pub(super) fn header_bytes(fixed: &[u8; FIXED_BYTES]) -> usize {
    FIXED_BYTES + usize::from(u16_at(fixed, 26)) + usize::from(u16_at(fixed, 28))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |&b| u16::from_le_bytes(b))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |&b| u32::from_le_bytes(b))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |&b| u64::from_le_bytes(b))
}

impl LocalHeader {
    /// Reads a whole header.
    ///
    /// # Errors
    /// A sentence, when its content can't be read as it comes.
    pub(super) fn read(record: &[u8]) -> Result<Self, String> {
        let (flags, method) = (u16_at(record, 6), u16_at(record, 8));
        let (name, extra) = record[FIXED_BYTES..].split_at(usize::from(u16_at(record, 26)));
        let name = String::from_utf8_lossy(name).into_owned();
        if flags & 1 != 0 {
            return Err(format!(
                "{name:.120} is encrypted: unpack the archive and pack it without a password"
            ));
        }
        if method != 0 {
            return Err(only_from_a_file(&format!("{name:.120} is compressed")));
        }
        let zip64 = zip64_field(extra);
        let has_descriptor = flags & 1 << 3 != 0;
        let size = match (u32_at(record, 18), zip64) {
            // The uncompressed size comes first; stored content has the same length compressed.
            (u32::MAX, Some(field)) => u64_at(field, 8),
            (size, _) => size.into(),
        };
        Ok(Self {
            name,
            size: (size > 0 || !has_descriptor).then_some(size),
            descriptor: if has_descriptor { DESCRIPTOR_BYTES[usize::from(zip64.is_some())] } else { 0 },
        })
    }
}

fn zip64_field(mut extra: &[u8]) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let field = extra.get(4..4 + len)?;
        if id == ZIP64 {
            return Some(field);
        }
        extra = &extra[4 + len..];
    }
    None
}

/// Whether these bytes are the descriptor of a content of this length.
pub(super) fn is_descriptor(bytes: &[u8], content: u64) -> bool {
    let sizes = if bytes.len() == DESCRIPTOR_BYTES[0] {
        [u32_at(bytes, 8).into(), u32_at(bytes, 12).into()]
    } else {
        [u64_at(bytes, 8), u64_at(bytes, 16)]
    };
    bytes.starts_with(&DESCRIPTOR) && sizes == [content; 2]
}

/// A sentence about an archive that only the command line converts, which reads any part of a file at any time.
pub(super) fn only_from_a_file(reason: &str) -> String {
    format!(
        "{reason}, so it cannot be converted while it arrives: download it and run `beitscope convert` on the file"
    )
}
