//! Huffman's code: the bits of a scan's data, and the tables that tell symbols from them.

use super::structure::ZIGZAG;

/// Why a scan gives no more blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its data ends before its blocks do.
    Ended,
    /// Its data is none that an encoder writes.
    Damaged,
}

/// Codes up to this length are looked up at once.
const SHORT_CODE: u32 = 9;

/// A code of up to 16 bits.
#[derive(Clone, Debug)]
pub(super) struct Huffman {
    /// By the next bits: the symbol, and in the high byte the length of its code, 0 where that is longer.
    short: [u16; 1 << SHORT_CODE],
    /// For each length from 1 on: the first 16 bits that no code of this length or a shorter one begins.
    limits: [u32; 16],
    /// For each length: what a code is more than the place of its symbol.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Huffman {
    /// A table's place (class and number) and content, and what follows it.
    pub fn read(content: &[u8]) -> Option<((u8, u8), Self, &[u8])> {
        let (&place, rest) = content.split_first()?;
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let length = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(length)?;
        Some(((place >> 4, place & 15), Self::new(counts, symbols), rest))
    }

    /// From the number of codes of each length, and the symbols in the order of their codes.
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Self {
        let mut table = Self {
            short: [0; 1 << SHORT_CODE],
            limits: [0; 16],
            offsets: [0; 16],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0u32, 0usize);
        for length in 1..=16 {
            let count = usize::from(counts[length as usize - 1]);
            table.offsets[length as usize - 1] = code as i32 - place as i32;
            for &symbol in &symbols[place..place + count] {
                if length <= SHORT_CODE {
                    let begin = (code << (SHORT_CODE - length)) as usize;
                    let end = (begin + (1 << (SHORT_CODE - length))).min(table.short.len());
                    if let Some(entries) = table.short.get_mut(begin..end) {
                        entries.fill((length as u16) << 8 | u16::from(symbol));
                    }
                }
                code += 1;
            }
            place += count;
            table.limits[length as usize - 1] = code << (16 - length);
            code <<= 1;
        }
        table
    }

    /// The next symbol.
    #[inline]
    pub fn symbol(&self, bits: &mut Bits) -> Result<u8, Stop> {
        let next = bits.peek(16);
        let entry = self.short[(next >> (16 - SHORT_CODE)) as usize];
        if entry != 0 {
            bits.skip(u32::from(entry >> 8))?;
            return Ok(entry as u8);
        }
        for length in SHORT_CODE + 1..=16 {
            if next < self.limits[length as usize - 1] {
                bits.skip(length)?;
                let place = (next >> (16 - length)) as i32 - self.offsets[length as usize - 1];
                return usize::try_from(place)
                    .ok()
                    .and_then(|place| self.symbols.get(place).copied())
                    .ok_or(Stop::Damaged);
            }
        }
        // Where bits are missing, what is peeked at is no code of the file's.
        if bits.count >= 16 {
            return Err(Stop::Damaged);
        }
        bits.end()?;
        Ok(0)
    }
}

/// A scan's bits. A marker or the end of the bytes ends them.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte.
    at: usize,
    /// The next bits, from the highest on; zeros behind them.
    held: u64,
    count: u32,
    /// Whether zeros take the place of bits that are missing, and whether they have.
    fills: bool,
    filled: bool,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0, fills: false, filled: false }
    }

    /// The same, with zeros without end behind the data.
    pub fn with_zeros(bytes: &'a [u8], at: usize) -> Self {
        Self { fills: true, ..Self::new(bytes, at) }
    }

    /// Whether zeros were taken that are not in the data.
    pub fn is_filled(&self) -> bool {
        self.filled
    }

    /// Bits are missing: zeros take their place, or the scan ends.
    #[cold]
    fn end(&mut self) -> Result<(), Stop> {
        if !self.fills {
            return Err(Stop::Ended);
        }
        (self.held, self.count, self.filled) = (0, 0, true);
        Ok(())
    }

    /// Where the first byte is of which no bit was taken, but for stuffed zeros.
    pub fn position(&self) -> usize {
        self.at.saturating_sub(self.count as usize / 8)
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            // In the data, 0xff is followed by 0.
            let (byte, length) = match self.bytes.get(self.at..).unwrap_or_default() {
                [0xff, 0, ..] => (0xff, 2),
                [0xff, ..] | [] => return,
                [byte, ..] => (*byte, 1),
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
            self.at += length;
        }
    }

    /// So many bits, 1 to 16, which stay; zeros where the data has ended.
    #[inline]
    fn peek(&mut self, bits: u32) -> u32 {
        if self.count < bits {
            self.fill();
        }
        (self.held >> (64 - bits)) as u32
    }

    /// Passes over so many bits, up to 16.
    #[inline]
    pub fn skip(&mut self, bits: u32) -> Result<(), Stop> {
        if self.count < bits {
            self.fill();
            if self.count < bits {
                return self.end();
            }
        }
        self.held <<= bits;
        self.count -= bits;
        Ok(())
    }

    /// A number of so many bits, up to 16.
    #[inline]
    pub fn number(&mut self, bits: u32) -> Result<i32, Stop> {
        if bits == 0 {
            return Ok(0);
        }
        let number = self.peek(bits);
        self.skip(bits)?;
        Ok(number as i32)
    }

    pub fn bit(&mut self) -> Result<bool, Stop> {
        self.number(1).map(|bit| bit != 0)
    }

    /// A number of so many bits in the form of a difference: those with a leading zero are negative.
    #[inline]
    pub fn difference(&mut self, bits: u32) -> Result<i32, Stop> {
        let number = self.number(bits)?;
        let is_negative = bits > 0 && number < 1 << (bits - 1);
        Ok(if is_negative { number - (1 << bits) + 1 } else { number })
    }

    /// Goes on behind the restart marker of this number, 0 to 7.
    pub fn restart(&mut self, number: u8) -> Result<(), Stop> {
        // Whole bytes that are left belong to no block.
        self.at = match after_restart(self.bytes, self.position(), number) {
            Err(_) if self.fills => self.bytes.len(),
            found => found?,
        };
        (self.held, self.count) = (0, 0);
        Ok(())
    }
}

