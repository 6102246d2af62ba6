//! The tensors of a checkpoint as they come, in the file's order, each rounded when it is complete.

use crate::CheckpointError;
use crate::network_layout::{Part, not_finite};
use crate::quantize::Quantization;
use beit::weights::StoredTensor;
use beit::weights::schema::TensorSpec;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::path::Path;

/// The part of a file that follows the header.
pub(super) struct IncomingTensors {
    /// The network's tensors.
    specs: Vec<TensorSpec>,
    /// The checkpoint's tensors still to come that the network wants, in the file's order.
    expected: VecDeque<Expected>,
    /// What has come of the first of them.
    incoming: Vec<u8>,
    /// Tensors that wait for more of their parts, by number.
    incomplete: BTreeMap<usize, Vec<Option<Complete>>>,
    /// Rounded tensors, by number.
    stored: Vec<Option<StoredTensor>>,
    stored_bytes: usize,
    /// The most bytes that were held at a time.
    peak_bytes: usize,
    /// Where the next byte lies in the file.
    position: usize,
    file_bytes: usize,
}

/// A tensor of the checkpoint: all of tensor number `tensor` of the network, or one of several parts.
struct Expected {
    tensor: usize,
    number: usize,
    parts: usize,
    part: Part,
}

/// A tensor of the checkpoint, all of whose bytes are there.
struct Complete {
    part: Part,
    bytes: Vec<u8>,
}

impl IncomingTensors {
    /// `parts` are the checkpoint's tensors for each of `specs`.
    pub(super) fn new(
        specs: Vec<TensorSpec>,
        parts: Vec<Vec<Part>>,
        position: usize,
        file_bytes: usize,
    ) -> Self {
        let mut expected = Vec::new();
        for (tensor, parts) in parts.into_iter().enumerate() {
            let count = parts.len();
            let numbered = parts.into_iter().enumerate();
            expected.extend(numbered.map(|(number, part)| Expected { tensor, number, parts: count, part }));
        }
        expected.sort_by_key(|expected| expected.part.entry.bytes.start);
        Self {
            stored: specs.iter().map(|_| None).collect(),
            specs,
            expected: expected.into(),
            incoming: Vec::new(),
            incomplete: BTreeMap::new(),
            stored_bytes: 0,
            peak_bytes: 0,
            position,
            file_bytes,
        }
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes as u64
    }

    /// `path` is what messages call the checkpoint.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        path: &Path,
        quantization: Quantization,
    ) -> Result<(), CheckpointError> {
        if bytes.len() > self.file_bytes - self.position {
            let reason = format!("it is longer than the {} bytes that its header tells of", self.file_bytes);
            return Err(CheckpointError::format(path, reason));
        }
        while let Some(next) = self.expected.front() {
            let wanted = next.part.entry.bytes.clone();
            self.take(&mut bytes, wanted.start);
            if self.position < wanted.start {
                return Ok(());
            }
            if self.incoming.is_empty() && self.incoming.try_reserve_exact(wanted.len()).is_err() {
                let reason = format!("there is no memory for a tensor of {} bytes", wanted.len());
                return Err(CheckpointError::format(path, reason));
            }
            let taken = self.take(&mut bytes, wanted.end);
            self.incoming.extend_from_slice(taken);
            if self.position < wanted.end {
                return Ok(());
            }
            self.complete(path, quantization)?;
        }
        self.take(&mut bytes, self.file_bytes);
        Ok(())
    }

    /// Takes the bytes that lie before `end` in the file.
    fn take<'a>(&mut self, bytes: &mut &'a [u8], end: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(end.saturating_sub(self.position)));
        *bytes = rest;
        self.position += taken.len();
        taken
    }

    /// The first of the expected tensors is there: rounds it, unless it waits for other parts.
    fn complete(&mut self, path: &Path, quantization: Quantization) -> Result<(), CheckpointError> {
        let Some(Expected { tensor, number, parts, part }) = self.expected.pop_front() else { return Ok(()) };
        let bytes = mem::take(&mut self.incoming);
        let all = self.incomplete.entry(tensor).or_insert_with(|| (0..parts).map(|_| None).collect());
        all[number] = Some(Complete { part, bytes });
        let whole = all.iter().all(Option::is_some);
        self.count(0);
        if !whole {
            return Ok(());
        }
        let mut values = Vec::with_capacity(self.specs[tensor].shape.iter().product());
        self.count(size_of_val(values.spare_capacity_mut()));
        let mut faults = Vec::new();
        for Complete { part, bytes } in self.incomplete.remove(&tensor).into_iter().flatten().flatten() {
            let start = values.len();
            part.entry.decode_into(&bytes, &mut values);
            faults.extend(not_finite(&part.spelt, &values[start..]));
        }
        if !faults.is_empty() {
            return Err(CheckpointError::Tensors(faults));
        }
        let spec = &self.specs[tensor];
        let (storage, bytes) = quantization.quantize(spec, &values);
        self.stored_bytes += bytes.len();
        let stored = StoredTensor::new(spec, storage, bytes);
        self.stored[tensor] =
            Some(stored.map_err(|source| CheckpointError::Weights { path: path.to_owned(), source })?);
        self.count(size_of_val(values.as_slice()));
        Ok(())
    }

    /// Notes how much is held now, `more` bytes of values included.
    fn count(&mut self, more: usize) {
        let incomplete = self.incomplete.values().flatten().flatten().map(|part| part.bytes.len());
        let held = self.stored_bytes + self.incoming.len() + incomplete.sum::<usize>() + more;
        self.peak_bytes = self.peak_bytes.max(held);
    }

    /// The rounded tensors, and the most bytes that were held at a time.
    pub(super) fn finish(self) -> (Vec<StoredTensor>, u64) {
        (self.stored.into_iter().flatten().collect(), self.peak_bytes as u64)
    }
}
