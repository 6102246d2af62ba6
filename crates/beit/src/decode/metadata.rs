//! What the decoders of single formats find beside the pixels.

/// A file's metadata, as far as orientation goes.
#[derive(Default)]
pub(super) struct Metadata {
    /// A TIFF header and what follows it.
    pub exif: Option<Vec<u8>>,
    pub xmp: Option<Vec<u8>>,
    /// Browsers read this EXIF data too.
    pub exif_is_for_browsers: bool,
}
