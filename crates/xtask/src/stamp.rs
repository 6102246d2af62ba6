//! Build stamps: work whose inputs and outputs have not changed is skipped.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::Result;

/// Everything that a piece of work depends on, as one number.
#[derive(Clone)]
pub struct Fingerprint(DefaultHasher);

impl Fingerprint {
    pub fn new() -> Fingerprint {
        Fingerprint(DefaultHasher::new())
    }

    /// Adds a setting: a flag, a tool's version.
    pub fn text(&mut self, text: &str) -> &mut Fingerprint {
        text.hash(&mut self.0);
        self
    }

    /// Adds a file, or all files below a folder, by name, size and time of change. What is not
    /// there counts too.
    pub fn path(&mut self, path: &Path) -> Result<&mut Fingerprint> {
        self.add(path, "").map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(self)
    }

    fn add(&mut self, path: &Path, name: &str) -> io::Result<()> {
        name.hash(&mut self.0);
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                "missing".hash(&mut self.0);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if metadata.is_dir() {
            let mut names =
                fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
            names.sort();
            names.len().hash(&mut self.0);
            for name in names {
                self.add(&path.join(&name), &name.to_string_lossy())?;
            }
        } else {
            metadata.len().hash(&mut self.0);
            let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            changed.as_nanos().hash(&mut self.0);
        }
        Ok(())
    }

    /// The number.
    pub fn number(&self) -> u64 {
        self.0.finish()
    }
}

/// A file that says from which inputs an output was made, and what the output then was.
pub struct Stamp {
    file: PathBuf,
    output: PathBuf,
}

impl Stamp {
    /// The stamp in the folder `stamps` for the work that makes the file or folder `output`.
    pub fn new(stamps: &Path, output: &Path) -> Stamp {
        let mut fingerprint = Fingerprint::new();
        fingerprint.text(&output.to_string_lossy());
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        let file = stamps.join(format!("{name}-{:016x}", fingerprint.number()));
        Stamp { file, output: output.to_owned() }
    }

    /// Whether the output was ever made by this work.
    pub fn exists(&self) -> bool {
        self.file.is_file()
    }

    /// Whether the output is what these inputs made.
    pub fn is_fresh(&self, inputs: &Fingerprint) -> Result<bool> {
        let stamped = fs::read_to_string(&self.file).unwrap_or_default();
        Ok(self.output.exists() && stamped == self.text(inputs)?)
    }

    /// Notes that the output was just made from these inputs.
    pub fn write(&self, inputs: &Fingerprint) -> Result<()> {
        let text = self.text(inputs)?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&self.file, text))
            .map_err(|error| format!("can't write {}: {error}", self.file.display()))
    }

    fn text(&self, inputs: &Fingerprint) -> Result<String> {
        let mut output = Fingerprint::new();
        output.path(&self.output)?;
        Ok(format!("{:016x} {:016x}\n", inputs.number(), output.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    fn of(path: &Path) -> u64 {
        let mut fingerprint = Fingerprint::new();
        fingerprint.path(path).unwrap();
        fingerprint.number()
    }

    #[test]
    fn work_is_stale_when_an_input_or_the_output_changed() {
        let folder = env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let (source, output) = (folder.join("source"), folder.join("output"));
        fs::create_dir_all(source.join("sub")).unwrap();
        fs::write(source.join("sub/a.txt"), "a").unwrap();
        let stamp = Stamp::new(&folder.join("stamps"), &output);

        let inputs = |flag: &str| {
            let mut inputs = Fingerprint::new();
            inputs.text(flag).path(&source).unwrap();
            inputs
        };
        assert!(!stamp.exists() && !stamp.is_fresh(&inputs("-O")).unwrap());
        fs::create_dir(&output).unwrap();
        fs::write(output.join("made"), "1").unwrap();
        stamp.write(&inputs("-O")).unwrap();
        assert!(stamp.exists() && stamp.is_fresh(&inputs("-O")).unwrap());
        assert!(!stamp.is_fresh(&inputs("-O3")).unwrap(), "another flag");

        let before = of(&source);
        fs::write(source.join("sub/a.txt"), "longer").unwrap();
        assert_ne!(of(&source), before, "another size");
        assert!(!stamp.is_fresh(&inputs("-O")).unwrap());
        stamp.write(&inputs("-O")).unwrap();
        fs::rename(source.join("sub/a.txt"), source.join("sub/b.txt")).unwrap();
        assert!(!stamp.is_fresh(&inputs("-O")).unwrap(), "another name");

        stamp.write(&inputs("-O")).unwrap();
        fs::write(output.join("made"), "22").unwrap();
        assert!(!stamp.is_fresh(&inputs("-O")).unwrap(), "the output was touched");
        stamp.write(&inputs("-O")).unwrap();
        fs::remove_dir_all(&output).unwrap();
        assert!(!stamp.is_fresh(&inputs("-O")).unwrap(), "the output is gone");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn outputs_have_stamps_of_their_own() {
        let stamps = Path::new("stamps");
        assert_ne!(
            Stamp::new(stamps, Path::new("a/dist")).file,
            Stamp::new(stamps, Path::new("b/dist")).file
        );
    }
}
