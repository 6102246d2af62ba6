//! A checkpoint matched with the network it should be: every tensor found, or every fault named.

use crate::dialects::{Dialect, NameKind};
use crate::infer_config::{self, Shapes};
use crate::naming::{self, Naming, Position};
use crate::note::Note;
use crate::source::Source;
use crate::tensor_entry::{Dtype, TensorEntry};
use crate::{CheckpointError, TensorFault};
use beit::config::Config;
use beit::weights::schema::{self, Role, TensorSpec};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// A checkpoint whose tensors are all there, of the right shape and finite.
pub struct Network {
    /// The checkpoint.
    pub source: Source,
    /// Its tensors' naming scheme.
    pub dialect: Dialect,
    /// The configuration that its shapes imply.
    pub config: Config,
    /// What was decided or left out.
    pub notes: Vec<Note>,
    /// For each of [`Config::tensors`]: the checkpoint's tensors whose rows make it up.
    parts: Vec<Vec<TensorEntry>>,
}

impl Network {
    /// Finds out which network the checkpoint holds and checks all of it. `name` is the model's.
    ///
    /// # Errors
    /// When the names follow no known dialect, or any tensor is missing, surplus, misshapen, of a
    /// type that is no float, or holds values that are not finite: all of them at once.
    pub fn new(source: Source, name: &str) -> Result<Self, CheckpointError> {
        let names = source.tensors().keys().map(String::as_str);
        let detected =
            Naming::detect(names.clone()).map_err(|reason| CheckpointError::format(source.path(), reason))?;
        let Some((naming, taken)) = detected else {
            let first: Vec<String> = names.take(6).map(|name| format!("{name:.80}")).collect();
            let found = if first.is_empty() { "no tensors".into() } else { first.join(", ") };
            return Err(CheckpointError::Dialect { path: source.path().to_owned(), found });
        };
        let dialect = naming.dialect;
        let Sorted { tensors, leftovers, mut beside, mut faults } = sort(&source, &naming);
        let config = infer_config::config(&joined_shapes(&tensors, dialect), name);
        let (parts, missing) = find_parts(&tensors, &naming, &config);
        faults.extend(missing);
        faults.extend(surplus(&tensors, dialect, &config));
        let finite: Vec<_> = tensors.par_iter().map(|(_, tensor)| not_finite(&source, tensor)).collect();
        for fault in finite {
            faults.extend(fault?);
        }
        if !faults.is_empty() {
            faults.sort();
            return Err(CheckpointError::Tensors(faults));
        }
        let narrowed =
            tensors.values().filter(|t| t.entry.dtype == Dtype::F64).map(|t| t.spelt.to_owned()).collect();
        if let Some(Note::NetworkChosen { others, .. }) = &taken {
            // Their networks are named already.
            beside.retain(|name| !others.iter().any(|other| naming::is_below(name, other)));
        }
        let mut notes = source.notes().to_vec();
        notes.extend(taken);
        notes.extend([
            Note::PretrainingTensors { names: leftovers },
            Note::OtherTensors { prefix: naming.prefix.clone(), names: beside },
            Note::Narrowed { names: narrowed },
        ]);
        notes.retain(|note| !note.is_empty());
        // The shapes agree with each other; what is left is a network that no reader would believe.
        let metadata =
            schema::metadata(&config, &[]).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let weights = |e| CheckpointError::Weights { path: source.path().to_owned(), source: e };
        schema::read_config(&metadata).map_err(weights)?;
        Ok(Self { source, dialect, config, notes, parts })
    }

    /// Every tensor of the network, with a way to its values.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorSpec, &[TensorEntry])> {
        self.config.tensors().into_iter().zip(self.parts.iter().map(Vec::as_slice))
    }

    /// A tensor's values, row-major, parts joined.
    ///
    /// # Errors
    /// When the file, read once already, is no longer what it was.
    pub fn values(&self, parts: &[TensorEntry]) -> Result<Vec<f32>, CheckpointError> {
        match parts {
            [whole] => self.source.values(whole),
            parts => {
                let mut joined = Vec::new();
                for part in parts {
                    joined.extend(self.source.values(part)?);
                }
                Ok(joined)
            }
        }
    }
}

/// A tensor of the checkpoint.
struct Found<'a> {
    /// Its name in the file.
    spelt: &'a str,
    entry: &'a TensorEntry,
}

