//! Decoders of formats that few photos have. Each is a program of its own, fetched when the first such photo comes.

use crate::error::FetchError;
use crate::fetch;
use crate::platform::{Bytes, Codecs, Platform};
use beit::decode::{DecodeError, Foreign, Rgb};
use std::cell::RefCell;

/// Longer than any of them, in bytes.
const LONGEST: u64 = 8 << 20;

/// The programs that were fetched.
pub struct CodecPrograms<P: Platform>(RefCell<Vec<(Foreign, Program<P>)>>);

type Program<P> = <<P as Platform>::Codecs as Codecs>::Program;

impl<P: Platform> Default for CodecPrograms<P> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<P: Platform> CodecPrograms<P> {
    /// Decodes a photo of this format; none if there is no program for it.
    ///
    /// # Errors
    /// When the program can't be fetched.
    pub async fn decode(
        &self,
        platform: &P,
        format: Foreign,
        photo: &P::Bytes,
    ) -> Result<Option<Result<Rgb, DecodeError>>, FetchError> {
        let Some(program) = self.program(platform, format).await? else { return Ok(None) };
        Ok(Some(platform.codecs().decode(&program, format, photo).await))
    }

    async fn program(&self, platform: &P, format: Foreign) -> Result<Option<Program<P>>, FetchError> {
        let known =
            self.0.borrow().iter().find(|(known, _)| *known == format).map(|(_, program)| program.clone());
        if known.is_some() {
            return Ok(known);
        }
        let Some(url) = platform.codecs().address(format) else { return Ok(None) };
        let bytes = match fetch::small_with_retries(platform, &url, LONGEST).await {
            Ok(bytes) => bytes,
            // The site's host has left it out.
            Err(FetchError::Status { status: 404 | 410, .. } | FetchError::WebPage { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let compiled = platform.codecs().compile(P::Bytes::from_slice(&bytes)).await;
        let program = compiled.map_err(|reason| FetchError::Broken { url, reason })?;
        self.0.borrow_mut().push((format, program.clone()));
        Ok(Some(program))
    }
}
