//! Rows of a plane at the picture's size.
//!
//! As libjpeg does it: a plane of half the picture's width or height, or both, is interpolated (each sample of the picture
//! weighs the nearest one of the plane by three quarters and the next one by one, with roundings that alternate); others
//! are repeated.

use super::plane::Plane;
use crate::decode::jpeg::structure::{Component, Frame};

/// How a plane's samples become the picture's.
pub(super) enum Upsampling {
    Same,
    /// Twice as wide.
    Wider,
    /// Twice as high.
    Higher,
    /// Both.
    Larger,
    /// Repeated: which column each of the picture's has, and how many of the plane's rows fall on how many.
    Repeated {
        columns: Vec<u32>,
        rows: (usize, usize),
    },
}

impl Upsampling {
    /// For a picture of this width.
    pub fn of(frame: &Frame, component: &Component, plane: &Plane, width: usize) -> Self {
        let finest = frame.finest();
        let (horizontal, vertical) = (component.horizontal, component.vertical);
        let (wider, higher) = (2 * horizontal == finest.0, 2 * vertical == finest.1);
        let (as_wide, as_high) = (horizontal == finest.0, vertical == finest.1);
        // libjpeg repeats what is so narrow, and the samples of lossless frames.
        let interpolates = !frame.is_lossless();
        let widens = interpolates && plane.width > 2;
        if as_wide && as_high {
            Self::Same
        } else if wider && as_high && widens {
            Self::Wider
        } else if as_wide && higher && interpolates {
            Self::Higher
        } else if wider && higher && widens {
            Self::Larger
        } else {
            let column = |x: usize| x * usize::from(horizontal) / usize::from(finest.0);
            Self::Repeated {
                columns: (0..width).map(|x| column(x).min(plane.width - 1) as u32).collect(),
                rows: (vertical.into(), finest.1.into()),
            }
        }
    }

    /// Row `y` of the picture. `out` gets its width, or one more.
    pub fn row(&self, plane: &Plane, y: usize, out: &mut Vec<u16>) {
        out.clear();
        match self {
            Self::Same => out.extend(plane.row(y)),
            Self::Wider => {
                let row = plane.row(y);
                widen(row.len(), |x| row[x].into(), [1, 2], 2, out);
            }
            Self::Higher => {
                let (near, far) = near_and_far(plane, y);
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                out.extend(
                    near.iter().zip(far).map(|(&near, &far)| ((three_to_one(near, far) + bias) >> 2) as u16),
                );
            }
            Self::Larger => {
                let (near, far) = near_and_far(plane, y);
                widen(near.len(), |x| three_to_one(near[x], far[x]), [8, 7], 4, out);
            }
            Self::Repeated { columns, rows } => {
                let row = plane.row(y * rows.0 / rows.1);
                out.extend(columns.iter().map(|&column| row[column as usize]));
            }
        }
    }
}

fn three_to_one(near: u16, far: u16) -> u32 {
    3 * u32::from(near) + u32::from(far)
}

/// The rows of the plane that are nearest to the picture's row `y`; at the edges they are one.
fn near_and_far(plane: &Plane, y: usize) -> (&[u16], &[u16]) {
    let near = y / 2;
    let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 };
    (plane.row(near), plane.row(far))
}

/// Two samples for each: three quarters of it, and a quarter of the one before and of the one behind. `biases` are added
/// before the sums lose `shift` bits.
#[inline]
fn widen(width: usize, value: impl Fn(usize) -> u32, biases: [u32; 2], shift: u32, out: &mut Vec<u16>) {
    let mut before = value(0);
    let mut this = before;
    for x in 0..width {
        let behind = value((x + 1).min(width - 1));
        out.push(((3 * this + before + biases[0]) >> shift) as u16);
        out.push(((3 * this + behind + biases[1]) >> shift) as u16);
        (before, this) = (this, behind);
    }
}
