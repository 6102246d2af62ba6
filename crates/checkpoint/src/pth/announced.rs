//! PyTorch checkpoints whose storages are still to come: the pickle tells how long each is.

use super::tensors::{ByKey, bytes_of, named};
use super::{Checkpoint, assemble, legacy};
use crate::pickle::Pickle;
use std::collections::HashMap;
use std::ops::Range;

/// What is known of a checkpoint before its numbers.
pub(crate) struct Announced {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) storages: Vec<AnnouncedStorage>,
}

/// A storage that is to come.
pub(crate) struct AnnouncedStorage {
    pub(crate) key: String,
    /// Where its numbers lie, as the tensors' entries count.
    pub(crate) bytes: Range<usize>,
    /// How many numbers it has.
    pub(crate) count: u64,
}

impl Announced {
    /// Of a zip archive with this pickle. Its storages may come in any order, with anything between: entries count as
    /// if they lay one after another, without gaps, in the order of the pickle.
    ///
    /// # Errors
    /// A sentence, when the pickle is damaged or describes no tensors.
    pub(crate) fn archive(pickle: &[u8]) -> Result<Self, String> {
        let pickle = Pickle::read(pickle)?;
        let (mut storages, mut located, mut at) = (Vec::new(), HashMap::new(), 0usize);
        for storage in (0..pickle.objects().len()).filter_map(|id| named(&pickle, id)) {
            let (Some(each), Some(numbers)) = (bytes_of(storage.class), storage.numbers) else { continue };
            if located.contains_key(storage.key) {
                continue;
            }
            let end = numbers.checked_mul(each).and_then(|len| at.checked_add(len));
            let end = end.ok_or("its storages are larger than this program can address")?;
            located.insert(storage.key.to_owned(), at..end);
            storages.push(AnnouncedStorage {
                key: storage.key.into(),
                bytes: at..end,
                count: numbers as u64,
            });
            at = end;
        }
        Ok(Self { checkpoint: assemble(&pickle, &mut ByKey(located))?, storages })
    }

    /// Of PyTorch's container before 1.6, which begins with these pickles.
    ///
    /// # Errors
    /// A sentence, when the pickles are damaged or describe no tensors.
    pub(crate) fn legacy(pickles: &[u8]) -> Result<Self, String> {
        let pickles = legacy::read_pickles(pickles)?;
        let objects = &pickles.objects;
        let named = (0..objects.objects().len()).filter_map(|id| named(objects, id));
        let counts: HashMap<&str, u64> =
            named.filter_map(|storage| Some((storage.key, storage.numbers? as u64))).collect();
        let storages = legacy::locate(&pickles, usize::MAX, |key, _| counts.get(key).copied())?;
        let located = storages.iter().map(|storage| (storage.key.clone(), storage.bytes.clone())).collect();
        let storages = storages.into_iter();
        Ok(Self {
            checkpoint: assemble(objects, &mut ByKey(located))?,
            storages: storages
                .map(|legacy::Following { key, bytes, count }| AnnouncedStorage { key, bytes, count })
                .collect(),
        })
    }
}