/// Where the data continues after the restart marker of this number; what stands before the marker is passed over.
pub(super) fn after_restart(bytes: &[u8], from: usize, number: u8) -> Result<usize, Stop> {
    let mut at = from;
    match super::structure::next_marker(bytes, &mut at) {
        Some(marker) if marker == 0xd0 + number => Ok(at),
        _ => Err(Stop::Ended),
    }
}

/// Quantization steps in the order of a block's rows, from a segment's content that begins with the table's place; and
/// what follows.
pub(super) fn quantization(content: &[u8]) -> Option<(u8, [u16; 64], &[u8])> {
    let (&place, rest) = content.split_first()?;
    let length = if place >> 4 == 0 { 1 } else { 2 };
    let (table, rest) = rest.split_at_checked(64 * length)?;
    let mut steps = [0; 64];
    for (number, step) in table.chunks(length).enumerate() {
        steps[ZIGZAG[number]] = step.iter().fold(0, |step, &byte| step << 8 | u16::from(byte));
    }
    Some((place & 15, steps, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes 0, 10, 110 and one of 12 bits.
    fn table() -> Huffman {
        Huffman::new(&[1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], &[7, 8, 9, 10])
    }

    #[test]
    fn symbols_of_short_and_long_codes() {
        // 0 10 110 1110_0000_0000 11, and ones that fill the byte
        let data = [0b0101_1011, 0b1000_0000, 0b0011_1111];
        let mut bits = Bits::new(&data, 0);
        let table = table();
        assert_eq!([0; 4].map(|_: u8| table.symbol(&mut bits).unwrap()), [7, 8, 9, 10]);
        assert_eq!(bits.number(2), Ok(3));
        assert_eq!(table.symbol(&mut bits), Err(Stop::Ended), "1111 begins none of the codes");
        let mut bits = Bits::new(&[0xf0, 0, 0, 0], 0);
        assert_eq!(table.symbol(&mut bits), Err(Stop::Damaged));
    }

    #[test]
    fn data_ends_at_a_marker_and_continues_behind_a_restart() {
        let data = [0xff, 0, 0x12, 0xff, 0xd1, 0x80, 0xff, 0xd9];
        let mut bits = Bits::new(&data, 0);
        assert_eq!((bits.number(16), bits.bit()), (Ok(0xff12), Err(Stop::Ended)));
        assert_eq!(bits.restart(2), Err(Stop::Ended));
        assert_eq!((bits.restart(1), bits.bit()), (Ok(()), Ok(true)));
    }

    #[test]
    fn differences_of_both_signs() {
        // 3 bits each: 000 is −7, 011 is −4, 100 is 4, 111 is 7
        let mut bits = Bits::new(&[0b0000_1110, 0b0111_0000], 0);
        assert_eq!([0; 4].map(|_: u8| bits.difference(3).unwrap()), [-7, -4, 4, 7]);
        assert_eq!(bits.difference(0), Ok(0));
    }

    /// More codes than there is room for: an answer or a fault, and no index out of range.
    #[test]
    fn impossible_tables_do_not_panic() {
        let table = Huffman::new(&[16; 16], &[1; 256]);
        let data: Vec<_> = (0..=254).collect();
        let mut bits = Bits::new(&data, 0);
        while table.symbol(&mut bits).is_ok() {}
    }
}
