//! [`Pixels`] → patch embedding `[tokens, width]`.

use crate::backend::{Activation, Backend, BackendError, Linear};
use crate::preprocess::Pixels;

/// The stem: a convolution whose stride is its kernel, hence a linear layer on each patch's pixels.
pub struct PatchEmbedding<B: Backend> {
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// `[width, 3·patch_size²]`.
    pub projection: Linear<B>,
    /// `[width]`.
    pub class_token: B::Vector,
    /// `[tokens, width]`, in networks with an absolute position embedding.
    pub position: Option<B::Vector>,
}

impl<B: Backend> PatchEmbedding<B> {
    /// Of each photo the class token and the embedded patches in row-major order, `[tokens, width]`.
    pub fn forward(&self, backend: &B, photos: &[Pixels]) -> Result<B::Tokens, BackendError> {
        let size = photos.first().map_or(0, |pixels| pixels.size);
        let grid = size / self.patch_size;
        let values = cut(photos, size, self.patch_size);
        let width = 3 * self.patch_size * self.patch_size;
        let patches = backend.upload(&values, photos.len(), grid * grid, width)?;
        let patches = backend.linear(&patches, &self.projection, Activation::None)?;
        backend.prepend_class_token(&patches, &self.class_token, self.position.as_ref())
    }
}

/// Cuts `[3, size, size]` pixels of photos into patches: `[photos · patches, 3·side²]`, each row ordered channel, y, x as
/// the convolution's kernel is. Shared among threads by rows of patches.
fn cut(photos: &[Pixels], size: usize, side: usize) -> Vec<f32> {
    let grid = size / side;
    let mut values = vec![0.0; photos.len() * grid * grid * 3 * side * side];
    kernels::for_each_chunk(&mut values, (grid * 3 * side * side).max(1), |i, patches| {
        let (pixels, patch_y) = (&photos[i / grid], i % grid);
        for (line, to) in patches.chunks_exact_mut(side).enumerate() {
            let (patch_x, channel, y) = (line / (3 * side), line / side % 3, line % side);
            let row = (channel * size + patch_y * side + y) * size;
            let start = row + patch_x * side;
            to.copy_from_slice(&pixels.values[start..start + side]);
        }
    });
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_keep_the_order_of_the_convolution() {
        let pixels = Pixels { size: 4, values: (0..48).map(|i| i as f32).collect() };
        let mut other = pixels.clone();
        other.values.iter_mut().for_each(|value| *value += 100.0);
        let values = cut(&[pixels, other], 4, 2);
        assert_eq!(values.len(), 2 * 4 * 12);
        assert_eq!(values[48], 100.0);
        // The second patch is at the top right; its first channel holds pixels 2, 3, 6, 7.
        assert_eq!(values[12..24], [2.0, 3.0, 6.0, 7.0, 18.0, 19.0, 22.0, 23.0, 34.0, 35.0, 38.0, 39.0]);
    }
}
