//! Lengths of arrays by their shapes, checked for overflow.

/// How many values an array of this shape has.
///
/// # Panics
/// If more than `usize` counts, which has 32 bits in a browser: a product that wrapped around would let a short slice
/// pass for a long one, and the kernels go through pointers.
pub(crate) fn length<const N: usize>(shape: [usize; N]) -> usize {
    let length = shape.into_iter().try_fold(1, usize::checked_mul);
    length.unwrap_or_else(|| panic!("an array of {shape:?} values is too long"))
}

/// Several lengths together.
///
/// # Panics
/// As [`length`].
pub(crate) fn total<const N: usize>(lengths: [usize; N]) -> usize {
    let total = lengths.into_iter().try_fold(0, usize::checked_add);
    total.unwrap_or_else(|| panic!("arrays of {lengths:?} values together are too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_product() {
        assert_eq!(length([2, 3, 5]), 30);
        assert_eq!(length([usize::MAX, 1]), usize::MAX);
        assert_eq!(length([]), 1);
        assert_eq!(total([2, 3, 5]), 10);
    }

    /// Wrapped around, each of these would be 0.
    #[test]
    #[should_panic(expected = "too long")]
    fn a_length_does_not_wrap_around() {
        let half = 1 << (usize::BITS / 2);
        length([half, half]);
    }

    #[test]
    #[should_panic(expected = "too long")]
    fn a_total_does_not_wrap_around() {
        total([usize::MAX, 1]);
    }

    /// The tests of all packages rely on it, also where the dev profile optimises a package.
    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "overflow")]
    fn overflow_panics_in_tests() {
        let most = std::hint::black_box(usize::MAX);
        std::hint::black_box(most + 1);
    }
}
