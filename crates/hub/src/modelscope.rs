//! ModelScope: which file, of which revision, with which hash.

use crate::choose::{Choice, choose};
use crate::listing::Listing;
use crate::lock::lock;
use crate::modelscope_cache::Cache;
use crate::partial_file::{fetch, is_intact};
use crate::session::Session;
use crate::transfer::Remote;
use crate::{Download, Error, Event, Reference, Settings};
use std::fs;

pub fn download(
    reference: &Reference,
    settings: &Settings,
    notify: &dyn Fn(Event),
) -> Result<Download, Error> {
    let revision = reference.revision();
    let cache = Cache::new(&settings.modelscope.cache, reference, revision);
    let session = Session::new(reference, settings, notify)?;
    match session.listing() {
        Ok(listing) => carry_out(&session, &cache, &listing),
        Err(error) if error.transient().is_some() => match cached(reference, &cache, notify)? {
            Some(download) => {
                notify(Event::Unreachable { error: &error, path: &download.path });
                Ok(download)
            }
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// What the cache has, when the hub can't be asked. The cache keeps no hashes.
fn cached(reference: &Reference, cache: &Cache, notify: &dyn Fn(Event)) -> Result<Option<Download>, Error> {
    let files = cache.files(reference.file.as_deref());
    let Ok(Choice { file, others }) = choose(reference, &files) else { return Ok(None) };
    notify(Event::Chosen { file: &file, others: &others });
    let path = cache.file(&file);
    let bytes = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
    Ok(Some(Download { path, file, commit: None, bytes, transferred: 0 }))
}

/// The file that the session's reference names, and its commit.
pub fn remote(session: &Session) -> Result<(Remote, Option<String>), Error> {
    plan(session, &session.listing()?)
}

fn plan(session: &Session, listing: &Listing) -> Result<(Remote, Option<String>), Error> {
    let (reference, endpoint) = (session.reference, &session.site.endpoint);
    let Choice { file, others } = choose(reference, &listing.names())?;
    (session.notify)(Event::Chosen { file: &file, others: &others });
    let url = reference.file_address(endpoint, reference.revision(), &file);
    let entry = listing.file(&file);
    let hash = entry
        .and_then(|entry| entry.hash.clone())
        .ok_or_else(|| Error::NoHash { url: endpoint.clone(), file: file.clone() })?;
    let length = entry
        .and_then(|entry| entry.size)
        .ok_or_else(|| Error::answer(&url, "it does not say how long the file is"))?;
    let commit = entry.and_then(|entry| entry.commit.clone());
    Ok((Remote { file, url, length, hash }, commit))
}

/// Takes the cache's copy if it is the one, else fetches.
fn carry_out(session: &Session, cache: &Cache, listing: &Listing) -> Result<Download, Error> {
    let (reference, notify) = (session.reference, session.notify);
    let (remote, commit) = plan(session, listing)?;
    let Remote { file, length, hash, .. } = &remote;

    let path = cache.file(file);
    let finished = |transferred| Download {
        path: path.clone(),
        file: file.clone(),
        commit: commit.clone(),
        bytes: *length,
        transferred,
    };
    if path.exists() {
        if is_intact(&path, *length, hash, notify)? {
            return Ok(finished(0));
        }
        notify(Event::Stale { path: &path });
    }
    let _lock = lock(&cache.lock(reference, file), notify)?;
    // Another process may have fetched it meanwhile.
    if path.exists() && is_intact(&path, *length, hash, notify)? {
        return Ok(finished(0));
    }
    Ok(finished(fetch(session, &remote, &cache.partial(file), &path)?))
}
