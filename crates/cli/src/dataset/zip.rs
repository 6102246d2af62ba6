//! A dataset in a zip file, read where it lies.

use super::listing::{Listing, tidy};
use super::shared_file::SharedFile;
use super::tree::{outside, read_photo};
use crate::failure::Failure;
use std::io::Read;
use std::path::Path;
use zip::{ZipArchive, result::ZipError};

pub struct ZipTree {
    archive: ZipArchive<SharedFile>,
    pub listing: Listing,
}

impl ZipTree {
    pub fn open(path: &Path, file: SharedFile) -> Result<Self, Failure> {
        let fault =
            |e: ZipError| Failure::Data(format!("{}: this zip file can't be read: {e}", path.display()));
        let archive = ZipArchive::new(file).map_err(fault)?;
        let mut listing = Listing::default();
        for entry in 0..archive.len() {
            let file = archive.by_index_data(entry).map_err(fault)?;
            if !file.is_file() {
                continue;
            }
            // Some programs for Windows write its separator.
            let name = file.name().map_err(fault)?.replace('\\', "/");
            listing.add(tidy(&name).ok_or_else(|| outside(path, &name))?, entry);
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
