//! The cache of Python's `huggingface_hub`, so that either side finds what the other fetched:
//!
//! ```text
//! models--OWNER--NAME/blobs/HASH                 the bytes; HASH.incomplete while they come
//!                     snapshots/COMMIT/FILE      a symbolic link to them
//!                     refs/REVISION              the commit that a branch or tag stood for
//! .locks/models--OWNER--NAME/HASH.lock
//! ```

use crate::content_hash::ContentHash;
use crate::{Error, Reference};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One repository's part of the cache.
pub struct Cache {
    folder: PathBuf,
    locks: PathBuf,
}

impl Cache {
    pub fn new(root: &Path, reference: &Reference) -> Self {
        let name = format!("models--{}--{}", reference.owner, reference.name);
        Self { folder: root.join(&name), locks: root.join(".locks").join(name) }
    }

    pub fn blob(&self, hash: &ContentHash) -> PathBuf {
        self.folder.join("blobs").join(hash.hex())
    }

    pub fn partial(&self, hash: &ContentHash) -> PathBuf {
        self.folder.join("blobs").join(format!("{}.incomplete", hash.hex()))
    }

    pub fn lock(&self, hash: &ContentHash) -> PathBuf {
        self.locks.join(format!("{}.lock", hash.hex()))
    }

    /// Where a commit's file is found by its own name.
    pub fn pointer(&self, commit: &str, file: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit).join(file)
    }

    /// The commit that a revision was when it was last asked for.
    pub fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let text = fs::read_to_string(self.folder.join("refs").join(revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit_like(commit))
    }

    /// Remembers the commit of a branch or tag.
    pub fn set_commit(&self, revision: &str, commit: &str) -> Result<(), Error> {
        if revision == commit || self.commit(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.folder.join("refs").join(revision);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        fs::write(&path, commit).map_err(Error::io("write", &path))
    }

    /// The files that the cache has of a commit, as paths in the repository.
    pub fn files(&self, commit: &str) -> Vec<String> {
        let mut files = Vec::new();
        list(&self.folder.join("snapshots").join(commit), "", &mut files);
        files.sort();
        files
    }

    /// The hash that the file behind a pointer is stored under; `None` for a copy (where links can't be made).
    pub fn stored_hash(&self, pointer: &Path) -> Option<ContentHash> {
        // One link only: the blob may itself be a link into a store that names files otherwise.
        let blob = fs::read_link(pointer).ok()?;
        ContentHash::parse(blob.file_name()?.to_str()?)
    }

    /// Makes a commit's file point to its blob.
    ///
    /// # Errors
    /// When the cache can't be written.
    pub fn point(&self, commit: &str, file: &str, hash: &ContentHash) -> Result<PathBuf, Error> {
        let (pointer, blob) = (self.pointer(commit, file), self.blob(hash));
        if self.stored_hash(&pointer).as_ref() == Some(hash) && pointer.exists() {
            return Ok(pointer);
        }
        let folder = pointer.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        match fs::remove_file(&pointer) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("replace", &pointer)(error));
            }
            _ => {}
        }
        let up = "../".repeat(2 + file.matches('/').count());
        let target = format!("{up}blobs/{}", hash.hex());
        if symlink(Path::new(&target), &pointer).is_err() {
            // As the Python library does where links can't be made.
            fs::rename(&blob, &pointer).map_err(Error::io("move the download to", &pointer))?;
        }
        Ok(pointer)
    }
}

/// A full Git commit.
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What may name a snapshot's folder.
pub fn is_commit_like(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let Ok(items) = fs::read_dir(folder) else { return };
    for item in items.flatten() {
        let Ok(name) = item.file_name().into_string() else { continue };
        let path = item.path();
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&path, &format!("{prefix}{name}/"), files);
        } else if path.is_file() {
            files.push(format!("{prefix}{name}"));
        }
    }
}
