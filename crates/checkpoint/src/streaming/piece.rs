//! Part of a conversion as it is kept for a later attempt: some rounded tensors, and what is needed to go on after them.
//!
//! | bytes | |
//! |---|---|
//! | 8 | [`MAGIC`], the format's version in it |
//! | 32 | the checksum of the piece before; of the first piece, what [`fingerprint`] makes of the settings |
//! | 4 | length of the description, little-endian |
//! | … | the description: JSON |
//! | … | the file's beginning, in the first piece |
//! | … | the tensors, one after another |
//! | 32 | SHA-256 of all that |

use crate::settings::Settings;
use beit::weights::Storage;
use serde::{Deserialize, Serialize};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

/// The last digit is the version: of what the pieces hold, too. In version 1 heads were not rotated.
const MAGIC: &[u8; 8] = b"BEITPCE2";
const DAMAGED: &str = "it is damaged";

/// A SHA-256.
pub(super) type Checksum = [u8; 32];

/// What a piece says.
pub(super) struct Piece {
    /// Bytes of the file before the point where the next attempt goes on.
    pub(super) position: u64,
    /// The hash of those bytes, still open.
    pub(super) hash: Sha256,
    /// The file's beginning, which tells what tensors there are; empty but in the first piece.
    pub(super) start: Vec<u8>,
    pub(super) tensors: Vec<PieceTensor>,
}

/// A rounded tensor, by its number in the network.
pub(super) struct PieceTensor {
    pub(super) number: usize,
    storage: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Description {
    position: u64,
    hash: Vec<u8>,
    start_bytes: u64,
    tensors: Vec<TensorDescription>,
}

#[derive(Serialize, Deserialize)]
struct TensorDescription {
    number: u64,
    storage: String,
    bytes: u64,
}

impl PieceTensor {
    /// How it is stored.
    ///
    /// # Errors
    /// A sentence, when that is not known.
    pub(super) fn storage(&self) -> Result<Storage, String> {
        let all = [Storage::F32, Storage::F16, Storage::Q8_0, Storage::Q4_0];
        all.into_iter().find(|&storage| name(storage) == self.storage).ok_or_else(|| DAMAGED.into())
    }
}

fn name(storage: Storage) -> &'static str {
    match storage {
        Storage::F32 => "F32",
        Storage::F16 => "F16",
        Storage::Q8_0 => "Q8_0",
        Storage::Q4_0 => "Q4_0",
    }
}

/// What pieces of one conversion have in common: they are of no use to a conversion of another file, with other
/// settings or by another version of this program.
pub(super) fn fingerprint(file: &str, settings: &Settings) -> Checksum {
    let version = env!("CARGO_PKG_VERSION");
    Sha256::digest(format!("{version}\n{file:?}\n{settings:?}")).into()
}

/// Writes a piece. `tensors` are numbers, with how they are stored and their bytes.
pub(super) fn write(
    previous: &Checksum,
    position: u64,
    hash: &Sha256,
    start: &[u8],
    tensors: &[(usize, Storage, &[u8])],
) -> Vec<u8> {
    let describe = |&(number, storage, bytes): &(usize, Storage, &[u8])| TensorDescription {
        number: number as u64,
        storage: name(storage).into(),
        bytes: bytes.len() as u64,
    };
    let description = Description {
        position,
        hash: hash.serialize().to_vec(),
        start_bytes: start.len() as u64,
        tensors: tensors.iter().map(describe).collect(),
    };
    let description = serde_json::to_vec(&description).unwrap_or_default();
    let contents = tensors.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>();
    let mut piece = Vec::with_capacity(128 + description.len() + start.len() + contents);
    piece.extend_from_slice(MAGIC);
    piece.extend_from_slice(previous);
    piece.extend_from_slice(&(description.len() as u32).to_le_bytes());
    piece.extend_from_slice(&description);
    piece.extend_from_slice(start);
    tensors.iter().for_each(|(_, _, bytes)| piece.extend_from_slice(bytes));
    let checksum = Sha256::digest(&piece);
    piece.extend_from_slice(&checksum);
    piece
}

/// The checksum at the end of a piece.
pub(super) fn checksum(piece: &[u8]) -> Checksum {
    piece.last_chunk().copied().unwrap_or_default()
}

/// Reads what [`write`] has written after the piece of checksum `previous`.
///
/// # Errors
/// A sentence, when it is something else.
pub(super) fn read(piece: &[u8], previous: &Checksum) -> Result<Piece, String> {
    let (content, checksum) = piece.split_last_chunk::<32>().ok_or(DAMAGED)?;
    let content = content.strip_prefix(MAGIC).ok_or("it is of another version of this program")?;
    if Sha256::digest(&piece[..piece.len() - checksum.len()]).as_slice() != checksum {
        return Err(DAMAGED.into());
    }
    let content = content
        .strip_prefix(previous)
        .ok_or("it is of another file, other settings or another version, or a piece before it is missing")?;
    let (len, mut rest) = content.split_first_chunk().ok_or(DAMAGED)?;
    let mut take = |len: u64| {
        let (taken, after) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        rest = after;
        Some(taken)
    };
    let description = take(u32::from_le_bytes(*len).into()).ok_or(DAMAGED)?;
    let description: Description = serde_json::from_slice(description).map_err(|_| DAMAGED)?;
    let hash = description.hash.as_slice().try_into().map_err(|_| DAMAGED)?;
    let hash = Sha256::deserialize(hash).map_err(|_| DAMAGED)?;
    let start = take(description.start_bytes).ok_or(DAMAGED)?.to_vec();
    let mut tensors = Vec::new();
    for TensorDescription { number, storage, bytes } in description.tensors {
        let number = usize::try_from(number).map_err(|_| DAMAGED)?;
        tensors.push(PieceTensor { number, storage, bytes: take(bytes).ok_or(DAMAGED)?.to_vec() });
    }
    if !rest.is_empty() {
        return Err(DAMAGED.into());
    }
    Ok(Piece { position: description.position, hash, start, tensors })
}
