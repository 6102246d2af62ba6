//! A loaded model and what both `classify` and `evaluate` do with a photo.

use crate::failure::Failure;
use crate::output::say;
use ::engine::device_selection::{Times, photo_ms_on_cpu};
use ::engine::{product_ms, weight_format};
use beit::backend::{BackendError, Cpu};
use beit::calibration::Calibration;
use beit::classes::Classes;
use beit::config::Config;
use beit::decode::Photo;
use beit::kinds::Kind;
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::{Pixels, Preprocessing, preprocess};
use checkpoint::ModelFolder;
use clap::ValueEnum;
use codecs::decode_photo;
use gpu::{Gpu, GpuOptions, self_check};
use kernels::{Isa, WeightFormat};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

/// What the network runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The GPU where there is one, it is right and faster, else the processor
    Auto,
    Cpu,
    Gpu,
}

impl Backend {
    /// As it is written on the command line and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// A model that answers photos.
pub struct Engine {
    network: Network,
    /// How its linear layers' weights are stored.
    format: WeightFormat,
    pub labels: Vec<Label>,
    /// The kinds that the model brings for its classes.
    pub kinds: Vec<Kind>,
    /// The model's own name.
    pub name: String,
    /// SHA-256 of its weights, lower-case hexadecimal.
    pub sha256: String,
    /// The identity of its manifest.
    pub identity: String,
    /// How to read its logits, where that was measured.
    pub calibration: Option<Calibration>,
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

    fn features_and_logits(&self, pixels: &Pixels) -> Result<(Vec<f32>, Vec<f32>), BackendError> {
        match self {
            Self::Cpu(model) => pollster::block_on(model.features_and_logits(pixels)),
            Self::Gpu(model) => pollster::block_on(model.features_and_logits(pixels)),
        }
    }

    fn batch_logits(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, BackendError> {
        match self {
            Self::Cpu(model) => pollster::block_on(model.batch_logits(photos)),
            Self::Gpu(model) => pollster::block_on(model.batch_logits(photos)),
        }
    }
}

/// Reads and decodes a photo.
///
/// # Errors
/// A sentence for the person whose photo it is.
pub fn read_photo(file: &Path) -> Result<Photo, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("The file can't be read: {e}."))?;
    decode_photo(&bytes).map_err(|e| e.to_string())
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
        let on_gpu = match backend {
            Backend::Auto => faster_gpu(&folder)?,
            Backend::Cpu => None,
            Backend::Gpu => Some(folder.load(gpu()?)?),
        };
        let (network, classes) = match on_gpu {
            Some((model, classes)) => (Network::Gpu(Box::new(model)), classes),
            None => {
                let (model, classes) = folder.load(Cpu::new(Isa::best()))?;
                (Network::Cpu(Box::new(model)), classes)
            }
        };
        let manifest = folder.manifest();
        Ok(Self {
            network,
            format: weight_format(&manifest.quantization),
            labels: classes.labels,
            kinds: classes.kinds,
            name: manifest.name.clone(),
            sha256: manifest.sha256.clone(),
            identity: manifest.identity(),
            calibration: manifest.calibration.clone(),
        })
    }

    /// Where the network runs: never [`Backend::Auto`].
    pub fn backend(&self) -> Backend {
        match self.network {
            Network::Cpu(_) => Backend::Cpu,
            Network::Gpu(_) => Backend::Gpu,
        }
    }

    /// Milliseconds that a photo would take on the CPU, estimated from one matrix product as the page does it.
    pub fn predicted_cpu_ms(&self) -> f64 {
        predicted_cpu_ms(self.network.config(), self.format)
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
        let pixels = Pixels::zeros(model.config().image_size);
        self.network.logits(&pixels).map(drop).map_err(|error| Failure::Data(format!("{error}; {INSTEAD}")))
    }

    /// Runs the network on a photo.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    pub fn logits(&self, photo: &Photo) -> Result<Logits, String> {
        let pixels = preprocess(&photo.rgb, self.preprocessing());
        let begun = Instant::now();
        let values = self.network.logits(&pixels).map_err(|e| e.to_string())?;
        Ok(Logits { values, ms: begun.elapsed().as_secs_f64() * 1e3 })
    }

    /// Runs the network on a photo: the features that its head reads, `[width]`, and the logits.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    pub fn features_and_logits(&self, photo: &Photo) -> Result<(Vec<f32>, Vec<f32>), String> {
        let pixels = preprocess(&photo.rgb, self.preprocessing());
        self.network.features_and_logits(&pixels).map_err(|e| e.to_string())
    }

    /// Values of a photo's features.
    pub fn width(&self) -> usize {
        self.network.config().width
    }

    /// What is done to a photo before the network sees it.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.network.config().preprocessing
    }

    /// Decodes a photo and makes the network's input of it.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    pub fn pixels(&self, bytes: Vec<u8>) -> Result<Pixels, String> {
        let photo = decode_photo(&bytes).map_err(|e| e.to_string())?;
        drop(bytes);
        Ok(preprocess(&photo.rgb, &self.network.config().preprocessing))
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

fn predicted_cpu_ms(config: &Config, format: WeightFormat) -> f64 {
    let begun = Instant::now();
    let now = || begun.elapsed().as_secs_f64() * 1e3;
    photo_ms_on_cpu(config, product_ms(config, Isa::best(), format, now))
}

/// A network on a GPU, and its classes.
type OnGpu = (Model<Gpu>, Classes);

/// The network on the GPU, if it computes rightly there and a photo takes less time than on the processor.
fn faster_gpu(folder: &ModelFolder) -> Result<Option<OnGpu>, Failure> {
    let on_cpu = |reason: String| {
        say(&format!("on the processor: {reason}"));
        Ok(None)
    };
    let gpu = match pollster::block_on(Gpu::request(GpuOptions::default())) {
        Ok(gpu) => gpu,
        Err(error) => return on_cpu(error.to_string()),
    };
    let name = gpu.name();
    let format = weight_format(&folder.manifest().quantization);
    match pollster::block_on(self_check(&gpu, format)) {
        Ok(agreement) if agreement.holds(gpu.arithmetic()) => {}
        Ok(agreement) => return on_cpu(format!("{name} computes wrongly (cosine {:.5})", agreement.cosine)),
        Err(error) => return on_cpu(format!("{name}: {error}")),
    }
    let (model, classes) = folder.load(gpu)?;
    let pixels = Pixels::zeros(model.config().image_size);
    let mut gpu_ms = f64::INFINITY;
    // Its kernels are compiled for the first.
    for _ in 0..3 {
        let begun = Instant::now();
        if let Err(error) = pollster::block_on(model.logits(&pixels)) {
            return on_cpu(format!("{name}: {error}"));
        }
        gpu_ms = gpu_ms.min(begun.elapsed().as_secs_f64() * 1e3);
    }
    let times = Times { gpu_ms, cpu_ms: predicted_cpu_ms(model.config(), format) };
    let compared =
        format!("a photo takes {gpu_ms:.1} ms on {name}, about {:.1} ms on the processor", times.cpu_ms);
    if !times.is_gpu_faster() {
        return on_cpu(compared);
    }
    say(&format!("on the GPU: {compared}"));
    Ok(Some((model, classes)))
}

/// The number of threads asked for; by default that of the machine's processors.
pub fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// A pool of that many threads for the kernels to share their work among.
pub fn pool(threads: NonZeroUsize) -> Result<rayon::ThreadPool, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build();
    pool.map_err(|e| Failure::Usage(format!("cannot start {threads} threads: {e}")))
}
