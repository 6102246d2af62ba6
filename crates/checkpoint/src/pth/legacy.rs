//! The container before PyTorch 1.6, and since then of `_use_new_zipfile_serialization=False`: five pickles (a magic
//! number, a version, the machine, the objects, the storages' keys), then each storage, a count before its numbers.

#[cfg(feature = "files")]
use super::tensors::ByKey;
use super::tensors::{bytes_of, named};
#[cfg(feature = "files")]
use super::{Checkpoint, assemble};
use crate::pickle::{Object, Pickle};
use std::collections::HashMap;
use std::ops::Range;

/// How the pickle of 0x1950a86a20f9469cfc6c ends, in every protocol.
const MAGIC: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
/// Pickles before the storages.
pub(crate) const PICKLES: u32 = 5;
/// Bytes of the count before a storage's numbers.
pub(crate) const COUNT_BYTES: usize = 8;

/// The pickles before the storages.
pub(super) struct Pickles {
    /// What was saved.
    pub(super) objects: Pickle,
    /// The storages' keys, in the file's order.
    keys: Vec<String>,
    /// Where the last pickle ends in the file.
    end: usize,
}

/// A storage of the file.
pub(super) struct Following {
    pub(super) key: String,
    pub(super) bytes: Range<usize>,
    /// Its numbers, which a count before them tells too.
    pub(super) count: u64,
}

/// Whether a file may be of this container, of which the first pickle ends here.
///
/// # Errors
/// A sentence, when it is not.
pub(crate) fn check_first_pickle(pickle: &[u8]) -> Result<(), String> {
    if pickle.ends_with(MAGIC) {
        return Ok(());
    }
    Err("it is a Python pickle that torch.save did not write: load it, and save the state dict with torch.save or as \
         safetensors"
        .into())
}

/// # Errors
/// A sentence, when the file is damaged or describes no tensors.
#[cfg(feature = "files")]
pub(super) fn read(file: &[u8]) -> Result<Checkpoint, String> {
    let pickles = read_pickles(file)?;
    let count = |_: &str, at: usize| {
        let count = file.get(at..)?.first_chunk::<COUNT_BYTES>()?;
        Some(u64::from_le_bytes(*count))
    };
    let storages = locate(&pickles, file.len(), count)?;
    let located = storages.into_iter().map(|storage| (storage.key, storage.bytes)).collect();
    assemble(&pickles.objects, &mut ByKey(located))
}

/// Reads the pickles that a file begins with.
///
/// # Errors
/// A sentence, when they are damaged or of another program.
pub(super) fn read_pickles(file: &[u8]) -> Result<Pickles, String> {
    let mut at = 0;
    let mut next = || -> Result<(Pickle, Range<usize>), String> {
        let (pickle, len) = Pickle::read_first(&file[at..])?;
        at += len;
        Ok((pickle, at - len..at))
    };
    let (_, magic) = next()?;
    check_first_pickle(&file[magic])?;
    let (_version, _) = next()?;
    let (machine, _) = next()?;
    let (objects, _) = next()?;
    let (keys, Range { end, .. }) = next()?;
    let little = machine.item(machine.root, "little_endian").map(|id| machine.get(id));
    if little == Some(&Object::Bool(false)) {
        return Err(super::big_endian());
    }
    let keys = keys
        .sequence(keys.root)
        .and_then(|ids| ids.iter().map(|&id| keys.text(id).map(str::to_owned)).collect());
    Ok(Pickles { objects, keys: keys.ok_or("its list of storages is malformed")?, end })
}

/// Where each storage's numbers lie: one after another behind the pickles, in a file of `file_bytes`. `count` tells a
/// storage's numbers by its key and where its count lies.
///
/// # Errors
/// A sentence, when one has no count, or does not fit into the file.
pub(super) fn locate(
    Pickles { objects, keys, end }: &Pickles,
    file_bytes: usize,
    count: impl Fn(&str, usize) -> Option<u64>,
) -> Result<Vec<Following>, String> {
    let classes: HashMap<&str, &str> = (0..objects.objects().len())
        .filter_map(|id| named(objects, id))
        .map(|storage| (storage.key, storage.class))
        .collect();
    let mut at = *end;
    let mut located = Vec::new();
    for key in keys {
        let class = classes.get(key.as_str()).copied().unwrap_or("unnamed");
        let Some(each) = bytes_of(class) else {
            return Err(format!(
                "its storage {key:.120} holds numbers of a kind that is not known ({class:.120})"
            ));
        };
        let count = count(key, at);
        let len = count.and_then(|count| usize::try_from(count).ok()?.checked_mul(each));
        let start = at.saturating_add(COUNT_BYTES);
        let end = len.and_then(|len| start.checked_add(len)).filter(|&end| end <= file_bytes);
        let end = end.ok_or_else(|| format!("its storage {key:.120} is cut short"))?;
        located.push(Following { key: key.clone(), bytes: start..end, count: count.unwrap_or_default() });
        at = end;
    }
    Ok(located)
}
