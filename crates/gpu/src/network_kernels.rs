//! Which kernels a network runs, known from its shape before its weights have come.

use crate::gpu::Gpu;
use crate::kernel::Kernel;
use crate::weights::{Format, PANEL};
use beit::backend::Arithmetic;
use beit::config::Config;

impl Gpu {
    /// How many photos fit into one pass through this network, whose activations each lie in one buffer: at least one.
    pub fn most_photos(&self, config: &Config) -> usize {
        let limits = self.limits();
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let bytes = 4 * config.tokens() as u64 * config.mlp_width.max(3 * config.width) as u64;
        usize::try_from(most / bytes.max(1)).unwrap_or(usize::MAX).max(1)
    }

    /// The kernels that a network with linear layers in `format` runs for so many photos in one pass, in the order in
    /// which it meets them.
    pub fn kernels_for(
        &self,
        config: &Config,
        format: Format,
        arithmetic: Arithmetic,
        photos: usize,
    ) -> Vec<Kernel> {
        let (width, tokens) = (config.width, photos * config.tokens());
        let product = |format, rows, n: usize| {
            Kernel::product(format, arithmetic, self.tile(format, arithmetic, rows, n.div_ceil(PANEL)))
        };
        // The patch embedding is never quantised.
        let patches = product(Format::F32, photos * config.patches(), width);
        let in_blocks = [3 * width, width, config.mlp_width].map(|n| product(format, tokens, n));
        let head = product(format, photos, config.classes);
        let mut kernels = vec![patches, Kernel::PrependClassToken, self.norm()];
        if in_blocks.iter().any(|kernel| kernel.is_of_codes()) {
            kernels.push(Kernel::Quantize);
        }
        kernels.extend(in_blocks);
        kernels.extend([Kernel::Attention, Kernel::AddScaled, Kernel::MeanOfPatches, head]);
        let mut seen = Vec::new();
        kernels.retain(|kernel| {
            let new = !seen.contains(kernel);
            seen.push(*kernel);
            new
        });
        kernels
    }
}
