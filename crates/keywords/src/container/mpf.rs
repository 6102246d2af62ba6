//! The list of further images in a JPEG (CIPA DC-007, Multi-Picture Format): gain maps, stereo pairs, previews.

use crate::splice::Splice;
use std::ops::Range;

const ENTRIES_TAG: u16 = 0xb002;
const ENTRY_BYTES: usize = 16;

/// Numbers of the list, in its byte order; offsets count from its start.
struct Numbers<'a> {
    list: &'a [u8],
    is_big: bool,
}

impl Numbers<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.list.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.list.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn place(&self, at: usize) -> Option<usize> {
        usize::try_from(self.u32(at)?).ok()
    }

    fn written(&self, value: u32) -> Vec<u8> {
        if self.is_big { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }
}

/// Changes of the list at `range` of the file when the first image becomes longer by `delta` bytes, which are behind
/// the list if `moves`: then the further images move away from it. `None` if the list can't be read, or its numbers
/// become too large.
pub fn moved(file: &[u8], range: &Range<usize>, delta: i64, moves: bool) -> Option<Vec<Splice>> {
    let list = file.get(range.clone())?;
    let is_big = match list.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let numbers = Numbers { list, is_big };
    let directory = numbers.place(4).filter(|&place| place < list.len())?;
    let tags = usize::from(numbers.u16(directory)?);
    let tag =
        (0..tags).map(|tag| directory + 2 + 12 * tag).find(|&tag| numbers.u16(tag) == Some(ENTRIES_TAG))?;
    let (bytes, entries) = (numbers.place(tag + 4)?, numbers.place(tag + 8)?);
    list.get(entries..entries.checked_add(bytes)?)?;
    let mut splices = Vec::new();
    let mut write = |at: usize| {
        let value = u32::try_from(i64::from(numbers.u32(at)?) + delta).ok()?;
        let at = range.start + at;
        splices.push(Splice::new(at..at + 4, numbers.written(value)));
        Some(())
    };
    for entry in (entries..entries + bytes / ENTRY_BYTES * ENTRY_BYTES).step_by(ENTRY_BYTES) {
        // Attribute, size, offset, two dependent images. The first image is at no offset.
        match numbers.u32(entry + 8)? {
            0 if entry == entries => write(entry + 4)?,
            0 => {}
            _ if moves => write(entry + 8)?,
            _ => {}
        }
    }
    Some(splices)
}
