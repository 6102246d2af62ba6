//! The processor or the GPU, from times measured on the visitor's machine.

use beit::config::Config;

/// What takes time on the processor beside matrix products: about an eighth of a photo.
const BESIDE_PRODUCTS: f64 = 1.15;

/// Milliseconds that a photo would take on the processor, where one product of the MLP's shape
/// ([`Config::mlp_multiply_accumulates`]) took `product_ms`.
pub fn photo_ms_on_cpu(config: &Config, product_ms: f64) -> f64 {
    let products = config.multiply_accumulates() as f64 / config.mlp_multiply_accumulates() as f64;
    product_ms * products * BESIDE_PRODUCTS
}

/// Whether a photo takes less time on the GPU. A time that is no number or is infinite loses.
pub fn is_gpu_faster(gpu_ms: f64, cpu_ms: f64) -> bool {
    gpu_ms.is_finite() && (gpu_ms < cpu_ms || cpu_ms.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(image_size: usize) -> Config {
        Config { image_size, ..Config::beitv2_large() }
    }

    /// On a processor of 50 · 10⁹ multiply-accumulates a second, BEiTv2-large takes a second and more, whatever the
    /// size of its photos: at 32 bits the counts once wrapped around and said 28 ms.
    #[test]
    fn the_true_size_is_rated_truly() {
        for (image_size, tokens, least_ms) in
            [(224, 197_u64, 1_231.0), (384, 577, 3_600.0), (512, 1025, 6_400.0)]
        {
            let config = large(image_size);
            let product_ms = (tokens * 1024 * 4096) as f64 / 50e6;
            let ms = photo_ms_on_cpu(&config, product_ms);
            assert!((least_ms..1.35 * least_ms).contains(&ms), "{image_size} px: {ms} ms");
        }
    }

    #[test]
    fn the_faster_device_is_chosen_and_a_time_that_is_none_loses() {
        for (gpu_ms, cpu_ms, gpu) in [
            (60.0, 1200.0, true),
            (1200.0, 60.0, false),
            (60.0, 60.0, false),
            (59.9, 60.0, true),
            (f64::NAN, 60.0, false),
            (f64::INFINITY, f64::INFINITY, false),
            (60.0, f64::NAN, true),
            (60.0, f64::INFINITY, true),
        ] {
            assert_eq!(is_gpu_faster(gpu_ms, cpu_ms), gpu, "{gpu_ms} against {cpu_ms}");
        }
    }
}
