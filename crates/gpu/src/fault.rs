//! Errors that a device reports asynchronously, kept until the next call checks for them.

use std::sync::{Arc, Mutex};
use thiserror::Error;

/// Why a device can't be trusted any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// With the driver's message.
    #[error("the GPU was lost: {0}")]
    Lost(String),
    /// A buffer could not be allocated.
    #[error("the GPU is out of memory")]
    OutOfMemory,
    /// Any other error, with its message.
    #[error("the GPU's driver reported: {0}")]
    Driver(String),
}

type Listener = Box<dyn Fn(&Fault) + Send>;

/// The first fault of a device, and the listener for it.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    first: Option<Fault>,
    listener: Option<Listener>,
}

impl Faults {
    /// Records a fault and calls the listener with the first one. A lost device replaces a driver error reported before it, which it explains.
    pub fn note(&self, fault: Fault) {
        let listener = {
            let Ok(mut noted) = self.0.lock() else { return };
            match (&noted.first, &fault) {
                (None, _) | (Some(Fault::Driver(_)), Fault::Lost(_)) => noted.first = Some(fault.clone()),
                _ => return,
            }
            noted.listener.take()
        };
        if let Some(listener) = listener {
            listener(&fault);
        }
    }

    pub fn first(&self) -> Option<Fault> {
        self.0.lock().ok().and_then(|noted| noted.first.clone())
    }

    /// Calls `listener` at the first fault, at once if there has been one.
    pub fn listen(&self, listener: Listener) {
        let Ok(mut noted) = self.0.lock() else { return };
        match noted.first.clone() {
            None => noted.listener = Some(listener),
            Some(fault) => {
                drop(noted);
                listener(&fault);
            }
        }
    }
}

impl From<wgpu::Error> for Fault {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory,
            other => Self::Driver(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_first_fault_is_kept_and_reported_once() {
        let faults = Faults::default();
        let (sender, receiver) = mpsc::channel();
        let late = sender.clone();
        faults.listen(Box::new(move |fault| drop(sender.send(fault.clone()))));
        faults.note(Fault::OutOfMemory);
        faults.note(Fault::Driver("again".into()));
        assert_eq!(faults.first(), Some(Fault::OutOfMemory));
        faults.listen(Box::new(move |fault| drop(late.send(fault.clone()))));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [Fault::OutOfMemory, Fault::OutOfMemory]);
    }

    #[test]
    fn a_loss_explains_earlier_errors() {
        let faults = Faults::default();
        faults.note(Fault::Driver("a buffer is invalid".into()));
        faults.note(Fault::Lost("unplugged".into()));
        assert_eq!(faults.first(), Some(Fault::Lost("unplugged".into())));
    }
}
