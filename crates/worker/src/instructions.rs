//! Which of this build's instructions the network uses.

use crate::port;
use crate::store::Store;
use kernels::{Isa, WeightFormat};
use protocol::fault::Reason;

/// A choice is kept for the next visit if the next best took so many times as long: a clear case, whatever else
/// the machine was doing.
const CLEAR: f64 = 1.15;

/// The fastest instructions for weights of this quantisation: those kept from an earlier visit, else by a quarter of
/// a second of measuring where the build has several.
pub struct Choice {
    /// The name of the note in storage.
    note: String,
    format: WeightFormat,
    kept: Option<Isa>,
    /// What was measured, where it is worth keeping.
    new: Option<Isa>,
}

impl Choice {
    /// Looks up what this browser kept for this program.
    pub async fn recall(store: &Store, quantization: &str) -> Self {
        let browser = port::scope().navigator().user_agent().unwrap_or_default();
        let note = format!("instructions {} {quantization} {browser}", env!("CARGO_PKG_VERSION"));
        let name = store.note(&note).await;
        let kept = Isa::available().into_iter().find(|isa| Some(isa.name().as_bytes()) == name.as_deref());
        Self { note, format: format(quantization), kept, new: None }
    }

    pub fn make(&mut self) -> Isa {
        if let Some(kept) = self.kept {
            return kept;
        }
        let (fastest, lead) = Isa::fastest(self.format, port::now);
        self.new = (lead.is_finite() && lead >= CLEAR).then_some(fastest);
        fastest
    }

    /// Keeps what was measured for the next visit.
    pub async fn keep(self, store: &Store) {
        if let Some(isa) = self.new {
            store.keep_note(&self.note, isa.name().as_bytes()).await;
        }
    }
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
