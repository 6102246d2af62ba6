//! Windows' icons: the largest of their pictures, as Pillow takes it.

use std::io::Cursor;

use image::codecs::ico::IcoDecoder;

use super::{DecodeError, Format, Picture, picture as decode_picture, read};

const PNG: &[u8] = b"\x89PNG";

/// One picture of the file, as its directory tells it.
struct Entry<'a> {
    /// Pixels, then bits a pixel: the larger is the better.
    rank: (u32, u16),
    data: &'a [u8],
}

pub(super) fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let best = entries(bytes).max_by_key(|entry| entry.rank);
    match best {
        // `image` takes PNGs in icons of one colour type alone.
        Some(Entry { data, .. }) if data.starts_with(PNG) => decode_picture(Format::Png, data),
        _ => {
            let icon = IcoDecoder::new(Cursor::new(bytes));
            read(Format::Ico, icon, |pixels, _| 4 * pixels).map(|rgb| Picture::of(rgb, "image"))
        }
    }
}

fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let count = bytes.get(4..6).map_or(0, |count| u16::from_le_bytes([count[0], count[1]]));
    let directory = bytes.get(6..).unwrap_or_default().as_chunks::<16>().0;
    directory.iter().take(count.into()).filter_map(|entry| {
        // 0 stands for 256.
        let side = |at: usize| u32::from(entry[at].wrapping_sub(1)) + 1;
        let number =
            |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize;
        let (length, at) = (number(8), number(12));
        let data = bytes.get(at..at.checked_add(length)?)?;
        Some(Entry { rank: (side(0) * side(1), u16::from_le_bytes([entry[6], entry[7]])), data })
    })
}
