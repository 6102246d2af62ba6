//! The worker's side of the protocol: handles each of the page's messages.
//!
//! ```text
//! Load ─▶ find the manifest ─▶ (ask the visitor) ─▶ select a device, build ─▶ Ready
//! Classify ─▶ decode ─▶ network ─▶ Done
//!               │ the GPU fails: rebuild on the CPU, carry over the trained head, answer there, try the GPU once more
//!               └ photos take much longer than predicted: the other device, if that is the faster one now
//! ```

mod own_classes;
mod show;

use crate::class_paths::{class_paths, kind_paths, unknown_names};
use crate::class_search::find_classes;
use crate::codec_programs::CodecPrograms;
use crate::device_selection::{Forecast, Times, WrongForecast};
use crate::error::{LoadError, PhotoError};
use crate::fault;
use crate::import;
use crate::isa_choice;
use crate::load::{self, Loaded};
use crate::on_device::{OnDevice, RunsOn};
use crate::own_classes::OwnClasses;
use crate::photo::{PhotoDecoder, PhotoInfo};
use crate::platform::{Devices, Platform, Threads};
use crate::select_device::DeviceRequest;
use crate::store::Store;
use beit::preprocess::Pixels;
use futures_util::future::join;
use protocol::fault::{LoadFault, PhotoFault, Reason};
use protocol::import::{ImportReply, ImportRequest};
use protocol::teach::TeachReply;
use protocol::{Answer, BackendInfo, Device, Reply, Request};

/// How often measured times may move the network to the other device: times that keep changing would move it back and
/// forth for ever.
const MOST_SWITCHES: u32 = 2;

/// A request, and the files beside it.
pub struct Message<F> {
    /// What the page asks.
    pub request: Request,
    /// Beside the JSON text.
    pub files: Vec<F>,
}

/// The state between messages: the model, once it is loaded.
pub struct Session<P: Platform> {
    platform: P,
    loaded: Option<Loaded>,
    own_classes: OwnClasses,
    programs: CodecPrograms<P>,
    /// The predicted time of a photo, where the device was chosen by it.
    forecast: Option<Forecast>,
    /// The manifest's address and the device asked for.
    asked: (String, Device),
    threads: Option<Threads>,
    /// Times that a GPU failed on a photo.
    failures: u32,
    switches: u32,
    /// Why the build that was asked for could not be started.
    fallback_reason: Option<String>,
}

impl<P: Platform> Session<P> {
    /// `fallback_reason` tells why the build that was asked for could not be started, if this one runs in its place.
    pub fn new(platform: P, fallback_reason: Option<String>) -> Self {
        Self {
            platform,
            loaded: None,
            own_classes: OwnClasses::default(),
            programs: CodecPrograms::default(),
            forecast: None,
            asked: Default::default(),
            threads: None,
            failures: 0,
            switches: 0,
            fallback_reason,
        }
    }

    /// Does what the message asks and replies to the page.
    pub async fn handle(&mut self, message: Message<P::Photo>) {
        let Message { request, files } = message;
        let file = files.first();
        match request {
            Request::Load { manifest, device, threads, agreed } => {
                self.asked = (manifest, device);
                self.load(threads, agreed).await;
            }
            Request::Classify { ids, top_k } => {
                let batch = self.prepare_all(ids, &files).await;
                self.classify(batch, top_k).await;
            }
            Request::Explain { id, class } => self.show_heat_map(id, file, class).await,
            Request::ShowInput { id } => self.show_input(id, file).await,
            Request::ShowWhole { id, side } => self.show_whole(id, file, side).await,
            Request::FindClasses { query } => {
                let labels = self.loaded.as_ref().map(|loaded| loaded.network.classifier.labels());
                let (classes, count) = find_classes(labels.unwrap_or_default(), &query);
                self.platform.post(&Reply::ClassesFound { query, classes, count });
            }
            Request::NamePaths { number, classes, kinds, names } => {
                let known = self.loaded.as_ref().map(|loaded| loaded.network.classifier.classes());
                let (classes, kinds) = (class_paths(known, &classes), kind_paths(known, &kinds));
                let unknown = unknown_names(known, names);
                self.platform.post(&Reply::PathsNamed { number, classes, kinds, unknown });
            }
            Request::Teach(request) => self.teach(request, file).await,
            Request::Import(request) => self.import(request, file).await,
        }
        if self.failures == 1 {
            self.try_gpu_again().await;
        }
    }

