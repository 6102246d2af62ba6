//! Which of this build's instructions the network uses.

use crate::port;
use kernels::{Isa, WeightFormat};

/// The fastest for weights of this quantisation, by a quarter of a second of measuring where the build
/// has several.
pub fn fastest(quantization: &str) -> Isa {
    Isa::fastest(format(quantization), port::now)
}

/// The blocks that most weights of this quantisation are in.
pub fn format(quantization: &str) -> WeightFormat {
    if quantization == "q4_0" { WeightFormat::Q4_0 } else { WeightFormat::Q8_0 }
}

/// How the choice was made: a sentence where there was one.
pub fn reason(isa: Isa) -> Option<String> {
    let measured = Isa::available().into_iter().filter(|&other| other != Isa::Scalar && other != isa);
    let slower: Vec<_> = measured.map(Isa::name).collect();
    (!slower.is_empty()).then(|| format!("{} was faster than {} here.", isa.name(), slower.join(" and ")))
}
