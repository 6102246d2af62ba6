//! The names of ImageNet-22k's classes, which lie beside the site's program: only few checkpoints need them.

use crate::error::FetchError;
use crate::fetch;
use crate::platform::{Network, Platform};
use beit::classes::Classes;
use checkpoint::labels::imagenet_22k;
use protocol::import::ImportFault;

const NAMES: &str = "classes/imagenet-22k.tsv";
const KINDS: &str = "classes/imagenet-22k-kinds.tsv";
/// Longer than either, in bytes.
const LONGEST: u64 = 16 << 20;

/// Fetches names and kinds.
pub async fn imagenet_22k(platform: &impl Platform) -> Result<Classes, ImportFault> {
    let (names, kinds) = (table(platform, NAMES).await?, table(platform, KINDS).await?);
    let classes = imagenet_22k::parse(&names, &kinds);
    classes
        .map_err(|error| ImportFault::Format { reason: format!("{NAMES} of this site is damaged: {error}") })
}

async fn table<P: Platform>(platform: &P, path: &str) -> Result<String, ImportFault> {
    let url = platform.network().site_address(path).unwrap_or_default();
    let bytes = fetch::small_with_retries(platform, &url, LONGEST).await;
    let bytes = bytes.map_err(|error| of_fetching(platform, &url, error))?;
    String::from_utf8(bytes)
        .map_err(|_| ImportFault::Format { reason: format!("{path} of this site is no UTF-8 text") })
}

fn of_fetching(platform: &impl Platform, url: &str, error: FetchError) -> ImportFault {
    let reason = format!("the names of ImageNet-22k's classes: {error}");
    match error {
        FetchError::Status { .. } | FetchError::WebPage { .. } | FetchError::TooLong { .. } => {
            ImportFault::Format { reason: format!("this site lacks {reason}") }
        }
        FetchError::Unreachable { .. }
        | FetchError::Broken { .. }
        | FetchError::Stalled { .. }
        | FetchError::Damaged(_) => {
            ImportFault::Unreachable { host: platform.network().host(url).unwrap_or_default(), reason }
        }
    }
}
