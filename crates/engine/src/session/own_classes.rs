//! Requests about a visitor's own classes.

use super::Session;
use crate::error::{PhotoError, TeachError};
use crate::fault;
use crate::load::Loaded;
use crate::own_classes::{decode_base64, own_head, read_head};
use crate::photo;
use crate::platform::{Bytes, Platform};
use beit::preprocess::Pixels;
use head::Head;
use protocol::Reply;
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest};

impl<P: Platform> Session<P> {
    pub(super) async fn teach(&mut self, request: TeachRequest, file: Option<&P::Photo>) {
        let reply = match request {
            TeachRequest::ExtractFeatures { photo } => match self.extract_features(photo, file).await {
                Ok(()) => TeachReply::FeaturesReady { photo },
                Err(error) => TeachReply::FeaturesFailed { photo, fault: fault::of_photo(error) },
            },
            TeachRequest::Forget { photos } => return self.own_classes.forget(&photos),
            TeachRequest::Train { classes } => match self.train(&classes) {
                Ok(head) => TeachReply::OwnClasses { head },
                Err(error) => TeachReply::TrainingFailed { fault: fault::of_teaching(error) },
            },
            TeachRequest::Use { file } => {
                let bytes = decode_base64(&file);
                used(bytes.and_then(|bytes| self.use_head_file(&bytes)))
            }
            TeachRequest::Import => used(match photo::read(file).await {
                Ok((_, bytes)) => self.use_head_file(&bytes.to_vec()),
                Err(_) => Err(TeachError::Unreadable),
            }),
            TeachRequest::UseModels => {
                if let Some(loaded) = &mut self.loaded {
                    loaded.network.classifier.restore_head();
                }
                self.own_classes.head = None;
                TeachReply::ModelsClasses
            }
        };
        self.platform.post(&Reply::Teach(reply));
    }

    /// Trains a head and replaces the model's with it.
    fn train(&mut self, classes: &[TaughtClass]) -> Result<OwnHead, TeachError> {
        let Loaded { info, .. } = self.loaded.as_ref().ok_or(TeachError::NoModel)?;
        let (head, report) = self.own_classes.train(&self.platform, classes, &info.name, &info.sha256)?;
        let own = self.set_head(head)?;
        self.platform.post(&Reply::Teach(TeachReply::Trained { report }));
        Ok(own)
    }

    /// Replaces the model's head with the one in a file.
    fn use_head_file(&mut self, file: &[u8]) -> Result<OwnHead, TeachError> {
        let Loaded { info, .. } = self.loaded.as_ref().ok_or(TeachError::NoModel)?;
        let head = read_head(file, &info.name, &info.sha256)?;
        self.set_head(head)
    }

    fn set_head(&mut self, head: Head) -> Result<OwnHead, TeachError> {
        let Loaded { network, .. } = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        let own = own_head(&head)?;
        network.classifier.set_head(&head)?;
        self.own_classes.head = Some(head);
        Ok(own)
    }

    async fn extract_features(&mut self, id: u64, photo: Option<&P::Photo>) -> Result<(), PhotoError> {
        let (_, pixels) = self.prepare(photo).await?;
        let features = match self.features(&pixels).await {
            Ok(features) => features,
            Err(error) => {
                self.after_failure(error).await?;
                self.features(&pixels).await?
            }
        };
        self.own_classes.keep(id, features);
        Ok(())
    }

    async fn features(&self, pixels: &Pixels) -> Result<Vec<f32>, PhotoError> {
        let network = self.network()?;
        network.device.in_time(self.platform.clock(), network.classifier.features(pixels)).await
    }
}

fn used(head: Result<OwnHead, TeachError>) -> TeachReply {
    match head {
        Ok(head) => TeachReply::OwnClasses { head },
        Err(error) => TeachReply::Refused { fault: fault::of_teaching(error) },
    }
}
