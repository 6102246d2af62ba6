//! Which of this build's instructions the network uses.

use crate::port;
use kernels::{Isa, WeightFormat};
use protocol::fault::Reason;

/// The fastest for weights of this quantisation, by a quarter of a second of measuring where the build
/// has several.
pub fn fastest(quantization: &str) -> Isa {
    Isa::fastest(format(quantization), port::now)
}

/// The blocks that most weights of this quantisation are in.
pub fn format(quantization: &str) -> WeightFormat {
    if quantization == "q4_0" { WeightFormat::Q4_0 } else { WeightFormat::Q8_0 }
}

/// How the choice was made, where there was one.
pub fn reason(isa: Isa) -> Option<Reason> {
    let measured = Isa::available().into_iter().filter(|&other| other != Isa::Scalar && other != isa);
    let slower: Vec<_> = measured.map(|isa| isa.name().to_owned()).collect();
    (!slower.is_empty()).then(|| Reason::Fastest { chosen: isa.name().into(), slower })
}
