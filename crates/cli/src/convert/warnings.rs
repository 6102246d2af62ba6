//! What a conversion has lost beyond a limit, in sentences that say what to do.

use checkpoint::{Conversion, Quantization, TensorReport};

/// A tensor, or a layer's activations on the check inputs, that keeps less than this of the source's direction is
/// warned of.
const LEAST_COSINE: f64 = 0.999;
/// More layers than this are counted, not listed.
const LISTED: usize = 6;

/// Tensors and layers that lost more than [`LEAST_COSINE`] allows.
pub fn warnings(conversion: &Conversion, quantization: Quantization) -> Vec<String> {
    let logits = conversion.logits_cosine.iter().copied().fold(1.0, f64::min);
    Losses {
        tensors: &conversion.tensors,
        stages: &[&conversion.layers_cosine[..], &[logits]].concat(),
        layers: &conversion.own_cosine,
        advice: advice(quantization, conversion.calibration_photos > 0),
        calibrated: conversion.calibration_photos > 0,
    }
    .sentences()
}

/// What keeps more.
fn advice(quantization: Quantization, calibrated: bool) -> &'static str {
    match (quantization, calibrated) {
        (Quantization::Q4_0, false) => {
            "--calibrate PHOTOS loses less in the same bytes, --quant q8_0 less still"
        }
        (Quantization::Q4_0, true) => "--quant q8_0 loses less",
        (Quantization::Q8_0, false) => {
            "--calibrate PHOTOS loses less in the same bytes, --quant f16 less still"
        }
        (Quantization::Q8_0, true) => "--quant f16 loses less",
        (Quantization::F16 | Quantization::F32, _) => "--quant f32 keeps every weight as it is",
    }
}

struct Losses<'a> {
    tensors: &'a [TensorReport],
    /// Of the activations: after the patch embedding, after each block, after the head.
    stages: &'a [f64],
    /// Of each block by itself, then of the head.
    layers: &'a [f64],
    advice: &'static str,
    calibrated: bool,
}

impl Losses<'_> {
    fn sentences(&self) -> Vec<String> {
        // Calibration moves weights from the source's on purpose.
        let tensors = if self.calibrated { None } else { self.tensors() };
        tensors.into_iter().chain(self.activations()).chain(self.layers()).collect()
    }

    fn tensors(&self) -> Option<String> {
        let lossy = || self.tensors.iter().filter(|tensor| tensor.cosine() < LEAST_COSINE);
        let worst = lossy().min_by(|a, b| a.cosine().total_cmp(&b.cosine()))?;
        Some(format!(
            "{} of {} tensors are below cosine {LEAST_COSINE} to the source's; the lowest is {:.6}, {}: {}",
            lossy().count(),
            self.tensors.len(),
            worst.cosine(),
            worst.name,
            self.advice
        ))
    }

    fn activations(&self) -> Option<String> {
        let name = |stage: usize| match stage {
            0 => "the patch embedding".to_owned(),
            stage if stage + 1 == self.stages.len() => "the head".to_owned(),
            stage => format!("block {}", stage - 1),
        };
        let lossy = || self.stages.iter().enumerate().filter(|(_, cosine)| **cosine < LEAST_COSINE);
        let (first, _) = lossy().next()?;
        let (worst, cosine) = lossy().min_by(|a, b| a.1.total_cmp(b.1))?;
        Some(format!(
            "activations on the check inputs are below cosine {LEAST_COSINE} to the source's first after {}; the \
             lowest is {cosine:.6}, after {}: {}",
            name(first),
            name(worst),
            self.advice
        ))
    }

    /// One for each layer, the worst first; one for all where they are many.
    fn layers(&self) -> Vec<String> {
        let name = |layer: usize| match layer + 1 == self.layers.len() {
            true => "the head".to_owned(),
            false => format!("block {layer}"),
        };
        let lossy = self.layers.iter().enumerate().filter(|(_, cosine)| **cosine < LEAST_COSINE);
        let mut lossy: Vec<(usize, f64)> = lossy.map(|(layer, cosine)| (layer, *cosine)).collect();
        lossy.sort_by(|a, b| a.1.total_cmp(&b.1));
        match lossy[..] {
            [(worst, cosine), ..] if lossy.len() > LISTED => vec![format!(
                "{} of {} layers by themselves, given the source's activations on the check inputs, are below cosine \
                 {LEAST_COSINE}; the lowest is {cosine:.6}, {}: {}",
                lossy.len(),
                self.layers.len(),
                name(worst),
                self.advice
            )],
            _ => lossy
                .iter()
                .map(|&(layer, cosine)| {
                    format!(
                        "{} by itself, given the source's activations on the check inputs, has cosine {cosine:.6} to \
                         the source's: {}",
                        name(layer),
                        self.advice
                    )
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, relative_rms_error: f64) -> TensorReport {
        TensorReport { name: name.into(), storage: "Q8_0", bytes: 34, relative_rms_error }
    }

    fn losses<'a>(tensors: &'a [TensorReport], stages: &'a [f64], layers: &'a [f64]) -> Losses<'a> {
        Losses { tensors, stages, layers, advice: advice(Quantization::Q8_0, false), calibrated: false }
    }

    #[test]
    fn nothing_is_said_of_what_is_kept() {
        let tensors = [tensor("a", 0.0), tensor("b", 0.044)];
        assert!(losses(&tensors, &[1.0, 0.9991, 0.999], &[0.9995, 0.999]).sentences().is_empty());
    }

    #[test]
    fn a_tensor_and_a_layer_that_lose_more_are_named() {
        let tensors = [tensor("a", 0.01), tensor("b", 0.1), tensor("c", 0.05)];
        let sentences = losses(&tensors, &[1.0, 0.9995, 0.998, 0.997], &[0.9995, 0.9982, 0.9985]).sentences();
        let [tensors, activations, worst, head] = &sentences[..] else { panic!("{sentences:?}") };
        assert!(tensors.starts_with("2 of 3 tensors") && tensors.contains("0.994987, b"), "{tensors}");
        assert!(
            activations.contains("first after block 1; the lowest is 0.997000, after the head"),
            "{activations}"
        );
        assert!(worst.starts_with("block 1 by itself") && worst.contains("0.998200"), "{worst}");
        assert!(head.starts_with("the head by itself") && head.contains("0.998500"), "{head}");
        assert!(
            sentences.iter().all(|sentence| sentence.ends_with("--quant f16 less still")),
            "{sentences:?}"
        );
    }

    #[test]
    fn many_layers_are_counted() {
        let mut layers = [0.98; 25];
        (layers[3], layers[7]) = (0.9999, 0.97);
        let sentences = losses(&[], &[1.0], &layers).sentences();
        let [sentence] = &sentences[..] else { panic!("{sentences:?}") };
        assert!(
            sentence.starts_with("24 of 25 layers") && sentence.contains("0.970000, block 7"),
            "{sentence}"
        );
    }

    #[test]
    fn calibrated_tensors_are_not_compared() {
        let tensors = [tensor("a", 0.5)];
        let losses = Losses { calibrated: true, ..losses(&tensors, &[1.0], &[1.0]) };
        assert!(losses.sentences().is_empty());
    }
}
