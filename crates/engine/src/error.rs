//! Error types, below every module that returns them.

use beit::backend::BackendError;
use beit::builder::BuildError;
use beit::decode::{DecodeError, Foreign};
use beit::weights::{ManifestError, ShardError, WeightsError};
use head::HeadError;
use protocol::fault::LoadFault;
use thiserror::Error;

/// Why something could not be fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    #[error("{url} could not be reached ({reason})")]
    Unreachable { url: String, reason: String },
    #[error("{url} answered {status}")]
    Status { url: String, status: u16 },
    #[error("{url} is longer than the {limit} bytes expected")]
    TooLong { url: String, limit: u64 },
    #[error("the connection broke while fetching {url} ({reason})")]
    Broken { url: String, reason: String },
    #[error("nothing came from {url} for {seconds} seconds")]
    Stalled { url: String, seconds: u32 },
    #[error("{url} sent a web page and not the file")]
    WebPage { url: String },
    #[error(transparent)]
    Damaged(#[from] ShardError),
}

impl FetchError {
    /// Whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            // 416: a file that has changed is not as long as what came of it.
            Self::Status { status, .. } => matches!(status, 408 | 416 | 429 | 500..),
            Self::TooLong { .. } | Self::WebPage { .. } => false,
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Stalled { .. } | Self::Damaged(_) => true,
        }
    }
}

/// Why a model could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("{url} is no address")]
    Address { url: String },
    #[error("{url} describes no model: {error}")]
    Manifest { url: String, error: ManifestError },
    #[error("the files were refused: {0}")]
    Build(#[from] BuildError),
    /// The model was imported here, and its files are not in storage any more.
    #[error("{address} is not in storage any more")]
    NotImported { address: String },
    /// Where only a GPU was asked for.
    #[error("there is no GPU that can be used")]
    NoGpu,
}

impl From<WeightsError> for LoadError {
    fn from(error: WeightsError) -> Self {
        Self::Build(error.into())
    }
}

impl From<BackendError> for LoadError {
    fn from(error: BackendError) -> Self {
        Self::Build(error.into())
    }
}

impl LoadError {
    /// What the device said, where it was the device that failed.
    pub fn device_failure(&self) -> Option<&BackendError> {
        match self {
            Self::Build(BuildError::Backend(error)) => Some(error),
            _ => None,
        }
    }
}

/// Why a photo could not be answered.
#[derive(Debug, Error)]
pub enum PhotoError {
    #[error("no model is loaded")]
    NoModel,
    #[error("the browser does not read the file")]
    Unreadable,
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The program that decodes this format could not be fetched.
    #[error("{format} can't be read: {error}")]
    Program { format: Foreign, error: FetchError },
    #[error("the network failed: {0}")]
    Network(#[from] BackendError),
    #[error("the network's answer is not a number")]
    NotANumber,
    #[error("the network could not be moved to the processor: {0}")]
    Fallback(LoadFault),
}

impl PhotoError {
    /// What a GPU that can't be trusted any more has done; none for what another device would do as well.
    pub fn device_failure(&self) -> Option<String> {
        match self {
            Self::Network(error) => Some(error.to_string()),
            Self::NotANumber => Some(self.to_string()),
            Self::NoModel | Self::Unreadable | Self::Decode(_) | Self::Program { .. } | Self::Fallback(_) => {
                None
            }
        }
    }
}

/// Why a visitor's classes could not be learnt or used.
#[derive(Debug, Error)]
pub enum TeachError {
    #[error("no model is loaded yet")]
    NoModel,
    #[error("the browser does not read the file")]
    Unreadable,
    #[error("a class has no name, or two have the same")]
    Names,
    #[error("the features of some photos are not extracted yet")]
    NoFeatures,
    #[error("fewer than two classes have photos")]
    TooFew,
    #[error(transparent)]
    Head(#[from] HeadError),
    #[error("this is no base64 text")]
    Text,
    #[error("the network failed: {0}")]
    Network(#[from] BackendError),
}
