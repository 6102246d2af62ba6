//! The small files beside a checkpoint: in its folder, in a hub's cache, or on the hub.

use crate::failure::Failure;
use crate::output::say;
use checkpoint::hub_config::MAX_BYTES;
use hub::{Receiver, Reference, RemoteFile, Settings};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where a checkpoint's small files are.
pub enum SmallFiles<'a> {
    /// In this folder.
    Folder(PathBuf),
    /// On a hub, beside the file that is named, kept in its cache. The hub may be out of reach, which is told once.
    Cached { beside: &'a Reference, settings: Box<Settings>, unreachable: Cell<bool> },
    /// On a hub, and not kept.
    Streamed { beside: Reference, settings: &'a Settings },
}

impl<'a> SmallFiles<'a> {
    /// Beside a checkpoint on this machine.
    pub fn beside(path: &Path) -> Self {
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        Self::Folder(folder.unwrap_or(Path::new("")).to_owned())
    }

    /// Beside a checkpoint in a hub's cache.
    pub fn cached(beside: &'a Reference) -> Result<Self, Failure> {
        Ok(Self::Cached { beside, settings: Settings::from_env()?.into(), unreachable: Cell::new(false) })
    }

    /// The file of this name, if there is one. Of one that is too long to be read, the beginning and a byte too many.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Folder(folder) => beginning(&folder.join(name)),
            Self::Cached { unreachable, .. } if unreachable.get() => Ok(None),
            Self::Cached { beside, settings, unreachable } => {
                match hub::download(&sibling(beside, name), settings, &|_| ()) {
                    Ok(download) => beginning(&download.path),
                    Err(error) if error.is_missing() => Ok(None),
                    Err(hub::Error::Offline { .. }) => Ok(None),
                    Err(error) if error.is_transient() => {
                        say(&format!(
                            "note: {name} and what else is beside the checkpoint is not asked for: {}",
                            error.brief()
                        ));
                        unreachable.set(true);
                        Ok(None)
                    }
                    Err(error) => Err(error.into()),
                }
            }
            Self::Streamed { beside, settings } => {
                let mut bytes = Beginning(Vec::new());
                match hub::stream(&sibling(beside, name), settings, &|_| (), &mut bytes) {
                    Ok(_) => Ok(Some(bytes.0)),
                    Err(error) if error.is_missing() => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

/// The file of another name in the same folder of a repository.
fn sibling(reference: &Reference, name: &str) -> Reference {
    let folder = reference.file.as_deref().and_then(|file| file.rsplit_once('/')).map(|(folder, _)| folder);
    let file = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
    Reference { file: Some(file), ..reference.clone() }
}

fn beginning(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Data(format!("cannot read {}: {error}", path.display()))),
    }
}

/// A file's beginning in memory.
struct Beginning(Vec<u8>);

impl Receiver for Beginning {
    fn begin(&mut self, _: &RemoteFile) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = (MAX_BYTES as usize + 1).saturating_sub(self.0.len());
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }
}
