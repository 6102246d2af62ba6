//! A dataset's files, whether on disk or in an archive.

use super::folder::Folder;
use super::read_file::{read_at_most, read_photo};
use super::shared_file::SharedFile;
use super::tar::TarTree;
use super::zip::ZipTree;
use crate::error::EvaluateError;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// Longest label file that is read from an archive, where a few bytes can claim to be many.
const MAX_LABELS_BYTES: u64 = 256 << 20;

/// Files by name: components joined by `/`, relative to the folder or the archive's root.
pub enum Tree {
    Folder(Folder),
    Zip(ZipTree),
    Tar(TarTree),
}

impl Tree {
    /// Opens a folder, or an archive, recognised by its first bytes.
    pub fn open(path: &Path) -> Result<Self, EvaluateError> {
        if path.is_dir() {
            return Ok(Self::Folder(Folder::new(path)));
        }
        let fault = |source| EvaluateError::Open { path: path.to_owned(), source };
        let file = SharedFile::open(path).map_err(fault)?;
        let mut start = Vec::new();
        file.clone().take(512).read_to_end(&mut start).map_err(fault)?;
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Ok(Self::Zip(ZipTree::open(path, file)?));
        }
        let gzip = start.starts_with(b"\x1f\x8b");
        if gzip || start.get(257..262) == Some(b"ustar") {
            return Ok(Self::Tar(TarTree::open(path, file, gzip)?));
        }
        Err(EvaluateError::UnknownArchive(path.to_owned()))
    }

    pub fn has_file(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.path(name).is_file(),
            Self::Zip(zip) => zip.listing.entry(name).is_some(),
            Self::Tar(tar) => tar.listing.entry(name).is_some(),
        }
    }

    /// Names of the folders in the folder `under`, which is empty or ends in `/`; in the order of their files.
    pub fn folders(&self, under: &str) -> Result<Vec<String>, EvaluateError> {
        match self {
            Self::Folder(folder) => folder.folders(under),
            Self::Zip(zip) => Ok(zip.listing.folders(under)),
            Self::Tar(tar) => Ok(tar.listing.folders(under)),
        }
    }

    /// Hands over the names of the photos in the folder `under` and the folders inside it, in order.
    pub fn photos(&self, under: &str, each: &mut dyn FnMut(&str)) -> Result<(), EvaluateError> {
        match self {
            Self::Folder(folder) => folder.photos(under, each)?,
            Self::Zip(zip) => zip.listing.photos(under).for_each(each),
            Self::Tar(tar) => tar.listing.photos(under).for_each(each),
        }
        Ok(())
    }

    /// The content of a label file.
    pub fn text(&self, name: &str) -> Result<Box<dyn BufRead>, String> {
        let whole = |file: &mut dyn Read| {
            let bytes = read_at_most(file, MAX_LABELS_BYTES).map_err(|e| e.to_string())?;
            bytes.ok_or_else(|| "label files in archives may have up to 256 MB: unpack it".to_owned())
        };
        let missing = || "it is not there".to_owned();
        let bytes = match self {
            Self::Folder(folder) => {
                let file = File::open(folder.path(name)).map_err(|e| e.to_string())?;
                return Ok(Box::new(BufReader::new(file)));
            }
            Self::Zip(zip) => zip.with(zip.listing.entry(name).ok_or_else(missing)?, whole)?,
            Self::Tar(tar) => tar.with(tar.listing.entry(name).ok_or_else(missing)?, whole)?,
        };
        Ok(Box::new(Cursor::new(bytes)))
    }

    /// A photo's bytes, or a sentence.
    pub fn photo(&self, name: &str) -> Result<Vec<u8>, String> {
        let missing = || "The file is not there.".to_owned();
        match self {
            Self::Folder(folder) => {
                let mut file = File::open(folder.path(name)).map_err(|e| match e.kind() {
                    io::ErrorKind::NotFound => missing(),
                    _ => format!("The file can't be read: {e}."),
                })?;
                read_photo(&mut file)
            }
            Self::Zip(zip) => zip.photo(zip.listing.entry(name).ok_or_else(missing)?),
            Self::Tar(tar) => tar.photo(tar.listing.entry(name).ok_or_else(missing)?),
        }
    }
}
