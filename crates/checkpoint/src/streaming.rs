//! Conversion of a `.safetensors` file that arrives in pieces, without a file system: each tensor is rounded as soon
//! as its last byte is there, and only the rounded ones are kept.

mod incoming_tensors;

use crate::CheckpointError;
use crate::dialects::Dialect;
use crate::labels::{self, Labels, Origin};
use crate::network_layout::NetworkLayout;
use crate::note::Note;
use crate::safetensors::{self, LENGTH_BYTES, MAX_HEADER_BYTES};
use crate::settings::Settings;
use crate::write_model::{NewModelFiles, ShardSink, source_of};
use beit::classes::Classes;
use beit::config::Config;
use beit::labels::Label;
use beit::weights::{Manifest, StoredTensor, hexadecimal};
use incoming_tensors::IncomingTensors;
use sha2::{Digest, Sha256};
use std::mem;
use std::path::PathBuf;

/// A conversion that is fed a checkpoint's bytes in order. It makes the same files as `convert` of the same file.
pub struct StreamingConversion {
    /// What messages call the checkpoint.
    path: PathBuf,
    settings: Settings,
    /// The names that were given.
    labels: Option<Vec<Label>>,
    hash: Sha256,
    received: u64,
    stage: Stage,
}

enum Stage {
    /// The header's bytes so far, with its length before it.
    Header(Vec<u8>),
    Tensors(Box<Arriving>),
    /// An error ended it.
    Failed,
}

/// A checkpoint whose header is known.
struct Arriving {
    tensors: IncomingTensors,
    dialect: Dialect,
    config: Config,
    notes: Vec<Note>,
    labels: Labels,
}

