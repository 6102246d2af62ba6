//! Last tokens → what each patch contributes to a class's logit.
//!
//! No second forward pass and no approximation: the pooled vector is the mean of the patch tokens, and
//! the norm behind it is affine once that mean's variance is known, so each logit is a constant plus one
//! term for each patch:
//!
//! ```text
//! logit_c = b_c + w_c·β + Σ_p w_c·(γ ⊙ (x_p − mean(x_p))) / (σ·P)     σ = √(var(mean_p x_p) + eps)
//! ```
//! `w`, `b` are the head, `γ`, `β` the norm, `x_p` the token of patch p out of P. The tokens have exchanged
//! what they know, so a term belongs to a patch's token, which has also seen the rest of the photo.

use crate::backend::{Activation, Backend, BackendError};
use crate::model::Model;

/// Rows of the head that are read at a time: of the largest head (21,841 classes) they take 11 MB.
const PROBES: usize = 128;

/// A logit taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Patches along one side.
    pub grid: usize,
    /// Each patch's term, row-major: `[grid, grid]`.
    pub contributions: Vec<f32>,
    /// The part that no photo changes.
    pub constant: f32,
    /// The logit as the network gives it.
    pub logit: f32,
}

impl HeatMap {
    /// What constant and contributions leave of the logit: with weights in F32 nothing but the last
    /// digits, with quantised ones also the rounding of the head's inputs to 8 bits.
    pub fn rounding(&self) -> f32 {
        let sum: f64 = self.contributions.iter().map(|&term| f64::from(term)).sum();
        (f64::from(self.logit) - f64::from(self.constant) - sum) as f32
    }
}

impl<B: Backend> Model<B> {
    /// Takes one class's logit apart, from what [`Model::tokens`] gave for one photo.
    ///
    /// # Errors
    /// When the network has no such class, the tokens are not one photo's, or the device fails.
    pub async fn heat_map(&self, tokens: &B::Tokens, class: usize) -> Result<HeatMap, BackendError> {
        let (width, patches) = (self.config.width, self.config.patches());
        let shape = |what, expected, got| BackendError::Shape { what, expected, got };
        if class >= self.config.classes {
            return Err(shape("class, of which there are", self.config.classes, class));
        }
        let pooled = self.pooled(tokens)?;
        let logits = self.backend.linear(&pooled, &self.head, Activation::None)?;
        let logit = self.backend.read(&logits).await?[class];
        let values = self.backend.read(tokens).await?;
        if values.len() != (patches + 1) * width {
            return Err(shape("values of the tokens", (patches + 1) * width, values.len()));
        }

        let (gamma, beta) = self.norm_parameters().await?;
        let (weight, bias) = self.head_row(class).await?;
        let direction: Vec<f64> = gamma.iter().zip(&weight).map(|(gamma, weight)| gamma * weight).collect();
        let constant = bias + weight.iter().zip(&beta).map(|(weight, beta)| weight * beta).sum::<f64>();
        // w·(γ ⊙ (x − mean(x))) is (w⊙γ)·x less the mean of x times the sum of w⊙γ.
        let total: f64 = direction.iter().sum();
        let scale = patches as f64 * self.deviation(&values[width..]);
        let term = |token: &[f32]| {
            let along: f64 = token.iter().zip(&direction).map(|(&x, d)| f64::from(x) * d).sum();
            ((along - mean(token) * total) / scale) as f32
        };
        Ok(HeatMap {
            grid: self.config.grid(),
            contributions: values[width..].chunks_exact(width).map(term).collect(),
            constant: constant as f32,
            logit,
        })
    }

    /// √(var + eps) of the mean of the patch tokens `[patches, width]`.
    fn deviation(&self, patches: &[f32]) -> f64 {
        let width = self.config.width;
        let mut pooled = vec![0.0; width];
        for token in patches.chunks_exact(width) {
            pooled.iter_mut().zip(token).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        let count = self.config.patches() as f64;
        let mean = pooled.iter().sum::<f64>() / count / width as f64;
        let variance = pooled.iter().map(|sum| (sum / count - mean).powi(2)).sum::<f64>() / width as f64;
        (variance + f64::from(self.config.layer_norm_eps)).sqrt()
    }

    /// The final norm's γ and β, found by norming what shows them: of zeros β is left, of ±1 in turn
    /// ±γ + β. A device keeps parameters as it likes; this works on each.
    async fn norm_parameters(&self) -> Result<(Vec<f64>, Vec<f64>), BackendError> {
        let width = self.config.width;
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let mut probes = vec![0.0; 2 * width];
        probes[width..].iter_mut().enumerate().for_each(|(i, x)| *x = sign(i));
        let normed = self.backend.layer_norm(&self.backend.upload(&probes, 1, 2, width)?, &self.fc_norm)?;
        let normed = self.backend.read(&normed).await?;
        let (zeros, signs) = normed.split_at(width);
        // The variance of ±1 is 1, to which the norm adds eps.
        let deviation = (1.0 + f64::from(self.config.layer_norm_eps)).sqrt();
        let gamma = |(i, (&with, &without)): (usize, (&f32, &f32))| {
            (f64::from(with) - f64::from(without)) * f64::from(sign(i)) * deviation
        };
        let gamma = signs.iter().zip(zeros).enumerate().map(gamma).collect();
        Ok((gamma, zeros.iter().map(|&beta| f64::from(beta)).collect()))
    }

    /// One class's weights in the head, and its bias, found by sending unit vectors through it: these
    /// survive 8-bit rounding unharmed, so the weights are those that the logits are made with.
    async fn head_row(&self, class: usize) -> Result<(Vec<f64>, f64), BackendError> {
        let (width, classes) = (self.config.width, self.config.classes);
        let column = async |probes: &[f32]| {
            let rows = probes.len() / width;
            let out = self.backend.upload(probes, 1, rows, width)?;
            let out = self.backend.linear(&out, &self.head, Activation::None)?;
            let out = self.backend.read(&out).await?;
            Ok::<Vec<f64>, BackendError>(out.chunks_exact(classes).map(|row| f64::from(row[class])).collect())
        };
        let bias = column(&vec![0.0; width]).await?[0];
        let mut weight = Vec::with_capacity(width);
        while weight.len() < width {
            let rows = PROBES.min(width - weight.len());
            let mut probes = vec![0.0; rows * width];
            probes.chunks_exact_mut(width).enumerate().for_each(|(i, row)| row[weight.len() + i] = 1.0);
            weight.extend(column(&probes).await?.into_iter().map(|logit| logit - bias));
        }
        Ok((weight, bias))
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64
}
