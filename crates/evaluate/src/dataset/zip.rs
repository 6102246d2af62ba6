//! A dataset in a zip file, read without unpacking it.

use super::listing::{Listing, normalized};
use super::read_file::read_photo;
use super::shared_file::SharedFile;
use crate::error::EvaluateError;
use std::io::Read;
use std::path::Path;
use zip::{ZipArchive, result::ZipError};

pub struct ZipTree {
    archive: ZipArchive<SharedFile>,
    pub listing: Listing,
}

impl ZipTree {
    pub fn open(path: &Path, file: SharedFile) -> Result<Self, EvaluateError> {
        let fault = |e: ZipError| EvaluateError::Archive {
            path: path.to_owned(),
            kind: "zip",
            reason: e.to_string(),
        };
        let archive = ZipArchive::new(file).map_err(fault)?;
        let mut listing = Listing::default();
        for entry in 0..archive.len() {
            let file = archive.by_index_data(entry).map_err(fault)?;
            if !file.is_file() {
                continue;
            }
            // Some programs for Windows write its separator.
            let name = file.name().map_err(fault)?.replace('\\', "/");
            match normalized(&name) {
                Some(normalized_name) => listing.add(normalized_name, entry),
                None => return Err(EvaluateError::EntryOutside { archive: path.to_owned(), name }),
            }
        }
        Ok(Self { archive, listing })
    }

    /// The bytes of a file, as they come.
    pub fn with<T>(
        &self,
        entry: usize,
        read: impl FnOnce(&mut dyn Read) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut archive = self.archive.clone();
        let mut file =
            archive.by_index(entry).map_err(|e| format!("The zip file's entry can't be read: {e}."))?;
        read(&mut file)
    }

    pub fn photo(&self, entry: usize) -> Result<Vec<u8>, String> {
        self.with(entry, |file| read_photo(file))
    }
}
