//! Why something can't be written, as the page translates it.

use keywords::xmp::XmpError;
use keywords::{EmbedError, VocabularyError};
use protocol::keywords::{NotEmbedded, NotMerged, VocabularyFault};

pub fn not_merged(error: &XmpError) -> NotMerged {
    match error {
        XmpError::Encoding | XmpError::Declared(_) => NotMerged::Encoding,
        XmpError::Xml(_) | XmpError::DocumentType | XmpError::NoRdf => NotMerged::Damaged,
        XmpError::Form { .. } => NotMerged::Form,
        XmpError::TooLong { .. } => NotMerged::TooLong,
        XmpError::NotReadBack => NotMerged::NotReadBack,
    }
}

/// None for a format that keywords are not written into: nobody expects it.
pub fn not_embedded(error: EmbedError) -> Option<NotEmbedded> {
    Some(match error {
        EmbedError::Format => return None,
        EmbedError::CutShort(_) | EmbedError::Damaged(_) => NotEmbedded::Damaged,
        EmbedError::Xmp(error) => NotEmbedded::Xmp { why: not_merged(&error) },
        EmbedError::SeveralPackets => NotEmbedded::SeveralPackets,
        EmbedError::Extended => NotEmbedded::Extended,
        EmbedError::RawProfile => NotEmbedded::RawProfile,
        EmbedError::NoRoom { bytes, most } => NotEmbedded::NoRoom { bytes, most },
        EmbedError::Offsets => NotEmbedded::Offsets,
        EmbedError::ContentCredentials => NotEmbedded::ContentCredentials,
    })
}

pub fn vocabulary_fault(error: VocabularyError) -> VocabularyFault {
    match error {
        VocabularyError::NoTab { line, text } => VocabularyFault::NoTab { line, text },
        VocabularyError::NoClass { line } => VocabularyFault::NoClass { line },
        VocabularyError::Repeated { line, first, class } => VocabularyFault::Repeated { line, first, class },
    }
}
