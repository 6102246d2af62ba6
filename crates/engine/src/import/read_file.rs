//! The checkpoint from a file of the visitor's, in parts: it may be larger than the memory.

use super::incoming::{Incoming, Refusal};
use crate::platform::{Photo, Platform};
use protocol::import::{ImportFault, ImportOffer};

/// So much is read at a time.
pub const PART_BYTES: u64 = 4 << 20;

/// Reads the file from its beginning: what an earlier attempt has converted is compared, so that another file of the same
/// name and length is noticed.
pub async fn read_file<P: Platform>(
    incoming: &mut Incoming<'_, P>,
    offer: &ImportOffer,
    file: Option<&P::Photo>,
) -> Result<(), ImportFault> {
    let unreadable = || ImportFault::Unreadable { file: offer.file.clone() };
    let file = file.filter(|file| file.length() == offer.download_bytes).ok_or_else(unreadable)?;
    let mut at = 0;
    incoming.begin_at(at);
    while at < file.length() {
        let length = PART_BYTES.min(file.length() - at);
        let Some(part) = file.read_part(at, length).await else {
            // The next attempt may find it again.
            incoming.save().await?;
            return Err(unreadable());
        };
        at += length;
        match incoming.push(part).await {
            Ok(()) => {}
            Err(Refusal::Fault(fault)) => return Err(fault),
            Err(Refusal::Changed) => {
                incoming.start_anew().await?;
                at = 0;
                incoming.begin_at(at);
            }
        }
    }
    Ok(())
}
