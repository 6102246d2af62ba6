//! Blocks in the arithmetic code (T.81, F.2.4 and G.1.3).

use super::arithmetic::{Context, Decisions};
use super::pass::Pass;
use super::scan::Coder;
use crate::decode::jpeg::entropy::{Stop, after_restart};
use crate::decode::jpeg::structure::{Frame, Scan, ZIGZAG};
use crate::decode::jpeg::tables::Tables;

/// Contexts of means: by the difference before (five kinds of four contexts), by magnitude, and of lower bits.
const MEAN_CONTEXTS: usize = 49;
const MEAN_MAGNITUDES: usize = 20;
/// Contexts of other coefficients: three for each place, magnitudes of low and of high ones, and their lower bits.
const OTHER_CONTEXTS: usize = 245;
const LOW_MAGNITUDES: usize = 189;
const HIGH_MAGNITUDES: usize = 217;
/// From a magnitude's context to that of its lower bits.
const LOWER_BITS: usize = 14;
/// Largest power of two in a magnitude.
const LARGEST: i32 = 0x4000;

/// A component's tables by number, and its block before.
struct Component {
    dc: usize,
    ac: usize,
    mean: i32,
    /// The first context, by the kind of the difference before: 0 for none, 4 and 8 for a small one that is positive or
    /// negative, 12 and 16 for a large one.
    kind: usize,
}

pub(super) struct ArithmeticCoder<'b> {
    decisions: Decisions<'b>,
    components: Vec<Component>,
    pass: Pass,
    dc_bounds: [(u8, u8); 4],
    ac_bound: [u8; 4],
    means: [[Context; MEAN_CONTEXTS]; 4],
    others: Box<[[Context; OTHER_CONTEXTS]; 4]>,
}

impl<'b> ArithmeticCoder<'b> {
    /// What it means that the data makes no sense: zeros behind cut data are none that the encoder has left out.
    pub fn stopped(&self, stop: Stop) -> Stop {
        if self.decisions.is_over { Stop::Ended } else { stop }
    }

    /// None where the scan contradicts itself.
    pub fn new(bytes: &'b [u8], frame: &Frame, scan: &Scan, tables: &Tables) -> Option<Self> {
        let component = |&(_, dc, ac): &(u8, u8, u8)| {
            (dc < 4 && ac < 4).then(|| Component { dc: dc.into(), ac: ac.into(), mean: 0, kind: 0 })
        };
        Some(Self {
            decisions: Decisions::new(bytes, scan.data),
            components: scan.components.iter().map(component).collect::<Option<_>>()?,
            pass: Pass::of(frame, scan)?,
            dc_bounds: tables.dc_bounds,
            ac_bound: tables.ac_bound,
            means: [[Context::default(); MEAN_CONTEXTS]; 4],
            others: Box::new([[Context::default(); OTHER_CONTEXTS]; 4]),
        })
    }
}

/// The largest power of two in a magnitude, by one decision for each power. `at` moves to the last one's context.
fn magnitude(
    first: i32,
    at: &mut usize,
    contexts: &mut [Context],
    decisions: &mut Decisions,
) -> Result<i32, Stop> {
    let mut power = first;
    while decisions.next(&mut contexts[*at]) {
        if power == LARGEST {
            return Err(Stop::Damaged);
        }
        power <<= 1;
        *at += 1;
    }
    Ok(power)
}

/// A magnitude with its bits below the largest power.
fn lower_bits(power: i32, at: usize, contexts: &mut [Context], decisions: &mut Decisions) -> i32 {
    let (mut value, mut bit) = (power, power >> 1);
    while bit > 0 {
        if decisions.next(&mut contexts[at + LOWER_BITS]) {
            value |= bit;
        }
        bit >>= 1;
    }
    value
}

