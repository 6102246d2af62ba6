//! [`Rgb`](crate::decode::Rgb) → [`Pixels`], exactly as Pillow and timm do it.

/// How a photo becomes the network's input; travels in the weights' metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// The short side after bicubic resizing, in pixels.
    pub short_side: usize,
    /// Side of the centre crop, in pixels.
    pub crop: usize,
    /// Subtracted per channel, after scaling to 0…1.
    pub mean: [f32; 3],
    /// Divides per channel.
    pub std: [f32; 3],
}

/// The network's input: `[3, size, size]`, channel-major, normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    pub size: usize,
    pub values: Vec<f32>,
}
