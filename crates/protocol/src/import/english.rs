//! Why an import failed, in English: what happened and what to do.

use super::ImportFault;
use std::fmt::{Display, Formatter, Result};

impl Display for ImportFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::NotAReference { got, reason } => write!(
                f,
                "“{got}” names no model: write hf:OWNER/NAME or modelscope:OWNER/NAME, then /FILE and @REVISION if need \
                 be ({reason})."
            ),
            Self::Unreachable { host, reason } => write!(
                f,
                "{host} can’t be reached from this page: there is no connection, or that host lets no other site’s page \
                 read its files ({reason}). Check the connection, or download the file with the browser and drop it here."
            ),
            Self::NoAccess { page, host, status } => write!(
                f,
                "{host} does not give this model to everybody ({status}). Sign in at {page}, download the file there and \
                 drop it here."
            ),
            Self::NotFound { checkpoint, host } => {
                write!(f, "{host} has no {checkpoint} (404): check owner, name, file and revision.")
            }
            Self::TooManyRequests { host, seconds } => {
                write!(f, "{host} has had too many requests from here (429). Try again ")?;
                match seconds {
                    Some(seconds) => write!(f, "in {seconds} seconds."),
                    None => f.write_str("in a few minutes."),
                }
            }
            Self::Status { host, status } => {
                write!(f, "{host} can’t answer at the moment (status {status}). Try again later.")
            }
            Self::Interrupted { host, received, total, reason } => write!(
                f,
                "The connection to {host} broke after {received} of {total} bytes ({reason}). What came is kept: go on \
                 when the connection is back."
            ),
            Self::Answer { host, reason } => write!(
                f,
                "{host} answered something unexpected ({reason}). Try again later, or download the file with the browser \
                 and drop it here."
            ),
            Self::NoCheckpoint { page } => write!(
                f,
                "No file there looks like a checkpoint (model.safetensors, pytorch_model.bin, *.pth). Look at {page} and \
                 add the file’s name to the model’s: hf:OWNER/NAME/FILE."
            ),
            Self::Split { page } => write!(
                f,
                "The checkpoint at {page} is split over several files. The command line converts it: beitscope convert."
            ),
            Self::Format { reason } => write!(f, "This file can’t be imported: {reason}."),
            Self::Refused { reason } => write!(f, "This is not a BEiT or BEiTv2 classifier: {reason}."),
            Self::Damaged { host, expected, got } => write!(
                f,
                "What came is not what {host} says it is: SHA-256 {got} instead of {expected}. It was thrown away. Start \
                 again; if it happens again, something on the way changes the file."
            ),
            Self::NoRoom { missing } => write!(
                f,
                "The browser’s storage lacks {} MB for this model. Remove stored models, or free space on the disk.",
                missing.div_ceil(1_000_000)
            ),
            Self::NoStorage => f.write_str(
                "The browser keeps nothing for this page, as in a private window or at an address without https, so a \
                 model can’t be imported here.",
            ),
            Self::Unreadable { file } => write!(
                f,
                "{file} could not be read. It may have been moved, changed or deleted. Choose it again to go on."
            ),
            Self::OutOfMemory { reason } => write!(
                f,
                "There is not enough memory for this model ({reason}). Close other tabs, or choose 4 bits instead of 8."
            ),
            Self::Crashed { reason } => {
                write!(f, "The import ended by itself")?;
                if !reason.is_empty() {
                    write!(f, " ({reason})")?;
                }
                f.write_str(". What came is kept: go on from there.")
            }
        }
    }
}
