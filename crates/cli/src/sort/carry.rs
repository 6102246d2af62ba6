//! Moving, copying and linking so that there is always a whole file, and none is overwritten.

use super::entry::How;
use super::target::is_one_file;
use crate::replace::{Seen, folder_of, remove, replace, sync_folder};
use std::fs;
use std::io;
use std::path::Path;

/// Puts the file at `from`, which was read as `seen` and `bytes`, to `to`.
///
/// # Errors
/// A sentence; the file is at `from` then.
pub fn carry(from: &Path, to: &Path, seen: &Seen, bytes: &[u8], how: How) -> Result<(), String> {
    match how {
        How::Copy => copy(to, seen, bytes),
        How::HardLink => {
            let real = from.canonicalize().map_err(|error| format!("The file can't be found: {error}."))?;
            fs::hard_link(real, to)
                .map_err(|error| format!("It can't be linked as {}: {error}. Use --copy.", to.display()))?;
            sync(to)
        }
        How::Move => move_file(from, to, seen, bytes),
    }
}

/// First the new name is on the disk, then the old one goes: a process that is killed leaves at least one.
fn move_file(from: &Path, to: &Path, seen: &Seen, bytes: &[u8]) -> Result<(), String> {
    // A rename would overwrite a file that another program has put there meanwhile; a further name for the file never
    // does. What is one file already was left so by a run that was killed.
    match fs::hard_link(from, to) {
        Ok(()) => sync(to)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_one_file(from, to) => sync(to)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(format!("{} came to be meanwhile. Run the command again.", to.display()));
        }
        // Another file system, or one without links.
        Err(_) => copy(to, seen, bytes)?,
    }
    if !seen.is_still_at(from) {
        return Err(format!(
            "It was changed by another program meanwhile, so it stays; what it was is in {}.",
            to.display()
        ));
    }
    remove(from)
}

/// A new file of these bytes, with the time and the permissions of the old one.
fn copy(to: &Path, seen: &Seen, bytes: &[u8]) -> Result<(), String> {
    replace(to, bytes, None, seen.modified())?;
    fs::set_permissions(to, seen.permissions())
        .map_err(|error| format!("{} can't have the photo's permissions: {error}.", to.display()))
}

fn sync(to: &Path) -> Result<(), String> {
    sync_folder(folder_of(to)).map_err(|error| format!("{} can't be written: {error}.", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn nothing_is_overwritten_and_the_time_stays() {
        for how in [How::Move, How::Copy, How::HardLink] {
            let folder = tempfile::tempdir().unwrap();
            let (from, to) = (folder.path().join("a"), folder.path().join("b"));
            fs::write(&from, "photo").unwrap();
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
            fs::File::options().write(true).open(&from).unwrap().set_modified(then).unwrap();
            let (seen, bytes) = Seen::read(&from).unwrap();
            fs::write(&to, "precious").unwrap();
            assert!(!carry(&from, &to, &seen, &bytes, how).unwrap_err().is_empty());
            assert_eq!(
                (fs::read(&from).unwrap(), fs::read(&to).unwrap()),
                (b"photo".into(), b"precious".into())
            );
            fs::remove_file(&to).unwrap();
            carry(&from, &to, &seen, &bytes, how).unwrap();
            assert_eq!((fs::read(&to).unwrap(), from.exists()), (b"photo".to_vec(), how != How::Move));
            assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), then);
        }
    }

    /// As across file systems, where a copy takes the place of a further name.
    #[test]
    fn a_file_that_changed_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&from, "photo").unwrap();
        let (seen, bytes) = Seen::read(&from).unwrap();
        copy(&to, &seen, &bytes).unwrap();
        fs::write(&from, "edited since").unwrap();
        fs::remove_file(&to).unwrap();
        assert!(move_file(&from, &to, &seen, &bytes).unwrap_err().contains("stays"));
        assert_eq!(fs::read(&from).unwrap(), b"edited since");
    }
}
