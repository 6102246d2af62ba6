//! The operations of a [`Backend`], each one dispatch.

use crate::buffers::{Numbered, Pooled};
use crate::gpu::Gpu;
use crate::kernel::{ATTENTION_HEAD_WIDTH, ATTENTION_QUERIES, ELEMENTWISE_THREADS, Kernel, MEAN_QUADS, Tile};
use crate::weights::{Format, PANEL, Packed, pack_blocks, pack_dense, stored_quads, stored_words};
use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::position::{relative_position_bias, relative_positions};
use beit::weights::TensorData;
use kernels::BLOCK;

/// Values that a kernel handles as one vector: rows are padded with zeros to a multiple of it.
const QUAD: usize = 4;
/// Bytes of weights that may lie in staging memory, natively, before they are sent.
const STAGED_BYTES: u64 = 64 << 20;

/// A linear layer's weights in GPU memory, still quantised.
pub struct GpuMatrix {
    format: Format,
    n: usize,
    k: usize,
    words: Numbered,
    scales: Numbered,
}

/// A small F32 tensor in GPU memory, padded with zeros to a multiple of four.
pub struct GpuVector {
    buffer: Numbered,
    len: usize,
}

/// Activations `[rows, width]` of one photo or several in GPU memory; each row is padded with zeros to a
/// multiple of four.
pub struct GpuTokens {
    buffer: Pooled,
    photos: usize,
    /// Of all photos.
    rows: usize,
    width: usize,
}

/// Activations as signed 8-bit codes in blocks of 32 columns.
struct Quantized {
    codes: Pooled,
    scales: Pooled,
}

impl GpuTokens {
    fn quads(&self) -> usize {
        self.width.div_ceil(QUAD)
    }

    fn photo_rows(&self) -> usize {
        self.rows / self.photos
    }
}

impl Gpu {
    /// A buffer for activations, uninitialised: it holds what an earlier use left.
    pub(crate) fn tokens(&self, photos: usize, rows: usize, width: usize) -> Result<GpuTokens, BackendError> {
        let buffer = self.alloc(rows.saturating_mul(width.next_multiple_of(QUAD)))?;
        Ok(GpuTokens { buffer, photos, rows, width })
    }

    /// A buffer of so many 32-bit words from the pool.
    fn alloc(&self, words: usize) -> Result<Pooled, BackendError> {
        let panicked = || BackendError::Device("a thread that used the GPU panicked".into());
        Pooled::take(&self.pool, self.bytes(words)?).ok_or_else(panicked)
    }

    /// The bytes of so many 32-bit words, where one buffer and one binding may be that large. At least one
    /// vector, since nothing of length zero can be bound.
    fn bytes(&self, words: usize) -> Result<u64, BackendError> {
        let limits = self.limits();
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let bytes = (words.max(QUAD) as u64).saturating_mul(4);
        if bytes <= most {
            return Ok(bytes);
        }
        let (expected, got) = (usize_of(most), usize_of(bytes));
        Err(BackendError::Shape { what: "bytes of a GPU buffer, at most", expected, got })
    }

    /// A buffer that holds `words`.
    fn store(&self, words: &[u32]) -> Result<Numbered, BackendError> {
        let bytes = self.bytes(words.len())?;
        let buffer = {
            let pool = self.pool.lock();
            let mut pool =
                pool.map_err(|_| BackendError::Device("a thread that used the GPU panicked".into()))?;
            pool.make(bytes)
        };
        self.queue.write_buffer(&buffer.buffer, 0, bytemuck::cast_slice(words));
        self.recorder()?.staged(bytes, STAGED_BYTES);
        self.check()?;
        Ok(buffer)
    }

    /// Weights `[n, k]` of zeros: a product of them takes as long as of any others.
    pub(crate) fn blank_matrix(&self, format: Format, n: usize, k: usize) -> Result<GpuMatrix, BackendError> {
        let [words, scales] = stored_words(format, n, k);
        let blank = |words| {
            let bytes = self.bytes(words)?;
            let pool = self.pool.lock();
            let mut pool =
                pool.map_err(|_| BackendError::Device("a thread that used the GPU panicked".into()))?;
            Ok::<_, BackendError>(pool.make(bytes))
        };
        Ok(GpuMatrix { format, n, k, words: blank(words)?, scales: blank(scales)? })
    }

    /// Activations, of whole blocks, as signed codes of at most `largest`.
    fn quantize(&self, x: &GpuTokens, largest: i8) -> Result<Quantized, BackendError> {
        let values = x.rows * x.width;
        let codes = self.alloc(values / 4)?;
        let scales = self.alloc(values / BLOCK)?;
        let blocks = word(values / BLOCK)?;
        let buffers = [x.buffer.get(), codes.get(), scales.get()];
        let workgroups = [blocks.div_ceil(ELEMENTWISE_THREADS), 1, 1];
        let shape = [blocks, u32::from(largest.unsigned_abs())];
        self.recorder()?.dispatch(Kernel::Quantize, shape, &buffers, workgroups)?;
        Ok(Quantized { codes, scales })
    }

