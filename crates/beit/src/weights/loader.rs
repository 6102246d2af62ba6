//! Reads a weights file from its bytes, in order and in pieces of any size.

use super::WeightsError;
use super::gguf::{self, HeaderError, TensorType};
use super::schema::{self, Metadata, Role, TensorSpec};
use crate::config::Config;
use crate::kinds::Kind;
use crate::labels::Label;
use half::f16;
use kernels::WeightFormat;
use std::collections::HashMap;

/// A header is first looked for in this many bytes, then in twice as many, and so on.
const FIRST_HEADER_TRY: usize = 64 << 10;
/// 21,841 classes with names in two languages and their kinds need about 2 MiB.
const MAX_HEADER_BYTES: usize = 32 << 20;

/// One tensor, complete.
#[derive(Debug)]
pub struct Tensor {
    /// Which one it is.
    pub spec: TensorSpec,
    /// Its values.
    pub data: TensorData,
}

/// A tensor's values.
#[derive(Debug)]
pub enum TensorData {
    /// F32, or F16 widened; row-major.
    Dense(Vec<f32>),
    /// Blocks of 32 along each row, in GGUF's order.
    Blocks {
        /// What each block holds.
        format: WeightFormat,
        /// The blocks.
        bytes: Vec<u8>,
    },
}

/// What the file says of itself.
#[derive(Debug)]
pub struct Header {
    /// The network's shape.
    pub config: Config,
    /// One a class.
    pub labels: Vec<Label>,
    /// The model's own kinds of things; mostly none.
    pub kinds: Vec<Kind>,
    /// All of the metadata.
    pub metadata: Metadata,
    /// How each tensor is stored, in the file's order: name, GGUF type, bytes.
    pub tensors: Vec<(String, &'static str, u64)>,
}

/// Takes a weights file's bytes as they come and gives its tensors as they are complete.
pub struct Loader {
    total_bytes: u64,
    received: u64,
    stage: Stage,
}

enum Stage {
    Header { bytes: Vec<u8>, next_try: usize },
    Tensors { header: Box<Header>, pending: std::vec::IntoIter<Pending>, current: Option<Filling>, at: u64 },
}

/// A tensor still to come: where it lies in the file.
struct Pending {
    spec: TensorSpec,
    kind: TensorType,
    start: u64,
    bytes: u64,
}

/// The tensor being filled.
struct Filling {
    pending: Pending,
    bytes: Vec<u8>,
}

impl Loader {
    /// `total_bytes` is the whole file's length, known beforehand from the manifest.
    pub fn new(total_bytes: u64) -> Self {
        let stage = Stage::Header { bytes: Vec::new(), next_try: FIRST_HEADER_TRY };
        Self { total_bytes, received: 0, stage }
    }

    /// The header, once it has come.
    pub fn header(&self) -> Option<&Header> {
        match &self.stage {
            Stage::Header { .. } => None,
            Stage::Tensors { header, .. } => Some(header),
        }
    }

    /// Takes the file's next bytes; gives the tensors they complete.
    ///
    /// # Errors
    /// When the header is no GGUF header, describes no network that can be built, or the file is
    /// longer than announced.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Tensor>, WeightsError> {
        self.received += bytes.len() as u64;
        if self.received > self.total_bytes {
            return Err(WeightsError::Length { expected: self.total_bytes, got: self.received });
        }
        let mut done = Vec::new();
        match &mut self.stage {
            Stage::Tensors { pending, current, at, .. } => fill(bytes, pending, current, at, &mut done)?,
            Stage::Header { bytes: head, next_try } => {
                head.extend_from_slice(bytes);
                let complete = self.received == self.total_bytes;
                if head.len() < *next_try && !complete {
                    return Ok(done);
                }
                *next_try = head.len() * 2;
                let (header, pending, data_start) = match read_header(head, self.total_bytes) {
                    Ok(parts) => parts,
                    Err(HeaderFault::Incomplete(_)) if !complete && head.len() < MAX_HEADER_BYTES => {
                        return Ok(done);
                    }
                    Err(HeaderFault::Incomplete(reason)) => return Err(WeightsError::Header(reason)),
                    Err(HeaderFault::Refused(error)) => return Err(error),
                };
                let head = std::mem::take(head);
                let (mut pending, mut current, mut at) = (pending.into_iter(), None, data_start as u64);
                fill(&head[data_start..], &mut pending, &mut current, &mut at, &mut done)?;
                self.stage = Stage::Tensors { header: Box::new(header), pending, current, at };
            }
        }
        Ok(done)
    }

