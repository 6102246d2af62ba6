//! The tables that hold where a scan begins.

use super::entropy::{Huffman, quantization};
use super::standard_tables::STANDARD_TABLES;
use super::structure::{Segment, Segments};

/// Tables by number, 0 to 3.
pub(super) struct Tables {
    /// Of Huffman's code, for means.
    dc: [Option<Huffman>; 4],
    /// Of Huffman's code, for other coefficients.
    ac: [Option<Huffman>; 4],
    /// Quantization steps, in the order of a block's rows.
    steps: [Option<[u16; 64]>; 4],
    /// Of the arithmetic code: the bounds of small and of large differences of means.
    pub dc_bounds: [(u8, u8); 4],
    /// Of the arithmetic code: the last of the low coefficients.
    pub ac_bound: [u8; 4],
    /// Units between restart markers; 0 for none.
    pub restart: u64,
}

impl Default for Tables {
    fn default() -> Self {
        let mut tables = Self {
            dc: Default::default(),
            ac: Default::default(),
            steps: [None; 4],
            dc_bounds: [(0, 1); 4],
            ac_bound: [5; 4],
            restart: 0,
        };
        tables.define_codes(&STANDARD_TABLES);
        tables
    }
}

impl Tables {
    pub fn before(bytes: &[u8], end: usize) -> Self {
        let mut tables = Self::default();
        Segments::new(&bytes[..end.min(bytes.len())]).for_each(|segment| tables.note(&segment));
        tables
    }

    /// Takes what this segment defines.
    pub fn note(&mut self, segment: &Segment) {
        let mut content = segment.content;
        match segment.marker {
            0xc4 => self.define_codes(content),
            0xcc => {
                for &[place, value] in content.as_chunks::<2>().0 {
                    let number = usize::from(place & 3);
                    match place >> 4 {
                        0 => self.dc_bounds[number] = (value & 15, value >> 4),
                        _ => self.ac_bound[number] = value,
                    }
                }
            }
            0xdb => {
                while let Some((number, steps, rest)) = quantization(content) {
                    if let Some(place) = self.steps.get_mut(usize::from(number)) {
                        *place = Some(steps);
                    }
                    content = rest;
                }
            }
            0xdd => {
                if let [high, low, ..] = *content {
                    self.restart = u64::from(u16::from_be_bytes([high, low]));
                }
            }
            _ => {}
        }
    }

    fn define_codes(&mut self, mut content: &[u8]) {
        while let Some(((class, number), table, rest)) = Huffman::read(content) {
            let tables = if class == 0 { &mut self.dc } else { &mut self.ac };
            if let Some(place) = tables.get_mut(usize::from(number)) {
                *place = Some(table);
            }
            content = rest;
        }
    }

    pub fn dc(&self, number: u8) -> Option<&Huffman> {
        self.dc.get(usize::from(number))?.as_ref()
    }

    pub fn ac(&self, number: u8) -> Option<&Huffman> {
        self.ac.get(usize::from(number))?.as_ref()
    }

    pub fn steps(&self, number: u8) -> Option<&[u16; 64]> {
        self.steps.get(usize::from(number))?.as_ref()
    }
}
