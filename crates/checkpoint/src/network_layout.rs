//! Matches a checkpoint's tensors with the network they should be, by names, shapes and types alone.

use crate::dialects::{Dialect, NameKind};
use crate::infer_config::{self, Shapes};
use crate::naming::{self, Naming, Position};
use crate::note::Note;
use crate::tensor_entry::{Dtype, TensorEntry};
use crate::{CheckpointError, TensorFault};
use beit::config::Config;
use beit::weights::schema::{self, Role, TensorSpec};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Where each tensor of the network is in a checkpoint.
pub(crate) struct NetworkLayout {
    /// The tensors' naming scheme.
    pub(crate) dialect: Dialect,
    /// The configuration that the shapes imply.
    pub(crate) config: Config,
    /// What was decided or left out.
    pub(crate) notes: Vec<Note>,
    /// For each of [`Config::tensors`]: the checkpoint's tensors whose rows make it up.
    pub(crate) parts: Vec<Vec<Part>>,
}

/// A tensor of the checkpoint that is one of the network's, or some of its rows.
pub(crate) struct Part {
    /// Its name in the file.
    pub(crate) spelt: String,
    pub(crate) entry: TensorEntry,
}

impl NetworkLayout {
    /// Finds out which network these tensors make up. `path` is what messages call the checkpoint, `name` the model's
    /// name, `source_notes` what reading the container already told. `check_values` is asked what is wrong with the
    /// numbers of the network's tensors, so that all faults are told together.
    ///
    /// # Errors
    /// When the names follow no known dialect, or any tensor is missing, surplus, misshapen, of a type that is no
    /// float, or refused by `check_values`: all of them at once.
    pub(crate) fn new(
        path: &Path,
        all: &BTreeMap<String, TensorEntry>,
        source_notes: &[Note],
        name: &str,
        check_values: impl FnOnce(&Tensors) -> Result<Vec<TensorFault>, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
        let names = all.keys().map(String::as_str);
        let detected =
            Naming::detect(names.clone()).map_err(|reason| CheckpointError::format(path, reason))?;
        let Some((naming, taken)) = detected else {
            let first: Vec<String> = names.take(6).map(|name| format!("{name:.80}")).collect();
            let found = if first.is_empty() { "no tensors".into() } else { first.join(", ") };
            return Err(CheckpointError::Dialect { path: path.to_owned(), found });
        };
        let dialect = naming.dialect;
        let Sorted { tensors, leftovers, mut beside, mut faults } = sort(all, &naming);
        let config = infer_config::config(&joined_shapes(&tensors, dialect), name);
        let (parts, missing) = find_parts(&tensors, &naming, &config);
        faults.extend(missing);
        faults.extend(surplus(&tensors, dialect, &config));
        faults.extend(check_values(&tensors)?);
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
        let mut notes = source_notes.to_vec();
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
        let weights = |e| CheckpointError::Weights { path: path.to_owned(), source: e };
        schema::read_config(&metadata).map_err(weights)?;
        Ok(Self { dialect, config, notes, parts })
    }
}

/// What is wrong with a tensor's values, if anything.
pub(crate) fn not_finite(spelt: &str, values: &[f32]) -> Option<TensorFault> {
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    (bad > 0).then(|| TensorFault {
        name: spelt.to_owned(),
        expected: "finite values".into(),
        got: format!("{bad} of {} not finite", values.len()),
    })
}

/// A tensor of the checkpoint.
pub(crate) struct Found<'a> {
    /// Its name in the file.
    pub(crate) spelt: &'a str,
    pub(crate) entry: &'a TensorEntry,
}

/// The checkpoint's tensors by the dialect's own names.
pub(crate) type Tensors<'a> = BTreeMap<String, Found<'a>>;

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

fn sort<'a>(all: &'a BTreeMap<String, TensorEntry>, naming: &Naming) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    let mut heads = Vec::new();
    for (spelt, entry) in all {
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
fn find_parts(tensors: &Tensors, naming: &Naming, config: &Config) -> (Vec<Vec<Part>>, Vec<TensorFault>) {
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
                    _ => parts.push(Part { spelt: (*spelt).to_owned(), entry: (*entry).clone() }),
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
