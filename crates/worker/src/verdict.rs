//! Whether a GPU is worth using for a model, remembered for the next visit.

use crate::port;
use crate::store::Store;
use gpu::{Arithmetic, Gpu};
use protocol::fault::Reason;
use serde::{Deserialize, Serialize};

/// What was found out about a GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The arithmetic to use; none where the processor is the better choice.
    arithmetic: Option<String>,
    pub reason: Reason,
}

impl Verdict {
    pub fn new(arithmetic: Option<Arithmetic>, reason: Reason) -> Self {
        Self { arithmetic: arithmetic.map(|arithmetic| arithmetic.name().into()), reason }
    }

    /// None where the processor is the better choice, or the arithmetic is not offered any more.
    pub fn arithmetic(&self, gpu: &Gpu) -> Option<Arithmetic> {
        let named = |arithmetic: &&Arithmetic| Some(arithmetic.name()) == self.arithmetic.as_deref();
        gpu.offered().iter().find(named).copied()
    }

    /// The verdict that was kept for this GPU, browser, program and model.
    pub async fn kept(store: &Store, gpu: &Gpu, model: &str) -> Option<Self> {
        serde_json::from_slice(&store.note(&name(gpu, model)).await?).ok()
    }

    pub async fn keep(&self, store: &Store, gpu: &Gpu, model: &str) {
        if let Ok(json) = serde_json::to_vec(self) {
            store.keep_note(&name(gpu, model), &json).await;
        }
    }
}

fn name(gpu: &Gpu, model: &str) -> String {
    let browser = port::scope().navigator().user_agent().unwrap_or_default();
    let program = env!("CARGO_PKG_VERSION");
    // The 2nd kind: in the first the processor's time of large networks was wrong.
    format!("verdict-2 {program} {model} {} {:?} {browser}", gpu.name(), gpu.info().driver_info)
}
