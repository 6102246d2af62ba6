//! Why keywords can't be written into a photo.

use crate::xmp::XmpError;

/// Why a photo can't take keywords. A sidecar can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum EmbedError {
    #[error("keywords are written into JPEG, PNG and WebP only")]
    Format,
    #[error("the file is cut short in {0}")]
    CutShort(&'static str),
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    #[error("{0}")]
    Xmp(#[from] XmpError),
    #[error("it has more than one XMP packet")]
    SeveralPackets,
    #[error("its keywords are in an extended XMP packet")]
    Extended,
    #[error("its XMP is stored in a form that only ImageMagick writes")]
    RawProfile,
    #[error("with the keywords its XMP would have {bytes} bytes, and there is room for {most}")]
    NoRoom { bytes: u64, most: u64 },
    #[error("another image follows whose place may be told by an offset from the file's start")]
    Offsets,
    #[error("it has signed Content Credentials, which every change of the file makes invalid")]
    ContentCredentials,
}
