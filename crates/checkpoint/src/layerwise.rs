//! A forward pass that runs each layer as soon as its tensors are loaded: no more than one block's weights are in
//! memory.

use beit::backend::{Activation, Backend};
use beit::builder::{BuildError, ModelBuilder};
use beit::config::Config;
use beit::preprocess::Pixels;
use beit::weights::Tensor;
use std::sync::Arc;

/// The forward pass of some inputs. Stage 0 is the stem, stage i + 1 block i, the last one the final
/// norm and the head.
pub(crate) struct LayerwiseForward<B: Backend> {
    config: Config,
    backend: B,
    builder: ModelBuilder<B>,
    inputs: Arc<[Pixels]>,
    /// The next stage to run.
    stage: usize,
    /// Tensors that each stage still waits for.
    missing: Vec<usize>,
    /// The last stage's output for each input.
    activations: Vec<B::Tokens>,
    /// Activations of elsewhere that the next stage is to run on too.
    beside: Vec<B::Tokens>,
}

impl<B: Backend> LayerwiseForward<B> {
    /// `backend` gives a device twice: one to lay out weights on, one to run on.
    pub(crate) fn new(config: &Config, backend: impl Fn() -> B, inputs: Arc<[Pixels]>) -> Self {
        let mut missing = vec![0; config.depth + 2];
        for spec in config.tensors() {
            missing[stage_of(config, &spec.name)] += 1;
        }
        Self {
            config: config.clone(),
            backend: backend(),
            builder: ModelBuilder::new(config.clone(), backend()),
            inputs,
            stage: 0,
            missing,
            activations: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// Whether the stage after the stem's that the tensor belongs to runs as soon as this tensor is added.
    pub(crate) fn completes_stage(&self, name: &str) -> bool {
        let stage = stage_of(&self.config, name);
        stage > 0 && stage == self.stage && self.missing[stage] == 1
    }

    /// [`LayerwiseForward::add`] of a tensor that [completes a stage](Self::completes_stage): gives that stage's output
    /// for `others` too, which stand in for the output of the stage before, `[tokens, width]` each.
    pub(crate) fn add_and_run_on(
        &mut self,
        tensor: Tensor,
        others: &[Vec<f32>],
    ) -> Result<Vec<B::Tokens>, BuildError> {
        let (backend, width) = (&self.backend, self.config.width);
        let upload = |x: &Vec<f32>| backend.upload(x, 1, x.len() / width, width);
        self.beside = others.iter().map(upload).collect::<Result<_, _>>()?;
        self.add(tensor)?;
        Ok(std::mem::take(&mut self.beside))
    }

    /// Takes a tensor, each of the network's once, and runs every stage that has all of its own.
    pub(crate) fn add(&mut self, tensor: Tensor) -> Result<(), BuildError> {
        let stage = stage_of(&self.config, &tensor.spec.name);
        self.builder.add(tensor)?;
        self.missing[stage] = self.missing[stage].saturating_sub(1);
        while self.missing.get(self.stage) == Some(&0) {
            self.run()?;
            self.stage += 1;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), BuildError> {
        let Self { config, backend, builder, inputs, activations, beside, .. } = self;
        match self.stage {
            0 => {
                let stem = builder.patch_embedding()?;
                *activations = inputs
                    .iter()
                    .map(|pixels| stem.forward(backend, std::slice::from_ref(pixels)))
                    .collect::<Result<_, _>>()?;
            }
            stage if stage <= config.depth => {
                let block = builder.block(stage - 1)?;
                for x in activations.iter_mut().chain(beside) {
                    block.forward(backend, x, config.heads)?;
                }
            }
            _ => {
                let (norm, head) = builder.head()?;
                for x in activations.iter_mut().chain(beside) {
                    let pooled = backend.layer_norm(&backend.mean_of_patches(x)?, &norm)?;
                    *x = backend.linear(&pooled, &head, Activation::None)?;
                }
            }
        }
        Ok(())
    }

    /// Stages that have run.
    pub(crate) fn stages(&self) -> usize {
        self.stage
    }

    /// The last stage's output for each input.
    pub(crate) fn activations(&self) -> &[B::Tokens] {
        &self.activations
    }

    /// Each input's logits, once every tensor has come.
    pub(crate) async fn logits(self) -> Result<Vec<Vec<f32>>, BuildError> {
        let mut logits = Vec::with_capacity(self.activations.len());
        for x in &self.activations {
            logits.push(self.backend.read(x).await?);
        }
        Ok(logits)
    }
}

fn stage_of(config: &Config, name: &str) -> usize {
    match name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
        // The names are the network's own, so the number is there and below the depth.
        Some((number, _)) => 1 + number.parse().unwrap_or(0).min(config.depth - 1),
        None if name.starts_with("fc_norm.") || name.starts_with("head.") => config.depth + 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;
    use beit::backend::Cpu;
    use beit::config::Position;
    use beit::weights::TensorData;
    use kernels::Isa;

    #[test]
    fn layer_by_layer_gives_what_the_whole_model_gives() {
        for position in [Position::RelativeBias, Position::AbsoluteEmbedding] {
            let config = Config {
                image_size: 64,
                width: 64,
                depth: 3,
                heads: 2,
                mlp_width: 128,
                classes: 7,
                position,
                ..Config::beitv2_large()
            };
            let cpu = || Cpu::new(Isa::best());
            let inputs: Arc<[Pixels]> =
                (0..2).map(|i| Pixels { size: 64, values: seeded::pixels(&config, i) }).collect();
            let (mut layerwise, mut builder) = (
                LayerwiseForward::new(&config, cpu, inputs.clone()),
                ModelBuilder::new(config.clone(), cpu()),
            );
            let mut specs = config.tensors();
            // The order does not matter.
            specs.reverse();
            for spec in specs {
                let data = || TensorData::Dense(seeded::tensor(&config, &spec));
                layerwise.add(Tensor { spec: spec.clone(), data: data() }).unwrap();
                builder.add(Tensor { spec: spec.clone(), data: data() }).unwrap();
            }
            let model = builder.finish().unwrap();
            let whole: Vec<_> =
                inputs.iter().map(|pixels| pollster::block_on(model.logits(pixels)).unwrap()).collect();
            assert_eq!(whole[0].len(), 7);
            assert_eq!(pollster::block_on(layerwise.logits()).unwrap(), whole, "{position:?}");
        }
    }
}
