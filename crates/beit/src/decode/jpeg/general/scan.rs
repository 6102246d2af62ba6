//! The order of a scan's blocks.

use super::pass::Pass;
use super::plane::Plane;
use crate::decode::jpeg::entropy::Stop;
use crate::decode::jpeg::structure::{Frame, Scan};

/// Reads the blocks of a scan, one after another.
pub(super) trait Coder {
    /// What the scan has of its blocks.
    fn pass(&self) -> Pass;

    /// The mean of the next block, which is of the scan's component of this number.
    fn mean(&mut self, number: usize) -> Result<i32, Stop>;

    /// One more bit of a mean.
    fn mean_bit(&mut self) -> Result<bool, Stop>;

    /// All other coefficients of a block that is none of a progressive frame.
    fn others(&mut self, number: usize, block: &mut [i16; 64]) -> Result<(), Stop>;

    /// The coefficients of these places, but for so many low bits.
    fn some(
        &mut self,
        number: usize,
        block: &mut [i16; 64],
        first: usize,
        last: usize,
        low: u32,
    ) -> Result<(), Stop>;

    /// One more bit of the coefficients of these places.
    fn refined(
        &mut self,
        number: usize,
        block: &mut [i16; 64],
        first: usize,
        last: usize,
        low: u32,
    ) -> Result<(), Stop>;

    /// The next block, which is of the scan's component of this number: what the scan tells of it is put into `block`.
    #[inline]
    fn block(&mut self, number: usize, block: &mut [i16; 64]) -> Result<(), Stop> {
        match self.pass() {
            Pass::Whole => {
                block[0] = self.mean(number)? as i16;
                self.others(number, block)?;
            }
            Pass::Mean { low } => block[0] = (self.mean(number)? << low) as i16,
            Pass::MeanBit { low } => {
                if self.mean_bit()? {
                    block[0] |= (1i32 << low) as i16;
                }
            }
            Pass::Others { first, last, low } => self.some(number, block, first, last, low)?,
            Pass::OthersBit { first, last, low } => self.refined(number, block, first, last, low)?,
        }
        Ok(())
    }

    /// Whether the data has ended, and zeros have completed the block before.
    fn is_over(&self) -> bool;

    /// Goes on behind the restart marker of this number, 0 to 7.
    fn restart(&mut self, number: u8) -> Result<(), Stop>;
}

/// How far a scan's data reaches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    /// The last row of groups of all components' blocks of which the data has something; none where it has all.
    pub last_row: Option<usize>,
    /// Groups of the scan's blocks that the data does not have whole.
    pub missing: u64,
    /// Groups of the scan's blocks.
    pub all: u64,
}

/// Reads all blocks of a scan into the planes of its components. From where the data ends early, blocks stay as they are, of
/// a scan that has them whole empty.
///
/// # Errors
/// Where the data is damaged. The blocks before are in the planes.
pub(super) fn read(
    coder: &mut impl Coder,
    frame: &Frame,
    scan: &Scan,
    restart: u64,
    planes: &mut [Plane],
) -> Result<Extent, Stop> {
    let numbers = frame.numbers(scan).ok_or(Stop::Damaged)?;
    let (across, down) = frame.units(scan);
    // A scan of one component has its blocks row by row, without those beyond the picture.
    let shape = |number: usize| match numbers.len() {
        1 => (1, 1),
        _ => {
            let component = &frame.components[number];
            (usize::from(component.horizontal), usize::from(component.vertical))
        }
    };
    let rows_a_group = match numbers[..] {
        [only] => usize::from(frame.components[only].vertical),
        _ => 1,
    };
    let all = across * down;
    let mut unit = 0;
    let mut over = None;
    for row in 0..down as usize {
        for column in 0..across as usize {
            if over.is_none() && restart > 0 && unit > 0 && unit % restart == 0 {
                match coder.restart(((unit / restart - 1) % 8) as u8) {
                    Err(Stop::Ended) => over = Some(Extent { last_row: None, missing: all - unit, all }),
                    outcome => outcome?,
                }
            }
            unit += 1;
            for (position, &number) in numbers.iter().enumerate() {
                let (wide, high) = shape(number);
                for block in 0..wide * high {
                    let place = (column * wide + block % wide, row * high + block / wide);
                    planes[number].update(place, |block| match over {
                        None => coder.block(position, block),
                        Some(_) => Ok(()),
                    })?;
                }
            }
            if over.is_none() && coder.is_over() {
                let last_row = Some(row / rows_a_group);
                over = Some(Extent { last_row, missing: all - (unit - 1), all });
            }
            if let Some(extent) = over
                && coder.pass() != Pass::Whole
            {
                return Ok(extent);
            }
        }
    }
    Ok(over.unwrap_or(Extent { last_row: None, missing: 0, all }))
}
