//! A repository's file without the cache: its bytes are handed on as they come.

use crate::hasher::Hasher;
use crate::session::Session;
use crate::transfer::{Remote, Target, Transfer};
use crate::{Error, Event, Hub, Reference, Settings, hugging_face, modelscope};
use std::io;
use std::path::Path;

/// Takes a file's bytes.
pub trait Receiver {
    /// The file's bytes come from its first one on; what came before is void.
    ///
    /// # Errors
    /// Ends the transfer.
    fn begin(&mut self, file: &RemoteFile) -> io::Result<()>;

    /// Takes the next bytes. They may still turn out to be damaged: they are the hub's when [`stream`] returns.
    ///
    /// # Errors
    /// Ends the transfer.
    fn receive(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its path in the repository.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The commit it is of, where the hub says.
    pub commit: Option<String>,
}

/// Hands the checkpoint (or the file) that `reference` names to `receiver`, and keeps nothing. A broken connection is
/// taken up where it broke; where the server can't, the file begins anew.
///
/// # Errors
/// See [`Error`]; also when the length or the hash is not the hub's, or when the receiver wants no more.
pub fn stream(
    reference: &Reference,
    settings: &Settings,
    notify: &dyn Fn(Event),
    receiver: &mut dyn Receiver,
) -> Result<RemoteFile, Error> {
    if let (Hub::HuggingFace, Some(variable)) = (reference.hub, settings.offline) {
        return Err(Error::Forbidden { repository: reference.to_string(), variable });
    }
    let session = Session::new(reference, settings, notify)?;
    let (remote, commit) = match reference.hub {
        Hub::HuggingFace => hugging_face::remote(&session)?,
        Hub::ModelScope => modelscope::remote(&session)?,
    };
    let file = RemoteFile { path: remote.file.clone(), bytes: remote.length, commit };
    let mut target = ReceiverTarget { receiver, file };
    target.clear()?;
    let hasher = Hasher::new(&remote.hash, remote.length);
    let mut transfer = Transfer::new(&session, &remote, &mut target, hasher, 0);
    transfer.run().map_err(|error| match error {
        Error::Interrupted { host, got, expected, reason } => {
            Error::InterruptedStream { host, got, expected, reason }
        }
        error => error,
    })?;
    let got = transfer.finish();
    if got != remote.hash.hex() {
        return Err(remote.wrong_hash(reference.hub, got));
    }
    Ok(target.file)
}

struct ReceiverTarget<'a> {
    receiver: &'a mut dyn Receiver,
    file: RemoteFile,
}

impl Target for ReceiverTarget<'_> {
    fn append(&mut self, bytes: &[u8], _: &Remote, _: u64) -> Result<(), Error> {
        self.receiver.receive(bytes).map_err(Error::io("take", Path::new(&self.file.path)))
    }

    fn clear(&mut self) -> Result<(), Error> {
        self.receiver.begin(&self.file).map_err(Error::io("take", Path::new(&self.file.path)))
    }
}
