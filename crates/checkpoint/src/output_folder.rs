//! The output folder of a conversion: it appears complete or not at all.

use crate::CheckpointError;
use crate::write_model::{CARD, MANIFEST, ShardSink};
use beit::weights::MANIFEST_FORMAT;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A new folder beside its final place. Removed when dropped without [`OutputFolder::commit`].
pub struct OutputFolder {
    partial: PathBuf,
    target: PathBuf,
}

impl OutputFolder {
    /// Makes the folder.
    ///
    /// # Errors
    /// When `target` holds anything but an earlier conversion, or the folder can't be made.
    pub fn create(target: &Path) -> Result<Self, CheckpointError> {
        let partial = beside(target, "partial")?;
        if let Some(found) = foreign_content(target)? {
            return Err(CheckpointError::Occupied { path: target.to_owned(), found });
        }
        if let Some(parent) = partial.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(CheckpointError::io("create", parent))?;
        }
        // Left by a conversion that was killed.
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(CheckpointError::io("remove", &partial))?;
        }
        fs::create_dir(&partial).map_err(CheckpointError::io("create", &partial))?;
        Ok(Self { partial, target: target.to_owned() })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.partial
    }

    /// Puts the finished folder in its place, in place of an earlier conversion.
    ///
    /// # Errors
    /// When it can't be renamed; an earlier conversion stays then.
    pub fn commit(self) -> Result<(), CheckpointError> {
        let target = &self.target;
        let rename =
            |from: &Path, to: &Path| fs::rename(from, to).map_err(CheckpointError::io("rename", from));
        if !target.exists() {
            return rename(&self.partial, target);
        }
        let replaced = beside(target, "replaced")?;
        if replaced.exists() {
            fs::remove_dir_all(&replaced).map_err(CheckpointError::io("remove", &replaced))?;
        }
        rename(target, &replaced)?;
        if let Err(error) = rename(&self.partial, target) {
            rename(&replaced, target)?;
            return Err(error);
        }
        fs::remove_dir_all(&replaced).map_err(CheckpointError::io("remove", &replaced))
    }
}

impl ShardSink for &OutputFolder {
    async fn put(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let mut file = File::create_new(self.partial.join(name))?;
        file.write_all(&bytes)?;
        file.sync_all()
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        // After a commit there is nothing left here; after a failure what remains is of no use.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

/// `.NAME.KIND` in the same folder as `target`, hence on the same file system.
fn beside(target: &Path, kind: &str) -> Result<PathBuf, CheckpointError> {
    let Some(name) = target.file_name() else {
        let got = target.display().to_string();
        return Err(CheckpointError::Option {
            name: "--out",
            expected: "the name of a new folder".into(),
            got,
        });
    };
    Ok(target.with_file_name(format!(".{}.{kind}", name.to_string_lossy())))
}

/// The first thing in `target` that no conversion wrote.
fn foreign_content(target: &Path) -> Result<Option<String>, CheckpointError> {
    if target.is_file() {
        return Ok(Some("a file".into()));
    }
    if !target.exists() {
        return Ok(None);
    }
    let mut names = Vec::new();
    for item in fs::read_dir(target).map_err(CheckpointError::io("list", target))? {
        names.push(
            item.map_err(CheckpointError::io("list", target))?.file_name().to_string_lossy().into_owned(),
        );
    }
    names.sort();
    let has_manifest = fs::read(target.join(MANIFEST)).is_ok_and(|json| {
        serde_json::from_slice::<serde_json::Value>(&json).is_ok_and(|m| m["format"] == MANIFEST_FORMAT)
    });
    let ours = |name: &String| has_manifest && (name == MANIFEST || name == CARD || is_shard(name));
    Ok(names.into_iter().find(|name| !ours(name)))
}

/// `NAME.gguf-00001-of-00002`
fn is_shard(name: &str) -> bool {
    let number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    let parts = name.rsplit_once(".gguf-").and_then(|(_, rest)| rest.split_once("-of-"));
    parts.is_some_and(|(i, n)| number(i) && number(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn the_folder_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("deep/model");
        let failed = OutputFolder::create(&target).unwrap();
        write(failed.path(), "x.gguf-00001-of-00001", "half");
        drop(failed);
        assert!(!target.exists());
        for text in ["first", "second"] {
            let output = OutputFolder::create(&target).unwrap();
            write(output.path(), MANIFEST, &format!(r#"{{"format":"{MANIFEST_FORMAT}"}}"#));
            write(output.path(), "x.gguf-00001-of-00001", text);
            output.commit().unwrap();
            assert_eq!(fs::read_to_string(target.join("x.gguf-00001-of-00001")).unwrap(), text);
        }
        let left: Vec<_> =
            fs::read_dir(target.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["model"]);
    }

    #[test]
    fn other_content_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("model");
        write(&target, "thesis.tex", "ten years");
        let error = OutputFolder::create(&target).err().unwrap().to_string();
        assert!(error.contains("thesis.tex"), "{error}");
        write(&target, MANIFEST, &format!(r#"{{"format":"{MANIFEST_FORMAT}"}}"#));
        assert!(OutputFolder::create(&target).is_err(), "beside a conversion too");
        assert_eq!(fs::read_to_string(target.join("thesis.tex")).unwrap(), "ten years");
        assert!(OutputFolder::create(Path::new("/")).is_err());
    }
}
