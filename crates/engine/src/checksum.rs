//! A checksum of bytes that lie outside the program's memory, and their pieces.

use crate::platform::Bytes;
use xxhash_rust::xxh3::Xxh3Default;

/// So much is copied into the program's memory at a time.
pub const PIECE: u64 = 1 << 20;

/// XXH3 in hexadecimal: detects what storage has damaged, in a tenth of the time of SHA-256. It does not guard against an
/// attacker; but who can write into the page's storage can also change the page.
pub fn checksum(bytes: &impl Bytes) -> String {
    let mut hash = Xxh3Default::new();
    for_each_piece(bytes, |piece| hash.update(piece));
    format!("{:016x}", hash.digest())
}

/// Copies of all pieces, one after another in the same memory.
pub fn for_each_piece(bytes: &impl Bytes, mut take: impl FnMut(&[u8])) {
    let mut scratch = vec![0; PIECE as usize];
    for (at, length) in pieces(bytes.length()) {
        let piece = &mut scratch[..length];
        bytes.copy_to(at, piece);
        take(piece);
    }
}

/// Where each piece of so many bytes begins, and its length: at most [`PIECE`].
pub fn pieces(length: u64) -> impl Iterator<Item = (u64, usize)> {
    (0..length.div_ceil(PIECE)).map(move |i| (i * PIECE, PIECE.min(length - i * PIECE) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_everything_once() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7] {
            let mut end = 0;
            for (at, length) in pieces(length) {
                assert_eq!(at, end);
                assert!((1..=PIECE).contains(&(length as u64)));
                end += length as u64;
            }
            assert_eq!(end, length);
        }
    }
}
