//! Features on disk, by photo and by model.
//!
//! One file a model, only ever added to: a head of magic, version and width, then records of one size: the photo's
//! SHA-256 in hexadecimal, its features in F32, and the first digits of the SHA-256 of both. A record that is
//! truncated or damaged ends the file; the features after it are computed again.

use crate::failure::Failure;
use beit::weights::sha256;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Raised when the same photo and model would give other features than before.
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"beitfeat";
const HEAD: usize = 16;
const HASH: usize = 64;
const CHECK: usize = 16;

/// What is known of one model's photos.
pub struct Cache {
    known: HashMap<String, Vec<f32>>,
    file: Option<Mutex<File>>,
}

impl Cache {
    /// Keeps nothing.
    pub fn none() -> Self {
        Self { known: HashMap::new(), file: None }
    }

    /// Opens or begins the file of the model with this hash and feature width in `folder`.
    ///
    /// # Errors
    /// When the folder can't be written: with a word on how to go on without it.
    pub fn open(folder: &Path, model_sha256: &str, width: usize) -> Result<Self, Failure> {
        let path = folder.join(format!("{model_sha256}.features"));
        let fault = |e: io::Error| {
            let path = path.display();
            Failure::Data(format!(
                "cannot use the features kept in {path}: {e}; choose another --cache DIR or go without: --no-cache"
            ))
        };
        std::fs::create_dir_all(folder).map_err(fault)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(fault)?;
        // Two runs on one file take turns.
        file.lock().map_err(fault)?;
        let known = read(&mut file, width).map_err(fault);
        file.unlock().map_err(fault)?;
        Ok(Self { known: known?, file: Some(Mutex::new(file)) })
    }

    /// The features of the photo with this hash.
    pub fn get(&self, photo_sha256: &str) -> Option<&[f32]> {
        self.known.get(photo_sha256).map(Vec::as_slice)
    }

    /// Adds a photo's features to the file.
    pub fn put(&self, photo_sha256: &str, features: &[f32]) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut record = photo_sha256.as_bytes().to_vec();
        record.extend(features.iter().flat_map(|value| value.to_le_bytes()));
        let check = sha256(&record);
        record.extend(&check.as_bytes()[..CHECK]);
        let mut file = file.lock().map_err(|_| io::Error::other("another thread failed"))?;
        file.lock()?;
        let written = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(&record));
        file.unlock().and(written)
    }
}

fn head(width: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    head[12..].copy_from_slice(&(width as u32).to_le_bytes());
    head
}

/// All good records; what is behind them is cut off.
fn read(file: &mut File, width: usize) -> io::Result<HashMap<String, Vec<f32>>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut known = HashMap::new();
    if !bytes.starts_with(&head(width)) {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&head(width))?;
        return Ok(known);
    }
    let size = HASH + 4 * width + CHECK;
    let mut good = HEAD;
    for record in bytes[HEAD..].chunks_exact(size) {
        let (content, check) = record.split_at(size - CHECK);
        if sha256(content).as_bytes()[..CHECK] != *check {
            break;
        }
        let (photo, features) = content.split_at(HASH);
        let features = features.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        known.insert(String::from_utf8_lossy(photo).into_owned(), features);
        good += size;
    }
    file.set_len(good as u64)?;
    Ok(known)
}

/// The default folder of the feature cache.
///
/// # Errors
/// When the user has no home folder.
pub fn usual_folder() -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let caches = if cfg!(target_os = "windows") {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        set("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| home().map(|home| home.join(".cache")))
    };
    let lost = || {
        Failure::Usage("there is no home folder to keep features in; give --cache DIR or --no-cache".into())
    };
    Ok(caches.ok_or_else(lost)?.join("beitscope").join("features"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_come_back_and_damage_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (model, photos) = ("m".repeat(64), ["a".repeat(64), "b".repeat(64), "c".repeat(64)]);
        let open = |width| Cache::open(folder.path(), &model, width).unwrap();
        let first = open(2);
        for (i, photo) in photos.iter().enumerate() {
            assert_eq!(first.get(photo), None);
            first.put(photo, &[i as f32, -1.5]).unwrap();
        }
        assert_eq!(open(2).get(&photos[2]), Some(&[2.0, -1.5][..]));
        // A second writer on the same file.
        let (one, two) = (open(2), open(2));
        one.put(&"d".repeat(64), &[4.0, 4.0]).unwrap();
        two.put(&"e".repeat(64), &[5.0, 5.0]).unwrap();
        assert_eq!(open(2).known.len(), 5);

        let path = folder.path().join(format!("{model}.features"));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 3);
        let record = HASH + 8 + CHECK;
        bytes[HEAD + 2 * record + HASH] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let damaged = open(2);
        assert_eq!(damaged.get(&photos[1]), Some(&[1.0, -1.5][..]));
        assert_eq!((damaged.get(&photos[2]), damaged.known.len()), (None, 2));
        damaged.put(&photos[2], &[9.0, 9.0]).unwrap();
        assert_eq!(open(2).get(&photos[2]), Some(&[9.0, 9.0][..]));
        // Another width is another network: nothing is read from it.
        assert_eq!(open(3).known.len(), 0);
    }
}