    /// Loads the model that was asked for, unless the visitor has to be asked first.
    async fn load(&mut self, threads: usize, agreed: bool) {
        let (url, device) = &self.asked;
        let platform = &self.platform;
        let wanted = DeviceRequest { device: *device, ..DeviceRequest::default() };
        // Threads start while the manifest comes, but not for a model that the visitor has to be asked about.
        let start = self.start_threads(threads);
        let mut known = None;
        if !agreed {
            let store = Store::open(platform).await;
            match load::find(platform, url, &store).await {
                Ok(found) if found.is_known => known = Some((store, found)),
                Ok(found) => return platform.post(&Reply::AskFirst { offer: found.offer(platform, url) }),
                Err(error) => {
                    self.load_failed(error);
                    return;
                }
            }
        }
        let load = async {
            match known {
                Some((store, found)) => found.load(platform, url, &store, wanted).await,
                None => load::load(platform, url, wanted).await,
            }
        };
        let (threads, loaded) = join(start, load).await;
        self.threads = Some(threads);
        match loaded {
            Ok(loaded) => {
                self.own_classes = OwnClasses::default();
                self.ready(loaded);
                Store::open(&self.platform).await.sweep().await;
            }
            Err(error) => drop(self.load_failed(error)),
        }
    }

    /// The threads, which are started once.
    async fn start_threads(&self, threads: usize) -> Threads {
        match self.threads.clone() {
            Some(threads) => threads,
            None => self.platform.devices().start_threads(threads).await,
        }
    }

    /// Imports a checkpoint, or looks up what that would take.
    async fn import(&mut self, request: ImportRequest, file: Option<&P::Photo>) {
        let reply = match request {
            ImportRequest::Inspect { source, hubs } => {
                import::inspect(&self.platform, source, &hubs, file).await.map(ImportReply::Offer)
            }
            ImportRequest::Start { offer, threads } => {
                let start = self.start_threads(threads);
                let manifest = offer.source.address();
                let (threads, imported) = join(start, import::start(&self.platform, offer, file)).await;
                self.threads = Some(threads);
                imported.map(|()| ImportReply::Done { manifest })
            }
        };
        let reply = reply.unwrap_or_else(|fault| ImportReply::Failed { message: fault.to_string(), fault });
        self.platform.post(&Reply::Import(reply));
    }

    /// Posts the fault to the page, and returns it.
    fn load_failed(&self, error: LoadError) -> LoadFault {
        let fault = fault::of_loading(error);
        self.platform.post(&Reply::LoadFailed { message: fault.to_string(), fault: fault.clone() });
        fault
    }

    /// The network answers photos from now on.
    fn ready(&mut self, loaded: Loaded) {
        let backend = self.backend(&loaded);
        self.platform.post(&Reply::Ready { model: loaded.info.clone(), backend, kept: loaded.kept });
        let chosen = loaded.choice.as_ref().filter(|_| self.asked.1 == Device::Auto);
        self.forecast = chosen.map(|choice| Forecast::new(choice.times, loaded.network.is_on_gpu()));
        self.loaded = Some(loaded);
    }

    fn network(&self) -> Result<&OnDevice, PhotoError> {
        self.loaded.as_ref().map(|loaded| &loaded.network).ok_or(PhotoError::NoModel)
    }

