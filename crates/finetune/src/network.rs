//! The forward pass on tensors with gradients, for training. `beit::model` is the one for inference; a test compares
//! the two.

use crate::FinetuneError;
use crate::schedule::layer;
use beit::config::{Config, Position};
use beit::position::relative_position_bias;
use candle_core::{D, DType, Device, Tensor, Var};
use std::collections::HashMap;

/// A network's parameters by their names in the weights' file.
pub struct Network {
    config: Config,
    tensors: HashMap<String, Tensor>,
    /// The bias table's row for each pair of tokens, `[tokens²]`.
    relative_rows: Option<Tensor>,
    dtype: DType,
}

impl Network {
    /// `values` gives each of [`Config::tensors`], row-major.
    ///
    /// # Errors
    /// When one is missing or of another length.
    pub fn new(config: Config, values: &HashMap<String, Vec<f32>>) -> Result<Self, FinetuneError> {
        Self::of_type(config, values, DType::F32)
    }

    /// [`Network::new`] in numbers of another type: F64 to check gradients by.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn of_type(
        config: Config,
        values: &HashMap<String, Vec<f32>>,
        dtype: DType,
    ) -> Result<Self, FinetuneError> {
        let mut tensors = HashMap::new();
        for spec in config.tensors() {
            let expected: usize = spec.shape.iter().product();
            let values = values.get(&spec.name).filter(|values| values.len() == expected);
            let values = values.ok_or_else(|| FinetuneError::Shape {
                name: spec.name.clone(),
                expected: format!("{expected} values"),
                got: "another number".into(),
            })?;
            let tensor = Tensor::from_slice(values, spec.shape.clone(), &Device::Cpu)?.to_dtype(dtype)?;
            tensors.insert(spec.name, tensor);
        }
        let relative_rows = match config.position {
            Position::AbsoluteEmbedding => None,
            Position::RelativeBias => {
                // Row numbers spread as biases are: each place then says which row it is of.
                let numbers: Vec<f32> = (0..config.relative_positions()).map(|row| row as f32).collect();
                let rows = relative_position_bias(&numbers, config.grid(), 1);
                let rows: Vec<u32> = rows.into_iter().map(|row| row as u32).collect();
                let count = rows.len();
                Some(Tensor::from_vec(rows, count, &Device::Cpu)?)
            }
        };
        Ok(Self { config, tensors, relative_rows, dtype })
    }

    /// The network's configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Puts a parameter that is trained in its place.
    pub(crate) fn replace(&mut self, name: &str, value: &Var) {
        self.tensors.insert(name.to_owned(), value.as_tensor().clone());
    }

    /// A parameter, as it was given.
    pub(crate) fn tensor(&self, name: &str) -> Result<&Tensor, FinetuneError> {
        self.tensors.get(name).ok_or_else(|| FinetuneError::Shape {
            name: name.to_owned(),
            expected: "a parameter".into(),
            got: "nothing".into(),
        })
    }

    /// The gradient of a function of this network's logits by one parameter, row-major.
    ///
    /// # Errors
    /// When there is no such parameter, or the function can't be differentiated.
    pub fn gradient(
        mut self,
        name: &str,
        pixels: &Tensor,
        function: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
    ) -> Result<Tensor, FinetuneError> {
        let var = Var::from_tensor(self.tensor(name)?)?;
        self.replace(name, &var);
        let gradients = function(&self.logits(pixels)?)?.backward()?;
        Ok(gradients.get(var.as_tensor()).map_or_else(|| var.zeros_like(), |g| Ok(g.clone()))?)
    }

    /// Names of the parameters of layers `first` to the head, in the file's order. Layer 0 is the stem, i + 1 block i.
    pub(crate) fn names_from(&self, first: usize) -> Vec<String> {
        let names = self.config.tensors().into_iter().map(|spec| spec.name);
        names.filter(|name| layer(&self.config, name) >= first).collect()
    }

    /// `[batch, 3, size, size]` pixels → `[batch, classes]` logits.
    pub fn logits(&self, pixels: &Tensor) -> Result<Tensor, FinetuneError> {
        let mut x = self.embed(&pixels.to_dtype(self.dtype)?)?;
        for i in 0..self.config.depth {
            x = self.block(i, &x)?;
        }
        let patches = x.narrow(1, 1, self.config.patches())?;
        let pooled = self.layer_norm("fc_norm", &patches.mean(1)?)?;
        self.linear("head", &pooled)
    }

    /// `[batch, 3, size, size]` → `[batch, tokens, width]`
    fn embed(&self, pixels: &Tensor) -> Result<Tensor, FinetuneError> {
        let (grid, side) = (self.config.grid(), self.config.patch_size);
        let batch = pixels.dim(0)?;
        let patches = pixels.reshape(&[batch, 3, grid, side, grid, side][..])?;
        let patches =
            patches.permute(vec![0, 2, 4, 1, 3, 5])?.reshape((batch, grid * grid, 3 * side * side))?;
        let patches = self.linear("patch_embed.proj", &patches)?;
        let token = self.tensor("cls_token")?.reshape((1, 1, self.config.width))?;
        let token = token.broadcast_as((batch, 1, self.config.width))?.contiguous()?;
        let x = Tensor::cat(&[&token, &patches], 1)?;
        match self.config.position {
            Position::RelativeBias => Ok(x),
            Position::AbsoluteEmbedding => Ok(x.broadcast_add(self.tensor("pos_embed")?)?),
        }
    }

    fn block(&self, i: usize, x: &Tensor) -> Result<Tensor, FinetuneError> {
        let name = |part: &str| format!("blocks.{i}.{part}");
        let attended = self.attention(i, &self.layer_norm(&name("norm1"), x)?)?;
        let x = (x + attended.broadcast_mul(self.tensor(&name("gamma_1"))?)?)?;
        let hidden = self.linear(&name("mlp.fc1"), &self.layer_norm(&name("norm2"), &x)?)?.gelu_erf()?;
        let mixed = self.linear(&name("mlp.fc2"), &hidden)?;
        Ok((x + mixed.broadcast_mul(self.tensor(&name("gamma_2"))?)?)?)
    }

    fn attention(&self, i: usize, x: &Tensor) -> Result<Tensor, FinetuneError> {
        let name = |part: &str| format!("blocks.{i}.attn.{part}");
        let (batch, tokens, width) = x.dims3()?;
        let (heads, head_width) = (self.config.heads, self.config.head_width());
        let q_bias = self.tensor(&name("q_bias"))?;
        // k has no bias: adding one number to a whole row of scores changes no softmax.
        let bias = Tensor::cat(&[q_bias, &q_bias.zeros_like()?, self.tensor(&name("v_bias"))?], 0)?;
        let qkv = matmul(x, self.tensor(&name("qkv.weight"))?)?.broadcast_add(&bias)?;
        let qkv = qkv.reshape(&[batch, tokens, 3, heads, head_width][..])?;
        let part = |which: usize| -> Result<Tensor, FinetuneError> {
            Ok(qkv.narrow(2, which, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?)
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? / (head_width as f64).sqrt())?;
        let scores = match &self.relative_rows {
            None => scores,
            Some(rows) => {
                let table = self.tensor(&name("relative_position_bias_table"))?;
                let bias = table.index_select(rows, 0)?.reshape((tokens, tokens, heads))?;
                scores.broadcast_add(&bias.permute((2, 0, 1))?)?
            }
        };
        let top = scores.max_keepdim(D::Minus1)?.detach();
        let powers = scores.broadcast_sub(&top)?.exp()?;
        let probabilities = powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?;
        let mixed = probabilities.matmul(&v)?.transpose(1, 2)?.reshape((batch, tokens, width))?;
        self.linear(&name("proj"), &mixed)
    }

    fn layer_norm(&self, name: &str, x: &Tensor) -> Result<Tensor, FinetuneError> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normed = centred.broadcast_div(&(variance + f64::from(self.config.layer_norm_eps))?.sqrt()?)?;
        let scaled = normed.broadcast_mul(self.tensor(&format!("{name}.weight"))?)?;
        Ok(scaled.broadcast_add(self.tensor(&format!("{name}.bias"))?)?)
    }

    fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor, FinetuneError> {
        let product = matmul(x, self.tensor(&format!("{name}.weight"))?)?;
        Ok(product.broadcast_add(self.tensor(&format!("{name}.bias"))?)?)
    }
}

/// `x · wᵀ` over the last dimension of `x`, all others together as rows: one product for the whole batch.
fn matmul(x: &Tensor, w: &Tensor) -> Result<Tensor, FinetuneError> {
    let mut shape = x.dims().to_vec();
    let width = shape.pop().unwrap_or(1);
    let rows: usize = shape.iter().product();
    let product = x.reshape((rows, width))?.matmul(&w.t()?)?;
    shape.push(w.dim(0)?);
    Ok(product.reshape(shape)?)
}