    /// [`Backend::linear`] with the tile that is named.
    ///
    /// # Errors
    /// When shapes don't fit, or the device fails.
    pub fn product(
        &self,
        x: &GpuTokens,
        linear: &Linear<Self>,
        activation: Activation,
        tile: Tile,
    ) -> Result<GpuTokens, BackendError> {
        let GpuMatrix { format, n, k, words, scales } = &linear.weight;
        expect("linear layer's input", *k, x.width)?;
        expect("linear layer's bias", *n, linear.bias.len)?;
        let out = self.tokens(x.photos, x.rows, *n)?;
        let panels = n.div_ceil(PANEL);
        let kernel = Kernel::product(*format, self.arithmetic(), tile);
        let rows = word(x.rows)?;
        let workgroups = [word(panels)?, rows.div_ceil(tile.rows()), 1];
        let activation = match activation {
            Activation::None => 0,
            Activation::Gelu => 1,
        };
        let out_quads = word(out.quads())?;
        let (bias, to) = (&linear.bias.buffer, out.buffer.get());
        if kernel.is_of_codes()
            && let Some(largest) = format.largest_activation()
        {
            let x = self.quantize(x, largest)?;
            let shape = [rows, word(k / BLOCK)?, out_quads, activation];
            let buffers = [x.codes.get(), x.scales.get(), words, scales, bias, to];
            self.recorder()?.dispatch(kernel, shape, &buffers, workgroups)?;
        } else {
            let shape = [rows, word(x.quads())?, word(stored_quads(*k))?, out_quads, activation];
            let buffers = [x.buffer.get(), words, scales, bias, to];
            self.recorder()?.dispatch(kernel, shape, &buffers, workgroups)?;
        }
        Ok(out)
    }

    /// Records a kernel that has one thread for each quad of `x`.
    fn elementwise<const N: usize>(
        &self,
        kernel: Kernel,
        x: &GpuTokens,
        shape: [u32; N],
        buffers: &[&Numbered],
    ) -> Result<(), BackendError> {
        let workgroups = word(x.rows * x.quads())?.div_ceil(ELEMENTWISE_THREADS);
        self.recorder()?.dispatch(kernel, shape, buffers, [workgroups, 1, 1])
    }
}

impl Backend for Gpu {
    type Matrix = GpuMatrix;
    type Vector = GpuVector;
    type Tokens = GpuTokens;
    /// `[heads, tokens, tokens]`: memory that a GPU has, and reads in one piece.
    type PositionBias = GpuVector;

    fn matrix(&self, n: usize, k: usize, data: TensorData) -> Result<GpuMatrix, BackendError> {
        let (format, Packed { words, scales }) = match data {
            TensorData::Dense(values) => {
                expect("weights", n * k, values.len())?;
                (Format::F32, pack_dense(n, k, &values))
            }
            TensorData::Blocks { format, bytes } => {
                (Format::from(format), pack_blocks(format, n, k, &bytes)?)
            }
        };
        Ok(GpuMatrix { format, n, k, words: self.store(&words)?, scales: self.store(&scales)? })
    }

    fn vector(&self, values: Vec<f32>) -> Result<GpuVector, BackendError> {
        let len = values.len();
        let mut words: Vec<u32> = values.into_iter().map(f32::to_bits).collect();
        words.resize(len.max(1).next_multiple_of(QUAD), 0);
        Ok(GpuVector { buffer: self.store(&words)?, len })
    }

    fn position_bias(&self, table: Vec<f32>, grid: usize, heads: usize) -> Result<GpuVector, BackendError> {
        expect("relative position bias table", relative_positions(grid) * heads, table.len())?;
        self.vector(relative_position_bias(&table, grid, heads))
    }