    /// Reads, decodes and preprocesses photos; those that can't be are answered.
    async fn prepare_all(&mut self, ids: Vec<u64>, photos: &[P::Photo]) -> Batch<P::Bytes> {
        let mut batch = Batch { ids: Vec::new(), photos: Vec::new(), pixels: Vec::new() };
        for (at, id) in ids.into_iter().enumerate() {
            self.platform.post(&Reply::Started { id });
            match self.prepare(photos.get(at)).await {
                Ok((photo, pixels)) => {
                    batch.ids.push(id);
                    batch.photos.push(photo);
                    batch.pixels.push(pixels);
                }
                Err(error) => self.answer(id, Err(fault::of_photo(error))),
            }
        }
        batch
    }

    fn decoder(&self) -> PhotoDecoder<'_, P> {
        PhotoDecoder { platform: &self.platform, programs: &self.programs }
    }

    /// Reads, decodes and preprocesses a photo.
    async fn prepare(&self, photo: Option<&P::Photo>) -> Result<(PhotoInfo<P::Bytes>, Pixels), PhotoError> {
        let how = &self.network()?.classifier.config().preprocessing;
        self.decoder().prepare(photo, how).await
    }

    /// Answers photos: on a GPU in one pass, and should it fail one by one on the processor.
    async fn classify(&mut self, batch: Batch<P::Bytes>, k: usize) {
        let Batch { ids, photos, pixels } = batch;
        if ids.is_empty() {
            return;
        }
        if self.is_on_gpu() {
            let error = match self.classify_some(&ids, &photos, &pixels, k).await {
                Ok(answers) => return self.answer_all(&ids, answers).await,
                Err(error) => match error.device_failure() {
                    Some(failure) => self.move_to_cpu(&failure).await.err(),
                    None => Some(error),
                },
            };
            if let Some(fault) = error.map(fault::of_photo) {
                return ids.into_iter().for_each(|id| self.answer(id, Err(fault.clone())));
            }
        }
        for (at, &id) in ids.iter().enumerate() {
            match self.classify_some(&[id], &photos[at..=at], &pixels[at..=at], k).await {
                Ok(answers) => self.answer_all(&[id], answers).await,
                Err(error) => self.answer(id, Err(fault::of_photo(error))),
            }
        }
    }

    async fn classify_some(
        &self,
        ids: &[u64],
        photos: &[PhotoInfo<P::Bytes>],
        pixels: &[Pixels],
        k: usize,
    ) -> Result<Vec<Answer>, PhotoError> {
        self.network()?.classify(&self.platform, ids, photos, pixels, k).await
    }

    async fn answer_all(&mut self, ids: &[u64], answers: Vec<Answer>) {
        let mut wrong = None;
        for (&id, answer) in ids.iter().zip(answers) {
            let observed = self.forecast.as_mut().and_then(|forecast| forecast.observe(answer.ms));
            wrong = observed.or(wrong);
            self.answer(id, Ok(answer));
        }
        if let Some(wrong) = wrong {
            self.correct_forecast(wrong).await;
        }
    }

    fn answer(&self, id: u64, outcome: Result<Answer, PhotoFault>) {
        self.platform.post(&match outcome {
            Ok(answer) => Reply::Done { id, answer },
            Err(fault) => Reply::Failed { id, message: fault.to_string(), fault },
        });
    }

    /// After this a second try may succeed: where the GPU failed, the network is on the processor then.
    ///
    /// # Errors
    /// The same error, where a second try is of no use.
    async fn after_failure(&mut self, error: PhotoError) -> Result<(), PhotoError> {
        match error.device_failure().filter(|_| self.is_on_gpu()) {
            Some(failure) => self.move_to_cpu(&failure).await,
            None => Err(error),
        }
    }

    fn is_on_gpu(&self) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.network.is_on_gpu())
    }

    /// Device lost during inference: rebuilds on the CPU and carries over the visitor's trained head.
    async fn move_to_cpu(&mut self, failure: &str) -> Result<(), PhotoError> {
        self.failures += 1;
        // The old network is dropped first, so that the GPU's memory is free.
        self.loaded = None;
        let wanted = DeviceRequest { device: Device::Cpu, ..DeviceRequest::default() };
        let mut loaded = match load::load(&self.platform, &self.asked.0, wanted).await {
            Ok(loaded) => loaded,
            Err(error) => {
                // There is no network any more, and the GPU would need the same weights.
                self.failures += 1;
                return Err(PhotoError::Fallback(self.load_failed(error)));
            }
        };
        self.carry_over_head(&mut loaded);
        loaded.reason = Some(Reason::GpuLost { reason: failure.to_string() });
        self.ready(loaded);
        Ok(())
    }

    /// A GPU that failed once, such as in a computer that slept, gets one more chance.
    async fn try_gpu_again(&mut self) {
        // Not counted twice.
        self.failures += 1;
        let wanted = DeviceRequest { device: self.asked.1, gpu_or_nothing: true, cpu_ms: None };
        self.switch(wanted, Reason::GpuAgain).await;
    }

    /// Photos take much longer, or shorter, than was predicted when the device was chosen.
    async fn correct_forecast(&mut self, wrong: WrongForecast) {
        let WrongForecast { predicted_ms, observed_ms, times, other_device } = wrong;
        let on_gpu = self.is_on_gpu();
        let Some(Loaded { choice: Some(choice), reason, .. }) = &mut self.loaded else { return };
        choice.times = times;
        let store = Store::open(&self.platform).await;
        if !other_device || self.switches >= MOST_SWITCHES {
            if let Some(Reason::Compared { name, .. }) = reason {
                let Times { gpu_ms, cpu_ms } = times;
                let corrected = Reason::Compared { name: name.clone(), gpu_ms, cpu_ms };
                choice.store(&store, &corrected).await;
                *reason = Some(corrected);
            }
            return;
        }
        self.switches += 1;
        // The next visit measures again, even if this switch fails.
        choice.forget(&store).await;
        let wanted = match on_gpu {
            true => DeviceRequest { device: Device::Cpu, ..DeviceRequest::default() },
            false => DeviceRequest { device: Device::Auto, gpu_or_nothing: true, cpu_ms: Some(observed_ms) },
        };
        self.switch(wanted, Reason::WrongForecast { predicted_ms, observed_ms }).await;
    }

    /// Moves the network to another device. If that fails, it stays where it is.
    async fn switch(&mut self, wanted: DeviceRequest, reason: Reason) {
        let Ok(mut loaded) = load::load(&self.platform, &self.asked.0, wanted).await else {
            // The network is still there: this ends the page's progress bar.
            if let Some(loaded) = self.loaded.take() {
                self.ready(loaded);
            }
            return;
        };
        self.loaded = None;
        self.carry_over_head(&mut loaded);
        loaded.reason = Some(reason);
        self.ready(loaded);
    }

    /// Gives a rebuilt network the visitor's trained head.
    fn carry_over_head(&mut self, loaded: &mut Loaded) {
        let Some(head) = &self.own_classes.head else { return };
        if loaded.network.classifier.set_head(head).is_err() {
            self.own_classes.head = None;
            // The page shows the classes that answer.
            self.platform.post(&Reply::Teach(TeachReply::ModelsClasses));
        }
    }

    fn backend(&self, loaded: &Loaded) -> BackendInfo {
        let device = &loaded.network.device;
        let (detail, batch) = (device.detail(), device.batch());
        let mut reasons: Vec<Reason> = loaded.reason.iter().cloned().collect();
        let RunsOn::Cpu(isa) = device else {
            return BackendInfo { kind: "webgpu".into(), detail, threads: 1, batch, reasons };
        };
        let Threads { helpers, trouble } = self.threads.clone().unwrap_or_default();
        let fewer = trouble.map(|reason| Reason::FewerThreads { reason });
        let fallback_build = self.fallback_reason.clone().map(|reason| Reason::FallbackBuild { reason });
        reasons.extend(fewer.into_iter().chain(fallback_build).chain(isa_choice::reason(*isa)));
        BackendInfo { kind: "cpu".into(), detail, threads: 1 + helpers, batch, reasons }
    }
}

/// Photos that are ready for the network.
struct Batch<B> {
    ids: Vec<u64>,
    photos: Vec<PhotoInfo<B>>,
    pixels: Vec<Pixels>,
}
