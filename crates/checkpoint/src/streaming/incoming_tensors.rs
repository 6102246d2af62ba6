//! The tensors of a checkpoint as their storages come, each rounded when all of it is there.
//!
//! A storage is a run of the file's bytes that holds the numbers of one tensor, or of several that share it.

use super::piece::PieceTensor;
use crate::CheckpointError;
use crate::network_layout::{Part, not_finite};
use crate::quantize::Quantization;
use crate::rotate_heads::rotate;
use beit::weights::StoredTensor;
use beit::weights::schema::TensorSpec;
use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;
use std::path::Path;

/// The network's tensors, and the storages that they are made of.
pub(super) struct IncomingTensors {
    tensors: Vec<Tensor>,
    storages: Vec<Storage>,
    /// The storage that is coming, by number, and what has come of it.
    incoming: Option<(usize, Vec<u8>)>,
    /// Storages that are there, by number, while a tensor of theirs waits for another one.
    held: BTreeMap<usize, Vec<u8>>,
    /// Tensors that were rounded since the last call of [`IncomingTensors::take_recent`], by number.
    recent: Vec<usize>,
    stored_bytes: u64,
    /// The most bytes that were held at a time.
    peak_bytes: u64,
}

/// A tensor of the network.
struct Tensor {
    spec: TensorSpec,
    /// The checkpoint's tensors whose rows make it up, each with its storage's number.
    parts: Vec<(usize, Part)>,
    stored: Option<StoredTensor>,
}

struct Storage {
    /// Where it lies, as the tensors' entries count.
    bytes: Range<usize>,
    /// The tensors with a part in it, by number.
    tensors: Vec<usize>,
    arrived: bool,
}

