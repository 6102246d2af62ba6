//! A photo's file → [`Rgb`], upright → [`Pixels`]. Our own decoders come first, since they give the same pixels everywhere;
//! those for rare formats are fetched. Where ours know no such format (AVIF) or lack a variant of it, the machine's follow.

use crate::codec_programs::CodecPrograms;
use crate::error::PhotoError;
use crate::platform::{Bytes, Clock, Photo, Platform};
use beit::decode::{self, DecodeError, Foreign, MAX_FILE_BYTES, Rgb, StoredPicture, decode_photo};
use beit::preprocess::{Pixels, Preprocessing, preprocess};
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

/// What an answer says of the photo itself.
pub struct PhotoInfo<B> {
    pub file: B,
    pub width: u32,
    pub height: u32,
    /// Milliseconds of decoding and preprocessing.
    pub decode_ms: f64,
    pub reading: Reading,
}

/// Decodes photos.
pub struct PhotoDecoder<'a, P: Platform> {
    pub platform: &'a P,
    pub programs: &'a CodecPrograms<P>,
}

impl<P: Platform> PhotoDecoder<'_, P> {
    /// file → RGB → pixels
    pub async fn prepare(
        &self,
        photo: Option<&P::Photo>,
        how: &Preprocessing,
    ) -> Result<(PhotoInfo<P::Bytes>, Pixels), PhotoError> {
        let (mut info, rgb) = self.read_and_decode(photo).await?;
        let begun = self.platform.clock().now();
        let pixels = preprocess(&rgb, how);
        info.decode_ms += self.platform.clock().now() - begun;
        Ok((info, pixels))
    }

    /// file → RGB
    pub async fn read_and_decode(
        &self,
        photo: Option<&P::Photo>,
    ) -> Result<(PhotoInfo<P::Bytes>, Rgb), PhotoError> {
        let (photo, file) = read(photo).await?;
        let begun = self.platform.clock().now();
        let (rgb, reading) = self.decode(photo, &file).await?;
        let decode_ms = self.platform.clock().now() - begun;
        Ok((PhotoInfo { file, width: rgb.width, height: rgb.height, decode_ms, reading }, rgb))
    }

    /// Decodes a photo, whose bytes these are, and turns it upright.
    ///
    /// # Errors
    /// The error of our own decoders also where the machine's fail: it names the format.
    async fn decode(&self, photo: &P::Photo, bytes: &P::Bytes) -> Result<(Rgb, Reading), PhotoError> {
        let error = match decode_photo(&bytes.to_vec()) {
            Ok(photo) => {
                let reading = reading(&photo);
                return Ok((photo.rgb, reading));
            }
            Err(DecodeError::UnsupportedFormat { format }) => match self.by_program(format, bytes).await {
                Ok(rgb) => return Ok((rgb, Reading::default())),
                Err(error) => error,
            },
            Err(error) => error.into(),
        };
        if !may_be_read_otherwise(&error) {
            return Err(error);
        }
        match by_machine(photo, bytes, &error).await {
            Some(decoded) => decoded,
            None => Err(error),
        }
    }

    async fn by_program(&self, format: Foreign, bytes: &P::Bytes) -> Result<Rgb, PhotoError> {
        match self.programs.decode(self.platform, format, bytes).await {
            Ok(Some(decoded)) => Ok(decoded?),
            Ok(None) => Err(DecodeError::UnsupportedFormat { format }.into()),
            Err(error) => Err(PhotoError::Program { format, error }),
        }
    }
}

/// By the machine's decoders, after ours failed with this error; none where they know no such format.
async fn by_machine<F: Photo>(
    photo: &F,
    bytes: &F::Bytes,
    error: &PhotoError,
) -> Option<Result<(Rgb, Reading), PhotoError>> {
    let is_avif =
        matches!(error, PhotoError::Decode(DecodeError::UnsupportedFormat { format: Foreign::Avif }));
    let Some(stored) = is_avif.then(|| StoredPicture::of(&bytes.to_vec())).flatten() else {
        let decoded = photo.decode().await?;
        return Some(decoded.map(|rgb| (rgb, Reading::default())).map_err(PhotoError::from));
    };
    let upright = F::decode_bytes(&stored.file).await?.and_then(|rgb| stored.upright(rgb));
    let reading = Reading { shown_otherwise: stored.is_turned(), ..Reading::default() };
    Some(upright.map(|rgb| (rgb, reading)).map_err(PhotoError::from))
}

/// Whether the machine's decoders may know what ours don't, or have the memory. What is damaged for ours is not asked
/// for again: a decoder that shows a part of a photo would have it answered for the whole.
fn may_be_read_otherwise(error: &PhotoError) -> bool {
    use DecodeError::{NoPreview, OutOfMemory, UnsupportedFormat, UnsupportedVariant};
    match error {
        PhotoError::Program { .. } => true,
        PhotoError::Decode(error) => matches!(
            error,
            UnsupportedFormat { .. } | UnsupportedVariant { .. } | NoPreview { .. } | OutOfMemory { .. }
        ),
        _ => false,
    }
}

fn reading(photo: &decode::Photo) -> Reading {
    Reading {
        preview_of: photo.preview_of.map(|raw| raw.to_string()),
        shown_otherwise: !photo.shown_by_browsers,
        missing_percent: photo.missing_percent,
    }
}
