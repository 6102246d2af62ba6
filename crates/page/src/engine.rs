//! Where the worker and its model stand, and what can go wrong with them.

use crate::worker_setup::NoPlan;
use protocol::fault::LoadFault;
use protocol::{BackendInfo, Kept, Loading, ModelInfo, Offer};
use std::rc::Rc;

/// Where the worker and its model stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Engine {
    /// Reading which model to load.
    Choosing,
    /// Fetching and starting the worker's program.
    Starting,
    /// The worker asks for the model's manifest.
    Finding,
    /// The model comes from another site, and the visitor has not agreed to it yet.
    Asking(Rc<Offer>),
    /// The worker fetches and builds the model.
    Loading(Loading),
    /// The visitor stopped the loading here. The worker is gone; the shards it had checked are in
    /// the browser's storage, where there is one.
    Paused(Loading),
    Ready {
        model: Rc<ModelInfo>,
        backend: Rc<BackendInfo>,
        /// Whether the next visit finds the weights in the browser's storage.
        kept: Kept,
    },
    Failed(EngineError),
}

/// Why there is no working model.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineError {
    /// No build of the worker can run.
    NoWorker(NoPlan),
    /// The `model` parameter is no web address.
    BadModelAddress(String),
    /// The worker's program could not be started, for this reason.
    NotStarted(String),
    /// The worker crashed, with this message.
    Crashed(String),
    /// The worker and the page do not understand each other, for this reason.
    Misunderstood(String),
    /// What the worker says.
    Load(LoadFault),
}

/// How the worker failed.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkerFailure {
    /// An error nobody caught, with its message.
    Crashed(String),
    /// It crashed while it loaded the model, and another one with less memory starts in its place.
    Replaced,
    /// A message that the page cannot read, for this reason.
    Misunderstood(String),
}