impl StreamingConversion {
    /// `file` is the checkpoint's file name, which the manifest tells. `labels` has a name for each row of the head;
    /// without it they are found as [`labels::find`] does without a file.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(file: &str, settings: Settings, labels: Option<Vec<Label>>) -> Result<Self, CheckpointError> {
        settings.check()?;
        let stage = Stage::Header(Vec::new());
        Ok(Self { path: file.into(), settings, labels, hash: Sha256::new(), received: 0, stage })
    }

    /// Takes the next bytes, as many as there are.
    ///
    /// # Errors
    /// As soon as the file is seen to be of no use: by its header (no safetensors file, another kind of network, labels
    /// or settings that do not fit it) or by a tensor (values that are not finite). Nothing can be pushed after that.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), CheckpointError> {
        self.hash.update(bytes);
        self.received += bytes.len() as u64;
        while !bytes.is_empty() {
            self.stage = match mem::replace(&mut self.stage, Stage::Failed) {
                Stage::Header(header) => self.push_header(header, &mut bytes)?,
                Stage::Tensors(mut arriving) => {
                    arriving.tensors.push(mem::take(&mut bytes), &self.path, self.settings.quantization)?;
                    Stage::Tensors(arriving)
                }
                Stage::Failed => {
                    return Err(CheckpointError::format(&self.path, "it was refused already"));
                }
            };
        }
        Ok(())
    }

    /// Takes what belongs to the header from `bytes`.
    fn push_header(&mut self, mut header: Vec<u8>, bytes: &mut &[u8]) -> Result<Stage, CheckpointError> {
        const FIRST: usize = LENGTH_BYTES + 1;
        let refuse = |reason: String| Err(CheckpointError::format(&self.path, reason));
        let end = match (header.first_chunk(), header.get(LENGTH_BYTES)) {
            (Some(&len), Some(b'{')) => match u64::from_le_bytes(len) {
                len @ 2..=MAX_HEADER_BYTES => LENGTH_BYTES + len as usize,
                len => return refuse(format!("it is a damaged safetensors file (a header of {len} bytes)")),
            },
            (_, Some(_)) => return refuse("only .safetensors files are converted while they arrive".into()),
            _ => FIRST,
        };
        let (taken, rest) = bytes.split_at(bytes.len().min(end - header.len()));
        header.extend_from_slice(taken);
        *bytes = rest;
        if header.len() < end || end == FIRST {
            return Ok(Stage::Header(header));
        }
        let (entries, file_bytes) = match safetensors::read_header(&header) {
            Ok(read) => read,
            Err(reason) => return refuse(reason),
        };
        let name = self.settings.name_for(&self.path);
        let NetworkLayout { dialect, mut config, notes, parts } =
            NetworkLayout::new(&self.path, &entries, &[], &name, |_| Ok(Vec::new()))?;
        self.settings.override_preprocessing(&mut config)?;
        let labels = match self.labels.take() {
            Some(labels) if labels.len() != config.classes => {
                let expected = format!("{}, one for each row of the head", config.classes);
                let got = labels.len().to_string();
                return Err(CheckpointError::Labels { path: self.path.clone(), expected, got });
            }
            Some(labels) => Labels { classes: Classes { labels, kinds: Vec::new() }, origin: Origin::File },
            None => labels::find(None, &[], config.classes)?,
        };
        let tensors = IncomingTensors::new(config.tensors(), parts, header.len(), file_bytes);
        Ok(Stage::Tensors(Box::new(Arriving { tensors, dialect, config, notes, labels })))
    }

    /// The network's configuration, once the header is there.
    pub fn config(&self) -> Option<&Config> {
        self.arriving().map(|arriving| &arriving.config)
    }

    /// Bytes pushed so far.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// Length of the whole file, once the header is there.
    pub fn file_bytes(&self) -> Option<u64> {
        self.arriving().map(|arriving| arriving.tensors.file_bytes())
    }

    fn arriving(&self) -> Option<&Arriving> {
        match &self.stage {
            Stage::Tensors(arriving) => Some(arriving),
            Stage::Header(_) | Stage::Failed => None,
        }
    }

    /// Checks that all of the file came, and that it is the one that is meant where `sha256` (lower-case hexadecimal)
    /// says which one that is. Until then nothing is handed out.
    ///
    /// # Errors
    /// When bytes are missing or others than expected.
    pub fn finish(self, sha256: Option<&str>) -> Result<StreamedModel, CheckpointError> {
        let file_bytes = self.file_bytes();
        let Self { path, settings, hash, received, stage, .. } = self;
        let arriving = match stage {
            Stage::Tensors(arriving) if Some(received) == file_bytes => *arriving,
            Stage::Failed => return Err(CheckpointError::format(&path, "it was refused already")),
            _ => {
                let all = file_bytes.map(|all| format!(" of {all}")).unwrap_or_default();
                return Err(CheckpointError::format(
                    &path,
                    format!("it ends after {received}{all} bytes: fetch it again"),
                ));
            }
        };
        let got = hexadecimal(&hash.finalize());
        if let Some(expected) = sha256.filter(|expected| *expected != got) {
            return Err(CheckpointError::Hash { path, expected: expected.to_owned(), got });
        }
        let Arriving { tensors, dialect, config, notes, labels } = arriving;
        let (tensors, peak_bytes) = tensors.finish();
        Ok(StreamedModel { path, settings, sha256: got, tensors, dialect, config, notes, labels, peak_bytes })
    }
}

/// A converted checkpoint, whole and checked, ready to be written.
pub struct StreamedModel {
    path: PathBuf,
    settings: Settings,
    sha256: String,
    tensors: Vec<StoredTensor>,
    dialect: Dialect,
    config: Config,
    notes: Vec<Note>,
    labels: Labels,
    peak_bytes: u64,
}

impl StreamedModel {
    /// SHA-256 of the checkpoint, lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The naming scheme of the checkpoint's tensors.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The network's configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was decided or left out of the checkpoint.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Where the classes' names come from.
    pub fn labels_origin(&self) -> Origin {
        self.labels.origin
    }

    /// The most bytes of tensors that were held at a time: at most those of the quantised network and twice those of its
    /// largest tensor in F32 (or as the checkpoint stores it, where that is larger). Where a tensor's rows are several
    /// of the checkpoint's tensors, as transformers' queries, keys and values, they wait for each other; files list them
    /// side by side, as names are sorted.
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// Writes shards and manifest: one shard at a time is in memory beside the quantised network.
    ///
    /// # Errors
    /// When the sink fails.
    pub async fn write(&self, sink: &mut impl ShardSink) -> Result<Manifest, CheckpointError> {
        let model = NewModelFiles {
            config: &self.config,
            labels: &self.labels.classes.labels,
            extra: &self.settings.metadata(&self.labels.classes),
            tensors: &self.tensors,
            quantization: self.settings.quantization,
            source: Some(source_of(&self.path, self.sha256.clone())),
            card: None,
            shard_bytes: self.settings.shard_bytes,
        };
        model.write(self.config.name.as_ref(), sink).await
    }
}
