//! Numbers in a compressed member of a zip archive: inflated on demand, never all at once.

use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::Read;
use std::ops::Range;

/// Bytes inflated at a time on the way to those that are wanted.
const CHUNK: usize = 64 << 10;

/// A member as the archive describes it.
#[derive(Clone, Debug)]
pub(crate) struct Deflated {
    /// Where it lies in the file; inside it: the reader checks that.
    pub(crate) packed: Range<usize>,
    /// What the archive says of it inflated.
    pub(crate) len: usize,
    pub(crate) crc32: u32,
}

impl Deflated {
    /// A part of the inflated member, checked against its length and checksum.
    ///
    /// # Errors
    /// A sentence, when the member is not what the archive says.
    pub(crate) fn read(&self, file: &[u8], wanted: Range<usize>) -> Result<Vec<u8>, String> {
        let packed = file.get(self.packed.clone()).ok_or("a compressed member lies outside the file")?;
        let mut values = Vec::with_capacity(wanted.len());
        let (mut decoder, mut crc) = (DeflateDecoder::new(packed), Crc::new());
        let (mut chunk, mut done) = (vec![0; CHUNK], 0usize);
        loop {
            let count =
                decoder.read(&mut chunk).map_err(|e| format!("a compressed member is damaged ({e})"))?;
            if count == 0 {
                break;
            }
            let piece = &chunk[..count];
            if count > self.len - done {
                return Err(format!(
                    "a compressed member is longer than the {} bytes it should have",
                    self.len
                ));
            }
            crc.update(piece);
            let part = |at: usize| at.clamp(done, done + count) - done;
            values.extend_from_slice(&piece[part(wanted.start)..part(wanted.end)]);
            done += count;
        }
        if done != self.len || crc.sum() != self.crc32 || values.len() != wanted.len() {
            return Err(format!(
                "a compressed member is damaged: expected {} bytes of checksum {:08x}, got {done} of {:08x}",
                self.len,
                self.crc32,
                crc.sum()
            ));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::DeflateEncoder};
    use std::io::Write;

    fn member(bytes: &[u8]) -> (Vec<u8>, Deflated) {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        let file = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(bytes);
        let member = Deflated { packed: 0..file.len(), len: bytes.len(), crc32: crc.sum() };
        (file, member)
    }

    #[test]
    fn any_part_is_read_and_lies_are_seen() {
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i / 7) as u8).collect();
        let (file, member) = member(&bytes);
        for wanted in [0..200_000, 0..0, 65_530..65_540, 199_999..200_000, 5..131_080] {
            assert!(member.read(&file, wanted.clone()).unwrap() == bytes[wanted.clone()], "{wanted:?}");
        }
        for lie in [
            Deflated { len: 199_999, ..member.clone() },
            Deflated { len: 200_001, ..member.clone() },
            Deflated { len: 0, ..member.clone() },
            Deflated { crc32: member.crc32 ^ 1, ..member.clone() },
            Deflated { packed: 0..file.len() / 2, ..member.clone() },
            Deflated { packed: 0..file.len() + 1, ..member.clone() },
        ] {
            assert!(lie.read(&file, 0..lie.len).is_err(), "{lie:?}");
        }
    }
}
