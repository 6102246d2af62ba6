//! A visitor's own classes.

use super::Session;
use crate::error::{PhotoError, TeachError};
use crate::fault;
use crate::load::Loaded;
use crate::own_classes;
use crate::photo;
use crate::platform::{Bytes, Platform};
use beit::decode::Rgb;
use protocol::Reply;
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest};

impl<P: Platform> Session<P> {
    /// What the page asks about a visitor's own classes.
    pub(super) async fn teach(&mut self, request: TeachRequest, file: Option<&P::Photo>) {
        let reply = match request {
            TeachRequest::See { photo } => match self.learn(photo, file).await {
                Ok(()) => TeachReply::Seen { photo },
                Err(error) => TeachReply::NotSeen { photo, fault: fault::of_photo(error) },
            },
            TeachRequest::Forget { photos } => {
                return self.network().map(|network| network.forget(&photos)).unwrap_or_default();
            }
            TeachRequest::Train { classes } => match self.train(&classes) {
                Ok(head) => TeachReply::OwnClasses { head },
                Err(error) => TeachReply::NotTaught { fault: fault::of_teaching(error) },
            },
            TeachRequest::Use { file } => {
                let bytes = own_classes::decode_base64(&file);
                own_head(bytes.and_then(|bytes| self.set_head(&bytes)))
            }
            TeachRequest::Import => own_head(match photo::read(file).await {
                Ok((_, bytes)) => self.set_head(&bytes.to_vec()),
                Err(_) => Err(TeachError::Unreadable),
            }),
            TeachRequest::UseModels => {
                if let Ok(network) = self.network() {
                    network.restore_head();
                }
                TeachReply::ModelsClasses
            }
        };
        self.platform.post(&Reply::Teach(reply));
    }

    /// Trains a head and puts it in the model's place.
    fn train(&mut self, classes: &[TaughtClass]) -> Result<OwnHead, TeachError> {
        let Loaded { network, info, .. } = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        let (head, lesson) = network.train(&self.platform, classes, &info.name, &info.sha256)?;
        let own = network.set_head(&head)?;
        self.platform.post(&Reply::Teach(TeachReply::Taught { lesson }));
        Ok(own)
    }

    /// Puts the head in a file in the model's place.
    fn set_head(&mut self, file: &[u8]) -> Result<OwnHead, TeachError> {
        let Loaded { network, info, .. } = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        network.set_head(&own_classes::read_head(file, &info.name, &info.sha256)?)
    }

    async fn learn(&mut self, id: u64, photo: Option<&P::Photo>) -> Result<(), PhotoError> {
        let photo = self.read_and_decode(photo).await?;
        let error = match self.learn_once(id, &photo).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        self.after_failure(error).await?;
        self.learn_once(id, &photo).await
    }

    async fn learn_once(&mut self, id: u64, photo: &Rgb) -> Result<(), PhotoError> {
        let Loaded { network, .. } = self.loaded.as_mut().ok_or(PhotoError::NoModel)?;
        network.learn(self.platform.clock(), id, photo).await
    }
}

fn own_head(head: Result<OwnHead, TeachError>) -> TeachReply {
    match head {
        Ok(head) => TeachReply::OwnClasses { head },
        Err(error) => TeachReply::Refused { fault: fault::of_teaching(error) },
    }
}
