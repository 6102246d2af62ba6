//! Replacing a file so that there is always a whole one under its name.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::Builder;

/// What temporary files are called: in the photo's folder, since a rename works within one file system only.
const PREFIX: &str = ".beitscope-";
const SUFFIX: &str = ".tmp";
/// A temporary file of this age is of a process that was killed: writing one takes seconds.
const STALE: Duration = Duration::from_secs(3600);

/// A file as it was when it was read.
pub struct Seen(Metadata);

impl Seen {
    /// Reads a file.
    pub fn read(path: &Path) -> io::Result<(Self, Vec<u8>)> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((Self(metadata), bytes))
    }

    /// A file that is open.
    pub fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(Self)
    }

    pub fn is_read_only(&self) -> bool {
        self.0.permissions().readonly()
    }

    /// When it was changed last.
    pub fn modified(&self) -> Option<SystemTime> {
        self.0.modified().ok()
    }

    /// Whether the file is what it was, by its size and its time.
    pub fn is_still_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|now| self.is_still(&now))
    }

    /// Who may read and write it.
    pub fn permissions(&self) -> fs::Permissions {
        self.0.permissions()
    }

    fn is_still(&self, now: &Metadata) -> bool {
        let state = |metadata: &Metadata| (metadata.len(), metadata.modified().ok());
        state(&self.0) == state(now)
    }
}

/// Whether the file is what it was when it was read, and may be written; `None`: whether it is still not there.
///
/// # Errors
/// A sentence, if not.
pub fn check_may_write(path: &Path, seen: Option<&Seen>) -> Result<(), String> {
    match (fs::metadata(path), seen) {
        (Ok(now), Some(seen)) if seen.is_still(&now) && !seen.is_read_only() => Ok(()),
        (Ok(now), Some(seen)) if seen.is_still(&now) => {
            Err(format!("{} is read-only. Make it writable first.", path.display()))
        }
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        (Err(error), _) => Err(format!("{} can't be found: {error}.", path.display())),
        _ => Err(format!(
            "{} was changed by another program meanwhile. Run the command again.",
            path.display()
        )),
    }
}

/// Puts `bytes` under a name, with the owner and the permissions of the file that was there. The new file is written
/// beside it, brought to the disk, then renamed: whoever opens the name at any moment, a crash included, finds the old
/// file or the new one, each whole. `modified` is the time to set; without it, it is now, so that programs that keep
/// copies or a catalogue see that the file has changed.
///
/// # Errors
/// A sentence; the old file is there then.
pub fn replace(
    path: &Path,
    bytes: &[u8],
    seen: Option<&Seen>,
    modified: Option<SystemTime>,
) -> Result<(), String> {
    let folder = folder_of(path);
    let fault = |error: io::Error| format!("{} can't be written: {error}.", path.display());
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    if seen.is_none() {
        // As any new file; the system takes from it what the user's mask says.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder).map_err(fault)?;
    temporary.write_all(bytes).map_err(fault)?;
    if let Some(Seen(metadata)) = seen {
        keep_owner(temporary.as_file(), metadata).map_err(|error| {
            format!("{} can't be written: its owner can't be kept ({error}).", path.display())
        })?;
        temporary.as_file().set_permissions(metadata.permissions()).map_err(fault)?;
    }
    if let Some(modified) = modified {
        temporary.as_file().set_modified(modified).map_err(fault)?;
    }
    temporary.as_file().sync_all().map_err(fault)?;
    match seen {
        Some(_) => temporary.persist(path).map_err(|error| fault(error.error))?,
        None => temporary.persist_noclobber(path).map_err(|error| fault(error.error))?,
    };
    sync_folder(folder).map_err(fault)
}

/// Removes a file for good.
pub fn remove(path: &Path) -> Result<(), String> {
    let fault = |error: io::Error| format!("{} can't be removed: {error}.", path.display());
    fs::remove_file(path).map_err(fault)?;
    sync_folder(folder_of(path)).map_err(fault)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings the names in a folder to the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere folders can't be opened, and a rename is on the disk when it returns or is not undone by a crash.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    let changed = |new: u32, old: u32| (new != old).then_some(old);
    match (changed(new.uid(), old.uid()), changed(new.gid(), old.gid())) {
        (None, None) => Ok(()),
        (owner, group) => fchown(file, owner, group),
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Removes from a folder what killed processes have left.
pub fn remove_stale(folder: &Path) {
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = item.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        let age = || item.metadata().ok()?.modified().ok()?.elapsed().ok();
        if ours && age().is_some_and(|age| age > STALE) {
            // Should it stay, the next run tries again.
            let _ = fs::remove_file(item.path());
        }
    }
}
