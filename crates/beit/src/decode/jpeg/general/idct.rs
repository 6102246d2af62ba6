//! The inverse discrete cosine transform in whole numbers, as libjpeg's accurate one rounds it.
//!
//! The flow graph is that of Loeffler, Ligtenberg and Moschytz (1989), with 13 fractional bits in its factors. Columns come
//! first; between the two passes a few fractional bits are kept, fewer at 12 bits a sample, so that 32 bits suffice.

/// Fractional bits of the factors.
const FRACTION: u32 = 13;

/// A factor as a whole number.
const fn fixed(factor: f64) -> i32 {
    (factor * (1 << FRACTION) as f64 + 0.5) as i32
}

/// Eight numbers' inverse transform, times 2^13 and the square root of 8.
#[inline(always)]
fn transform(input: [i32; 8]) -> [i32; 8] {
    let times = |number: i32, factor: i32| number.wrapping_mul(factor);
    let add = i32::wrapping_add;
    let sub = i32::wrapping_sub;
    // Numbers 0, 2, 4 and 6.
    let turned = times(add(input[2], input[6]), const { fixed(0.541_196_100) });
    let low = sub(turned, times(input[6], const { fixed(1.847_759_065) }));
    let high = add(turned, times(input[2], const { fixed(0.765_366_865) }));
    let sum = add(input[0], input[4]).wrapping_shl(FRACTION);
    let difference = sub(input[0], input[4]).wrapping_shl(FRACTION);
    let even = [add(sum, high), add(difference, low), sub(difference, low), sub(sum, high)];
    // Numbers 1, 3, 5 and 7.
    let [seven, five, three, one] = [input[7], input[5], input[3], input[1]];
    let outer = times(add(seven, one), const { -fixed(0.899_976_223) });
    let inner = times(add(five, three), const { -fixed(2.562_915_447) });
    let both = times(add(add(seven, three), add(five, one)), const { fixed(1.175_875_602) });
    let first = add(times(add(seven, three), const { -fixed(1.961_570_560) }), both);
    let second = add(times(add(five, one), const { -fixed(0.390_180_644) }), both);
    let odd = [
        add(times(one, const { fixed(1.501_321_110) }), add(outer, second)),
        add(times(three, const { fixed(3.072_711_026) }), add(inner, first)),
        add(times(five, const { fixed(2.053_119_869) }), add(inner, second)),
        add(times(seven, const { fixed(0.298_631_336) }), add(outer, first)),
    ];
    std::array::from_fn(|at| match at {
        0..4 => add(even[at], odd[at]),
        _ => sub(even[7 - at], odd[7 - at]),
    })
}

#[inline(always)]
fn rounded(number: i32, bits: u32) -> i32 {
    number.wrapping_add(1 << (bits - 1)) >> bits
}

/// A block's samples of 8 or 12 bits, from its coefficients and quantization steps; all row by row.
pub(super) fn samples(coefficients: &[i16; 64], steps: &[u16; 64], precision: u8) -> [u16; 64] {
    let kept = if precision > 8 { 1 } else { 2 };
    let (middle, most) = (1 << (precision - 1), (1 << precision) - 1);
    let mut columns = [0; 64];
    for x in 0..8 {
        let column: [i32; 8] = std::array::from_fn(|y| {
            i32::from(coefficients[8 * y + x]).wrapping_mul(i32::from(steps[8 * y + x]))
        });
        let column = if column[1..].iter().all(|&number| number == 0) {
            // What the general case comes to.
            [column[0].wrapping_shl(kept); 8]
        } else {
            transform(column).map(|number| rounded(number, FRACTION - kept))
        };
        for (y, number) in column.into_iter().enumerate() {
            columns[8 * y + x] = number;
        }
    }
    let mut samples = [0; 64];
    for (row, out) in columns.as_chunks::<8>().0.iter().zip(samples.as_chunks_mut::<8>().0) {
        // The factor 8 is that of both passes.
        *out = transform(*row)
            .map(|number| rounded(number, FRACTION + kept + 3).wrapping_add(middle).clamp(0, most) as u16);
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in floating point.
    fn exact(coefficients: &[i16; 64], precision: u8) -> [f64; 64] {
        let scale = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        let wave = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos();
        std::array::from_fn(|at| {
            let (x, y) = (at % 8, at / 8);
            let sum: f64 = (0..64)
                .map(|k| {
                    let (u, v) = (k % 8, k / 8);
                    scale(u) * scale(v) * f64::from(coefficients[k]) * wave(x, u) * wave(y, v)
                })
                .sum();
            (sum / 4.0 + f64::from(1 << (precision - 1))).clamp(0.0, f64::from((1 << precision) - 1))
        })
    }

    #[test]
    fn is_the_transform_of_the_standard_within_a_level() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            i32::from((state >> 16) as i16)
        };
        for (precision, most) in [(8, 400), (12, 6400)] {
            for round in 0..200 {
                let mut block = [0i16; 64];
                for place in 0..1 + round % 64 {
                    block[place * 7 % 64] = (random() % most / (1 + place as i32)) as i16;
                }
                let got = samples(&block, &[1; 64], precision);
                for (got, exact) in got.iter().zip(exact(&block, precision)) {
                    assert!((f64::from(*got) - exact).abs() < 1.0, "{got} for {exact}, {precision} bits");
                }
            }
        }
    }

    /// Coefficients that no encoder writes: some samples, and no overflow that panics.
    #[test]
    fn extremes_do_not_panic() {
        for value in [i16::MIN, i16::MAX] {
            for precision in [8, 12] {
                samples(&[value; 64], &[u16::MAX; 64], precision);
            }
        }
    }
}
