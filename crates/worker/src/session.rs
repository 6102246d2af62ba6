//! What the worker does with each message.

use crate::engine::{self, Photo, PhotoError};
use crate::fault;
use crate::instructions;
use crate::load::{self, Loaded};
use crate::network::Network;
use crate::placing;
use crate::pool::{self, Threads};
use crate::port::{self, Message};
use crate::teach::{self, TeachError};
use beit::backend::BackendError;
use beit::preprocess::Pixels;
use futures_util::future::join;
use protocol::fault::{PhotoFault, Reason};
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest};
use protocol::{Answer, BackendInfo, Device, HeatMap, Reply, Request};
use web_sys::Blob;

/// The worker's memory between messages: the model, once it is loaded.
#[derive(Default)]
pub struct Session {
    loaded: Option<Loaded>,
    /// The manifest's address and the device asked for.
    asked: (String, Device),
    threads: Threads,
    /// Times that a GPU failed on a photo.
    failures: u32,
    /// Why this build stands in for another.
    stands_in: Option<String>,
}

impl Session {
    pub fn new(stands_in: Option<String>) -> Self {
        Self { stands_in, ..Self::default() }
    }

    /// Does what the message asks and replies to the page.
    pub async fn handle(&mut self, message: Message) {
        let photo = message.photo();
        match message.request {
            Request::Load { manifest, device, threads } => {
                self.asked = (manifest, device);
                let load = load::load(&self.asked.0, device);
                let (threads, loaded) = join(pool::start(threads), load).await;
                self.threads = threads;
                match loaded {
                    Ok(loaded) => self.ready(loaded),
                    Err(error) => {
                        let fault = fault::of_loading(error);
                        port::post(&Reply::LoadFailed { message: fault.to_string(), fault });
                    }
                }
            }
            Request::Classify { ids, top_k } => {
                let pass = self.prepare(ids, message.photos).await;
                self.classify(pass, top_k).await;
            }
            Request::Explain { id, class } => {
                port::post(&match self.explain(id, photo, class).await {
                    Ok(heat_map) => Reply::Explained { id, class, heat_map },
                    Err(error) => Reply::NotShown { id, fault: fault::of_photo(error) },
                });
            }
            Request::ShowInput { id } => match self.input(photo).await {
                Ok((side, rgba)) => port::post_with(&Reply::Input { id, side }, &rgba),
                Err(error) => port::post(&Reply::NotShown { id, fault: fault::of_photo(error) }),
            },
            Request::Teach(request) => self.teach(request, photo).await,
        }
        if self.failures == 1 {
            self.try_graphics_again().await;
        }
    }

    /// The network answers photos from now on.
    fn ready(&mut self, loaded: Loaded) {
        let backend = self.backend(&loaded);
        port::post(&Reply::Ready { model: loaded.info.clone(), backend, kept: loaded.kept });
        self.loaded = Some(loaded);
    }

    fn network(&mut self) -> Result<&mut Network, PhotoError> {
        self.loaded.as_mut().map(|loaded| &mut loaded.network).ok_or(PhotoError::NoModel)
    }

    /// Reads and decodes photos; those that can't be are answered.
    async fn prepare(&mut self, ids: Vec<u64>, photos: Vec<Blob>) -> Pass {
        let mut pass = Pass::default();
        let mut photos = photos.into_iter();
        for id in ids {
            port::post(&Reply::Started { id });
            let prepared = match self.network() {
                Ok(network) => network.prepare(photos.next()).await,
                Err(error) => Err(error),
            };
            match prepared {
                Ok((photo, pixels)) => {
                    pass.ids.push(id);
                    pass.photos.push(photo);
                    pass.pixels.push(pixels);
                }
                Err(error) => answer(id, Err(fault::of_photo(error))),
            }
        }
        pass
    }

    /// Answers photos: on a GPU in one pass, and should it fail one by one on the processor.
    async fn classify(&mut self, pass: Pass, k: usize) {
        let Pass { ids, photos, pixels } = pass;
        if self.on_graphics() {
            let error = match self.classify_some(&ids, &photos, &pixels, k).await {
                Ok(answers) => {
                    return ids.into_iter().zip(answers).for_each(|(id, done)| answer(id, Ok(done)));
                }
                Err(PhotoError::Network(failure)) => self.move_to_processor(&failure).await.err(),
                Err(error) => Some(error),
            };
            if let Some(fault) = error.map(fault::of_photo) {
                return ids.into_iter().for_each(|id| answer(id, Err(fault.clone())));
            }
        }
        for (at, &id) in ids.iter().enumerate() {
            match self.classify_some(&[id], &photos[at..=at], &pixels[at..=at], k).await {
                Ok(answers) => answers.into_iter().for_each(|done| answer(id, Ok(done))),
                Err(error) => answer(id, Err(fault::of_photo(error))),
            }
        }
    }

    async fn classify_some(
        &mut self,
        ids: &[u64],
        photos: &[Photo],
        pixels: &[Pixels],
        k: usize,
    ) -> Result<Vec<Answer>, PhotoError> {
        self.network()?.classify(ids, photos, pixels, k).await
    }

    async fn explain(&mut self, id: u64, photo: Option<Blob>, class: usize) -> Result<HeatMap, PhotoError> {
        match self.network()?.explain(id, photo.clone(), class).await {
            Err(PhotoError::Network(failure)) if self.on_graphics() => {
                self.move_to_processor(&failure).await?;
                self.network()?.explain(id, photo, class).await
            }
            map => map,
        }
    }