    /// Checks that everything has come; gives the header.
    pub fn finish(self) -> Result<Header, WeightsError> {
        let short = WeightsError::Length { expected: self.total_bytes, got: self.received };
        match self.stage {
            Stage::Tensors { header, pending, current: None, .. } if pending.len() == 0 => Ok(*header),
            _ => Err(short),
        }
    }
}

/// Hands `bytes`, which lie at `at` in the file, to the tensors they belong to.
fn fill(
    mut bytes: &[u8],
    pending: &mut std::vec::IntoIter<Pending>,
    current: &mut Option<Filling>,
    at: &mut u64,
    done: &mut Vec<Tensor>,
) -> Result<(), WeightsError> {
    loop {
        let mut filling = match current.take() {
            Some(filling) => filling,
            None => match pending.next() {
                Some(next) => Filling { bytes: try_alloc(&next.spec, next.bytes)?, pending: next },
                None => return Ok(()),
            },
        };
        let here = bytes.len() as u64;
        let padding = filling.pending.start.saturating_sub(*at).min(here);
        let wanted = filling.pending.bytes - filling.bytes.len() as u64;
        // Neither exceeds the length of `bytes`.
        let (padding, end) = (padding as usize, here.min(padding + wanted) as usize);
        filling.bytes.extend_from_slice(&bytes[padding..end]);
        *at += end as u64;
        bytes = &bytes[end..];
        if (filling.bytes.len() as u64) < filling.pending.bytes {
            *current = Some(filling);
            return Ok(());
        }
        done.push(complete(filling)?);
    }
}

/// Empty room for a tensor's values, of which the file says how many bytes they take.
fn try_alloc<T>(spec: &TensorSpec, bytes: u64) -> Result<Vec<T>, WeightsError> {
    let out_of_memory = || WeightsError::OutOfMemory { tensor: spec.name.clone(), bytes };
    let mut values = Vec::new();
    let length = usize::try_from(bytes / size_of::<T>() as u64).map_err(|_| out_of_memory())?;
    values.try_reserve_exact(length).map_err(|_| out_of_memory())?;
    Ok(values)
}

fn complete(filling: Filling) -> Result<Tensor, WeightsError> {
    let Filling { pending: Pending { spec, kind, .. }, bytes } = filling;
    let floats = || try_alloc(&spec, 4 * spec.values());
    let data = match kind {
        TensorType::F32 => {
            let mut values = floats()?;
            values.extend(bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)));
            TensorData::Dense(values)
        }
        TensorType::F16 => {
            let mut values = floats()?;
            values.extend(bytes.as_chunks::<2>().0.iter().map(|&b| f16::from_le_bytes(b).to_f32()));
            TensorData::Dense(values)
        }
        TensorType::Q4_0 => TensorData::Blocks { format: WeightFormat::Q4_0, bytes },
        _ => TensorData::Blocks { format: WeightFormat::Q8_0, bytes },
    };
    match &data {
        TensorData::Dense(values) if !values.iter().all(|v| v.is_finite()) => {
            Err(WeightsError::Tensors(vec![format!("{}: holds values that are not finite", spec.name)]))
        }
        _ => Ok(Tensor { spec, data }),
    }
}

enum HeaderFault {
    /// More bytes may help.
    Incomplete(String),
    Refused(WeightsError),
}

impl From<HeaderError> for HeaderFault {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Incomplete => Self::Incomplete(error.to_string()),
            HeaderError::Invalid(reason) => Self::Refused(WeightsError::Header(reason)),
            HeaderError::Alignment { got } => Self::Refused(WeightsError::Metadata {
                key: gguf::ALIGNMENT_KEY,
                expected: "a U32 above 0".into(),
                got,
            }),
        }
    }
}

impl From<WeightsError> for HeaderFault {
    fn from(error: WeightsError) -> Self {
        Self::Refused(error)
    }
}

/// The header, the tensors in the order they lie, and where the first byte of data is.
fn read_header(bytes: &[u8], total_bytes: u64) -> Result<(Header, Vec<Pending>, usize), HeaderFault> {
    let content = gguf::Header::read(bytes)?;
    let data_start = content.data_start;
    if data_start > bytes.len() as u64 {
        return Err(HeaderFault::Incomplete("the file ends before its tensors".into()));
    }
    let config = schema::read_config(&content.metadata)?;
    let labels = schema::read_labels(&content.metadata, config.classes)?;
    let kinds = schema::read_kinds(&content.metadata, config.classes)?;
    let pending = locate(&content, &config, total_bytes)?;
    let tensors = pending.iter().map(|p| (p.spec.name.clone(), p.kind.name(), p.bytes)).collect();
    let header = Header { config, labels, kinds, metadata: content.metadata, tensors };
    Ok((header, pending, data_start as usize))
}

