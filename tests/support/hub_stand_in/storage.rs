//! The server that keeps the hubs' large files.

use super::{Behaviour, status};
use server::{Disturbance, Request};
use std::path::Path;

/// What a redirect adds to an address, and without which nothing is given.
pub fn signature(behaviour: &Behaviour) -> String {
    format!("Expires=1999999999&Signature=nothing-secret-{}~&Key-Pair-Id=K0", behaviour.signature)
}

/// What is done to a request for the checkpoint.
pub fn answer(request: &Request, checkpoint: &Path, behaviour: &mut Behaviour) -> Disturbance {
    if request.method == "OPTIONS" {
        return behaviour.preflight(request, behaviour.storage_cors);
    }
    let file = checkpoint.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_signed = request.target.ends_with(&signature(behaviour));
    let mut together = vec![match &behaviour.instead_of_checkpoint {
        _ if !is_signed || request.path() != format!("/{file}") => status(403, &[]),
        Some(instead) => instead.clone(),
        None => transfer(request, behaviour),
    }];
    if behaviour.storage_cors {
        together.push(Disturbance::Headers(vec![
            ("Access-Control-Allow-Origin", "*".into()),
            ("Access-Control-Expose-Headers", "ETag, Accept-Ranges, Content-Range, Content-Length".into()),
        ]));
    }
    Disturbance::All(together)
}

/// What is done to a transfer of the checkpoint.
fn transfer(request: &Request, behaviour: &mut Behaviour) -> Disturbance {
    let mut together = vec![behaviour.every_transfer.clone()];
    together.extend(behaviour.next_transfers.pop_front());
    if !behaviour.range {
        together.push(Disturbance::IgnoreRange);
    }
    if let Some(offset) =
        behaviour.altered_byte.and_then(|offset| offset.checked_sub(first_byte(request, behaviour)))
    {
        together.push(Disturbance::Corrupt(offset));
    }
    Disturbance::All(together)
}

/// Where the part that will be sent begins.
fn first_byte(request: &Request, behaviour: &Behaviour) -> u64 {
    let range = request.header("range").filter(|_| behaviour.range);
    let first = range.and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse().ok());
    first.unwrap_or(0)
}
