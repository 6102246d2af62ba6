//! Smoothing between blocks of a progressive frame of which only coarse coefficients have come: what is missing of the
//! lowest frequencies is estimated from the means of the blocks around.
//!
//! ITU-T T.81, K.8, describes it for 3 × 3 blocks. libjpeg-turbo takes 5 × 5 from version 2.1 on, with the weights below,
//! and where only means have come it also spreads the means themselves and estimates four coefficients more.

use crate::decode::jpeg::progress::{FOLLOWED, LowestBits, Progress};
use crate::decode::jpeg::structure::ZIGZAG;

/// For each of the means of 5 × 5 blocks, row by row; in 256ths.
type Weights = [[i16; 5]; 5];

/// In each list the coefficients are in zigzag order, from the mean on.
type Estimates = [Option<Weights>; FOLLOWED];

const NONE: [i16; 5] = [0; 5];

/// Where nothing but means is known.
const FROM_MEANS_ALONE: Estimates = {
    let mean = [
        [-2, -6, -8, -6, -2],
        [-6, 6, 42, 6, -6],
        [-8, 42, 152, 42, -8],
        [-6, 6, 42, 6, -6],
        [-2, -6, -8, -6, -2],
    ];
    let across =
        [[-1, -1, 0, 1, 1], [-3, 13, 0, -13, 3], [-3, 38, 0, -38, 3], [-3, 13, 0, -13, 3], [-1, -1, 0, 1, 1]];
    let across_twice = [NONE, [0, 2, -5, 2, 0], [1, 7, -14, 7, 1], [0, 2, -5, 2, 0], NONE];
    let both = [[-1, 0, 0, 0, 1], [0, 9, 0, -9, 0], NONE, [0, -9, 0, 9, 0], [1, 0, 0, 0, -1]];
    let across_thrice = [NONE, [0, 1, 0, -1, 0], [0, 2, 0, -2, 0], [0, 1, 0, -1, 0], NONE];
    let across_and_down_twice = [NONE, [0, 1, 0, -1, 0], [0, -3, 0, 3, 0], [0, 1, 0, -1, 0], NONE];
    [
        Some(mean),
        Some(across),
        Some(transposed(across)),
        Some(transposed(across_twice)),
        Some(both),
        Some(across_twice),
        Some(across_thrice),
        Some(transposed(across_and_down_twice)),
        Some(across_and_down_twice),
        Some(transposed(across_thrice)),
    ]
};

/// Where some of the estimated coefficients are known.
const BESIDE_OTHERS: Estimates = {
    let across = [NONE, NONE, [-7, 50, 0, -50, 7], NONE, NONE];
    let across_twice = [NONE, NONE, [-1, 13, -24, 13, -1], NONE, NONE];
    let both = [[0, -1, 0, 1, 0], [-1, 10, 0, -10, 1], NONE, [1, -10, 0, 10, -1], [0, 1, 0, -1, 0]];
    [
        None,
        Some(across),
        Some(transposed(across)),
        Some(transposed(across_twice)),
        Some(both),
        Some(across_twice),
        None,
        None,
        None,
        None,
    ]
};

const fn transposed(weights: Weights) -> Weights {
    let mut turned = weights;
    let mut at = 0;
    while at < 25 {
        turned[at % 5][at / 5] = weights[at / 5][at % 5];
        at += 1;
    }
    turned
}

/// Whether libjpeg would smooth, by the components' progress and quantization steps: something is missing, and no step is 0.
pub(super) fn is_needed<'a>(
    components: impl Iterator<Item = (&'a Progress, Option<&'a [u16; 64]>)> + Clone,
) -> bool {
    let is_divisor = |steps: &[u16; 64]| ZIGZAG[..FOLLOWED].iter().all(|&place| steps[place] > 0);
    components.clone().any(|(progress, _)| !progress.is_complete())
        && components.clone().all(|(_, steps)| steps.is_some_and(is_divisor))
}

/// Puts estimates in place of coefficients that are zero and not known to the last bit. `means` are those of the 5 × 5
/// blocks around; steps and coefficients are row by row.
pub(super) fn estimate(block: &mut [i16; 64], means: &[[i16; 5]; 5], steps: &[u16; 64], known: &LowestBits) {
    let is_of_means_alone = known[1..].iter().all(Option::is_none);
    let estimates = if is_of_means_alone { &FROM_MEANS_ALONE } else { &BESIDE_OTHERS };
    for (number, weights) in estimates.iter().enumerate() {
        let (Some(weights), place) = (weights, ZIGZAG[number]) else { continue };
        // The mean itself is always taken anew.
        if number > 0 && (known[number] == Some(0) || block[place] != 0) {
            continue;
        }
        let products = weights.iter().flatten().zip(means.iter().flatten());
        let sum: i64 = products.map(|(&weight, &mean)| i64::from(weight) * i64::from(mean)).sum();
        let (sum, step) = (sum * i64::from(steps[0]), i64::from(steps[place]));
        let magnitude = (sum.abs() + (step << 7)) / (step << 8);
        // Higher bits, which have come, were zero.
        let most = match known[number] {
            Some(lowest) if number > 0 => (1 << lowest) - 1,
            _ => i64::MAX,
        };
        block[place] = (sum.signum() * magnitude.min(most)) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN_MEANS: LowestBits = [Some(0), None, None, None, None, None, None, None, None, None];

    #[test]
    fn even_blocks_stay_even() {
        for known in [KNOWN_MEANS, [Some(0), Some(1), Some(1), None, None, None, None, None, None, None]] {
            let mut block = [0; 64];
            block[0] = -77;
            estimate(&mut block, &[[-77; 5]; 5], &[16; 64], &known);
            assert_eq!(block[0], -77);
            assert!(block[1..].iter().all(|&coefficient| coefficient == 0));
        }
    }

    /// A slope has the first coefficient of its direction, of the sign that continues it, and none across.
    #[test]
    fn slopes_continue_in_the_block() {
        let means = [[-200, -100, 0, 100, 200]; 5];
        let mut block = [0; 64];
        estimate(&mut block, &means, &[1; 64], &KNOWN_MEANS);
        // Of a slope of 12.5 levels a block the exact coefficient is −28.5.
        assert!((-33..=-25).contains(&block[1]), "{}", block[1]);
        assert_eq!((block[0], block[8], block[16], block[9]), (0, 0, 0, 0));
        let mut turned = [0; 64];
        let down = [-200, -100, 0, 100, 200].map(|mean| [mean; 5]);
        estimate(&mut turned, &down, &[1; 64], &KNOWN_MEANS);
        assert_eq!((turned[8], turned[1]), (block[1], 0));
    }

    #[test]
    fn what_is_known_stays_and_bounds_the_rest() {
        let means = [[-2000, -1000, 0, 1000, 2000]; 5];
        let known = [Some(0), Some(2), Some(0), None, None, None, None, None, None, None];
        let mut block = [0; 64];
        estimate(&mut block, &means, &[1; 64], &known);
        assert_eq!(block[1], -3, "two bits are missing");
        block[1] = 5;
        estimate(&mut block, &means.map(|row| row.map(|mean| -mean)), &[1; 64], &known);
        assert_eq!((block[1], block[8]), (5, 0));
    }
}
