//! The learning rate by step and by layer.

use beit::config::Config;

/// A cosine from `peak` to `floor` after a linear warm-up from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The rate after the warm-up.
    pub peak: f64,
    /// The rate at the end.
    pub floor: f64,
    /// Steps of the warm-up.
    pub warmup: usize,
    /// All steps.
    pub steps: usize,
}

impl Schedule {
    /// The learning rate of step `step`, the first being 0.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let span = self.steps.saturating_sub(self.warmup).max(1) as f64;
        let way = ((step - self.warmup) as f64 / span).min(1.0);
        self.floor + 0.5 * (self.peak - self.floor) * (1.0 + (std::f64::consts::PI * way).cos())
    }
}

/// A parameter's layer: 0 for the stem, i + 1 for block i, depth + 1 for the final norm and the head (unilm/beit,
/// `get_num_layer_for_vit`).
pub(crate) fn layer(config: &Config, name: &str) -> usize {
    match name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
        Some((number, _)) => number.parse().map_or(0, |i: usize| i + 1),
        None if name.starts_with("head.") || name.starts_with("fc_norm.") => config.depth + 1,
        None => 0,
    }
}

/// What a parameter's learning rate is multiplied by.
pub(crate) fn layer_scale(config: &Config, name: &str, decay: f64) -> f64 {
    decay.powi((config.depth + 1 - layer(config, name)) as i32)
}

/// Whether weight decay pulls at a parameter: only at matrices.
pub(crate) fn decays(name: &str) -> bool {
    let table = name.ends_with("relative_position_bias_table");
    name.ends_with("weight") && !name.contains("norm") && !table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_down() {
        let schedule = Schedule { peak: 1.0, floor: 0.1, warmup: 4, steps: 14 };
        let rates: Vec<f64> = (0..15).map(|step| schedule.rate(step)).collect();
        assert_eq!(rates[..4], [0.25, 0.5, 0.75, 1.0]);
        assert_eq!(rates[4], 1.0);
        assert!((rates[9] - 0.55).abs() < 1e-12 && (rates[14] - 0.1).abs() < 1e-12);
        assert!(rates[4..].windows(2).all(|pair| pair[1] < pair[0]));
        let flat = Schedule { warmup: 0, steps: 0, ..schedule };
        assert_eq!((flat.rate(0), flat.rate(5)), (1.0, 0.1));
    }

    #[test]
    fn layers_near_the_photo_go_slowly() {
        let config = Config::beitv2_large();
        let scale = |name: &str| layer_scale(&config, name, 0.5);
        assert_eq!(
            (scale("head.bias"), scale("fc_norm.weight"), scale("blocks.23.gamma_1")),
            (1.0, 1.0, 0.5)
        );
        assert_eq!(scale("cls_token"), 0.5f64.powi(25));
        let pulled = ["blocks.0.attn.qkv.weight", "head.weight", "patch_embed.proj.weight"];
        let free = ["head.bias", "blocks.0.norm1.weight", "fc_norm.weight", "gamma_1", "cls_token"];
        assert!(pulled.iter().all(|name| decays(name)) && !free.iter().any(|name| decays(name)));
        assert!(!decays("blocks.0.attn.relative_position_bias_table"));
    }
}
