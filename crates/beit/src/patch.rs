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
        let grid = photos.first().map_or(0, |pixels| pixels.size / self.patch_size);
        let mut values = Vec::with_capacity(photos.iter().map(|pixels| pixels.values.len()).sum());
        photos.iter().for_each(|pixels| cut(pixels, self.patch_size, &mut values));
        let width = 3 * self.patch_size * self.patch_size;
        let patches = backend.upload(&values, photos.len(), grid * grid, width)?;
        let patches = backend.linear(&patches, &self.projection, Activation::None)?;
        backend.prepend_class_token(&patches, &self.class_token, self.position.as_ref())
    }
}

/// Cuts `[3, size, size]` pixels into patches and appends them: `[patches, 3·side²]`, each row ordered
/// channel, y, x as the convolution's kernel is.
fn cut(pixels: &Pixels, side: usize, values: &mut Vec<f32>) {
    let grid = pixels.size / side;
    for patch_y in 0..grid {
        for patch_x in 0..grid {
            for channel in 0..3 {
                for y in 0..side {
                    let row = (channel * pixels.size + patch_y * side + y) * pixels.size;
                    let start = row + patch_x * side;
                    values.extend_from_slice(&pixels.values[start..start + side]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_keep_the_order_of_the_convolution() {
        let pixels = Pixels { size: 4, values: (0..48).map(|i| i as f32).collect() };
        let mut values = Vec::new();
        cut(&pixels, 2, &mut values);
        assert_eq!(values.len(), 4 * 12);
        // The second patch is at the top right; its first channel holds pixels 2, 3, 6, 7.
        assert_eq!(values[12..24], [2.0, 3.0, 6.0, 7.0, 18.0, 19.0, 22.0, 23.0, 34.0, 35.0, 38.0, 39.0]);
    }
}
