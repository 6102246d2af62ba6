//! The folder where installed tools stay, outside every checkout, so that a clean clone finds them.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::Result;

/// This user's cache of tools: one folder for each tool and version.
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Finds the folder, which need not exist yet.
    pub fn find() -> Result<Cache> {
        let folder = locate(|name| env::var_os(name).filter(|value| !value.is_empty()))
            .ok_or("no place for the tools: set BEITSCOPE_CACHE to a folder that can be written")?;
        Ok(Cache { folder: std::path::absolute(folder).map_err(|error| error.to_string())? })
    }

    /// Where this version of a tool lies, once installed.
    pub fn folder_of(&self, tool: &str, version: &str) -> PathBuf {
        self.folder.join(format!("{tool}-{version}"))
    }

    /// Holds the cache for one process until the returned file is dropped.
    fn lock(&self) -> Result<File> {
        let path = self.folder.join("lock");
        let lock_error = |error| {
            format!("can't lock {}: {error}; BEITSCOPE_CACHE can name another folder", path.display())
        };
        let file = fs::create_dir_all(&self.folder).and_then(|()| File::create(&path)).map_err(lock_error)?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                eprintln!("Another `cargo xtask` is installing into the cache; waiting for it.");
            }
            Err(TryLockError::Error(error)) => return Err(lock_error(error)),
        }
        file.lock().map_err(lock_error)?;
        Ok(file)
    }

    /// Lets `install` fill a folder for this version of a tool. The folder gets its name only when
    /// all is in it, so an interrupted installation leaves nothing that looks installed.
    ///
    /// `install` gets the folder to fill, and one for scratch that later installations may use again.
    pub fn install(
        &self,
        tool: &str,
        version: &str,
        install: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<()> {
        let _lock = self.lock()?;
        let folder = self.folder_of(tool, version);
        if folder.is_dir() {
            // Another process installed it while this one waited.
            return Ok(());
        }
        let partial = self.folder.join(format!("{tool}-{version}.partial"));
        let scratch = self.scratch();
        let folder_error = |error| format!("can't write in {}: {error}", self.folder.display());
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(folder_error)?;
        }
        fs::create_dir_all(&partial).map_err(folder_error)?;
        fs::create_dir_all(&scratch).map_err(folder_error)?;
        install(&partial, &scratch)?;
        fs::rename(&partial, &folder).map_err(folder_error)
    }

    /// Removes what installations shared, once all are done.
    pub fn clean(&self) -> Result<()> {
        if !self.scratch().exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        match fs::remove_dir_all(self.scratch()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("can't remove {}: {error}", self.scratch().display()))
            }
            _ => Ok(()),
        }
    }

    fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }
}

fn locate(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(folder) = variable("BEITSCOPE_CACHE") {
        return Some(folder.into());
    }
    if let Some(folder) = variable("XDG_CACHE_HOME") {
        return Some(Path::new(&folder).join("beitscope"));
    }
    variable("HOME").map(|home| Path::new(&home).join(".cache/beitscope"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_the_variables_say() {
        let located = |set: &[(&str, &str)]| {
            locate(|name| set.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()))
        };
        let home = ("HOME", "/home/ann");
        assert_eq!(located(&[home]), Some("/home/ann/.cache/beitscope".into()));
        let xdg = ("XDG_CACHE_HOME", "/fast");
        assert_eq!(located(&[home, xdg]), Some("/fast/beitscope".into()));
        let own = ("BEITSCOPE_CACHE", "/tools");
        assert_eq!(located(&[home, xdg, own]), Some("/tools".into()));
        assert_eq!(located(&[]), None);
    }

    #[test]
    fn only_finished_installations_are_seen() {
        let folder = env::temp_dir().join(format!("xtask-cache-{}", std::process::id()));
        let cache = Cache { folder: folder.clone() };
        let failed = cache.install("tool", "1.2", |into, _| {
            fs::write(into.join("half"), "").unwrap();
            Err("interrupted".into())
        });
        assert_eq!(failed, Err("interrupted".into()));
        assert!(!cache.folder_of("tool", "1.2").exists());

        let done = cache.install("tool", "1.2", |into, scratch| {
            assert!(!into.join("half").exists(), "starts afresh");
            fs::write(scratch.join("object"), "").unwrap();
            fs::write(into.join("whole"), "").unwrap();
            Ok(())
        });
        assert_eq!(done, Ok(()));
        assert!(cache.folder_of("tool", "1.2").join("whole").is_file());
        assert_eq!(cache.install("tool", "1.2", |_, _| Err("installed twice".into())), Ok(()));

        cache.clean().unwrap();
        assert!(!cache.scratch().exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
