//! Where the tensors of a PyTorch checkpoint lie: a zip archive with a pickle that describes them
//! and one uncompressed file for each storage.

use crate::pickle::{Id, MAX_PICKLE_BYTES, Object, Pickle};
use crate::source::{Dtype, Entry};
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::ops::Range;
use zip::{CompressionMethod, ZipArchive};

/// Under these keys training scripts keep the network: unilm and timm `model` or `module`,
/// OpenMMLab and ModelScope `state_dict`.
const STATE_DICT_KEYS: [&str; 3] = ["model", "module", "state_dict"];

/// What a checkpoint holds that matters here.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) tensors: BTreeMap<String, Entry>,
    /// `meta.CLASSES`, where there is such a list.
    pub(crate) class_names: Vec<String>,
}

/// # Errors
/// A sentence, when the archive or its pickle is damaged or describes no tensors.
pub(crate) fn read(file: &[u8]) -> Result<Checkpoint, String> {
    let mut archive =
        ZipArchive::new(Cursor::new(file)).map_err(|e| format!("its zip archive is damaged ({e})"))?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let mut pickles = names.iter().filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
    let pickle_name =
        pickles.next().ok_or("its zip archive holds no data.pkl, so PyTorch did not write it")?;
    if pickles.next().is_some() {
        return Err("its zip archive holds more than one data.pkl".into());
    }
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();

    let pickle = Pickle::read(&read_small(&mut archive, pickle_name)?)?;
    if names.contains(&format!("{root}byteorder")) {
        let order = read_small(&mut archive, &format!("{root}byteorder"))?;
        if order != b"little" {
            return Err(
                "its numbers are big-endian; load it in PyTorch and save it again on an ordinary machine"
                    .into(),
            );
        }
    }
    let mut storages = Storages { archive, root, file_len: file.len(), seen: HashMap::new() };
    let state_dict = find_state_dict(&pickle)?;
    let mut tensors = BTreeMap::new();
    for &(key, value) in pickle.dict(state_dict).unwrap_or_default() {
        if let (Some(name), Some(tensor)) = (pickle.text(key), tensor(&pickle, value)) {
            let entry = storages.entry(&pickle, tensor).map_err(|reason| format!("{name:.120}: {reason}"))?;
            tensors.insert(name.to_owned(), entry);
        }
    }
    let class_names = class_names(&pickle).unwrap_or_default();
    Ok(Checkpoint { tensors, class_names })
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn read_small(archive: &mut Archive, name: &str) -> Result<Vec<u8>, String> {
    let damaged = |e: &dyn std::fmt::Display| format!("{name:.120} in its zip archive cannot be read ({e})");
    let entry = archive.by_name(name).map_err(|e| damaged(&e))?;
    let mut bytes = Vec::new();
    entry.take(MAX_PICKLE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    if bytes.len() as u64 > MAX_PICKLE_BYTES {
        return Err(format!("{name:.120} in its zip archive is larger than {MAX_PICKLE_BYTES} bytes"));
    }
    Ok(bytes)
}

/// The dict from names to tensors: the whole pickle, or one or two keys down.
fn find_state_dict(pickle: &Pickle) -> Result<Id, String> {
    let holds_tensors = |dict: Id| {
        pickle.dict(dict).is_some_and(|items| items.iter().any(|&(_, value)| tensor(pickle, value).is_some()))
    };
    let mut dict = pickle.root;
    for _ in 0..3 {
        let inner = STATE_DICT_KEYS.iter().filter_map(|key| pickle.item(dict, key));
        match inner.into_iter().find(|&id| pickle.dict(id).is_some()) {
            Some(inner) => dict = inner,
            None => break,
        }
    }
    if holds_tensors(dict) {
        return Ok(dict);
    }
    match pickle.dict(pickle.root) {
        Some(items) => {
            let keys: Vec<&str> = items.iter().filter_map(|&(key, _)| pickle.text(key)).take(10).collect();
            Err(format!(
                "expected tensors at the top or under `model`, `module` or `state_dict`, got keys {keys:?}"
            ))
        }
        None => {
            Err("it holds a Python object instead of a dict of tensors (save `model.state_dict()`)".into())
        }
    }
}

/// OpenMMLab's and ModelScope's list of names.
fn class_names(pickle: &Pickle) -> Option<Vec<String>> {
    let classes = pickle.item(pickle.item(pickle.root, "meta")?, "CLASSES")?;
    pickle.sequence(classes)?.iter().map(|&id| pickle.text(id).map(str::to_owned)).collect()
}

/// The arguments of `_rebuild_tensor_v2`: storage, offset, size, stride.
fn tensor(pickle: &Pickle, id: Id) -> Option<[Id; 4]> {
    let mut id = id;
    // A parameter wraps a tensor; a subclass's tensor is wrapped once more.
    for _ in 0..3 {
        let (name, args) = pickle.call(id)?;
        match name {
            "torch._utils._rebuild_tensor_v2" => return args.first_chunk::<4>().copied(),
            "torch._utils._rebuild_parameter" => id = *args.first()?,
            "torch._tensor._rebuild_from_type_v2" => {
                let inner = pickle.sequence(*args.get(2)?)?;
                return match pickle.get(*args.first()?) {
                    Object::Global(name) if name == "torch._utils._rebuild_tensor_v2" => {
                        inner.first_chunk::<4>().copied()
                    }
                    _ => None,
                };
            }
            _ => return None,
        }
    }
    None
}

/// The files in the archive that hold the numbers.
struct Storages<'a> {
    archive: Archive<'a>,
    root: String,
    file_len: usize,
    seen: HashMap<String, Range<usize>>,
}

impl Storages<'_> {
    fn entry(&mut self, pickle: &Pickle, [storage, offset, size, stride]: [Id; 4]) -> Result<Entry, String> {
        let malformed = || "its description in the pickle is malformed".to_owned();
        let Object::Persistent(storage) = pickle.get(storage) else { return Err(malformed()) };
        // ("storage", torch.FloatStorage, key, location, numbers)
        let storage = pickle.sequence(*storage).and_then(|s| s.first_chunk::<5>()).ok_or_else(malformed)?;
        let Object::Global(class) = pickle.get(storage[1]) else { return Err(malformed()) };
        let key = pickle.text(storage[2]).ok_or_else(malformed)?;
        let offset = pickle.size(offset).ok_or_else(malformed)?;
        let shape = pickle.sizes(size).ok_or_else(malformed)?;
        let strides = pickle.sizes(stride).filter(|s| s.len() == shape.len()).ok_or_else(malformed)?;
        let dtype = match class.as_str() {
            "torch.FloatStorage" => Dtype::F32,
            "torch.HalfStorage" => Dtype::F16,
            "torch.BFloat16Storage" => Dtype::BF16,
            other => {
                let name = other.trim_start_matches("torch.").trim_end_matches("Storage").to_owned();
                return Ok(Entry { dtype: Dtype::Other(name), shape, strides, bytes: 0..0 });
            }
        };
        let file = self.locate(key)?;
        // How many numbers the tensor spans from its first to its last, and how many it has: with
        // strides of 0 a few bytes could claim to be a huge tensor.
        let span = shape.iter().zip(&strides).try_fold(1usize, |span, (&len, &stride)| {
            span.checked_add(len.saturating_sub(1).checked_mul(stride)?)
        });
        let elements = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len)).filter(|&n| n > 0);
        let bytes = |numbers: usize| numbers.checked_mul(dtype.bytes()).filter(|&end| end <= file.len());
        let end = span.and_then(|span| bytes(span.checked_add(offset)?));
        let (Some(end), Some(_)) = (end, elements.and_then(bytes)) else {
            return Err(format!("{shape:?} does not fit into its storage of {} bytes", file.len()));
        };
        Ok(Entry { bytes: file.start + offset * dtype.bytes()..file.start + end, dtype, shape, strides })
    }

    /// The bytes of storage `key` in the checkpoint's file.
    fn locate(&mut self, key: &str) -> Result<Range<usize>, String> {
        if let Some(range) = self.seen.get(key) {
            return Ok(range.clone());
        }
        let name = format!("{}data/{key}", self.root);
        let entry = self.archive.by_name(&name).map_err(|e| format!("{name:.120} cannot be read ({e})"))?;
        if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
            return Err(format!(
                "{name:.120} is compressed, as PyTorch never does; load it there and save it again"
            ));
        }
        let start = entry.data_start().and_then(|start| usize::try_from(start).ok());
        let range =
            start.and_then(|start| Some(start..start.checked_add(usize::try_from(entry.size()).ok()?)?));
        let range =
            range.filter(|r| r.end <= self.file_len).ok_or_else(|| format!("{name:.120} is cut short"))?;
        drop(entry);
        self.seen.insert(key.to_owned(), range.clone());
        Ok(range)
    }
}
