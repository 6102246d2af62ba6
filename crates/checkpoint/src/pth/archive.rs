//! The container since PyTorch 1.6: a zip archive with a pickle that describes the tensors and one file for each
//! storage. PyTorch compresses none; a zip program that packs the archive anew does.

use super::tensors::{Located, Named, Storages};
use super::{Checkpoint, assemble};
use crate::deflated::Deflated;
use crate::pickle::{MAX_PICKLE_BYTES, Pickle};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use zip::{CompressionMethod, ZipArchive};

/// How much larger than the file its inflated storages may be. Weights shrink to a half at best; deflate can make a
/// thousandth of zeros.
const MAX_INFLATION: u64 = 100;

/// # Errors
/// A sentence, when the archive or its pickle is damaged or describes no tensors.
pub(super) fn read(file: &[u8]) -> Result<Checkpoint, String> {
    let mut archive =
        ZipArchive::new(Cursor::new(file)).map_err(|e| format!("its zip archive is damaged ({e})"))?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let mut pickles = names.iter().filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
    let pickle_name = pickles.next().ok_or_else(|| without_pickle(&names))?;
    if pickles.next().is_some() {
        return Err("its zip archive holds more than one data.pkl".into());
    }
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();
    if names.contains(&format!("{root}constants.pkl")) {
        return Err(super::torch_script());
    }

    let pickle = Pickle::read(&read_small(&mut archive, pickle_name)?)?;
    if names.contains(&format!("{root}byteorder")) {
        let order = read_small(&mut archive, &format!("{root}byteorder"))?;
        if order != b"little" {
            return Err(super::big_endian());
        }
    }
    assemble(&pickle, &mut Members { archive, root, file_len: file.len(), inflated: 0, seen: HashMap::new() })
}

fn without_pickle(names: &[String]) -> String {
    if names.iter().any(|name| name.ends_with(".npy")) {
        return super::numpy_archive();
    }
    "its zip archive holds no data.pkl, so PyTorch did not write it; if a checkpoint is in it, unpack it"
        .into()
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn read_small(archive: &mut Archive, name: &str) -> Result<Vec<u8>, String> {
    let damaged = |e: &dyn std::fmt::Display| format!("{name:.120} in its zip archive cannot be read ({e})");
    if let Some(index) = archive.index_for_name(name) {
        let method = archive.by_index_raw(index).map_err(|e| damaged(&e))?.compression();
        if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(compressed_otherwise(name, method));
        }
    }
    let entry = archive.by_name(name).map_err(|e| damaged(&e))?;
    let mut bytes = Vec::new();
    entry.take(MAX_PICKLE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    if bytes.len() as u64 > MAX_PICKLE_BYTES {
        return Err(format!("{name:.120} in its zip archive is larger than {MAX_PICKLE_BYTES} bytes"));
    }
    Ok(bytes)
}

fn compressed_otherwise(name: &str, method: CompressionMethod) -> String {
    format!(
        "{name:.120} is compressed by the method {method}, which is not read: unpack the archive and pack it as a zip \
         archive without compression"
    )
}

/// The files in the archive that hold the numbers.
struct Members<'a> {
    archive: Archive<'a>,
    root: String,
    file_len: usize,
    /// Bytes of the compressed ones so far, inflated.
    inflated: u64,
    seen: HashMap<String, Located>,
}

impl Storages for Members<'_> {
    fn locate(&mut self, storage: &Named) -> Result<Located, String> {
        if let Some(located) = self.seen.get(storage.key) {
            return Ok(located.clone());
        }
        let name = format!("{}data/{}", self.root, storage.key);
        let unreadable = |e: &dyn std::fmt::Display| format!("{name:.120} cannot be read ({e})");
        let index = self.archive.index_for_name(&name);
        let index = index.ok_or_else(|| unreadable(&"there is no such file in the zip archive"))?;
        // Raw: a member whose method is not known is still found, to be named.
        let member = self.archive.by_index_raw(index).map_err(|e| unreadable(&e))?;
        if member.encrypted() {
            return Err(format!(
                "{name:.120} is encrypted: unpack the archive and pack it without a password"
            ));
        }
        let cut_short = || format!("{name:.120} is cut short");
        let size = |size: u64| usize::try_from(size).map_err(|_| cut_short());
        let start = size(member.data_start().ok_or_else(cut_short)?)?;
        let end = start.checked_add(size(member.compressed_size())?).filter(|&end| end <= self.file_len);
        let packed = start..end.ok_or_else(cut_short)?;
        let len = size(member.size())?;
        let located = match member.compression() {
            CompressionMethod::Stored if len == packed.len() => Located::plain(packed),
            CompressionMethod::Stored => return Err(cut_short()),
            CompressionMethod::Deflated => {
                self.inflated = self.inflated.saturating_add(len as u64);
                let limit = (self.file_len as u64).saturating_mul(MAX_INFLATION);
                if self.inflated > limit {
                    return Err(format!(
                        "its compressed files claim to be more than {limit} bytes, {MAX_INFLATION} times as many as \
                         the whole archive: no weights are"
                    ));
                }
                let deflated = Deflated { packed, len, crc32: member.crc32() };
                Located { bytes: 0..len, deflated: Some(deflated) }
            }
            method => return Err(compressed_otherwise(&name, method)),
        };
        drop(member);
        self.seen.insert(storage.key.to_owned(), located.clone());
        Ok(located)
    }
}
