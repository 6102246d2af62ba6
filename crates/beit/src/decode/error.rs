//! Why a file could not be decoded, in plain sentences for the visitor.

use std::error::Error;
use std::io;

use image::ImageError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Foreign, Format, MAX_FILE_BYTES, MAX_PIXELS, Raw};

/// Why a file gave no picture. `Display` is a plain sentence; `detail` is for developers and not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum DecodeError {
    #[error("This file is empty.")]
    Empty,

    #[error("This is not a photo Beitscope can read. JPEG, HEIC, PNG, WebP, GIF, BMP and TIFF work.")]
    NotAPhoto,

    /// A known format that no decoder here reads.
    #[error("This is {format}, which Beitscope can't read. JPEG, HEIC, PNG, WebP, GIF, BMP and TIFF work.")]
    UnsupportedFormat { format: Foreign },

    /// A readable format in a variant that its decoder lacks, such as a hierarchical JPEG.
    #[error(
        "This {format} is stored in a way Beitscope can't read. Saved again as an ordinary JPEG or PNG, it works."
    )]
    UnsupportedVariant { format: Format, detail: String },

    /// A camera's raw photo without a preview, or with a thumbnail alone.
    #[error(
        "This is a camera's raw photo ({raw}) without a preview that Beitscope could look at. Developed and saved as \
         JPEG, it works."
    )]
    NoPreview { raw: Raw },

    #[error("This {format} is cut short: the end of the file is missing.")]
    Truncated { format: Format },

    #[error("This {format} is damaged and can't be read.")]
    Corrupt { format: Format, detail: String },

    #[error(
        "This photo is {width} × {height} pixels. Beitscope reads up to {} megapixels.",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels { width: u32, height: u32 },

    #[error("This file is {} MB long. Beitscope reads photos up to {} MB.", bytes >> 20, MAX_FILE_BYTES >> 20)]
    FileTooLarge { bytes: u64 },

    #[error("There is not enough memory left for this photo of {width} × {height} pixels.")]
    OutOfMemory { width: u32, height: u32 },
}

impl DecodeError {
    /// [`DecodeError::Corrupt`].
    pub fn corrupt(format: Format, detail: impl Into<String>) -> Self {
        Self::Corrupt { format, detail: detail.into() }
    }

    /// [`DecodeError::UnsupportedVariant`].
    pub fn variant(format: Format, detail: impl Into<String>) -> Self {
        Self::UnsupportedVariant { format, detail: detail.into() }
    }

    pub(super) fn from_image(format: Format, error: ImageError) -> Self {
        let detail = error.to_string();
        match error {
            _ if says_data_ended(&error) => Self::Truncated { format },
            ImageError::Unsupported(_) => Self::UnsupportedVariant { format, detail },
            _ => Self::Corrupt { format, detail },
        }
    }
}

/// Whether `error` stems from reading past the end of the file.
fn says_data_ended(error: &ImageError) -> bool {
    let ended = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    // ImageError passes an I/O error's own source on, not the I/O error itself.
    if let ImageError::IoError(error) = error {
        return ended(error);
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        // The GIF decoder's variant can't be named from here; its text is all there is.
        if error.downcast_ref().is_some_and(ended) || error.to_string() == "Unexpected End of File" {
            return true;
        }
        cause = error.source();
    }
    false
}
