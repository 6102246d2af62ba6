//! The import of a checkpoint as the page sees it: where it stands, what can happen to it, and how its progress is
//! measured. The work is done by a worker of its own ([`protocol::import`]), so photos are answered meanwhile.
//!
//! ```text
//! Closed ─▶ Inspecting ─▶ Offered ─▶ Running ─▶ Done: the model answers from now on
//!              │                     │  ▲  └──▶ Failed ─▶ once more, or discarded
//!              └──▶ Failed           ▼  │
//!                                   Paused ◀── found in storage at the start of a visit
//! ```

mod checkpoint_file;
mod progress;
pub mod reference;
pub mod text;

pub use checkpoint_file::{ENDINGS, is_checkpoint};
pub use progress::{fetched_share, seconds_left};

use crate::engine::WorkerFailure;
use protocol::Reply;
use protocol::import::{ImportFault, ImportOffer, ImportProgress, ImportSource};
use std::rc::Rc;

/// The import on this page. There is one at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportState {
    pub stage: ImportStage,
    /// Another import was asked for, and this one has to end first.
    pub refused: bool,
    /// The number of the last worker that was started for an import.
    pub(crate) worker: u64,
    /// The visitor's file that whoever does the effects has, as `file:NAME`.
    pub(crate) file: Option<Rc<str>>,
    /// Unfinished imports were looked for.
    pub(crate) looked: bool,
}

/// Where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ImportStage {
    /// There is none.
    #[default]
    Closed,
    /// Its worker looks up what it would fetch and keep.
    Inspecting(ImportSource),
    /// The visitor is asked.
    Offered(Rc<ImportOffer>),
    /// Its worker fetches and quantises. Without progress while that worker starts.
    Running { offer: Rc<ImportOffer>, progress: Option<ImportProgress> },
    /// Stopped, by the visitor or with an earlier visit, after so many bytes of the checkpoint. There is no worker.
    Paused { offer: Rc<ImportOffer>, received: u64 },
    /// It could not go on. With an offer, it had begun, and part of it may be in storage.
    Failed { source: ImportSource, offer: Option<Rc<ImportOffer>>, fault: ImportFault },
    /// The model of this name is in storage, with so many bytes.
    Done { name: Rc<str>, bytes: u64 },
}

/// What can happen to it.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "an action lives for a moment")]
pub enum ImportAction {
    /// The visitor wants this.
    Ask(ImportSource),
    /// The visitor wrote this: a reference, or the address of a model's page.
    AskFor {
        text: String,
        quantization: String,
    },
    /// The visitor gave a checkpoint file of this name. Whoever does the effects has it.
    FileGiven {
        name: String,
        quantization: String,
    },
    /// The visitor has chosen the file again that the import lacks.
    FileGivenAgain,
    /// The visitor agrees to the offer.
    Start,
    Pause,
    /// Go on after a pause.
    Resume,
    /// Go on after a failure, or try again.
    Retry,
    /// End it and remove what is in storage of it.
    Cancel,
    /// Not now, or the visitor has read it.
    Close,
    /// The worker of this number sent a message.
    Worker(u64, Reply),
    /// It crashed, or sent something that is no message.
    WorkerFailed(u64, WorkerFailure),
    /// The page is shown again; this worker was ended when it was put away.
    PageRestored(u64),
}

/// What can be done after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Go on with what is in storage.
    GoOn,
    /// Once more from the beginning.
    TryAgain,
    /// Choose the visitor's file again.
    ChooseFile,
    /// Nothing on this page.
    None,
}

/// How the weights of a checkpoint are rounded that somebody just drops.
pub const DEFAULT_QUANTIZATION: &str = "q8_0";

/// How weights can be rounded, as the page offers it.
pub const QUANTIZATIONS: [&str; 2] = [DEFAULT_QUANTIZATION, "q4_0"];

impl ImportState {
    /// What is imported or looked up.
    pub fn source(&self) -> Option<&ImportSource> {
        match &self.stage {
            ImportStage::Inspecting(source) | ImportStage::Failed { source, .. } => Some(source),
            ImportStage::Offered(offer)
            | ImportStage::Running { offer, .. }
            | ImportStage::Paused { offer, .. } => Some(&offer.source),
            ImportStage::Closed | ImportStage::Done { .. } => None,
        }
    }

    /// What is imported, once it has begun and until it has ended.
    pub fn under_way(&self) -> Option<&Rc<ImportOffer>> {
        match &self.stage {
            ImportStage::Running { offer, .. } | ImportStage::Paused { offer, .. } => Some(offer),
            ImportStage::Failed { offer, .. } => offer.as_ref(),
            _ => None,
        }
    }

    /// Whether there is a worker for it.
    pub fn has_worker(&self) -> bool {
        matches!(self.stage, ImportStage::Inspecting(_) | ImportStage::Running { .. })
    }

    /// Whether it is of the visitor's own file, and that has to be chosen first.
    pub fn lacks_file(&self, source: &ImportSource) -> bool {
        source.is_file() && self.file.as_deref() != Some(&source.checkpoint)
    }

    /// The same of a paused import or a failed one.
    pub fn wants_file(&self) -> bool {
        match &self.stage {
            ImportStage::Paused { offer, .. } => self.lacks_file(&offer.source),
            ImportStage::Failed { .. } => self.next_step() == Some(NextStep::ChooseFile),
            _ => false,
        }
    }

    /// What can be done after a failure; none if it has not failed.
    pub fn next_step(&self) -> Option<NextStep> {
        let ImportStage::Failed { offer, fault, .. } = &self.stage else { return None };
        Some(next_step(fault, offer.is_some()))
    }
}

fn next_step(fault: &ImportFault, has_begun: bool) -> NextStep {
    let again = if has_begun { NextStep::GoOn } else { NextStep::TryAgain };
    match fault {
        ImportFault::Unreachable { .. }
        | ImportFault::TooManyRequests { .. }
        | ImportFault::Status { .. }
        | ImportFault::Interrupted { .. }
        | ImportFault::NoRoom { .. }
        | ImportFault::OutOfMemory { .. }
        | ImportFault::Crashed { .. } => again,
        ImportFault::Answer { .. } | ImportFault::Damaged { .. } => NextStep::TryAgain,
        ImportFault::Unreadable { .. } => NextStep::ChooseFile,
        ImportFault::NotAReference { .. }
        | ImportFault::NoAccess { .. }
        | ImportFault::NotFound { .. }
        | ImportFault::NoCheckpoint { .. }
        | ImportFault::Split { .. }
        | ImportFault::Format { .. }
        | ImportFault::Refused { .. }
        | ImportFault::NoStorage => NextStep::None,
    }
}
