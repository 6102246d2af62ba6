//! Reading files of a dataset without exceeding a size limit.

use beit::decode::MAX_FILE_BYTES;
use std::io::{self, Read};

/// Reads a photo, no more of it than can be decoded.
pub fn read_photo(file: &mut dyn Read) -> Result<Vec<u8>, String> {
    let bytes = read_at_most(file, MAX_FILE_BYTES).map_err(|e| format!("The file can't be read: {e}."))?;
    bytes.ok_or_else(|| {
        format!("This file is too long. Beitscope reads photos up to {} MB.", MAX_FILE_BYTES >> 20)
    })
}

/// The whole content; nothing when it is longer than `limit`.
pub fn read_at_most(file: &mut dyn Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
