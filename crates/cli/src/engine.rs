//! A loaded model and what both `classify` and `evaluate` do with a photo.

use crate::failure::Failure;
use crate::output::say;
use beit::backend::{BackendError, Cpu};
use beit::config::Config;
use beit::decode::decode;
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::{Pixels, preprocess};
use checkpoint::ModelFolder;
use clap::ValueEnum;
use gpu::{Gpu, GpuOptions};
use kernels::Isa;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

/// What the network runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    Cpu,
    Gpu,
}

impl Backend {
    /// As it is written on the command line and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// A model that answers photos.
pub struct Engine {
    network: Network,
    pub labels: Vec<Label>,
    /// The model's own name.
    pub name: String,
    /// SHA-256 of its weights, lower-case hexadecimal.
    pub sha256: String,
}

/// A network where it runs.
enum Network {
    Cpu(Box<Model<Cpu>>),
    Gpu(Box<Model<Gpu>>),
}

impl Network {
    fn config(&self) -> &Config {
        match self {
            Self::Cpu(model) => model.config(),
            Self::Gpu(model) => model.config(),
        }
    }

    fn logits(&self, pixels: &Pixels) -> Result<Vec<f32>, BackendError> {
        match self {
            Self::Cpu(model) => pollster::block_on(model.logits(pixels)),
            Self::Gpu(model) => pollster::block_on(model.logits(pixels)),
        }
    }

    fn batch_logits(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, BackendError> {
        match self {
            Self::Cpu(model) => pollster::block_on(model.batch_logits(photos)),
            Self::Gpu(model) => pollster::block_on(model.batch_logits(photos)),
        }
    }
}

/// A photo's logits, one per class.
pub struct Logits {
    pub values: Vec<f32>,
    /// The network alone, in milliseconds.
    pub ms: f64,
}

impl Engine {
    /// Verifies the model in a folder and loads it to where it shall run.
    ///
    /// # Errors
    /// When the model can't be loaded, or there is no GPU where one was asked for.
    pub fn load(folder: &Path, backend: Backend) -> Result<Self, Failure> {
        let folder = ModelFolder::open(folder)?;
        let (network, labels) = match backend {
            Backend::Cpu => {
                let (model, labels) = folder.load(Cpu::new(Isa::best()))?;
                (Network::Cpu(Box::new(model)), labels)
            }
            Backend::Gpu => {
                let (model, labels) = folder.load(gpu()?)?;
                (Network::Gpu(Box::new(model)), labels)
            }
        };
        let manifest = folder.manifest();
        Ok(Self { network, labels, name: manifest.name.clone(), sha256: manifest.sha256.clone() })
    }

    /// Side of the square that the network sees, in pixels.
    pub fn image_size(&self) -> usize {
        self.network.config().image_size
    }

    /// What the network computes with: an instruction set, or a GPU and its arithmetic.
    pub fn device(&self) -> String {
        match &self.network {
            Network::Cpu(model) => model.backend().isa().name().into(),
            Network::Gpu(model) => {
                let gpu = model.backend();
                format!("{}, {}", gpu.name(), gpu.arithmetic().name())
            }
        }
    }

    /// Runs the network once on nothing, so that the first photo's time is the network's alone: a GPU
    /// compiles its kernels first.
    pub fn warm_up(&self) -> Result<(), Failure> {
        let Network::Gpu(model) = &self.network else { return Ok(()) };
        let size = model.config().image_size;
        let pixels = Pixels { size, values: vec![0.0; 3 * size * size] };
        self.network.logits(&pixels).map(drop).map_err(|error| Failure::Data(format!("{error}; {INSTEAD}")))
    }

    /// Runs the network on the photo in a file.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    pub fn logits(&self, file: &Path) -> Result<Logits, String> {
        let bytes = std::fs::read(file).map_err(|e| format!("The file can't be read: {e}."))?;
        let pixels = self.pixels(bytes)?;
        let begun = Instant::now();
        let values = self.network.logits(&pixels).map_err(|e| e.to_string())?;
        Ok(Logits { values, ms: begun.elapsed().as_secs_f64() * 1e3 })
    }

    /// Decodes a photo and makes the network's input of it.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    pub fn pixels(&self, bytes: Vec<u8>) -> Result<Pixels, String> {
        let photo = decode(&bytes).map_err(|e| e.to_string())?;
        drop(bytes);
        Ok(preprocess(&photo, &self.network.config().preprocessing))
    }

    /// Runs the network on several photos in one pass: the logits of each.
    ///
    /// # Errors
    /// When the device fails.
    pub fn batch(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, Failure> {
        self.network.batch_logits(photos).map_err(|error| match self.network {
            Network::Cpu(_) => Failure::Data(error.to_string()),
            Network::Gpu(_) => Failure::Data(format!("{error}; {INSTEAD}")),
        })
    }
}

/// What to do when a GPU fails.
const INSTEAD: &str = "use --backend cpu instead";

/// The fastest GPU of this machine; whoever asks for one also gets one that is only imitated.
fn gpu() -> Result<Gpu, Failure> {
    let options = GpuOptions { allow_software: true, ..GpuOptions::default() };
    let gpu = pollster::block_on(Gpu::request(options))
        .map_err(|error| Failure::Usage(format!("{error}; {INSTEAD}")))?;
    let (name, api) = (gpu.name(), gpu.info().backend);
    let slow =
        if gpu.is_software() { ", which imitates a GPU on the processor: right, but slow" } else { "" };
    say(&format!("GPU: {name} by {api}{slow}"));
    Ok(gpu)
}

/// As many threads as the machine has, unless told otherwise.
pub fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// A pool of that many threads for the kernels to share their work among.
pub fn pool(threads: NonZeroUsize) -> Result<rayon::ThreadPool, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build();
    pool.map_err(|e| Failure::Usage(format!("cannot start {threads} threads: {e}")))
}
