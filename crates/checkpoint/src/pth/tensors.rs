//! A tensor's description in a pickle, checked against its storage.

#[cfg(feature = "files")]
use crate::deflated::Deflated;
use crate::pickle::{Id, Object, Pickle};
use crate::tensor_entry::{Dtype, TensorEntry};
use std::collections::HashMap;
use std::ops::Range;

/// Wrappers of a tensor in a tensor: a parameter, a subclass, once more each.
const MAX_WRAPPERS: usize = 4;

/// A storage as a tensor names it: `("storage", torch.FloatStorage, key, location, numbers)`, and
/// before 1.6 a view or `None`.
pub(super) struct Named<'a> {
    /// PyTorch's name of the class without its module: `FloatStorage`.
    pub(super) class: &'a str,
    pub(super) key: &'a str,
    /// How many numbers it holds.
    pub(super) numbers: Option<usize>,
    /// Before 1.6: the part of it that is meant, by its first number and count.
    pub(super) view: Option<(usize, usize)>,
}

/// Where a storage's numbers lie.
#[derive(Clone, Debug)]
pub(super) struct Located {
    /// In the file, or in the inflated member.
    pub(super) bytes: Range<usize>,
    #[cfg(feature = "files")]
    pub(super) deflated: Option<Deflated>,
}

impl Located {
    /// As they are in the file.
    pub(super) fn plain(bytes: Range<usize>) -> Self {
        Self {
            bytes,
            #[cfg(feature = "files")]
            deflated: None,
        }
    }
}

/// A container's storages.
pub(super) trait Storages {
    /// # Errors
    /// A sentence, when there is no such storage or it can't be read.
    fn locate(&mut self, storage: &Named) -> Result<Located, String>;
}

/// Storages of known places, by their keys.
pub(super) struct ByKey(pub(super) HashMap<String, Range<usize>>);

impl Storages for ByKey {
    fn locate(&mut self, storage: &Named) -> Result<Located, String> {
        let missing = || format!("its storage {:.120} is not in the file", storage.key);
        let whole = self.0.get(storage.key).ok_or_else(missing)?.clone();
        let Some((offset, numbers)) = storage.view else {
            return Ok(Located::plain(whole));
        };
        let each = bytes_of(storage.class).unwrap_or(1);
        let part = offset.checked_mul(each).zip(numbers.checked_mul(each)).and_then(|(offset, len)| {
            let start = whole.start.checked_add(offset)?;
            Some(start..start.checked_add(len)?).filter(|part| part.end <= whole.end)
        });
        let outside = || format!("a part of its storage {:.120} lies outside it", storage.key);
        Ok(Located::plain(part.ok_or_else(outside)?))
    }
}

/// The arguments of `_rebuild_tensor_v2`: storage, offset, size, stride.
pub(super) fn tensor(pickle: &Pickle, id: Id) -> Option<[Id; 4]> {
    let (mut name, mut args) = pickle.call(id)?;
    for _ in 0..MAX_WRAPPERS {
        (name, args) = match name {
            // The first is how PyTorch before 0.4 called it.
            "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => {
                return args.first_chunk::<4>().copied();
            }
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
                pickle.call(*args.first()?)?
            }
            "torch._tensor._rebuild_from_type" | "torch._tensor._rebuild_from_type_v2" => {
                (pickle.global(*args.first()?)?, pickle.sequence(*args.get(2)?)?)
            }
            _ => return None,
        };
    }
    None
}

/// Reads what a persistent id says.
pub(super) fn named(pickle: &Pickle, id: Id) -> Option<Named<'_>> {
    let Object::Persistent(storage) = pickle.get(id) else { return None };
    let storage = pickle.sequence(*storage)?;
    let class = pickle.global(*storage.get(1)?)?;
    let class = class.rsplit_once('.').map_or(class, |(_, class)| class);
    let view = match storage.get(5).and_then(|&view| pickle.sequence(view)) {
        // The first is the view's own key.
        Some(&[_, offset, numbers]) => Some((pickle.size(offset)?, pickle.size(numbers)?)),
        _ => None,
    };
    let numbers = storage.get(4).and_then(|&numbers| pickle.size(numbers));
    Some(Named { class, key: pickle.text(*storage.get(2)?)?, numbers, view })
}

/// Bytes of one number in a storage.
pub(super) fn bytes_of(class: &str) -> Option<usize> {
    Some(match class {
        "DoubleStorage" | "LongStorage" | "ComplexFloatStorage" => 8,
        "FloatStorage" | "IntStorage" => 4,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "ByteStorage" | "CharStorage" | "BoolStorage" | "UntypedStorage" => 1,
        "ComplexDoubleStorage" => 16,
        _ => return None,
    })
}

/// Where a tensor's numbers lie.
///
/// # Errors
/// A sentence, when the description is malformed or the numbers lie outside their storage.
pub(super) fn entry(
    pickle: &Pickle,
    [storage, offset, size, stride]: [Id; 4],
    storages: &mut dyn Storages,
) -> Result<TensorEntry, String> {
    let malformed = || "its description in the pickle is malformed".to_owned();
    let storage = named(pickle, storage).ok_or_else(malformed)?;
    let offset = pickle.size(offset).ok_or_else(malformed)?;
    let shape = pickle.sizes(size).ok_or_else(malformed)?;
    let strides = pickle.sizes(stride).filter(|s| s.len() == shape.len()).ok_or_else(malformed)?;
    let dtype = match storage.class {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "DoubleStorage" => Dtype::F64,
        other => {
            let dtype = Dtype::Other(other.trim_end_matches("Storage").to_owned());
            return Ok(TensorEntry { strides, ..TensorEntry::contiguous(dtype, shape, 0..0) });
        }
    };
    let located = storages.locate(&storage)?;
    let whole = located.bytes;
    // How many numbers the tensor spans from its first to its last, and how many it has: with
    // strides of 0 a few bytes could claim to be a huge tensor.
    let span = shape.iter().zip(&strides).try_fold(1usize, |span, (&len, &stride)| {
        span.checked_add(len.saturating_sub(1).checked_mul(stride)?)
    });
    let elements = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len)).filter(|&n| n > 0);
    let bytes = |numbers: usize| numbers.checked_mul(dtype.bytes()).filter(|&end| end <= whole.len());
    let end = span.and_then(|span| bytes(span.checked_add(offset)?));
    let (Some(end), Some(_)) = (end, elements.and_then(bytes)) else {
        return Err(format!("{shape:?} does not fit into its storage of {} bytes", whole.len()));
    };
    let bytes = whole.start + offset * dtype.bytes()..whole.start + end;
    Ok(TensorEntry {
        strides,
        #[cfg(feature = "files")]
        deflated: located.deflated,
        ..TensorEntry::contiguous(dtype, shape, bytes)
    })
}