    fn upload(
        &self,
        values: &[f32],
        photos: usize,
        rows: usize,
        width: usize,
    ) -> Result<GpuTokens, BackendError> {
        if photos == 0 {
            return Err(BackendError::Shape { what: "photos, at least", expected: 1, got: 0 });
        }
        let rows = photos * rows;
        expect("uploaded values", rows * width, values.len())?;
        let tokens = self.tokens(photos, rows, width)?;
        let padded = width.next_multiple_of(QUAD);
        // What is recorded may still use this buffer's memory, and writes overtake what isn't submitted.
        self.recorder()?.flush();
        let buffer = &tokens.buffer.get().buffer;
        if padded == width {
            self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
        } else {
            let mut copy = vec![0.0; rows * padded];
            for (copy, values) in copy.chunks_exact_mut(padded).zip(values.chunks_exact(width)) {
                copy[..width].copy_from_slice(values);
            }
            self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(&copy));
        }
        Ok(tokens)
    }

    fn prepend_class_token(
        &self,
        patches: &GpuTokens,
        class_token: &GpuVector,
        position: Option<&GpuVector>,
    ) -> Result<GpuTokens, BackendError> {
        expect("class token", patches.width, class_token.len)?;
        let tokens = 1 + patches.photo_rows();
        let out = self.tokens(patches.photos, patches.photos * tokens, patches.width)?;
        if let Some(position) = position {
            expect("position embedding", tokens * patches.width, position.len)?;
            // Its rows are not padded.
            expect("width of the tokens, a multiple of four", out.quads() * QUAD, out.width)?;
        }
        let has_position = u32::from(position.is_some());
        let shape = [word(out.rows * out.quads())?, word(out.quads())?, word(tokens)?, has_position];
        let position = &position.unwrap_or(class_token).buffer;
        let buffers = [patches.buffer.get(), &class_token.buffer, position, out.buffer.get()];
        self.elementwise(Kernel::PrependClassToken, &out, shape, &buffers)?;
        Ok(out)
    }

    fn layer_norm(&self, x: &GpuTokens, norm: &LayerNorm<Self>) -> Result<GpuTokens, BackendError> {
        expect("layer norm weight", x.width, norm.weight.len)?;
        expect("layer norm bias", x.width, norm.bias.len)?;
        let out = self.tokens(x.photos, x.rows, x.width)?;
        let shape = [word(x.quads())?, word(x.width)?, norm.eps.to_bits()];
        let buffers = [x.buffer.get(), &norm.weight.buffer, &norm.bias.buffer, out.buffer.get()];
        self.recorder()?.dispatch(self.norm(), shape, &buffers, [word(x.rows)?, 1, 1])?;
        Ok(out)
    }

    fn linear(
        &self,
        x: &GpuTokens,
        linear: &Linear<Self>,
        activation: Activation,
    ) -> Result<GpuTokens, BackendError> {
        let GpuMatrix { format, n, .. } = linear.weight;
        self.product(x, linear, activation, self.tile(format, self.arithmetic(), x.rows, n.div_ceil(PANEL)))
    }

    fn attention(
        &self,
        qkv: &GpuTokens,
        heads: usize,
        bias: Option<&GpuVector>,
    ) -> Result<GpuTokens, BackendError> {
        let (width, tokens) = (qkv.width / 3, qkv.photo_rows());
        let head_width = width / heads.max(1);
        expect("q, k and v of whole heads", 3 * heads * head_width, qkv.width)?;
        if !head_width.is_multiple_of(QUAD) || head_width > ATTENTION_HEAD_WIDTH {
            let what = "width of an attention head on the GPU, a multiple of 4 and at most";
            return Err(BackendError::Shape { what, expected: ATTENTION_HEAD_WIDTH, got: head_width });
        }
        if let Some(bias) = bias {
            expect("position bias", heads * tokens * tokens, bias.len)?;
        }
        let out = self.tokens(qkv.photos, qkv.rows, width)?;
        let scale = 1.0 / (head_width as f32).sqrt();
        let (tokens, heads) = (word(tokens)?, word(heads)?);
        let shape = [tokens, heads, word(head_width / QUAD)?, u32::from(bias.is_some()), scale.to_bits()];
        // Where there is no bias, anything can stand at its binding: it isn't read.
        let bias = bias.map_or(qkv.buffer.get(), |bias| &bias.buffer);
        let buffers = [qkv.buffer.get(), bias, out.buffer.get()];
        let workgroups = [tokens.div_ceil(ATTENTION_QUERIES), heads, word(qkv.photos)?];
        self.recorder()?.dispatch(Kernel::Attention, shape, &buffers, workgroups)?;
        Ok(out)
    }

    fn add_scaled(&self, x: &mut GpuTokens, y: &GpuTokens, gamma: &GpuVector) -> Result<(), BackendError> {
        expect("residual's rows", x.rows, y.rows)?;
        expect("residual's width", x.width, y.width)?;
        expect("layer scale", x.width, gamma.len)?;
        let shape = [word(x.rows * x.quads())?, word(x.quads())?];
        let buffers = [y.buffer.get(), &gamma.buffer, x.buffer.get()];
        self.elementwise(Kernel::AddScaled, x, shape, &buffers)
    }

    fn mean_of_patches(&self, x: &GpuTokens) -> Result<GpuTokens, BackendError> {
        let out = self.tokens(x.photos, x.photos, x.width)?;
        let (quads, photos) = (word(x.quads())?, word(x.photos)?);
        let shape = [quads, word(x.photo_rows())?];
        let buffers = [x.buffer.get(), out.buffer.get()];
        let workgroups = [quads.div_ceil(MEAN_QUADS), photos, 1];
        self.recorder()?.dispatch(Kernel::MeanOfPatches, shape, &buffers, workgroups)?;
        Ok(out)
    }

    async fn read(&self, x: &GpuTokens) -> Result<Vec<f32>, BackendError> {
        let padded = x.quads() * QUAD;
        let values = self.read_back(x.buffer.get(), x.rows * padded).await?;
        if padded == x.width {
            return Ok(values);
        }
        Ok(values.chunks_exact(padded).flat_map(|row| &row[..x.width]).copied().collect())
    }
}

fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), BackendError> {
    if expected == got { Ok(()) } else { Err(BackendError::Shape { what, expected, got }) }
}

/// A number as kernels take it.
fn word(n: usize) -> Result<u32, BackendError> {
    let most = u32::MAX as usize;
    u32::try_from(n).map_err(|_| BackendError::Shape {
        what: "a size on the GPU, at most",
        expected: most,
        got: n,
    })
}

fn usize_of(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