impl IncomingTensors {
    /// `parts` are the checkpoint's tensors for each of `specs`; each lies in one of `storages`.
    pub(super) fn new(specs: Vec<TensorSpec>, parts: Vec<Vec<Part>>, storages: &[Range<usize>]) -> Self {
        let by_start: BTreeMap<usize, usize> = storages
            .iter()
            .enumerate()
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(n, bytes)| (bytes.start, n))
            .collect();
        let storage_of =
            |part: &Part| by_start.range(..=part.entry.bytes.start).next_back().map_or(0, |(_, &n)| n);
        let storage =
            |bytes: &Range<usize>| Storage { bytes: bytes.clone(), tensors: Vec::new(), arrived: false };
        let mut storages: Vec<Storage> = storages.iter().map(storage).collect();
        let mut tensors = Vec::new();
        for (number, (spec, parts)) in specs.into_iter().zip(parts).enumerate() {
            let parts: Vec<_> = parts.into_iter().map(|part| (storage_of(&part), part)).collect();
            for &(storage, _) in &parts {
                let users = &mut storages[storage].tensors;
                if users.last() != Some(&number) {
                    users.push(number);
                }
            }
            tensors.push(Tensor { spec, parts, stored: None });
        }
        Self {
            tensors,
            storages,
            incoming: None,
            held: BTreeMap::new(),
            recent: Vec::new(),
            stored_bytes: 0,
            peak_bytes: 0,
        }
    }

    /// Takes the next bytes of a storage. `path` is what messages call the checkpoint.
    pub(super) fn push(
        &mut self,
        number: usize,
        bytes: &[u8],
        path: &Path,
        quantization: Quantization,
    ) -> Result<(), CheckpointError> {
        let storage = &self.storages[number];
        if storage.tensors.is_empty() {
            return Ok(());
        }
        if storage.arrived {
            return Err(CheckpointError::format(path, "it holds a storage twice"));
        }
        let len = storage.bytes.len();
        let (_, incoming) = self.incoming.get_or_insert_with(|| (number, Vec::new()));
        if incoming.is_empty() && incoming.try_reserve_exact(len).is_err() {
            return Err(CheckpointError::OutOfMemory { path: path.to_owned(), bytes: len as u64 });
        }
        incoming.extend_from_slice(bytes);
        if incoming.len() < len {
            return Ok(());
        }
        self.complete(path, quantization)
    }

    /// A storage is there: rounds the tensors that wait for nothing else.
    fn complete(&mut self, path: &Path, quantization: Quantization) -> Result<(), CheckpointError> {
        let Some((number, bytes)) = self.incoming.take() else { return Ok(()) };
        self.held.insert(number, bytes);
        self.storages[number].arrived = true;
        self.count(0);
        for tensor in self.storages[number].tensors.clone() {
            let waits =
                self.tensors[tensor].parts.iter().any(|(storage, _)| !self.held.contains_key(storage));
            if !waits {
                self.round(tensor, path, quantization)?;
            }
        }
        let (tensors, storages) = (&self.tensors, &self.storages);
        self.held.retain(|&storage, _| {
            storages[storage].tensors.iter().any(|&tensor| tensors[tensor].stored.is_none())
        });
        Ok(())
    }

    /// Rounds a tensor whose storages are all held.
    fn round(
        &mut self,
        number: usize,
        path: &Path,
        quantization: Quantization,
    ) -> Result<(), CheckpointError> {
        let Tensor { spec, parts, .. } = &self.tensors[number];
        let mut values: Vec<f32> = Vec::with_capacity(spec.shape.iter().product());
        let mut faults = Vec::new();
        for (storage, part) in parts {
            let start = values.len();
            let first = self.storages[*storage].bytes.start;
            let bytes = part.entry.bytes.start - first..part.entry.bytes.end - first;
            part.entry.decode_into(&self.held[storage][bytes], &mut values);
            faults.extend(not_finite(&part.spelt, &values[start..]));
        }
        if !faults.is_empty() {
            return Err(CheckpointError::Tensors(faults));
        }
        rotate(quantization, spec, &mut values).map_err(|fault| CheckpointError::Tensors(vec![fault]))?;
        let (storage, bytes) = quantization.quantize(spec, &values);
        let stored = StoredTensor::new(spec, storage, bytes);
        self.keep(
            number,
            stored.map_err(|source| CheckpointError::Weights { path: path.to_owned(), source })?,
        );
        self.recent.push(number);
        self.count(size_of_val(values.as_slice()) as u64);
        Ok(())
    }

    fn keep(&mut self, number: usize, stored: StoredTensor) {
        self.stored_bytes += stored.bytes().len() as u64;
        self.tensors[number].stored = Some(stored);
    }

    /// Takes a tensor that was rounded by an earlier attempt.
    ///
    /// # Errors
    /// A sentence, when there is none of its number, or it is not of that size.
    pub(super) fn restore(&mut self, tensor: PieceTensor, quantization: Quantization) -> Result<(), String> {
        let misfit = || "it holds a tensor that is none of the checkpoint's".to_owned();
        let place =
            self.tensors.get(tensor.number).filter(|place| place.stored.is_none()).ok_or_else(misfit)?;
        let storage = tensor.storage()?;
        if !quantization.may_store(&place.spec, storage) {
            return Err(misfit());
        }
        let stored = StoredTensor::new(&place.spec, storage, tensor.bytes).map_err(|_| misfit())?;
        self.keep(tensor.number, stored);
        self.count(0);
        Ok(())
    }

    /// Notes which storages the restored tensors have come from.
    ///
    /// # Errors
    /// A sentence, when only some of a storage's tensors are there.
    pub(super) fn settle_restored(&mut self) -> Result<(), String> {
        for storage in &mut self.storages {
            let stored =
                storage.tensors.iter().filter(|&&tensor| self.tensors[tensor].stored.is_some()).count();
            if stored != 0 && stored != storage.tensors.len() {
                return Err("it holds only some of the tensors that share their numbers".into());
            }
            storage.arrived = stored != 0;
        }
        Ok(())
    }

    /// Whether a storage's tensors are all there; `None` if the network has none in it.
    pub(super) fn arrived(&self, storage: usize) -> Option<bool> {
        let storage = &self.storages[storage];
        (!storage.tensors.is_empty()).then_some(storage.arrived)
    }

    /// Whether every byte that has come is in a rounded tensor, or of no use.
    pub(super) fn is_settled(&self) -> bool {
        self.incoming.is_none() && self.held.is_empty()
    }

    /// The tensors that were rounded since the last call, by number.
    pub(super) fn take_recent(&mut self) -> Vec<usize> {
        mem::take(&mut self.recent)
    }

    /// A rounded tensor.
    pub(super) fn stored(&self, number: usize) -> Option<&StoredTensor> {
        self.tensors[number].stored.as_ref()
    }

    /// The first tensor of which something has not come, by its name in the checkpoint.
    pub(super) fn missing(&self) -> Option<&str> {
        let missing = self.tensors.iter().find(|tensor| tensor.stored.is_none())?;
        missing.parts.first().map(|(_, part)| part.spelt.as_str())
    }

    /// Notes how much is held now, `more` bytes of values included.
    fn count(&mut self, more: u64) {
        let held = self.held.values().chain(self.incoming.as_ref().map(|(_, bytes)| bytes));
        let held = held.map(|bytes| bytes.len() as u64).sum::<u64>() + self.stored_bytes + more;
        self.peak_bytes = self.peak_bytes.max(held);
    }

    /// Whether the head is kept in 16 bits.
    pub(super) fn keeps_head(&self, quantization: Quantization) -> bool {
        self.tensors.iter().any(|Tensor { spec, stored, .. }| {
            stored.as_ref().is_some_and(|stored| quantization.keeps_head(spec, stored.storage()))
        })
    }

    /// The rounded tensors, and the most bytes that were held at a time.
    pub(super) fn finish(self) -> (Vec<StoredTensor>, u64) {
        (self.tensors.into_iter().filter_map(|tensor| tensor.stored).collect(), self.peak_bytes)
    }
}