/// The checkpoint's tensors by the dialect's own names.
type Tensors<'a> = BTreeMap<String, Found<'a>>;

/// What the checkpoint's tensors are.
#[derive(Default)]
struct Sorted<'a> {
    /// Those of the network, and those that should not be in it.
    tensors: Tensors<'a>,
    /// Left by pre-training, as the file spells them.
    leftovers: Vec<String>,
    /// Of something else in the same file.
    beside: Vec<String>,
    faults: Vec<TensorFault>,
}

fn sort<'a>(source: &'a Source, naming: &Naming) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    let mut heads = Vec::new();
    for (spelt, entry) in source.tensors() {
        match naming.position(spelt) {
            Position::Inside(name) => match naming.dialect.classify(&name) {
                NameKind::Ignored => {}
                NameKind::Pretraining => sorted.leftovers.push(spelt.clone()),
                NameKind::Tensor { .. } | NameKind::Surplus => {
                    let found = Found { spelt, entry };
                    if let Some(first) = sorted.tensors.insert(name.into_owned(), found) {
                        sorted.faults.push(TensorFault {
                            name: spelt.clone(),
                            expected: "one tensor of this name, wrappers left out".into(),
                            got: format!("{:.120} too", first.spelt),
                        });
                    }
                }
            },
            Position::Head(name) => heads.push((name, Found { spelt, entry })),
            Position::Beside => sorted.beside.push(spelt.clone()),
        }
    }
    for (name, found) in heads {
        match sorted.tensors.entry(name) {
            std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(found)),
            std::collections::btree_map::Entry::Occupied(_) => sorted.beside.push(found.spelt.to_owned()),
        }
    }
    sorted
}

/// The checkpoint's shapes under our names; the parts of a tensor count their rows together.
fn joined_shapes(tensors: &Tensors, dialect: Dialect) -> Shapes {
    let mut shapes = BTreeMap::new();
    for (theirs, Found { entry, .. }) in tensors {
        if let NameKind::Tensor { name, .. } = dialect.classify(theirs) {
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
fn find_parts(
    tensors: &Tensors,
    naming: &Naming,
    config: &Config,
) -> (Vec<Vec<TensorEntry>>, Vec<TensorFault>) {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for spec in config.tensors() {
        let theirs = naming.dialect.theirs(&spec.name);
        let mut shape = checkpoint_shape(&spec, config);
        shape[0] /= theirs.len();
        let mut parts = Vec::new();
        for name in theirs {
            let mut fault = |name: String, expected: &str, got: String| {
                faults.push(TensorFault { name, expected: expected.into(), got })
            };
            match tensors.get(&name) {
                None => fault(format!("{}{name}", naming.prefix), &format!("{shape:?}"), "nothing".into()),
                Some(Found { spelt, entry }) if entry.shape != shape => {
                    fault((*spelt).to_owned(), &format!("{shape:?}"), format!("{:?}", entry.shape))
                }
                Some(Found { spelt, entry }) => match &entry.dtype {
                    Dtype::Other(got) => fault((*spelt).to_owned(), "F64, F32, F16 or BF16", got.clone()),
                    _ => parts.push((*entry).clone()),
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
fn surplus(tensors: &Tensors, dialect: Dialect, config: &Config) -> Vec<TensorFault> {
    let ours: HashSet<String> = config.tensors().into_iter().map(|spec| spec.name).collect();
    let wanted = |name: &str| match dialect.classify(name) {
        NameKind::Tensor { name, .. } => ours.contains(name.as_str()),
        _ => false,
    };
    let surplus = tensors.iter().filter(|(name, _)| !wanted(name));
    let fault = |Found { spelt, entry }: &Found| TensorFault {
        name: (*spelt).to_owned(),
        expected: "no such tensor".into(),
        got: format!("{:?}", entry.shape),
    };
    surplus.map(|(_, found)| fault(found)).collect()
}

fn not_finite(source: &Source, tensor: &Found) -> Result<Option<TensorFault>, CheckpointError> {
    let values = source.values(tensor.entry)?;
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    Ok((bad > 0).then(|| TensorFault {
        name: tensor.spelt.to_owned(),
        expected: "finite values".into(),
        got: format!("{bad} of {} not finite", values.len()),
    }))
}
