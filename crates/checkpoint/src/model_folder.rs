//! A converted model's folder: opened, verified, loaded.

use crate::CheckpointError;
use crate::write_model::MANIFEST;
use beit::backend::Backend;
use beit::builder::ModelBuilder;
use beit::calibration::Calibration;
use beit::classes::Classes;
use beit::model::Model;
use beit::weights::hexadecimal;
use beit::weights::{Header, Loader, Manifest, Shard, ShardError, Tensor};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A folder with a manifest; its shards are verified as they are read.
#[derive(Debug)]
pub struct ModelFolder {
    path: PathBuf,
    /// Mostly `manifest.json` in the folder.
    manifest_file: PathBuf,
    manifest: Manifest,
}

impl ModelFolder {
    /// Reads and checks the manifest. `path` is the folder or its `manifest.json`.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let file = if path.is_file() { path.to_owned() } else { path.join(MANIFEST) };
        let json = std::fs::read(&file).map_err(CheckpointError::io("read", &file))?;
        let manifest = Manifest::parse(&json)
            .map_err(|source| CheckpointError::Manifest { path: file.clone(), source })?;
        let path = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { path, manifest_file: file, manifest })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes the manifest anew, with what was measured of the model's confidence. The weights stay as they are.
    ///
    /// # Errors
    /// When it was measured with other weights than those of the manifest that was opened, or the file can't be written.
    pub fn write_calibration(&mut self, calibration: Calibration) -> Result<(), CheckpointError> {
        let path = &self.manifest_file;
        let manifest = Manifest { calibration: Some(calibration), ..self.manifest.clone() };
        let json = manifest.to_json();
        let refused = |source| CheckpointError::Manifest { path: path.clone(), source };
        let manifest = Manifest::parse(json.as_bytes()).map_err(refused)?;
        // A process that is stopped here leaves the old manifest or the new one.
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        std::fs::write(&partial, json).map_err(CheckpointError::io("write", Path::new(&partial)))?;
        std::fs::rename(&partial, path).map_err(CheckpointError::io("write", path))?;
        self.manifest = manifest;
        Ok(())
    }

    /// A shard's bytes, after checking their number and SHA-256.
    pub fn shard(&self, shard: &Shard) -> Result<Vec<u8>, CheckpointError> {
        let path = self.path.join(&shard.name);
        let refused = |source| CheckpointError::Shard { path: self.path.clone(), source };
        let file = std::fs::File::open(&path).map_err(CheckpointError::io("open", &path))?;
        let got = file.metadata().map_err(CheckpointError::io("read", &path))?.len();
        if got != shard.bytes {
            return Err(refused(ShardError::Size { name: shard.name.clone(), expected: shard.bytes, got }));
        }
        let mut bytes = Vec::with_capacity(shard.bytes as usize);
        file.take(shard.bytes).read_to_end(&mut bytes).map_err(CheckpointError::io("read", &path))?;
        shard.verify(&bytes).map_err(refused)?;
        Ok(bytes)
    }

    /// Reads every shard in order and hands over each tensor as it is complete.
    ///
    /// # Errors
    /// When a shard or the whole is not what the manifest says, the file describes no network, or
    /// `each` refuses a tensor.
    pub fn read(
        &self,
        mut each: impl FnMut(&Header, Tensor) -> Result<(), CheckpointError>,
    ) -> Result<Header, CheckpointError> {
        let weights = |source| CheckpointError::Weights { path: self.path.clone(), source };
        let mut loader = Loader::new(self.manifest.bytes);
        let mut whole = Sha256::new();
        for shard in &self.manifest.shards {
            let bytes = self.shard(shard)?;
            whole.update(&bytes);
            for tensor in loader.push(&bytes).map_err(weights)? {
                if let Some(header) = loader.header() {
                    each(header, tensor)?;
                }
            }
        }
        let (expected, got) = (self.manifest.sha256.clone(), hexadecimal(&whole.finalize()));
        if got != expected {
            let source = ShardError::Hash { name: "all shards together".into(), expected, got };
            return Err(CheckpointError::Shard { path: self.path.clone(), source });
        }
        loader.finish().map_err(weights)
    }

    /// Builds the model on `backend`; gives its classes too.
    pub fn load<B: Backend>(&self, backend: B) -> Result<(Model<B>, Classes), CheckpointError> {
        let build = |source| CheckpointError::Build { path: self.path.clone(), source };
        let mut unused = Some(backend);
        let mut builder: Option<ModelBuilder<B>> = None;
        let header = self.read(|header, tensor| {
            if let Some(backend) = unused.take() {
                builder = Some(ModelBuilder::new(header.config.clone(), backend));
            }
            builder.as_mut().map_or(Ok(()), |builder| builder.add(tensor)).map_err(build)
        })?;
        match builder {
            Some(builder) => {
                let classes = Classes { labels: header.labels, kinds: header.kinds };
                Ok((builder.finish().map_err(build)?, classes))
            }
            None => Err(CheckpointError::format(&self.path, "it holds no tensors")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let shard = Shard { name: "a.gguf".into(), bytes: 7, sha256: "a".repeat(64) };
        Manifest {
            format: beit::weights::MANIFEST_FORMAT.into(),
            name: "a".into(),
            quantization: "f32".into(),
            parameters: 1,
            classes: 2,
            image_size: 16,
            source: None,
            card: None,
            calibration: None,
            bytes: 7,
            sha256: "b".repeat(64),
            shards: vec![shard],
        }
    }

    #[test]
    fn a_calibration_is_all_that_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(MANIFEST);
        std::fs::write(&file, manifest().to_json()).unwrap();
        let mut opened = ModelFolder::open(folder.path()).unwrap();
        let calibration = |identity: String| Calibration { identity, temperature: 1.25, none_of_these: None };
        let error = opened.write_calibration(calibration("c".repeat(64))).unwrap_err().to_string();
        assert!(error.contains("calibration.identity"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), manifest().to_json(), "left as it was");

        let calibration = calibration(manifest().identity());
        opened.write_calibration(calibration.clone()).unwrap();
        let expected = Manifest { calibration: Some(calibration), ..manifest() };
        assert_eq!(opened.manifest(), &expected);
        assert_eq!(ModelFolder::open(&file).unwrap().manifest(), &expected);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "no other file is left");
    }
}
