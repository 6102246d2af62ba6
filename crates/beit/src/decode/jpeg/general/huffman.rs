//! Blocks in Huffman's code (T.81, F.2.2 and G.1.2).

use super::pass::Pass;
use super::scan::Coder;
use crate::decode::jpeg::entropy::{Bits, Huffman, Stop};
use crate::decode::jpeg::structure::{Frame, Scan, ZIGZAG};
use crate::decode::jpeg::tables::Tables;

/// A component's tables, and the mean of its block before.
struct Component<'t> {
    dc: Option<&'t Huffman>,
    ac: Option<&'t Huffman>,
    before: i32,
}

pub(super) struct HuffmanCoder<'b, 't> {
    bits: Bits<'b>,
    components: Vec<Component<'t>>,
    pass: Pass,
    /// Blocks that have no more coefficients in this scan, from the next one on.
    empty_blocks: u32,
}

impl<'b, 't> HuffmanCoder<'b, 't> {
    /// None where a table is missing.
    pub fn new(bytes: &'b [u8], frame: &Frame, scan: &Scan, tables: &'t Tables) -> Option<Self> {
        let pass = Pass::of(frame, scan)?;
        let needs_dc = matches!(pass, Pass::Whole | Pass::Mean { .. });
        let needs_ac = matches!(pass, Pass::Whole | Pass::Others { .. } | Pass::OthersBit { .. });
        let component = |&(_, dc, ac): &(u8, u8, u8)| {
            let (dc, ac) = (tables.dc(dc), tables.ac(ac));
            let is_complete = (dc.is_some() || !needs_dc) && (ac.is_some() || !needs_ac);
            is_complete.then_some(Component { dc, ac, before: 0 })
        };
        let components = scan.components.iter().map(component).collect::<Option<_>>()?;
        Some(Self { bits: Bits::with_zeros(bytes, scan.data), components, pass, empty_blocks: 0 })
    }

    fn ac(&self, number: usize) -> Result<&'t Huffman, Stop> {
        self.components.get(number).and_then(|component| component.ac).ok_or(Stop::Damaged)
    }

    /// The coefficient at this place, which is at most at `last`. Of codes that zeros have completed libjpeg takes any place.
    fn target<'c>(&self, block: &'c mut [i16; 64], place: usize, last: usize) -> Result<&'c mut i16, Stop> {
        if place > last && !self.bits.is_filled() {
            return Err(Stop::Damaged);
        }
        Ok(&mut block[ZIGZAG.get(place).copied().unwrap_or(63)])
    }

    /// How many blocks are empty from this one on.
    fn run(&mut self, bits: u8) -> Result<u32, Stop> {
        Ok((1 << bits) + self.bits.number(u32::from(bits))? as u32)
    }
}

/// Reads one more bit of a coefficient.
fn refine(coefficient: &mut i16, one: i16, bits: &mut Bits) -> Result<(), Stop> {
    if bits.bit()? && *coefficient & one == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient > 0 { one } else { -one });
    }
    Ok(())
}

impl Coder for HuffmanCoder<'_, '_> {
    fn pass(&self) -> Pass {
        self.pass
    }

    fn mean(&mut self, number: usize) -> Result<i32, Stop> {
        let component = self.components.get_mut(number).ok_or(Stop::Damaged)?;
        let length = component.dc.ok_or(Stop::Damaged)?.symbol(&mut self.bits)?;
        if length > 15 {
            return Err(Stop::Damaged);
        }
        component.before = component.before.wrapping_add(self.bits.difference(u32::from(length))?);
        Ok(component.before)
    }

    fn mean_bit(&mut self) -> Result<bool, Stop> {
        self.bits.bit()
    }

    fn others(&mut self, number: usize, block: &mut [i16; 64]) -> Result<(), Stop> {
        let table = self.ac(number)?;
        let mut place = 1;
        while place < 64 {
            let symbol = table.symbol(&mut self.bits)?;
            match (symbol >> 4, symbol & 15) {
                (15, 0) => place += 16,
                (_, 0) => break,
                (zeros, length) => {
                    place += usize::from(zeros);
                    let value = self.bits.difference(u32::from(length))?;
                    *block.get_mut(*ZIGZAG.get(place).ok_or(Stop::Damaged)?).ok_or(Stop::Damaged)? =
                        value as i16;
                    place += 1;
                }
            }
        }
        Ok(())
    }

    fn some(
        &mut self,
        number: usize,
        block: &mut [i16; 64],
        first: usize,
        last: usize,
        low: u32,
    ) -> Result<(), Stop> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Ok(());
        }
        let table = self.ac(number)?;
        let mut place = first;
        while place <= last {
            let symbol = table.symbol(&mut self.bits)?;
            let (zeros, length) = (symbol >> 4, u32::from(symbol & 15));
            if length == 0 && zeros < 15 {
                self.empty_blocks = self.run(zeros)? - 1;
                break;
            }
            place += usize::from(zeros);
            if length > 0 {
                let value = self.bits.difference(length)?;
                *self.target(block, place, last)? = (value << low) as i16;
            }
            place += 1;
        }
        Ok(())
    }

    fn refined(
        &mut self,
        number: usize,
        block: &mut [i16; 64],
        first: usize,
        last: usize,
        low: u32,
    ) -> Result<(), Stop> {
        let table = self.ac(number)?;
        let one = (1i32 << low) as i16;
        let mut place = first;
        while self.empty_blocks == 0 && place <= last {
            let symbol = table.symbol(&mut self.bits)?;
            let (mut zeros, mut value) = (symbol >> 4, 0);
            match symbol & 15 {
                0 if zeros < 15 => {
                    self.empty_blocks = self.run(zeros)?;
                    break;
                }
                0 => {}
                length if length > 1 && !self.bits.is_filled() => return Err(Stop::Damaged),
                _ => value = if self.bits.bit()? { one } else { -one },
            }
            // To the place of the new coefficient, behind so many that stay zero.
            while place <= last {
                let coefficient = &mut block[ZIGZAG[place]];
                if *coefficient != 0 {
                    refine(coefficient, one, &mut self.bits)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                place += 1;
            }
            if value != 0 {
                *self.target(block, place, last)? = value;
            }
            place += 1;
        }
        if self.empty_blocks > 0 {
            for place in place..=last {
                let coefficient = &mut block[ZIGZAG[place]];
                if *coefficient != 0 {
                    refine(coefficient, one, &mut self.bits)?;
                }
            }
            self.empty_blocks -= 1;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.bits.is_filled()
    }

    fn restart(&mut self, number: u8) -> Result<(), Stop> {
        self.bits.restart(number)?;
        self.components.iter_mut().for_each(|component| component.before = 0);
        self.empty_blocks = 0;
        Ok(())
    }
}
