//! Why a command failed: a sentence and an exit status.

use checkpoint::CheckpointError;
use evaluate::EvaluateError;
use std::fmt;
use std::process::ExitCode;

/// What went wrong, for the person at the terminal.
#[derive(Debug)]
pub enum Failure {
    /// The data is at fault: exit status 1.
    Data(String),
    /// The command is at fault: exit status 2.
    Usage(String),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Data(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Data(sentence) | Self::Usage(sentence) => f.write_str(sentence),
        }
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Option { .. } | CheckpointError::Occupied { .. } => {
                Self::Usage(error.to_string())
            }
            _ => Self::Data(error.to_string()),
        }
    }
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Self {
        if error.is_usage() { Self::Usage(error.to_string()) } else { Self::Data(error.to_string()) }
    }
}

impl From<hub::Error> for Failure {
    fn from(error: hub::Error) -> Self {
        match error {
            hub::Error::Reference { .. } | hub::Error::Setting { .. } | hub::Error::NoHome { .. } => {
                Self::Usage(error.to_string())
            }
            _ => Self::Data(error.to_string()),
        }
    }
}
