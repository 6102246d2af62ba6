//! What a run does to a file, as its journal says it.

use crate::journal::{Kind, absolute};
use beit::weights::sha256;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Journals of this command.
pub const KIND: Kind = Kind { command: "sort", format: "beitscope-sort-1" };

/// How a photo gets to its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Move,
    Copy,
    HardLink,
}

/// A file that was moved, copied or linked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    pub how: How,
    /// Absolute paths.
    pub from: String,
    pub to: String,
    /// Of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Folders that were made for it, the outermost first.
    pub made: Vec<String>,
}

impl Entry {
    pub fn new(from: &Path, to: &Path, bytes: &[u8], how: How, made: Vec<PathBuf>) -> Result<Self, String> {
        let made = made.iter().map(|folder| absolute(folder)).collect::<Result<_, _>>()?;
        Ok(Self { how, from: absolute(from)?, to: absolute(to)?, sha256: sha256(bytes), made })
    }
}
