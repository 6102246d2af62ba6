//! Chooses the instruction set: as stored by an earlier visit, or by measuring.

use crate::note_names;
use crate::platform::{Devices, Platform};
use crate::store::Store;
use kernels::{Isa, WeightFormat};
use protocol::fault::Reason;

/// A choice is kept for the next visit if the next best took so many times as long: a clear case, whatever else
/// the machine was doing.
const CLEAR: f64 = 1.15;

/// The fastest instructions for weights of this quantisation: those kept from an earlier visit, else by a quarter of
/// a second of measuring where there are several.
pub struct IsaChoice {
    note: String,
    format: WeightFormat,
    kept: Option<Isa>,
    /// What was measured, where it is worth keeping.
    new: Option<Isa>,
}

impl IsaChoice {
    /// Looks up what was kept.
    pub async fn load<P: Platform>(platform: &P, store: &Store<'_, P>, quantization: &str) -> Self {
        let note = note_names::isa(quantization, &Isa::available(), &platform.devices().driver());
        let name = store.note(&note).await;
        let kept = Isa::available().into_iter().find(|isa| Some(isa.name().as_bytes()) == name.as_deref());
        Self { note, format: weight_format(quantization), kept, new: None }
    }

    pub fn resolve(&mut self, devices: &impl Devices) -> Isa {
        if let Some(kept) = self.kept {
            return kept;
        }
        let (fastest, lead) = devices.fastest_isa(self.format);
        self.new = (lead.is_finite() && lead >= CLEAR).then_some(fastest);
        fastest
    }

    /// Keeps what was measured for the next visit.
    pub async fn store<P: Platform>(self, store: &Store<'_, P>) {
        if let Some(isa) = self.new {
            store.keep_note(&self.note, isa.name().as_bytes()).await;
        }
    }
}

/// The blocks that most weights of this quantisation are in.
pub fn weight_format(quantization: &str) -> WeightFormat {
    if quantization == "q4_0" { WeightFormat::Q4_0 } else { WeightFormat::Q8_0 }
}

/// How the choice was made, where there was one.
pub fn reason(isa: Isa) -> Option<Reason> {
    let measured = Isa::available().into_iter().filter(|&other| other != Isa::Scalar && other != isa);
    let slower: Vec<_> = measured.map(|isa| isa.name().to_owned()).collect();
    (!slower.is_empty()).then(|| Reason::Fastest { chosen: isa.name().into(), slower })
}
