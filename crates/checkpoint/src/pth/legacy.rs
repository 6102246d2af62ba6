//! The container before PyTorch 1.6, and since then of `_use_new_zipfile_serialization=False`: five pickles (a magic
//! number, a version, the machine, the objects, the storages' keys), then each storage, a count before its numbers.

use super::tensors::{Located, Named, Storages, bytes_of, named};
use super::{Checkpoint, assemble};
use crate::pickle::{Object, Pickle};
use std::collections::HashMap;
use std::ops::Range;

/// How the pickle of 0x1950a86a20f9469cfc6c ends, in every protocol.
const MAGIC: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
/// Bytes of the count before a storage's numbers.
const COUNT_BYTES: usize = 8;

/// # Errors
/// A sentence, when the file is damaged or describes no tensors.
pub(super) fn read(file: &[u8]) -> Result<Checkpoint, String> {
    let mut at = 0;
    let mut next = || -> Result<(Pickle, Range<usize>), String> {
        let (pickle, len) = Pickle::read_first(&file[at..])?;
        at += len;
        Ok((pickle, at - len..at))
    };
    let (_, magic) = next()?;
    if !file[magic].ends_with(MAGIC) {
        return Err(
            "it is a Python pickle that torch.save did not write: load it, and save the state dict with \
                    torch.save or as safetensors"
                .into(),
        );
    }
    let (_version, _) = next()?;
    let (machine, _) = next()?;
    let (objects, _) = next()?;
    let (keys, end) = next()?;
    let little = machine.item(machine.root, "little_endian").map(|id| machine.get(id));
    if little == Some(&Object::Bool(false)) {
        return Err(
            "its numbers are big-endian; load it in PyTorch and save it again on an ordinary machine".into(),
        );
    }
    let located = locate(&objects, &keys, file, end.end)?;
    assemble(&objects, &mut Following { located })
}

/// Where each storage's numbers lie, by its key: one after another from `at` on, in the order of `keys`.
fn locate(
    objects: &Pickle,
    keys: &Pickle,
    file: &[u8],
    mut at: usize,
) -> Result<HashMap<String, Range<usize>>, String> {
    let classes: HashMap<&str, &str> = (0..objects.objects().len())
        .filter_map(|id| named(objects, id))
        .map(|storage| (storage.key, storage.class))
        .collect();
    let keys = keys.sequence(keys.root).and_then(|ids| ids.iter().map(|&id| keys.text(id)).collect());
    let keys: Vec<&str> = keys.ok_or("its list of storages is malformed")?;
    let mut located = HashMap::new();
    for key in keys {
        let class = classes.get(key).copied().unwrap_or("unnamed");
        let Some(each) = bytes_of(class) else {
            return Err(format!(
                "its storage {key:.120} holds numbers of a kind that is not known ({class:.120})"
            ));
        };
        let count = file.get(at..).and_then(|rest| rest.first_chunk::<COUNT_BYTES>());
        let len = count.and_then(|&count| usize::try_from(u64::from_le_bytes(count)).ok()?.checked_mul(each));
        let start = at.saturating_add(COUNT_BYTES);
        let end = len.and_then(|len| start.checked_add(len)).filter(|&end| end <= file.len());
        let end = end.ok_or_else(|| format!("its storage {key:.120} is cut short"))?;
        located.insert(key.to_owned(), start..end);
        at = end;
    }
    Ok(located)
}

/// The storages of one file.
struct Following {
    located: HashMap<String, Range<usize>>,
}

impl Storages for Following {
    fn locate(&mut self, storage: &Named) -> Result<Located, String> {
        let missing = || format!("its storage {:.120} is not in the file", storage.key);
        let whole = self.located.get(storage.key).ok_or_else(missing)?.clone();
        let Some((offset, numbers)) = storage.view else {
            return Ok(Located { bytes: whole, deflated: None });
        };
        let each = bytes_of(storage.class).unwrap_or(1);
        let part = offset.checked_mul(each).zip(numbers.checked_mul(each)).and_then(|(offset, len)| {
            let start = whole.start.checked_add(offset)?;
            Some(start..start.checked_add(len)?).filter(|part| part.end <= whole.end)
        });
        let outside = || format!("a part of its storage {:.120} lies outside it", storage.key);
        Ok(Located { bytes: part.ok_or_else(outside)?, deflated: None })
    }
}
