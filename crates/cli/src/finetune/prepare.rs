//! What both methods begin with: classes, photos and their features.

use super::Arguments;
use super::cache::{self, Cache};
use super::classes;
use super::features::{self, Set};
use crate::failure::Failure;
use crate::output::say;
use beit::backend::Cpu;
use beit::labels::Label;
use checkpoint::ModelFolder;
use evaluate::dataset::photos_in_folder;
use head::HeadError;
use kernels::Isa;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

/// Photos with their features, ready to be learnt from.
pub struct Prepared {
    pub base: ModelFolder,
    /// The new model's name.
    pub name: String,
    pub labels: Vec<Label>,
    /// Length of a photo's features.
    pub width: usize,
    pub train: Set,
    /// Empty without `--val`.
    pub val: Set,
    /// How long it took.
    pub seconds: f64,
}

impl Prepared {
    pub fn new(arguments: &Arguments, threads: NonZeroUsize) -> Result<Self, Failure> {
        let begun = Instant::now();
        let base = ModelFolder::open(&arguments.model)?;
        let name = super::name(arguments, &base.manifest().name)?;
        let (labels, samples) = classes::of_folder(&arguments.train)?;
        let val_samples = arguments.val.as_ref().map(|val| photos_in_folder(val, &labels)).transpose()?;
        let (model, _) = base.load(Cpu::new(Isa::best()))?;
        let width = model.config().width;
        let sha256 = &base.manifest().sha256;
        let cache = match (&arguments.cache, arguments.no_cache) {
            (_, true) => Cache::none(),
            (Some(folder), false) => Cache::open(folder, sha256, width)?,
            (None, false) => Cache::open(&cache::usual_folder()?, sha256, width)?,
        };
        say(&format!("{} photos of {} classes to learn from", samples.len(), labels.len()));
        let train = features::of(&model, &cache, &samples, threads)?;
        let val = match &val_samples {
            Some(samples) => {
                say(&format!("{} photos to measure by", samples.len()));
                features::of(&model, &cache, samples, threads)?
            }
            None => Set::default(),
        };
        train.say_contradictions();
        Ok(Self { base, name, labels, width, train, val, seconds: begun.elapsed().as_secs_f64() })
    }
}

/// Photos of each class.
pub fn counts(labels: &[Label], set: &Set) -> Vec<usize> {
    let mut counts = vec![0; labels.len()];
    set.photos.iter().for_each(|photo| counts[photo.class] += 1);
    counts
}

pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|e| Failure::Data(format!("cannot write {}: {e}", path.display())))
}

pub fn refused(error: HeadError) -> Failure {
    Failure::Data(error.to_string())
}