/// Holds the file's tensors against those the network needs; names every fault at once.
fn locate(content: &gguf::Header, config: &Config, total_bytes: u64) -> Result<Vec<Pending>, WeightsError> {
    let mut surplus: HashMap<&str, _> = content.tensors.iter().map(|(n, i)| (n.as_str(), i)).collect();
    let (mut faults, mut pending) = (Vec::new(), Vec::new());
    for spec in config.tensors() {
        let Some(info) = surplus.remove(spec.name.as_str()) else {
            faults.push(format!("{}: missing, expected {:?}", spec.name, spec.shape));
            continue;
        };
        if !info.shape.iter().copied().eq(spec.shape.iter().map(|&length| length as u64)) {
            faults.push(format!("{}: expected {:?}, got {:?}", spec.name, spec.shape, info.shape));
            continue;
        }
        let kind = info.kind;
        let columns = spec.shape.last().copied().unwrap_or(1) as u64;
        let fits = match kind {
            TensorType::F32 | TensorType::F16 => true,
            _ => spec.role == Role::Linear && columns.is_multiple_of(kind.block_values()),
        };
        let Some(bytes) = kind.bytes(spec.values()).filter(|_| fits) else {
            let expected = if spec.role == Role::Linear { "F32, F16, Q8_0 or Q4_0" } else { "F32 or F16" };
            faults.push(format!("{}: expected {expected}, got {}", spec.name, kind.name()));
            continue;
        };
        let start = content.data_start.saturating_add(info.offset);
        if start.saturating_add(bytes) > total_bytes {
            faults.push(format!("{}: lies beyond the file's {total_bytes} bytes", spec.name));
            continue;
        }
        pending.push(Pending { spec, kind, start, bytes });
    }
    faults.extend(surplus.keys().map(|name| format!("{name:.80}: not part of this network")));
    pending.sort_by_key(|p| p.start);
    for pair in pending.windows(2) {
        if pair[0].start + pair[0].bytes > pair[1].start {
            faults.push(format!("{} and {} overlap", pair[0].spec.name, pair[1].spec.name));
        }
    }
    if faults.is_empty() {
        return Ok(pending);
    }
    faults.sort();
    Err(WeightsError::Tensors(faults))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Position;

    /// A network whose `mlp.fc1.weight` takes 2³² bytes in F32.
    fn wide() -> Config {
        Config {
            image_size: 16,
            width: 16_384,
            depth: 1,
            heads: 1,
            mlp_width: 65_536,
            classes: 1,
            position: Position::AbsoluteEmbedding,
            preprocessing: crate::preprocess::Preprocessing {
                crop: 16,
                ..Config::beitv2_large().preprocessing
            },
            ..Config::beitv2_large()
        }
    }

    /// The header of a file with this network's tensors in F32, the MLP's first matrix before the others; the length
    /// of the whole file.
    fn header(config: &Config) -> (Vec<u8>, u64) {
        let label = Label { wnid: "n00000001".into(), en: "thing".into(), zh: "thing".into() };
        let metadata = schema::metadata(config, &[label]);
        let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
        let mut tensors = config.tensors();
        tensors.sort_by_key(|spec| spec.name != "blocks.0.mlp.fc1.weight");
        let bytes_of = |spec: &TensorSpec| 4 * spec.values();
        let infos = tensors
            .iter()
            .map(|spec| (spec.name.as_str(), spec.shape.as_slice(), TensorType::F32, bytes_of(spec)));
        let bytes = gguf::header(&metadata, infos);
        let offset: u64 = tensors.iter().map(|spec| bytes_of(spec).next_multiple_of(gguf::ALIGNMENT)).sum();
        let length = bytes.len() as u64 + offset;
        (bytes, length)
    }

    #[test]
    fn a_tensor_larger_than_memory_is_refused() {
        let (mut bytes, length) = header(&wide());
        // The first bytes of the tensor, as many as the header is looked for in.
        bytes.resize(bytes.len() + FIRST_HEADER_TRY, 0);
        let mut loader = Loader::new(length);
        match loader.push(&bytes) {
            // Some systems give memory before they have it.
            Ok(tensors) => assert!(tensors.is_empty() && cfg!(target_pointer_width = "64"), "{tensors:?}"),
            Err(error) => {
                assert_eq!(error.to_string(), "blocks.0.mlp.fc1.weight: no memory for its 4294967296 bytes")
            }
        }
    }
}
