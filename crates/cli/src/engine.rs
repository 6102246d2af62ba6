//! A loaded model and what both `classify` and `evaluate` do with a photo.

use crate::failure::Failure;
use beit::backend::Cpu;
use beit::decode::decode;
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::preprocess;
use checkpoint::ModelFolder;
use kernels::Isa;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

/// A model that answers photos on the processor.
pub struct Engine {
    pub model: Model<Cpu>,
    pub labels: Vec<Label>,
}

/// A photo's logits, one per class.
pub struct Logits {
    pub values: Vec<f32>,
    /// The network alone, in milliseconds.
    pub ms: f64,
}

impl Engine {
    /// Verifies and loads the model in a folder.
    pub fn load(folder: &Path) -> Result<Self, Failure> {
        let (model, labels) = ModelFolder::open(folder)?.load(Cpu::new(Isa::best()))?;
        Ok(Self { model, labels })
    }

    /// Runs the network on the photo in a file.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    pub fn logits(&self, file: &Path) -> Result<Logits, String> {
        let bytes = std::fs::read(file).map_err(|e| format!("The file can't be read: {e}."))?;
        let photo = decode(&bytes).map_err(|e| e.to_string())?;
        drop(bytes);
        let pixels = preprocess(&photo, &self.model.config().preprocessing);
        let begun = Instant::now();
        let values = pollster::block_on(self.model.logits(&pixels)).map_err(|e| e.to_string())?;
        Ok(Logits { values, ms: begun.elapsed().as_secs_f64() * 1e3 })
    }
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
