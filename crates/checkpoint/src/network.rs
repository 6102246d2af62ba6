//! A checkpoint matched with the network it should be: every tensor found, or every fault named.

use crate::CheckpointError;
use crate::dialects::Dialect;
use crate::network_layout::{self, NetworkLayout, Tensors};
use crate::note::Note;
use crate::quantize::Quantization;
use crate::rotate_heads::rotate;
use crate::source::Source;
use crate::tensor_entry::TensorEntry;
use beit::config::Config;
use beit::weights::schema::TensorSpec;
use rayon::prelude::*;

/// A checkpoint whose tensors are all there, of the right shape and finite.
pub struct Network {
    /// The checkpoint.
    pub source: Source,
    /// Its tensors' naming scheme.
    pub dialect: Dialect,
    /// The configuration that its shapes imply.
    pub config: Config,
    /// What was decided or left out.
    pub notes: Vec<Note>,
    /// For each of [`Config::tensors`]: the checkpoint's tensors whose rows make it up.
    parts: Vec<Vec<TensorEntry>>,
}

impl Network {
    /// Finds out which network the checkpoint holds and checks all of it. `name` is the model's.
    ///
    /// # Errors
    /// When the names follow no known dialect, or any tensor is missing, surplus, misshapen, of a
    /// type that is no float, or holds values that are not finite: all of them at once.
    pub fn new(source: Source, name: &str) -> Result<Self, CheckpointError> {
        let check_values = |tensors: &Tensors| {
            let check = |tensor: &network_layout::Found| {
                let values = source.values(tensor.entry)?;
                Ok(network_layout::not_finite(tensor.spelt, &values))
            };
            let faults: Vec<_> = tensors.par_iter().map(|(_, tensor)| check(tensor)).collect();
            faults.into_iter().filter_map(Result::transpose).collect()
        };
        let NetworkLayout { dialect, config, notes, parts } =
            NetworkLayout::new(source.path(), source.tensors(), source.notes(), name, check_values)?;
        let entries = |parts: Vec<network_layout::Part>| parts.into_iter().map(|part| part.entry).collect();
        let parts = parts.into_iter().map(entries).collect();
        Ok(Self { source, dialect, config, notes, parts })
    }

    /// Every tensor of the network, with a way to its values.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorSpec, &[TensorEntry])> {
        self.config.tensors().into_iter().zip(self.parts.iter().map(Vec::as_slice))
    }

    /// A tensor's values as they are to be rounded: of a network that does the same, see `rotate_heads`.
    ///
    /// # Errors
    /// As [`Network::values`], and when values are too large for it.
    pub(crate) fn values_to_round(
        &self,
        quantization: Quantization,
        spec: &TensorSpec,
        parts: &[TensorEntry],
    ) -> Result<Vec<f32>, CheckpointError> {
        let mut values = self.values(parts)?;
        rotate(quantization, spec, &mut values).map_err(|fault| CheckpointError::Tensors(vec![fault]))?;
        Ok(values)
    }

    /// A tensor's values, row-major, parts joined.
    ///
    /// # Errors
    /// When the file, read once already, is no longer what it was.
    pub fn values(&self, parts: &[TensorEntry]) -> Result<Vec<f32>, CheckpointError> {
        match parts {
            [whole] => self.source.values(whole),
            parts => {
                let mut joined = Vec::new();
                for part in parts {
                    joined.extend(self.source.values(part)?);
                }
                Ok(joined)
            }
        }
    }
}
