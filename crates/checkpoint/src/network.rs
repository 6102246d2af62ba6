//! A checkpoint held against the network it should be: every tensor found, or every fault named.

use crate::derive::{self, Shapes};
use crate::names::{Dialect, Place};
use crate::source::{Dtype, Entry, Source};
use crate::{CheckpointError, TensorFault};
use beit::config::Config;
use beit::weights::schema::{self, Role, TensorSpec};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A checkpoint whose tensors are all there, of the right shape and finite.
pub struct Network {
    pub source: Source,
    pub dialect: Dialect,
    pub config: Config,
    /// For each of [`Config::tensors`]: the checkpoint's tensors whose rows make it up.
    parts: Vec<Vec<Entry>>,
}

impl Network {
    /// Finds out which network the checkpoint holds and checks all of it. `name` is the model's.
    ///
    /// # Errors
    /// When the names follow no known dialect, or any tensor is missing, surplus, misshapen, of a
    /// type that is no float, or holds values that are not finite: all of them at once.
    pub fn new(source: Source, name: &str) -> Result<Self, CheckpointError> {
        let names = source.tensors().keys().map(String::as_str);
        let Some(dialect) = Dialect::detect(names.clone()) else {
            let first: Vec<String> = names.take(6).map(|name| format!("{name:.80}")).collect();
            let found = if first.is_empty() { "no tensors".into() } else { first.join(", ") };
            return Err(CheckpointError::Dialect { path: source.path().to_owned(), found });
        };
        let config = derive::config(&joined_shapes(&source, dialect), name);
        let (parts, mut faults) = find_parts(&source, dialect, &config);
        faults.extend(surplus(&source, dialect, &config));
        faults.par_extend(
            source.tensors().par_iter().filter_map(|(name, entry)| not_finite(&source, dialect, name, entry)),
        );
        if !faults.is_empty() {
            faults.sort();
            return Err(CheckpointError::Tensors(faults));
        }
        // The shapes agree with each other; what is left is a network that no reader would believe.
        let metadata =
            schema::metadata(&config, &[]).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let weights = |e| CheckpointError::Weights { path: source.path().to_owned(), source: e };
        schema::read_config(&metadata).map_err(weights)?;
        Ok(Self { source, dialect, config, parts })
    }

    /// Every tensor of the network, with a way to its values.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorSpec, &[Entry])> {
        self.config.tensors().into_iter().zip(self.parts.iter().map(Vec::as_slice))
    }

    /// A tensor's values, row-major, parts joined.
    pub fn values(&self, parts: &[Entry]) -> Vec<f32> {
        match parts {
            [whole] => self.source.values(whole),
            parts => parts.iter().flat_map(|part| self.source.values(part)).collect(),
        }
    }
}

/// The checkpoint's shapes under our names; the parts of a tensor count their rows together.
fn joined_shapes(source: &Source, dialect: Dialect) -> Shapes {
    let mut shapes = BTreeMap::new();
    for (theirs, entry) in source.tensors() {
        if let Place::Tensor { name, .. } = dialect.place(theirs) {
            let joined: &mut Vec<usize> = shapes.entry(name).or_default();
            match joined.first_mut() {
                Some(rows) => *rows = rows.saturating_add(entry.shape.first().copied().unwrap_or(0)),
                None => joined.clone_from(&entry.shape),
            }
        }
    }
    shapes
}

/// The checkpoint's tensors for each of the network's, and what is wrong with them.
fn find_parts(source: &Source, dialect: Dialect, config: &Config) -> (Vec<Vec<Entry>>, Vec<TensorFault>) {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for spec in config.tensors() {
        let theirs = dialect.theirs(&spec.name);
        let mut shape = checkpoint_shape(&spec, config);
        shape[0] /= theirs.len();
        let mut parts = Vec::new();
        for name in theirs {
            let expected = format!("{shape:?}");
            match source.tensors().get(&name) {
                None => faults.push(TensorFault { name, expected, got: "nothing".into() }),
                Some(entry) if entry.shape != shape => {
                    faults.push(TensorFault { name, expected, got: format!("{:?}", entry.shape) })
                }
                Some(entry) => match &entry.dtype {
                    Dtype::Other(got) => faults.push(TensorFault {
                        name,
                        expected: "F32, F16 or BF16".into(),
                        got: got.clone(),
                    }),
                    _ => parts.push(entry.clone()),
                },
            }
        }
        all.push(parts);
    }
    (all, faults)
}

/// A tensor's shape as PyTorch keeps it.
fn checkpoint_shape(spec: &TensorSpec, config: &Config) -> Vec<usize> {
    match spec.name.as_str() {
        "cls_token" | "pos_embed" => {
            vec![1, spec.shape.iter().product::<usize>() / config.width, config.width]
        }
        _ if spec.role == Role::PatchEmbedding => vec![config.width, 3, config.patch_size, config.patch_size],
        _ => spec.shape.clone(),
    }
}

/// Tensors that belong to no BEiT classifier, or to a block that the network does not have.
fn surplus(source: &Source, dialect: Dialect, config: &Config) -> Vec<TensorFault> {
    let ours: Vec<String> = config.tensors().into_iter().map(|spec| spec.name).collect();
    let ours: std::collections::HashSet<&str> = ours.iter().map(String::as_str).collect();
    let fault = |(name, entry): (&String, &Entry)| {
        let wanted = match dialect.place(name) {
            Place::Ignored => true,
            Place::Tensor { name, .. } => ours.contains(name.as_str()),
            Place::Surplus => false,
        };
        let got = format!("{:?}", entry.shape);
        (!wanted).then(|| TensorFault { name: name.clone(), expected: "no such tensor".into(), got })
    };
    source.tensors().iter().filter_map(fault).collect()
}

fn not_finite(source: &Source, dialect: Dialect, name: &str, entry: &Entry) -> Option<TensorFault> {
    if dialect.place(name) == Place::Ignored {
        return None;
    }
    let values = source.values(entry);
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    let got = || format!("{bad} of {} not finite", values.len());
    (bad > 0).then(|| TensorFault { name: name.to_owned(), expected: "finite values".into(), got: got() })
}
