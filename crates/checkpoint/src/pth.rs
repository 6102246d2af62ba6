//! PyTorch checkpoints: a pickle that describes the tensors, and the storages that hold their numbers.
//!
//! - `archive`: the container since PyTorch 1.6, a zip archive.
//! - `legacy`: the one before, pickles and storages one after another.
//! - `state_dict`: which of the pickle's dicts holds the network.
//! - `tensors`: a tensor's description in the pickle, checked against its storage.
//! - `announced`: a checkpoint whose storages are still to come.

mod announced;
#[cfg(feature = "files")]
mod archive;
pub(crate) mod legacy;
mod state_dict;
mod tensors;

pub(crate) use announced::{Announced, AnnouncedStorage};

use crate::note::Note;
use crate::pickle::{Id, Pickle};
use crate::tensor_entry::TensorEntry;
use std::collections::BTreeMap;
use tensors::Storages;

/// What is read of a checkpoint.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) tensors: BTreeMap<String, TensorEntry>,
    /// `meta.CLASSES`, where there is such a list.
    pub(crate) class_names: Vec<String>,
    /// Which network was taken, where there are several.
    pub(crate) note: Option<Note>,
}

/// The containers of PyTorch checkpoints.
pub(crate) enum Container {
    /// A zip archive.
    Archive,
    /// Pickles and storages.
    Legacy,
}

impl Container {
    /// By a file's first bytes.
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        if file.starts_with(b"PK\x03\x04") {
            Some(Self::Archive)
        } else if file.starts_with(&[0x80]) && file.get(1).is_some_and(|protocol| (2..=5).contains(protocol))
        {
            Some(Self::Legacy)
        } else {
            None
        }
    }
}

/// Reads a PyTorch checkpoint of either container; `None` if the file is none.
///
/// # Errors
/// A sentence, when the file is damaged or describes no tensors.
#[cfg(feature = "files")]
pub(crate) fn read(file: &[u8]) -> Option<Result<Checkpoint, String>> {
    Some(match Container::of(file)? {
        Container::Archive => archive::read(file),
        Container::Legacy => legacy::read(file),
    })
}

pub(crate) fn big_endian() -> String {
    "its numbers are big-endian; load it in PyTorch and save it again on an ordinary machine".into()
}

pub(crate) fn torch_script() -> String {
    "it is a TorchScript program: load it with torch.jit.load and save its state_dict()".into()
}

pub(crate) fn numpy_archive() -> String {
    "it is numpy's archive (.npz): convert the PyTorch or safetensors checkpoint".into()
}

/// The network's tensors as the pickle describes them.
fn assemble(pickle: &Pickle, storages: &mut dyn Storages) -> Result<Checkpoint, String> {
    let (state_dict, note) = state_dict::find(pickle)?;
    let mut tensors = BTreeMap::new();
    for &(key, value) in pickle.dict(state_dict).unwrap_or_default() {
        if let (Some(name), Some(tensor)) = (pickle.text(key), tensors::tensor(pickle, value)) {
            let entry = tensors::entry(pickle, tensor, storages);
            tensors.insert(name.to_owned(), entry.map_err(|reason| format!("{name:.120}: {reason}"))?);
        }
    }
    Ok(Checkpoint { tensors, class_names: class_names(pickle).unwrap_or_default(), note })
}

/// OpenMMLab's and ModelScope's list of names.
fn class_names(pickle: &Pickle) -> Option<Vec<String>> {
    let classes: Id = pickle.item(pickle.item(pickle.root, "meta")?, "CLASSES")?;
    pickle.sequence(classes)?.iter().map(|&id| pickle.text(id).map(str::to_owned)).collect()
}
