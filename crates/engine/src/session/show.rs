//! Requests for pictures beside an answer: a heat map, the network's input, the whole photo as it was decoded.

use super::Session;
use crate::error::PhotoError;
use crate::fault;
use crate::on_device::OnDevice;
use crate::platform::Platform;
use beit::decode::Rgb;
use beit::preprocess::{fit_within, resize_and_crop, visible_area};
use protocol::{Area, HeatMap, Reply};

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
        match self.decoder().read_and_decode(photo).await {
            Ok((_, rgb)) => {
                let Rgb { width, height, pixels } = fit_within(&rgb, side);
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
        let network = self.network()?;
        // Before a GPU's time limit begins.
        let pixels = match network.classifier.remembers(id) {
            true => None,
            false => {
                let (info, pixels) = self.prepare(photo).await?;
                let how = &network.classifier.config().preprocessing;
                let (x, y, width, height) = visible_area(info.width, info.height, how);
                Some((pixels, Area { x, y, width, height }))
            }
        };
        let OnDevice { classifier, device } =
            self.loaded.as_mut().map(|loaded| &mut loaded.network).ok_or(PhotoError::NoModel)?;
        device.in_time(self.platform.clock(), classifier.explain(id, pixels, class)).await
    }

    /// The square that the network sees of the photo.
    async fn input(&self, photo: Option<&P::Photo>) -> Result<Rgb, PhotoError> {
        let (_, rgb) = self.decoder().read_and_decode(photo).await?;
        Ok(resize_and_crop(&rgb, &self.network()?.classifier.config().preprocessing))
    }
}

fn rgba(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect()
}
