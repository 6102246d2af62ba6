//! Tables and bits of coded data, in Huffman's method.

use std::collections::BTreeMap;

use super::structure::Segments;

/// The tables that hold where a scan begins.
#[derive(Default)]
pub(super) struct Tables {
    /// By class (0 for DC, 1 for AC) and number.
    pub huffman: BTreeMap<(u8, u8), Huffman>,
    /// Units between restart markers; 0 for none.
    pub restart: u64,
    /// The first step of each quantization table, by its number: that of the mean of a block.
    pub mean_step: BTreeMap<u8, u16>,
}

impl Tables {
    pub fn before(bytes: &[u8], end: usize) -> Self {
        let mut tables = Self::default();
        for segment in Segments::new(&bytes[..end.min(bytes.len())]) {
            match (segment.marker, segment.content) {
                (0xc4, mut content) => {
                    while let Some((place, table, rest)) = Huffman::read(content) {
                        tables.huffman.insert(place, table);
                        content = rest;
                    }
                }
                (0xdb, mut content) => {
                    while let Some((&place, rest)) = content.split_first() {
                        let length = if place >> 4 == 0 { 1 } else { 2 };
                        let Some(table) = rest.get(..64 * length) else { break };
                        let step = table[..length].iter().fold(0, |step, &byte| step << 8 | u16::from(byte));
                        tables.mean_step.insert(place & 15, step);
                        content = &rest[64 * length..];
                    }
                }
                (0xdd, &[high, low, ..]) => tables.restart = u64::from(u16::from_be_bytes([high, low])),
                _ => {}
            }
        }
        tables
    }
}

/// A code of up to 16 bits: for each length the first code, the number of codes, and their symbols in order.
pub(super) struct Huffman {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Huffman {
    fn read(content: &[u8]) -> Option<((u8, u8), Self, &[u8])> {
        let (&place, rest) = content.split_first()?;
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let length = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(length)?;
        Some(((place >> 4, place & 15), Self { counts: *counts, symbols: symbols.to_vec() }, rest))
    }

    pub fn symbol(&self, bits: &mut Bits) -> Option<u8> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for &count in &self.counts {
            let count = u32::from(count);
            code = code << 1 | bits.bit()?;
            if code < first + count {
                return self.symbols.get((index + code.checked_sub(first)?) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
        }
        None
    }
}

/// A scan's bits. A marker or the end of the bytes ends them.
pub(super) struct Bits<'a> {
    pub bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
    held: u8,
    count: u8,
    pub ended: bool,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0, ended: false }
    }

    pub fn bit(&mut self) -> Option<u32> {
        if self.count == 0 {
            // In the data, 0xff is followed by 0.
            let (byte, length) = match self.bytes.get(self.at..).unwrap_or_default() {
                [0xff, 0, ..] => (0xff, 2),
                [0xff, ..] | [] => {
                    self.ended = true;
                    return None;
                }
                [byte, ..] => (*byte, 1),
            };
            (self.held, self.count) = (byte, 8);
            self.at += length;
        }
        self.count -= 1;
        Some(u32::from(self.held >> self.count & 1))
    }

    pub fn skip(&mut self, bits: u8) -> Option<()> {
        (0..bits).try_for_each(|_| self.bit().map(drop))
    }

    /// A number of so many bits, in the form of a difference: those with a leading zero are negative.
    pub fn difference(&mut self, bits: u8) -> Option<i32> {
        let number = (0..bits).try_fold(0, |number, _| Some(number << 1 | self.bit()? as i32))?;
        let is_negative = bits > 0 && number < 1 << (bits - 1);
        Some(if is_negative { number - (1 << bits) + 1 } else { number })
    }

    /// The rest of this byte is padding; a restart marker follows.
    pub fn restart(&mut self) -> Option<()> {
        self.count = 0;
        let is_restart = matches!(self.bytes.get(self.at..).unwrap_or_default(), [0xff, 0xd0..=0xd7, ..]);
        self.ended = !is_restart;
        self.at += 2;
        is_restart.then_some(())
    }
}
