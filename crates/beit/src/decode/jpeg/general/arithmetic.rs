//! The decoder of JPEG's arithmetic code, the QM coder of ITU-T T.81's Annex D.

/// What a decision's context has learned: a row of [`ESTIMATES`], and the more probable value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    estimate: u8,
    probable: bool,
}

/// The row of half the interval.
const EVEN: u8 = 113;

/// Table D.3: the less probable value's part of the interval, the next rows after that value and after the other one, and
/// whether the former exchanges the two. The last row is not the table's: half the interval for ever.
#[rustfmt::skip]
const ESTIMATES: [(u16, u8, u8, bool); 114] = [
    (0x5a1d, 1, 1, true), (0x2586, 14, 2, false), (0x1114, 16, 3, false), (0x080b, 18, 4, false),
    (0x03d8, 20, 5, false), (0x01da, 23, 6, false), (0x00e5, 25, 7, false), (0x006f, 28, 8, false),
    (0x0036, 30, 9, false), (0x001a, 33, 10, false), (0x000d, 35, 11, false), (0x0006, 9, 12, false),
    (0x0003, 10, 13, false), (0x0001, 12, 13, false), (0x5a7f, 15, 15, true), (0x3f25, 36, 16, false),
    (0x2cf2, 38, 17, false), (0x207c, 39, 18, false), (0x17b9, 40, 19, false), (0x1182, 42, 20, false),
    (0x0cef, 43, 21, false), (0x09a1, 45, 22, false), (0x072f, 46, 23, false), (0x055c, 48, 24, false),
    (0x0406, 49, 25, false), (0x0303, 51, 26, false), (0x0240, 52, 27, false), (0x01b1, 54, 28, false),
    (0x0144, 56, 29, false), (0x00f5, 57, 30, false), (0x00b7, 59, 31, false), (0x008a, 60, 32, false),
    (0x0068, 62, 33, false), (0x004e, 63, 34, false), (0x003b, 32, 35, false), (0x002c, 33, 9, false),
    (0x5ae1, 37, 37, true), (0x484c, 64, 38, false), (0x3a0d, 65, 39, false), (0x2ef1, 67, 40, false),
    (0x261f, 68, 41, false), (0x1f33, 69, 42, false), (0x19a8, 70, 43, false), (0x1518, 72, 44, false),
    (0x1177, 73, 45, false), (0x0e74, 74, 46, false), (0x0bfb, 75, 47, false), (0x09f8, 77, 48, false),
    (0x0861, 78, 49, false), (0x0706, 79, 50, false), (0x05cd, 48, 51, false), (0x04de, 50, 52, false),
    (0x040f, 50, 53, false), (0x0363, 51, 54, false), (0x02d4, 52, 55, false), (0x025c, 53, 56, false),
    (0x01f8, 54, 57, false), (0x01a4, 55, 58, false), (0x0160, 56, 59, false), (0x0125, 57, 60, false),
    (0x00f6, 58, 61, false), (0x00cb, 59, 62, false), (0x00ab, 61, 63, false), (0x008f, 61, 32, false),
    (0x5b12, 65, 65, true), (0x4d04, 80, 66, false), (0x412c, 81, 67, false), (0x37d8, 82, 68, false),
    (0x2fe8, 83, 69, false), (0x293c, 84, 70, false), (0x2379, 86, 71, false), (0x1edf, 87, 72, false),
    (0x1aa9, 87, 73, false), (0x174e, 72, 74, false), (0x1424, 72, 75, false), (0x119c, 74, 76, false),
    (0x0f6b, 74, 77, false), (0x0d51, 75, 78, false), (0x0bb6, 77, 79, false), (0x0a40, 77, 48, false),
    (0x5832, 80, 81, true), (0x4d1c, 88, 82, false), (0x438e, 89, 83, false), (0x3bdd, 90, 84, false),
    (0x34ee, 91, 85, false), (0x2eae, 92, 86, false), (0x299a, 93, 87, false), (0x2516, 86, 71, false),
    (0x5570, 88, 89, true), (0x4ca9, 95, 90, false), (0x44d9, 96, 91, false), (0x3e22, 97, 92, false),
    (0x3824, 99, 93, false), (0x32b4, 99, 94, false), (0x2e17, 93, 86, false), (0x56a8, 95, 96, true),
    (0x4f46, 101, 97, false), (0x47e5, 102, 98, false), (0x41cf, 103, 99, false), (0x3c3d, 104, 100, false),
    (0x375e, 99, 93, false), (0x5231, 105, 102, false), (0x4c0f, 106, 103, false), (0x4639, 107, 104, false),
    (0x415e, 103, 99, false), (0x5627, 105, 106, true), (0x50e7, 108, 107, false), (0x4b85, 109, 103, false),
    (0x5597, 110, 109, false), (0x504f, 111, 107, false), (0x5a10, 110, 111, true), (0x5522, 112, 109, false),
    (0x59eb, 112, 111, true), (0x5a1d, EVEN, EVEN, false),
];

