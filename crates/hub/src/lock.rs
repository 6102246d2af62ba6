//! One process at a time fetches a file. The lock files are where Python's libraries put theirs, and are locked in
//! the same way (`flock`).

use crate::{Error, Event};
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// Held until dropped.
pub struct Lock {
    _file: File,
}

/// Waits for the lock at `path`. On a file system without locks there is none to wait for.
///
/// # Errors
/// When the lock file can't be made.
pub fn lock(path: &Path, notify: &dyn Fn(Event)) -> Result<Lock, Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    let open = File::options().create(true).truncate(false).write(true).open(path);
    let file = open.map_err(Error::io("create the lock file", path))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        notify(Event::Waiting);
        file.lock().map_err(Error::io("lock", path))?;
    }
    Ok(Lock { _file: file })
}
