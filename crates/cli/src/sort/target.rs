//! Which name a photo gets in its folder: one that nothing has.

use super::entry::How;
use keywords::sidecar_name;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Names that are given in this run: a dry run gives the same ones without a file.
pub struct Targets {
    into: PathBuf,
    /// Lower-case: some file systems do not tell cases apart.
    given: HashSet<String>,
}

/// Where a photo goes.
pub struct Target {
    pub folder: PathBuf,
    pub file: PathBuf,
    /// The same photo is there already: a copy of an earlier run.
    pub is_there: bool,
}

impl Targets {
    pub fn new(into: &Path) -> Self {
        Self { into: into.to_owned(), given: HashSet::new() }
    }

    /// The place of a photo in a folder: under its own name, or with a number if that is taken.
    pub fn choose(
        &mut self,
        folder: &str,
        photo: &Path,
        bytes: &[u8],
        how: How,
        has_sidecar: bool,
    ) -> Result<Target, String> {
        let name = photo.file_name().and_then(|name| name.to_str());
        let name = name.ok_or("Its name is no Unicode, so that no journal can name it. Rename it.")?;
        let folder = self.into.join(folder);
        for number in 1u64.. {
            let file = folder.join(numbered(name, number));
            let sidecar = sidecar_of(&file)?;
            let given = self.given.contains(&lower(&file));
            if !given && is_same(&file, photo, bytes, how) {
                self.given.insert(lower(&file));
                return Ok(Target { folder, file, is_there: how != How::Move });
            }
            let is_taken =
                |path: &PathBuf| self.given.contains(&lower(path)) || path.symlink_metadata().is_ok();
            let is_sidecar_taken = has_sidecar && is_taken(&sidecar);
            if !is_taken(&file) && !is_sidecar_taken {
                self.given.insert(lower(&file));
                if has_sidecar {
                    self.given.insert(lower(&sidecar));
                }
                return Ok(Target { folder, file, is_there: false });
            }
        }
        Err("No name is free for it.".into())
    }
}

fn lower(path: &Path) -> String {
    path.to_string_lossy().to_lowercase()
}

/// `a.jpg`, `a (2).jpg`, `a (3).jpg`.
fn numbered(name: &str, number: u64) -> String {
    match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, ending))) if !stem.is_empty() => format!("{stem} ({number}).{ending}"),
        _ => format!("{name} ({number})"),
    }
}

/// Whether the file at this place is this photo, put there by an earlier run. For a move it has to be the very file,
/// under a second name, as a run that was killed between both steps of a move leaves it: of two equal files none is to
/// be lost.
fn is_same(place: &Path, photo: &Path, bytes: &[u8], how: How) -> bool {
    let Ok(metadata) = place.symlink_metadata() else { return false };
    match how {
        How::Move | How::HardLink => is_one_file(place, photo),
        How::Copy => {
            metadata.is_file()
                && metadata.len() == bytes.len() as u64
                && fs::read(place).is_ok_and(|there| there == bytes)
        }
    }
}

#[cfg(unix)]
pub fn is_one_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &Path| path.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    of(a).is_ok_and(|a| of(b).is_ok_and(|b| a == b))
}

#[cfg(not(unix))]
pub fn is_one_file(_: &Path, _: &Path) -> bool {
    false
}

/// The sidecar of a photo, as this program and others name it.
pub fn sidecar_of(photo: &Path) -> Result<PathBuf, String> {
    let name = photo.file_name().and_then(|name| name.to_str());
    let name = name.ok_or("Its name is no Unicode, so that no journal can name it. Rename it.")?;
    Ok(photo.with_file_name(sidecar_name(name)))
}

/// Makes a folder and those around it. Gives the ones that were not there, the outermost first.
pub fn make_folder(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut made: Vec<PathBuf> = Vec::new();
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => made.push(folder.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("The folder {} can't be made: {error}.", folder.display())),
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cat")).unwrap();
        fs::write(folder.path().join("cat/A.jpg"), "another").unwrap();
        fs::write(folder.path().join("cat/a (2).jpg"), "one").unwrap();
        let mut targets = Targets::new(folder.path());
        let mut choose = |photo: &str, bytes: &str, how, has_sidecar| {
            let target = targets.choose("cat", Path::new(photo), bytes.as_bytes(), how, has_sidecar).unwrap();
            let file =
                target.file.strip_prefix(folder.path().join("cat")).unwrap().to_str().unwrap().to_owned();
            (file, target.is_there)
        };
        let is = |name: &str, is_there| (name.to_owned(), is_there);
        assert_eq!(choose("x/A.jpg", "one", How::Move, false), is("A (2).jpg", false));
        assert_eq!(
            choose("x/a (2).jpg", "one", How::Copy, false),
            is("a (2) (2).jpg", false),
            "given just now"
        );
        assert_eq!(choose("y/A.jpg", "another", How::Copy, false), is("A.jpg", true));
        assert_eq!(choose("y/b.jpg", "b", How::Move, true), is("b.jpg", false));
        assert_eq!(choose("z/B.JPG", "b", How::Move, false), is("B (2).JPG", false), "cases do not count");
        fs::write(folder.path().join("cat/c.jpg.xmp"), "of another").unwrap();
        assert_eq!(
            choose("y/c.jpg", "c", How::Move, true),
            is("c (2).jpg", false),
            "its sidecar has no place"
        );
        assert_eq!(
            (numbered("noending", 2), numbered(".jpg", 3)),
            ("noending (2)".into(), ".jpg (3)".into())
        );
    }

    #[test]
    fn folders_that_were_made_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        assert_eq!(make_folder(&inner).unwrap(), [folder.path().join("a"), inner.clone()]);
        assert!(make_folder(&inner).unwrap().is_empty());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_folder(&folder.path().join("file/c")).unwrap_err().contains("can't be made"));
    }
}
