//! The engine's errors as the protocol's faults.

use crate::error::{FetchError, LoadError, PhotoError, TeachError};
use beit::decode::{DecodeError, Foreign, MAX_FILE_BYTES, MAX_PIXELS};
use head::HeadError;
use protocol::fault::{self, LoadFault, PhotoFault, TeachFault};

pub fn of_photo(error: PhotoError) -> PhotoFault {
    match error {
        PhotoError::NoModel => PhotoFault::NoModel,
        PhotoError::Unreadable => PhotoFault::Unreadable,
        PhotoError::Decode(error) => of_decoding(error),
        PhotoError::Program { format, error } => {
            PhotoFault::NoDecoder { format: foreign(format), reason: error.to_string() }
        }
        PhotoError::Network(error) => PhotoFault::Network { reason: error.to_string() },
        error @ PhotoError::NotANumber => PhotoFault::Network { reason: error.to_string() },
        PhotoError::Fallback(fault) => PhotoFault::FallbackFailed { fault },
    }
}

fn of_decoding(error: DecodeError) -> PhotoFault {
    match error {
        DecodeError::Empty => PhotoFault::Empty,
        DecodeError::NotAPhoto => PhotoFault::NotAPhoto,
        DecodeError::UnsupportedFormat { format } => PhotoFault::Unsupported { format: foreign(format) },
        DecodeError::UnsupportedVariant { format, .. } => PhotoFault::Variant { format: format.to_string() },
        DecodeError::NoPreview { raw } => PhotoFault::NoPreview { raw: raw.to_string() },
        DecodeError::Truncated { format } => PhotoFault::Truncated { format: format.to_string() },
        DecodeError::Corrupt { format, .. } => PhotoFault::Damaged { format: format.to_string() },
        DecodeError::TooManyPixels { width, height } => {
            PhotoFault::TooManyPixels { width, height, most_megapixels: MAX_PIXELS / 1_000_000 }
        }
        DecodeError::FileTooLarge { bytes } => {
            PhotoFault::FileTooLarge { megabytes: bytes >> 20, most_megabytes: MAX_FILE_BYTES >> 20 }
        }
        DecodeError::OutOfMemory { width, height } => PhotoFault::OutOfMemory { width, height },
    }
}

fn foreign(format: Foreign) -> fault::Foreign {
    match format {
        Foreign::Avif => fault::Foreign::Avif,
        Foreign::Heic => fault::Foreign::Heic,
        Foreign::JpegXl => fault::Foreign::JpegXl,
        Foreign::Jpeg2000 => fault::Foreign::Jpeg2000,
        Foreign::JpegXr => fault::Foreign::JpegXr,
        Foreign::OpenExr => fault::Foreign::OpenExr,
        Foreign::Svg => fault::Foreign::Svg,
        Foreign::Pdf => fault::Foreign::Pdf,
        Foreign::Psd => fault::Foreign::Psd,
        Foreign::Cur => fault::Foreign::Cur,
        Foreign::Icns => fault::Foreign::Icns,
        Foreign::Matroska => fault::Foreign::Matroska,
        Foreign::Video => fault::Foreign::Video,
    }
}

pub fn of_loading(error: LoadError) -> LoadFault {
    match error {
        LoadError::Fetch(error) => of_fetching(error),
        LoadError::Address { url } => LoadFault::Address { url },
        LoadError::Manifest { url, error } => LoadFault::Manifest { url, reason: error.to_string() },
        LoadError::NotImported { address } => LoadFault::NotImported { address },
        LoadError::Build(error) => LoadFault::Refused { reason: error.to_string() },
        // Only where there is a network already, which then stays: not reported.
        error @ LoadError::NoGpu => LoadFault::Refused { reason: error.to_string() },
    }
}

fn of_fetching(error: FetchError) -> LoadFault {
    match error {
        FetchError::Unreachable { url, reason } => LoadFault::Unreachable { url, reason },
        FetchError::Status { url, status } => LoadFault::Status { url, status },
        FetchError::TooLong { url, limit } => LoadFault::TooLong { url, limit },
        FetchError::Broken { url, reason } => LoadFault::Broken { url, reason },
        FetchError::Stalled { url, seconds } => LoadFault::Stalled { url, seconds },
        FetchError::WebPage { url } => LoadFault::WebPage { url },
        FetchError::Damaged(error) => LoadFault::DamagedShard { reason: error.to_string() },
    }
}

pub fn of_teaching(error: TeachError) -> TeachFault {
    match error {
        TeachError::NoModel => TeachFault::NoModel,
        TeachError::Unreadable => TeachFault::Unreadable,
        TeachError::Names => TeachFault::Names,
        TeachError::NoFeatures => TeachFault::NoFeatures,
        TeachError::TooFew => TeachFault::TooFew,
        TeachError::Head(HeadError::File { reason }) => TeachFault::NotAHead { reason },
        TeachError::Head(HeadError::OtherModel { expected, got }) => {
            TeachFault::OtherModel { made_for: expected, loaded: got }
        }
        TeachError::Head(error) => TeachFault::Unusable { reason: error.to_string() },
        TeachError::Text => TeachFault::NotAHead { reason: "it is no base64 text".into() },
        TeachError::Network(error) => TeachFault::Network { reason: error.to_string() },
    }
}
