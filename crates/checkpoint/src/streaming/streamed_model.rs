//! What a streaming conversion ends with.

use crate::CheckpointError;
use crate::dialects::Dialect;
use crate::labels::{Labels, Origin};
use crate::note::Note;
use crate::settings::Settings;
use crate::write_model::{NewModelFiles, ShardSink, source_of};
use beit::config::Config;
use beit::weights::{Manifest, StoredTensor};
use std::path::PathBuf;

/// A converted checkpoint, whole and checked, ready to be written.
pub struct StreamedModel {
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
    pub(super) sha256: String,
    pub(super) tensors: Vec<StoredTensor>,
    pub(super) dialect: Dialect,
    pub(super) config: Config,
    pub(super) notes: Vec<Note>,
    pub(super) labels: Labels,
    pub(super) peak_bytes: u64,
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
