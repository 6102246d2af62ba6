//! A photo's file → [`Rgb`], upright: by our own decoders, which give the same pixels everywhere, and by the machine's
//! where ours know no such format (AVIF, HEIC, JPEG XL: whatever it has a decoder for) or lack a variant of it.

use crate::error::PhotoError;
use crate::platform::{Bytes, Photo};
use beit::decode::{DecodeError, MAX_FILE_BYTES, Photo as DecodedPhoto, Rgb, decode_photo};
use protocol::Reading;

/// The file, which is there, and its bytes.
pub async fn read<F: Photo>(photo: Option<&F>) -> Result<(&F, F::Bytes), PhotoError> {
    let photo = photo.ok_or(PhotoError::Unreadable)?;
    // More than is decoded is not even read; the decoder says so of the length alone.
    if photo.length() > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge { bytes: photo.length() }.into());
    }
    Ok((photo, photo.read().await.ok_or(PhotoError::Unreadable)?))
}

/// Decodes a photo, whose bytes these are, and turns it upright.
///
/// # Errors
/// The error of our own decoders also where the machine's fail: it names the format.
pub async fn decode<F: Photo>(photo: &F, bytes: &F::Bytes) -> Result<(Rgb, Reading), DecodeError> {
    match decode_photo(&bytes.to_vec()) {
        Ok(photo) => {
            let reading = reading(&photo);
            Ok((photo.rgb, reading))
        }
        Err(
            error @ (DecodeError::UnsupportedFormat { .. }
            | DecodeError::UnsupportedVariant { .. }
            | DecodeError::NoPreview { .. }),
        ) => photo.decode().await.unwrap_or(Err(error)).map(|rgb| (rgb, Reading::default())),
        Err(error) => Err(error),
    }
}

fn reading(photo: &DecodedPhoto) -> Reading {
    Reading {
        preview_of: photo.preview_of.map(|raw| raw.to_string()),
        shown_otherwise: !photo.shown_by_browsers,
    }
}

/// Both.
pub async fn read_and_decode<F: Photo>(photo: Option<&F>) -> Result<Rgb, PhotoError> {
    let (photo, bytes) = read(photo).await?;
    Ok(decode(photo, &bytes).await?.0)
}
