//! Weights → [`Model`], tensor by tensor, so that a model is never in memory twice.

use crate::backend::{Backend, BackendError, LayerNorm, Linear};
use crate::block::Block;
use crate::config::{Config, Position};
use crate::model::Model;
use crate::patch::PatchEmbedding;
use crate::weights::schema::Role;
use crate::weights::{Tensor, TensorData, WeightsError};
use std::collections::HashMap;
use thiserror::Error;

/// Why a model could not be built.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum BuildError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Takes a network's tensors in any order and gives the model.
pub struct ModelBuilder<B: Backend> {
    config: Config,
    backend: B,
    matrices: HashMap<String, B::Matrix>,
    small: HashMap<String, Vec<f32>>,
}

impl<B: Backend> ModelBuilder<B> {
    /// A network without weights.
    pub fn new(config: Config, backend: B) -> Self {
        Self { config, backend, matrices: HashMap::new(), small: HashMap::new() }
    }

    /// Takes a tensor and lays it out for the device.
    pub fn add(&mut self, tensor: Tensor) -> Result<(), BuildError> {
        let Tensor { spec, data } = tensor;
        match (spec.role, spec.shape.as_slice(), data) {
            (Role::Linear | Role::PatchEmbedding, &[n, k], data) => {
                self.matrices.insert(spec.name, self.backend.matrix(n, k, data)?);
            }
            (Role::Small, _, TensorData::Dense(values)) => {
                self.small.insert(spec.name, values);
            }
            _ => {
                return Err(WeightsError::Tensors(vec![format!(
                    "{}: stored in an unexpected form",
                    spec.name
                )])
                .into());
            }
        }
        Ok(())
    }

    /// The finished model.
    ///
    /// # Errors
    /// When a tensor has not been added.
    pub fn finish(mut self) -> Result<Model<B>, BuildError> {
        let patch_embedding = self.patch_embedding()?;
        let blocks = (0..self.config.depth).map(|i| self.block(i)).collect::<Result<_, _>>()?;
        let (fc_norm, head) = self.head()?;
        let Self { config, backend, .. } = self;
        Ok(Model { config, backend, patch_embedding, blocks, fc_norm, head })
    }

    /// The stem, taken out: with [`ModelBuilder::block`] and [`ModelBuilder::head`] a network can be run stage
    /// by stage as its tensors come, without ever being in memory whole.
    ///
    /// # Errors
    /// When one of its tensors has not been added.
    pub fn patch_embedding(&mut self) -> Result<PatchEmbedding<B>, BuildError> {
        let position = match self.config.position {
            Position::AbsoluteEmbedding => Some(self.vector("pos_embed")?),
            Position::RelativeBias => None,
        };
        Ok(PatchEmbedding {
            patch_size: self.config.patch_size,
            projection: self.linear("patch_embed.proj")?,
            class_token: self.vector("cls_token")?,
            position,
        })
    }

    /// The final norm and the head, taken out.
    ///
    /// # Errors
    /// When one of their tensors has not been added.
    pub fn head(&mut self) -> Result<(LayerNorm<B>, Linear<B>), BuildError> {
        Ok((self.layer_norm("fc_norm")?, self.linear("head")?))
    }

    /// Block `i`, taken out.
    ///
    /// # Errors
    /// When one of its tensors has not been added.
    pub fn block(&mut self, i: usize) -> Result<Block<B>, BuildError> {
        let name = |part: &str| format!("blocks.{i}.{part}");
        let mut qkv_bias = self.take_small(&name("attn.q_bias"))?;
        // k has no bias: adding one number to a whole row of scores changes no softmax.
        qkv_bias.resize(2 * self.config.width, 0.0);
        qkv_bias.extend(self.take_small(&name("attn.v_bias"))?);
        let position_bias = match self.config.position {
            Position::AbsoluteEmbedding => None,
            Position::RelativeBias => {
                let table = self.take_small(&name("attn.relative_position_bias_table"))?;
                Some(self.backend.position_bias(table, self.config.grid(), self.config.heads)?)
            }
        };
        Ok(Block {
            norm1: self.layer_norm(&name("norm1"))?,
            qkv: Linear {
                weight: self.take_matrix(&name("attn.qkv.weight"))?,
                bias: self.backend.vector(qkv_bias)?,
            },
            position_bias,
            proj: self.linear(&name("attn.proj"))?,
            gamma_1: self.vector(&name("gamma_1"))?,
            norm2: self.layer_norm(&name("norm2"))?,
            fc1: self.linear(&name("mlp.fc1"))?,
            fc2: self.linear(&name("mlp.fc2"))?,
            gamma_2: self.vector(&name("gamma_2"))?,
        })
    }

    fn linear(&mut self, name: &str) -> Result<Linear<B>, BuildError> {
        let weight = self.take_matrix(&format!("{name}.weight"))?;
        Ok(Linear { weight, bias: self.vector(&format!("{name}.bias"))? })
    }

    fn layer_norm(&mut self, name: &str) -> Result<LayerNorm<B>, BuildError> {
        let weight = self.vector(&format!("{name}.weight"))?;
        Ok(LayerNorm { weight, bias: self.vector(&format!("{name}.bias"))?, eps: self.config.layer_norm_eps })
    }

    fn vector(&mut self, name: &str) -> Result<B::Vector, BuildError> {
        let values = self.take_small(name)?;
        Ok(self.backend.vector(values)?)
    }

    fn take_small(&mut self, name: &str) -> Result<Vec<f32>, BuildError> {
        self.small.remove(name).ok_or_else(|| missing(name))
    }

    fn take_matrix(&mut self, name: &str) -> Result<B::Matrix, BuildError> {
        self.matrices.remove(name).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> BuildError {
    WeightsError::Tensors(vec![format!("{name}: missing")]).into()
}
