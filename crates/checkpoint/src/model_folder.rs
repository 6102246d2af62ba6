//! A converted model's folder: opened, verified, loaded.

use crate::CheckpointError;
use crate::write_model::MANIFEST;
use beit::backend::Backend;
use beit::builder::ModelBuilder;
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
        Ok(Self { path, manifest })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
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