impl Coder for ArithmeticCoder<'_> {
    fn pass(&self) -> Pass {
        self.pass
    }

    fn mean(&mut self, number: usize) -> Result<i32, Stop> {
        let component = self.components.get_mut(number).ok_or(Stop::Damaged)?;
        let (contexts, decisions) = (&mut self.means[component.dc], &mut self.decisions);
        if !decisions.next(&mut contexts[component.kind]) {
            component.kind = 0;
            return Ok(component.mean);
        }
        let is_negative = decisions.next(&mut contexts[component.kind + 1]);
        let at = component.kind + 2 + usize::from(is_negative);
        // The magnitude is one more than what is told of it.
        let (mut power, mut at) = (i32::from(decisions.next(&mut contexts[at])), at);
        if power > 0 {
            at = MEAN_MAGNITUDES;
            power = magnitude(power, &mut at, contexts, decisions)?;
        }
        let (least, most) = self.dc_bounds[component.dc];
        component.kind = match power {
            _ if power < (1 << least) >> 1 => 0,
            _ if power > (1 << most) >> 1 => 12,
            _ => 4,
        };
        if component.kind > 0 && is_negative {
            component.kind += 4;
        }
        let value = lower_bits(power, at, contexts, decisions) + 1;
        component.mean = component.mean.wrapping_add(if is_negative { -value } else { value });
        Ok(component.mean)
    }

    fn mean_bit(&mut self) -> Result<bool, Stop> {
        Ok(self.decisions.next_even())
    }

    fn others(&mut self, number: usize, block: &mut [i16; 64]) -> Result<(), Stop> {
        self.some(number, block, 1, 63, 0)
    }

    fn some(
        &mut self,
        number: usize,
        block: &mut [i16; 64],
        first: usize,
        last: usize,
        low: u32,
    ) -> Result<(), Stop> {
        let table = self.components.get(number).ok_or(Stop::Damaged)?.ac;
        let mut place = first;
        while place <= last {
            let (contexts, decisions) = (&mut self.others[table], &mut self.decisions);
            if decisions.next(&mut contexts[3 * (place - 1)]) {
                break; // no more in this block
            }
            while !decisions.next(&mut contexts[3 * (place - 1) + 1]) {
                place += 1;
                if place > last {
                    return Err(Stop::Damaged);
                }
            }
            let is_negative = decisions.next_even();
            let mut at = 3 * (place - 1) + 2;
            let mut power = i32::from(decisions.next(&mut contexts[at]));
            if power > 0 && decisions.next(&mut contexts[at]) {
                let is_low = place <= usize::from(self.ac_bound[table]);
                at = if is_low { LOW_MAGNITUDES } else { HIGH_MAGNITUDES };
                power = magnitude(2, &mut at, contexts, decisions)?;
            }
            let value = lower_bits(power, at, contexts, decisions) + 1;
            block[ZIGZAG[place]] = ((if is_negative { -value } else { value }) << low) as i16;
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
        let table = self.components.get(number).ok_or(Stop::Damaged)?.ac;
        let one = (1i32 << low) as i16;
        // Up to the last coefficient so far, nothing is told of the block's end.
        let known = (first..=last).rev().find(|&place| block[ZIGZAG[place]] != 0).unwrap_or(0);
        let mut place = first;
        while place <= last {
            if place > known && self.decisions.next(&mut self.others[table][3 * (place - 1)]) {
                break;
            }
            loop {
                let coefficient = &mut block[ZIGZAG[place]];
                let at = 3 * (place - 1);
                if *coefficient != 0 {
                    if self.decisions.next(&mut self.others[table][at + 2]) {
                        *coefficient = coefficient.wrapping_add(if *coefficient > 0 { one } else { -one });
                    }
                    break;
                }
                if self.decisions.next(&mut self.others[table][at + 1]) {
                    *coefficient = if self.decisions.next_even() { -one } else { one };
                    break;
                }
                place += 1;
                if place > last {
                    return Err(Stop::Damaged);
                }
            }
            place += 1;
        }
        Ok(())
    }

    /// Never: zeros behind the data are as good as in it.
    fn is_over(&self) -> bool {
        false
    }

    fn restart(&mut self, number: u8) -> Result<(), Stop> {
        let bytes = self.decisions.bytes;
        self.decisions = Decisions::new(bytes, after_restart(bytes, self.decisions.at, number)?);
        self.means = [[Context::default(); MEAN_CONTEXTS]; 4];
        *self.others = [[Context::default(); OTHER_CONTEXTS]; 4];
        self.components.iter_mut().for_each(|component| (component.mean, component.kind) = (0, 0));
        Ok(())
    }
}