/// A scan's decisions. Behind its data come zeros without end: encoders leave out those at the end.
pub(super) struct Decisions<'a> {
    pub bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
    /// The code register; its upper half is compared with the interval.
    code: u32,
    interval: u32,
    /// Shifts until the next byte is needed.
    shifts: u32,
    /// Zeros were taken that are not in the data.
    pub is_over: bool,
}

impl<'a> Decisions<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        let mut new = Self { bytes, at, code: 0, interval: 0x1_0000, shifts: 0, is_over: false };
        for _ in 0..2 {
            new.byte_in();
            new.code <<= 8;
        }
        new
    }

    fn byte_in(&mut self) {
        let (byte, length) = match self.bytes.get(self.at..).unwrap_or_default() {
            [0xff, 0, ..] => (0xff, 2),
            [0xff, ..] | [] => {
                self.is_over = true;
                (0, 0)
            }
            [byte, ..] => (*byte, 1),
        };
        self.code = self.code.wrapping_add(u32::from(byte) << 8);
        self.at += length;
    }

    /// The next decision, of two values that are equally probable.
    pub fn next_even(&mut self) -> bool {
        self.next(&mut Context { estimate: EVEN, probable: false })
    }

    /// The next decision, in this context.
    #[inline]
    pub fn next(&mut self, context: &mut Context) -> bool {
        let (least, after_less, after_more, exchanges) = ESTIMATES[usize::from(context.estimate)];
        let least = u32::from(least);
        self.interval -= least;
        let is_upper = self.code >> 16 >= self.interval;
        if !is_upper && self.interval >= 0x8000 {
            return context.probable;
        }
        // The value with the smaller part is the less probable one, whatever was estimated.
        let is_less_probable = is_upper != (self.interval < least);
        if is_upper {
            self.code -= self.interval << 16;
            self.interval = least;
        }
        let value = context.probable != is_less_probable;
        if is_less_probable {
            context.probable ^= exchanges;
            context.estimate = after_less;
        } else {
            context.estimate = after_more;
        }
        while self.interval < 0x8000 {
            if self.shifts == 0 {
                self.byte_in();
                self.shifts = 8;
            }
            self.interval <<= 1;
            self.code <<= 1;
            self.shifts -= 1;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's own test (K.4.1): 256 decisions in one context.
    #[test]
    fn the_test_sequence_of_the_standard() {
        let data = [
            0x65, 0x5b, 0x51, 0x44, 0xf7, 0x96, 0x9d, 0x51, 0x78, 0x55, 0xbf, 0xff, 0x00, 0xfc, 0x51, 0x84,
            0xc7, 0xce, 0xf9, 0x39, 0x00, 0x28, 0x7d, 0x46, 0x70, 0x8e, 0xcb, 0xc0, 0xf6, 0xff, 0xd9,
        ];
        let mut decisions = Decisions::new(&data, 0);
        let mut context = Context::default();
        let mut word = || (0..32).fold(0u32, |word, _| word << 1 | u32::from(decisions.next(&mut context)));
        let expected = [
            0x0002_0051,
            0x0000_00c0,
            0x0352_872a,
            0xaaaa_aaaa,
            0x82c0_2000,
            0xfcd7_9ef6,
            0x74ea_abf7,
            0x697e_e74c,
        ];
        assert_eq!([0; 8].map(|_: u8| word()), expected);
    }

    #[test]
    fn estimates_lead_to_estimates() {
        for (row, (least, after_less, after_more, _)) in ESTIMATES.into_iter().enumerate() {
            assert!((1..0x8000).contains(&least), "row {row}");
            assert!(usize::from(after_less.max(after_more)) < ESTIMATES.len(), "row {row}");
        }
    }
}
