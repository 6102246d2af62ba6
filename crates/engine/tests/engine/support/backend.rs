//! The network's operations, as plain as can be, on a device that may fail.

use super::devices::{GpuIs, State};
use beit::backend::{Activation, Arithmetic, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use engine::platform::Clock;
use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

/// How many networks there are, and how many there ever were at once.
#[derive(Clone, Default)]
pub struct Alive(Rc<(Cell<usize>, Cell<usize>)>);

impl Alive {
    pub fn most(&self) -> usize {
        self.0.1.get()
    }

    pub fn now(&self) -> usize {
        self.0.0.get()
    }

    fn one_more(&self) -> Rc<Token> {
        self.0.0.set(self.now() + 1);
        self.0.1.set(self.most().max(self.now()));
        Rc::new(Token(self.clone()))
    }
}

struct Token(Alive);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.0.0.set(self.0.now() - 1);
    }
}

#[derive(Clone)]
pub struct FakeBackend {
    pub state: Rc<State>,
    is_gpu: bool,
    is_lost: Rc<Cell<bool>>,
    pub arithmetic: Rc<Cell<Arithmetic>>,
    _token: Rc<Token>,
}

impl FakeBackend {
    pub fn cpu(state: Rc<State>) -> Self {
        let token = state.cpu_alive.one_more();
        Self::new(state, false, token)
    }

    pub fn gpu(state: Rc<State>) -> Self {
        let token = state.gpu_alive.one_more();
        Self::new(state, true, token)
    }

    fn new(state: Rc<State>, is_gpu: bool, token: Rc<Token>) -> Self {
        let arithmetic = Rc::new(Cell::new(Arithmetic::F32));
        Self { state, is_gpu, is_lost: Rc::default(), arithmetic, _token: token }
    }
}

/// `[rows, width]` of some photos, one below the other.
#[derive(Clone)]
pub struct Tokens {
    photos: usize,
    width: usize,
    values: Vec<f32>,
}

impl Tokens {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    fn with(&self, width: usize, values: Vec<f32>) -> Self {
        Self { photos: self.photos, width, values }
    }
}

pub struct Matrix {
    k: usize,
    values: Vec<f32>,
}

impl Backend for FakeBackend {
    type Matrix = Matrix;
    type Vector = Vec<f32>;
    type Tokens = Tokens;
    type PositionBias = Vec<f32>;

    fn matrix(&self, n: usize, k: usize, data: TensorData) -> Result<Matrix, BackendError> {
        let TensorData::Dense(values) = data else { unreachable!("the tests' weights are F32") };
        assert_eq!(values.len(), n * k);
        Ok(Matrix { k, values })
    }

    fn vector(&self, values: Vec<f32>) -> Result<Vec<f32>, BackendError> {
        Ok(values)
    }

    fn position_bias(&self, table: Vec<f32>, _: usize, _: usize) -> Result<Vec<f32>, BackendError> {
        Ok(table)
    }

    fn upload(&self, values: &[f32], photos: usize, _: usize, width: usize) -> Result<Tokens, BackendError> {
        Ok(Tokens { photos, width, values: values.to_vec() })
    }

    fn prepend_class_token(
        &self,
        patches: &Tokens,
        class_token: &Vec<f32>,
        _: Option<&Vec<f32>>,
    ) -> Result<Tokens, BackendError> {
        let of_photo = patches.values.len() / patches.photos;
        let photos = patches.values.chunks_exact(of_photo);
        let values = photos.flat_map(|photo| class_token.iter().chain(photo)).copied().collect();
        Ok(patches.with(patches.width, values))
    }

