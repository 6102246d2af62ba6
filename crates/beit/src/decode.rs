//! Photo bytes → upright [`Rgb`].

/// An upright 8-bit RGB picture, row-major, three bytes a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    pub width: u32,
    pub height: u32,
    /// `width · height · 3` bytes.
    pub pixels: Vec<u8>,
}
