//! What the page shows of a photo beside its answer: a heat map, what the network saw, the whole of it as it was decoded.

use super::Session;
use crate::error::PhotoError;
use crate::fault;
use crate::load::Loaded;
use crate::photo::PhotoDecoder;
use crate::platform::Platform;
use beit::decode::Rgb;
use beit::preprocess::fit_within;
use protocol::{HeatMap, Reply};

impl<P: Platform> Session<P> {
    pub(super) async fn show_heat_map(&mut self, id: u64, photo: Option<&P::Photo>, class: usize) {
        match self.explain(id, photo, class).await {
            Ok(heat_map) => self.platform.post(&Reply::Explained { id, class, heat_map }),
            Err(error) => self.not_shown(id, error),
        }
    }

    pub(super) async fn show_input(&mut self, id: u64, photo: Option<&P::Photo>) {
        match self.input(photo).await {
            Ok(square) => {
                let reply = Reply::Input { id, side: square.width as usize };
                self.platform.post_with(&reply, &rgba(&square.pixels));
            }
            Err(error) => self.not_shown(id, error),
        }
    }

    pub(super) async fn show_whole(&mut self, id: u64, photo: Option<&P::Photo>, side: u32) {
        match self.read_and_decode(photo).await {
            Ok(photo) => {
                let Rgb { width, height, pixels } = fit_within(&photo, side);
                self.platform.post_with(&Reply::Whole { id, side, width, height }, &rgba(&pixels));
            }
            Err(error) => self.not_shown(id, error),
        }
    }

    fn not_shown(&self, id: u64, error: PhotoError) {
        self.platform.post(&Reply::NotShown { id, fault: fault::of_photo(error) });
    }

    async fn explain(
        &mut self,
        id: u64,
        photo: Option<&P::Photo>,
        class: usize,
    ) -> Result<HeatMap, PhotoError> {
        let error = match self.explain_once(id, photo, class).await {
            Ok(map) => return Ok(map),
            Err(error) => error,
        };
        self.after_failure(error).await?;
        self.explain_once(id, photo, class).await
    }

    async fn explain_once(
        &mut self,
        id: u64,
        photo: Option<&P::Photo>,
        class: usize,
    ) -> Result<HeatMap, PhotoError> {
        let Loaded { network, .. } = self.loaded.as_mut().ok_or(PhotoError::NoModel)?;
        let decoder = PhotoDecoder { platform: &self.platform, programs: &self.programs };
        network.explain(&decoder, id, photo, class).await
    }

    /// The square that the network sees of the photo.
    async fn input(&mut self, photo: Option<&P::Photo>) -> Result<Rgb, PhotoError> {
        let photo = self.read_and_decode(photo).await?;
        Ok(self.network()?.input(&photo))
    }
}

fn rgba(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect()
}
