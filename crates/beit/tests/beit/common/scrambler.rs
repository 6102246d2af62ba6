//! Damaged files.

/// Numbers that look random and are the same every time.
pub struct Scrambler(pub u64);

impl Scrambler {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    /// The file with some bytes changed, moved or cut off. Each third round spoils its beginning, its end, or any part:
    /// sizes and offsets are at the beginning, and in TIFF at the end.
    pub fn damaged(&mut self, file: &[u8], round: usize) -> Vec<u8> {
        let mut damaged = file.to_vec();
        let (from, to) = match round % 3 {
            0 => (0, file.len().min(700)),
            1 => (file.len().saturating_sub(300), file.len()),
            _ => (0, file.len()),
        };
        for _ in 0..1 + self.below(4) {
            let at = from + self.below(to - from);
            match self.below(3) {
                0 => damaged[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                1 => damaged[at] ^= 1 << self.below(8),
                _ => damaged.rotate_left(self.below(3)),
            }
        }
        if round.is_multiple_of(5) {
            damaged.truncate(self.below(damaged.len()));
        }
        damaged
    }
}
