//! Bitmaps of OS/2 2.x, which decoders of Windows' bitmaps lack.

use std::borrow::Cow;

const FILE_HEADER: usize = 14;
/// Windows' information header, whose first fields OS/2's is equal to.
const USUAL: u32 = 40;

/// The file with Windows' header in place of OS/2's: what follows the fields they share tells nothing about the pixels.
pub(super) fn with_usual_header(bytes: &[u8]) -> Cow<'_, [u8]> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let Some((pixels, header @ (16 | 64))) = number(10).zip(number(FILE_HEADER)) else {
        return Cow::Borrowed(bytes);
    };
    // Its compressions 3 and 4 are others than Windows'.
    let compression = if header == 64 { number(FILE_HEADER + 16) } else { Some(0) };
    let Some((fields, rest)) = bytes.split_at_checked(FILE_HEADER + header as usize) else {
        return Cow::Borrowed(bytes);
    };
    if compression.is_none_or(|compression| compression > 2) {
        return Cow::Borrowed(bytes);
    }
    let mut file = fields[..FILE_HEADER + header.min(USUAL) as usize].to_vec();
    file.resize(FILE_HEADER + USUAL as usize, 0);
    file[10..14].copy_from_slice(&pixels.saturating_add(USUAL).saturating_sub(header).to_le_bytes());
    file[14..18].copy_from_slice(&USUAL.to_le_bytes());
    file.extend_from_slice(rest);
    Cow::Owned(file)
}