    async fn learn(&mut self, id: u64, photo: Option<Blob>) -> Result<(), PhotoError> {
        match self.network()?.learn(id, photo.clone()).await {
            Err(PhotoError::Network(failure)) if self.on_graphics() => {
                self.move_to_processor(&failure).await?;
                self.network()?.learn(id, photo).await
            }
            learnt => learnt,
        }
    }

    /// The side of the square that the network sees of the photo, and its pixels in RGBA.
    async fn input(&mut self, photo: Option<Blob>) -> Result<(usize, Vec<u8>), PhotoError> {
        let square = self.network()?.input(photo).await?;
        let pixels = square.pixels.as_chunks::<3>().0.iter();
        Ok((square.width as usize, pixels.flat_map(|&[r, g, b]| [r, g, b, 255]).collect()))
    }

    /// What the page asks about a visitor's own classes.
    async fn teach(&mut self, request: TeachRequest, file: Option<Blob>) {
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
            TeachRequest::Use { file } => own(teach::decode(&file).and_then(|bytes| self.put(&bytes))),
            TeachRequest::Import => own(match engine::read(file).await {
                Ok((_, bytes)) => self.put(&bytes.to_vec()),
                Err(_) => Err(TeachError::Unreadable),
            }),
            TeachRequest::UseModels => {
                if let Ok(network) = self.network() {
                    network.put_back();
                }
                TeachReply::ModelsClasses
            }
        };
        port::post(&Reply::Teach(reply));
    }

    /// Trains a head and puts it in the model's place.
    fn train(&mut self, classes: &[TaughtClass]) -> Result<OwnHead, TeachError> {
        let Loaded { network, info, .. } = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        let (head, lesson) = network.train(classes, &info.name, &info.sha256)?;
        let own = network.put(&head)?;
        port::post(&Reply::Teach(TeachReply::Taught { lesson }));
        Ok(own)
    }

    /// Puts the head in a file in the model's place.
    fn put(&mut self, file: &[u8]) -> Result<OwnHead, TeachError> {
        let loaded = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        let head = teach::read(file, loaded)?;
        loaded.network.put(&head)
    }

    fn on_graphics(&self) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| matches!(loaded.network, Network::Gpu(_)))
    }

    /// A GPU failed in mid-photo: the network moves to the processor, with what it was taught.
    async fn move_to_processor(&mut self, failure: &BackendError) -> Result<(), PhotoError> {
        self.failures += 1;
        // The old network goes first, so that the GPU's memory is free.
        let memory = self.loaded.take().map(|loaded| loaded.network.memory()).unwrap_or_default();
        let mut loaded = load::load(&self.asked.0, Device::Cpu).await?;
        if loaded.network.remember(memory).is_err() {
            // The page shows the classes that answer.
            port::post(&Reply::Teach(TeachReply::ModelsClasses));
        }
        loaded.reason = Some(Reason::GpuGivenUp { reason: failure.to_string() });
        self.ready(loaded);
        Ok(())
    }

    /// A GPU that failed once, such as in a computer that slept, gets one more chance.
    async fn try_graphics_again(&mut self) {
        // Not counted twice.
        self.failures += 1;
        let again = load::load(&self.asked.0, self.asked.1).await;
        let Some(mut loaded) = again.ok().filter(|loaded| matches!(loaded.network, Network::Gpu(_))) else {
            // The network on the processor is still there: this ends what the page was told of loading.
            if let Some(loaded) = self.loaded.take() {
                self.ready(loaded);
            }
            return;
        };
        let memory = self.loaded.take().map(|loaded| loaded.network.memory()).unwrap_or_default();
        if loaded.network.remember(memory).is_err() {
            port::post(&Reply::Teach(TeachReply::ModelsClasses));
        }
        loaded.reason = Some(Reason::GpuAgain);
        self.ready(loaded);
    }

    fn backend(&self, loaded: &Loaded) -> BackendInfo {
        let (detail, batch) = (placing::detail(&loaded.network), loaded.network.batch());
        let mut reasons: Vec<Reason> = loaded.reason.iter().cloned().collect();
        let Network::Cpu(engine) = &loaded.network else {
            return BackendInfo { kind: "webgpu".into(), detail, threads: 1, batch, reasons };
        };
        let threads = 1 + self.threads.helpers;
        let fewer = self.threads.trouble.clone().map(|reason| Reason::FewerThreads { reason });
        let stand_in = self.stands_in.clone().map(|reason| Reason::StandIn { reason });
        reasons.extend(
            fewer.into_iter().chain(stand_in).chain(instructions::reason(engine.model.backend().isa())),
        );
        BackendInfo { kind: "cpu".into(), detail, threads, batch, reasons }
    }
}

/// Photos that are ready for the network: what the page calls each, what is told of it, what the network sees.
#[derive(Default)]
struct Pass {
    ids: Vec<u64>,
    photos: Vec<Photo>,
    pixels: Vec<Pixels>,
}

fn answer(id: u64, outcome: Result<Answer, PhotoFault>) {
    port::post(&match outcome {
        Ok(answer) => Reply::Done { id, answer },
        Err(fault) => Reply::Failed { id, message: fault.to_string(), fault },
    });
}

fn own(head: Result<OwnHead, TeachError>) -> TeachReply {
    match head {
        Ok(head) => TeachReply::OwnClasses { head },
        Err(error) => TeachReply::Refused { fault: fault::of_teaching(error) },
    }
}
