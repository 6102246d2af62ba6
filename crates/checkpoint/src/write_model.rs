//! Writes a converted model: the GGUF cut into shards, the card, and last the manifest.

use crate::CheckpointError;
use crate::quantize::Quantization;
use beit::config::Config;
use beit::labels::Label;
use beit::weights::gguf::Value;
use beit::weights::{Checkpoint, MANIFEST_FORMAT, Manifest, Shard, StoredTensor, WeightsError, hexadecimal};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::Path;

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";
/// The model card's file name.
pub const CARD: &str = "README.md";

/// Where a converted model's files go: a folder, a browser's storage.
pub trait ShardSink {
    /// Stores one file. The shards come in order and the manifest last, so a model with a manifest is complete; the
    /// next file is made when this one is stored.
    fn put(&mut self, name: &str, bytes: Vec<u8>) -> impl Future<Output = io::Result<()>>;
}

/// What a model's files are made of.
pub(crate) struct NewModelFiles<'a> {
    pub(crate) config: &'a Config,
    pub(crate) labels: &'a [Label],
    pub(crate) extra: &'a [(&'a str, Value)],
    pub(crate) tensors: &'a [StoredTensor],
    pub(crate) quantization: Quantization,
    pub(crate) source: Option<Checkpoint>,
    pub(crate) card: Option<&'a [u8]>,
    pub(crate) shard_bytes: u64,
}

impl NewModelFiles<'_> {
    /// Writes all of them, one shard in memory at a time. `path` is what messages call the model.
    pub(crate) async fn write(
        self,
        path: &Path,
        sink: &mut impl ShardSink,
    ) -> Result<Manifest, CheckpointError> {
        let refused = |source| CheckpointError::Weights { path: path.to_owned(), source };
        let mut put = async |name: &str, bytes| {
            sink.put(name, bytes).await.map_err(CheckpointError::io("write", &path.join(name)))
        };
        let mut length = Length(0);
        self.gguf(&mut length).map_err(refused)?;
        let Length(bytes) = length;
        let (name, quantization) = (&self.config.name, self.quantization);
        let count = bytes.div_ceil(self.shard_bytes);
        let (mut shards, mut whole) = (Vec::new(), Sha256::new());
        for i in 0..count {
            let start = i * self.shard_bytes;
            let len = self.shard_bytes.min(bytes - start) as usize;
            let mut window = Window { skip: start, bytes: Vec::with_capacity(len), len };
            self.gguf(&mut window).map_err(refused)?;
            let Window { bytes, .. } = window;
            whole.update(&bytes);
            let name = format!("{name}-{quantization}.gguf-{:05}-of-{count:05}", i + 1);
            shards.push(Shard {
                name: name.clone(),
                bytes: bytes.len() as u64,
                sha256: beit::weights::sha256(&bytes),
            });
            put(&name, bytes).await?;
        }
        if let Some(card) = self.card {
            put(CARD, card.to_vec()).await?;
        }
        let manifest = Manifest {
            format: MANIFEST_FORMAT.to_owned(),
            name: name.clone(),
            quantization: quantization.name().to_owned(),
            parameters: self.config.parameters(),
            classes: self.config.classes,
            image_size: self.config.image_size,
            source: self.source,
            card: self.card.is_some().then(|| CARD.to_owned()),
            calibration: None,
            bytes,
            sha256: hexadecimal(&whole.finalize()),
            shards,
        };
        put(MANIFEST, manifest.to_json().into_bytes()).await?;
        Ok(manifest)
    }

    fn gguf(&self, out: &mut impl Write) -> Result<(), WeightsError> {
        beit::weights::write(out, self.config, self.labels, self.extra, self.tensors)
    }
}

/// What the manifest says of the checkpoint.
pub(crate) fn source_of(path: &Path, sha256: String) -> Checkpoint {
    Checkpoint { file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), sha256 }
}

/// Counts what is written.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps `len` bytes of what is written, after `skip` bytes: writing a file once a shard costs less memory than
/// keeping it whole.
struct Window {
    skip: u64,
    bytes: Vec<u8>,
    len: usize,
}

impl Write for Window {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        let rest = &bytes[skipped as usize..];
        self.bytes.extend_from_slice(&rest[..rest.len().min(self.len - self.bytes.len())]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{seeded, settings::Settings};
    use std::collections::BTreeMap;

    struct Files(Vec<(String, Vec<u8>)>);

    impl ShardSink for Files {
        async fn put(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
            self.0.push((name.to_owned(), bytes));
            Ok(())
        }
    }

    struct Full;

    impl ShardSink for Full {
        async fn put(&mut self, _: &str, _: Vec<u8>) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }

    fn write(shard_bytes: u64, sink: &mut impl ShardSink) -> Result<Manifest, CheckpointError> {
        let config = Config {
            width: 64,
            depth: 1,
            heads: 1,
            mlp_width: 64,
            classes: 3,
            name: "m".into(),
            ..Config::beitv2_large()
        };
        let settings = Settings::new(Quantization::Q8_0);
        let tensor = |spec| {
            let (storage, bytes) = settings.quantization.quantize(&spec, &seeded::tensor(&config, &spec));
            StoredTensor::new(&spec, storage, bytes).unwrap()
        };
        let tensors: Vec<_> = config.tensors().into_iter().map(tensor).collect();
        let model = NewModelFiles {
            config: &config,
            labels: &[],
            extra: &[],
            tensors: &tensors,
            quantization: settings.quantization,
            source: None,
            card: Some(b"# A card"),
            shard_bytes,
        };
        pollster::block_on(model.write(Path::new("m"), sink))
    }

    #[test]
    fn shards_are_the_file_cut_in_order() {
        let mut files = Files(Vec::new());
        let whole = write(1 << 30, &mut files).unwrap();
        let [(name, file), ..] = &files.0[..] else { panic!("no files") };
        assert_eq!((name.as_str(), file.len() as u64), ("m-q8_0.gguf-00001-of-00001", whole.bytes));
        assert_eq!(whole.sha256, beit::weights::sha256(file));
        for shard_bytes in [1000, whole.bytes / 2, whole.bytes / 2 + 1, whole.bytes - 1, whole.bytes] {
            let mut cut = Files(Vec::new());
            let manifest = write(shard_bytes, &mut cut).unwrap();
            assert_eq!((manifest.bytes, &manifest.sha256), (whole.bytes, &whole.sha256));
            let count = manifest.shards.len();
            assert_eq!(count as u64, whole.bytes.div_ceil(shard_bytes));
            let names: Vec<&str> = cut.0.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names[count..], [CARD, MANIFEST], "the manifest is last");
            assert_eq!(names[0], format!("m-q8_0.gguf-00001-of-{count:05}"));
            let by_name: BTreeMap<_, _> = cut.0.iter().cloned().collect();
            let mut joined = Vec::new();
            for (i, shard) in manifest.shards.iter().enumerate() {
                let bytes = &by_name[&shard.name];
                shard.verify(bytes).unwrap();
                assert!(i + 1 == count || shard.bytes == shard_bytes);
                joined.extend_from_slice(bytes);
            }
            assert!(joined == *file, "{shard_bytes}");
            assert_eq!(Manifest::parse(&by_name[MANIFEST]).unwrap(), manifest);
        }
    }

    #[test]
    fn a_sink_that_fails_is_named() {
        let error = write(1000, &mut Full).unwrap_err().to_string();
        assert!(error.contains("m-q8_0.gguf-00001-of-"), "{error}");
    }
}