    fn layer_norm(&self, x: &Tokens, norm: &LayerNorm<Self>) -> Result<Tokens, BackendError> {
        let row = |row: &[f32]| {
            let mean = row.iter().sum::<f32>() / row.len() as f32;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / row.len() as f32;
            let scale = 1.0 / (variance + norm.eps).sqrt();
            let affine = norm.weight.iter().zip(&norm.bias);
            row.iter().zip(affine).map(move |(x, (w, b))| (x - mean) * scale * w + b).collect::<Vec<_>>()
        };
        Ok(x.with(x.width, x.rows().flat_map(row).collect()))
    }

    fn linear(
        &self,
        x: &Tokens,
        linear: &Linear<Self>,
        activation: Activation,
    ) -> Result<Tokens, BackendError> {
        let Matrix { k, values } = &linear.weight;
        assert_eq!(*k, x.width);
        let mut out = Vec::new();
        for row in x.rows() {
            for (weights, bias) in values.chunks_exact(*k).zip(&linear.bias) {
                let sum = weights.iter().zip(row).map(|(w, x)| w * x).sum::<f32>() + bias;
                // Near enough: every device of these tests does the same.
                out.push(if activation == Activation::None { sum } else { sum.max(0.0) });
            }
        }
        Ok(x.with(linear.bias.len(), out))
    }

    /// Each token sees the mean of its photo's values.
    fn attention(&self, qkv: &Tokens, _: usize, _: Option<&Vec<f32>>) -> Result<Tokens, BackendError> {
        let width = qkv.width / 3;
        let rows = qkv.values.len() / qkv.width / qkv.photos;
        let mut out = Vec::new();
        for photo in qkv.values.chunks_exact(rows * qkv.width) {
            let mut mean = vec![0.0; width];
            for row in photo.chunks_exact(qkv.width) {
                mean.iter_mut().zip(&row[2 * width..]).for_each(|(sum, v)| *sum += v / rows as f32);
            }
            (0..rows).for_each(|_| out.extend(&mean));
        }
        Ok(qkv.with(width, out))
    }

    fn add_scaled(&self, x: &mut Tokens, y: &Tokens, gamma: &Vec<f32>) -> Result<(), BackendError> {
        for (row, added) in x.values.chunks_exact_mut(x.width).zip(y.rows()) {
            row.iter_mut().zip(added.iter().zip(gamma)).for_each(|(x, (y, gamma))| *x += gamma * y);
        }
        Ok(())
    }

    fn mean_of_patches(&self, x: &Tokens) -> Result<Tokens, BackendError> {
        let rows = x.values.len() / x.width / x.photos;
        let mut out = Vec::new();
        for photo in x.values.chunks_exact(rows * x.width) {
            let mut mean = vec![0.0; x.width];
            for row in photo.chunks_exact(x.width).skip(1) {
                mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v / (rows - 1) as f32);
            }
            out.extend(mean);
        }
        Ok(x.with(x.width, out))
    }

    /// Here time passes, and here a GPU fails.
    async fn read(&self, x: &Tokens) -> Result<Vec<f32>, BackendError> {
        let state = &self.state;
        if !self.is_gpu {
            state.clock.advance(state.cpu_ms.get());
            return Ok(x.values.clone());
        }
        let due = |after: &Cell<Option<u32>>| match after.get() {
            Some(0) => {
                after.set(None);
                true
            }
            Some(photos) => {
                after.set(Some(photos - 1));
                false
            }
            None => false,
        };
        if due(&state.lost_after) {
            self.is_lost.set(true);
            state.gpu.set(state.after_loss.get());
        }
        if self.is_lost.get() {
            return Err(BackendError::Device("the device was lost".into()));
        }
        if due(&state.hangs_after) {
            pending::<()>().await;
        }
        let ms = match state.gpu.get() {
            GpuIs::Fine(ms) => ms,
            GpuIs::Software => 5_000.0,
            _ => 50.0,
        };
        state.clock.sleep(ms as u32).await;
        let nan = due(&state.nan_after) || state.gpu.get() == GpuIs::NotANumber;
        Ok(if nan { vec![f32::NAN; x.values.len()] } else { x.values.clone() })
    }
}
