//! AdamW (Loshchilov and Hutter, Decoupled Weight Decay Regularization), with a learning rate for each parameter.

use crate::FinetuneError;
use candle_core::{Tensor, Var, backprop::GradStore};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// A parameter that is trained, and what AdamW remembers of it.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: Var,
    /// Running means of the gradient and of its square.
    pub(crate) moments: [Var; 2],
    /// The step's learning rate is multiplied by this.
    pub(crate) rate_scale: f64,
    pub(crate) weight_decay: f64,
}

impl Parameter {
    pub(crate) fn new(
        name: &str,
        value: &Tensor,
        rate_scale: f64,
        weight_decay: f64,
    ) -> Result<Self, FinetuneError> {
        let zeros = || Var::zeros(value.shape(), value.dtype(), value.device());
        let value = Var::from_tensor(value)?;
        Ok(Self { name: name.to_owned(), value, moments: [zeros()?, zeros()?], rate_scale, weight_decay })
    }

    /// One step along the gradient; `step` counts from 1.
    pub(crate) fn step(&self, gradients: &GradStore, rate: f64, step: usize) -> Result<(), FinetuneError> {
        let value = self.value.as_detached_tensor();
        let Some(gradient) = gradients.get(self.value.as_tensor()) else { return Ok(()) };
        let gradient = gradient.detach();
        let [mean, square] = &self.moments;
        let rate = rate * self.rate_scale;
        let (one, two) = (1.0 - BETA_1.powi(step as i32), 1.0 - BETA_2.powi(step as i32));
        let mean_now = ((mean.as_detached_tensor() * BETA_1)? + (&gradient * (1.0 - BETA_1))?)?;
        let square_now = ((square.as_detached_tensor() * BETA_2)? + (gradient.sqr()? * (1.0 - BETA_2))?)?;
        let width = ((&square_now / two)?.sqrt()? + EPS)?;
        let moved = ((&mean_now / one)? / width)?;
        let next = ((value * (1.0 - rate * self.weight_decay))? - (moved * rate)?)?;
        mean.set(&mean_now)?;
        square.set(&square_now)?;
        self.value.set(&next)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Three steps worked out from the paper's formulas, number by number.
    #[test]
    fn steps_are_the_papers() {
        let start = Tensor::from_vec(vec![1.0f64, -2.0], 2, &Device::Cpu).unwrap();
        let parameter = Parameter::new("w", &start, 0.5, 0.1).unwrap();
        let (mut w, mut m, mut v) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
        for step in 1..=3 {
            // f = Σ w²·(1, 3), so its gradient is 2w·(1, 3).
            let factors = Tensor::from_vec(vec![1.0f64, 3.0], 2, &Device::Cpu).unwrap();
            let f = (parameter.value.as_tensor().sqr().unwrap() * factors).unwrap().sum_all().unwrap();
            parameter.step(&f.backward().unwrap(), 0.01, step).unwrap();
            for i in 0..2 {
                let g: f64 = 2.0 * w[i] * [1.0, 3.0][i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (mh, vh) =
                    (m[i] / (1.0 - 0.9f64.powi(step as i32)), v[i] / (1.0 - 0.999f64.powi(step as i32)));
                w[i] -= 0.005 * 0.1 * w[i];
                w[i] -= 0.005 * mh / (vh.sqrt() + 1e-8);
            }
            let got = parameter.value.to_vec1::<f64>().unwrap();
            assert!((0..2).all(|i| (got[i] - w[i]).abs() < 1e-12), "{got:?} {w:?}");
        }
    }
}
