//! The formats of photos: those that are read, and those that people take for one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A format that [`decode`](super::decode()), or the crate `codecs`, reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Bmp,
    Tiff,
    /// Windows' icons, of which the largest counts.
    Ico,
    /// PBM, PGM, PPM and PAM.
    Pnm,
    Qoi,
    Tga,
    /// The crate `codecs` reads this and what follows.
    Heic,
    Avif,
    JpegXl,
    Jpeg2000,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Ico => "icon",
            Self::Pnm => "PNM",
            Self::Qoi => "QOI",
            Self::Tga => "TGA",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::JpegXl => "JPEG XL",
            Self::Jpeg2000 => "JPEG 2000",
        })
    }
}

/// How the names of photos end that [`decode`](super::decode()) or the crate `codecs` reads, in lower case: what is a photo in a folder among
/// other files. What is named by itself is looked at whatever its name.
pub const ENDINGS: [&str; 46] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff", "ico", "pbm",
    "pgm", "ppm", "pnm", "pam", "qoi", "tga", "mpo", "cr2", "cr3", "dng", "nef", "nrw", "arw", "srf", "sr2",
    "raf", "orf", "rw2", "pef", "srw", "rwl", "3fr", "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k",
    "j2c", "jpf", "jpx",
];

/// A format that people take for a photo and [`decode`](super::decode()) does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Foreign {
    Avif,
    Heic,
    JpegXl,
    Jpeg2000,
    JpegXr,
    OpenExr,
    Svg,
    Pdf,
    Psd,
    Cur,
    Icns,
    Matroska,
    Video,
}

impl Foreign {
    /// Its name among those that are read, where the crate `codecs` reads it.
    pub fn decoded(self) -> Option<Format> {
        match self {
            Self::Heic => Some(Format::Heic),
            Self::Avif => Some(Format::Avif),
            Self::JpegXl => Some(Format::JpegXl),
            Self::Jpeg2000 => Some(Format::Jpeg2000),
            _ => None,
        }
    }
}

/// With its article.
impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avif => "an AVIF photo",
            Self::Heic => "a HEIC photo",
            Self::JpegXl => "a JPEG XL photo",
            Self::Jpeg2000 => "a JPEG 2000 photo",
            Self::JpegXr => "a JPEG XR photo",
            Self::OpenExr => "an OpenEXR picture",
            Self::Svg => "an SVG drawing",
            Self::Pdf => "a PDF document",
            Self::Psd => "a Photoshop document (PSD)",
            Self::Cur => "a mouse pointer (CUR)",
            Self::Icns => "an icon (ICNS)",
            Self::Matroska => "a video (Matroska or WebM)",
            Self::Video => "a video",
        })
    }
}
