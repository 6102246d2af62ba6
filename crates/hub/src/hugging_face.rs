//! Hugging Face: which file, of which commit, with which hash.

use crate::choose::{Choice, choose, is_first_choice};
use crate::content_hash::ContentHash;
use crate::hugging_face_cache::{Cache, is_commit, is_commit_like};
use crate::listing::Listing;
use crate::lock::lock;
use crate::partial_file::{fetch, is_intact};
use crate::session::{Session, Subject};
use crate::transfer::Remote;
use crate::{Download, Error, Event, Reference, Settings};
use std::fs;

/// What will be had.
struct Plan {
    commit: String,
    remote: Remote,
}

pub fn download(
    reference: &Reference,
    settings: &Settings,
    notify: &dyn Fn(Event),
) -> Result<Download, Error> {
    let revision = reference.revision();
    let cache = Cache::new(&settings.hugging_face.cache, reference);
    if let Some(variable) = settings.offline {
        let (repository, folder) = (reference.to_string(), settings.hugging_face.cache.clone());
        return cached(reference, &cache, revision, notify)?.ok_or(Error::Offline {
            repository,
            cache: folder,
            variable,
        });
    }
    // A commit never changes, so there is nothing to ask about it.
    if is_commit(revision)
        && let Ok(Some(download)) = cached(reference, &cache, revision, notify)
        && (reference.file.is_some() || is_first_choice(&download.file))
    {
        return Ok(download);
    }
    let session = Session::new(reference, settings, notify)?;
    match plan(&session, revision) {
        Ok(plan) => carry_out(&session, &cache, revision, &plan),
        Err(error) if error.transient().is_some() => match cached(reference, &cache, revision, notify)? {
            Some(download) => {
                notify(Event::Unreachable { error: &error, path: &download.path });
                Ok(download)
            }
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// What the cache has, without asking the hub.
fn cached(
    reference: &Reference,
    cache: &Cache,
    revision: &str,
    notify: &dyn Fn(Event),
) -> Result<Option<Download>, Error> {
    let Some(commit) = cache.commit(revision) else { return Ok(None) };
    let Ok(Choice { file, others }) = choose(reference, &cache.files(&commit)) else { return Ok(None) };
    notify(Event::Chosen { file: &file, others: &others });
    let path = cache.pointer(&commit, &file);
    let bytes = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
    if let Some(hash) = cache.stored_hash(&path)
        && !is_intact(&path, bytes, &hash, notify)?
    {
        return Err(Error::Damaged { path });
    }
    Ok(Some(Download { path, file, commit: Some(commit), bytes, transferred: 0 }))
}

/// Asks the hub.
fn plan(session: &Session, revision: &str) -> Result<Plan, Error> {
    let Session { site, reference, .. } = session;
    let endpoint = &site.endpoint;
    let listing: Option<Listing> = match &reference.file {
        Some(_) => None,
        None => Some(session.listing()?),
    };
    let file = match (&reference.file, &listing) {
        (Some(file), _) => file.clone(),
        (None, listing) => {
            let names = listing.as_ref().map(Listing::names).unwrap_or_default();
            let Choice { file, others } = choose(reference, &names)?;
            (session.notify)(Event::Chosen { file: &file, others: &others });
            file
        }
    };
    let url = reference.file_address(endpoint, revision, &file);
    let head = session.head(&url, Subject::File(&file))?;
    let listed = listing.as_ref().and_then(|listing| listing.file(&file));

    // Of a file in large storage, the redirect to it tells tag and length; else the file's own headers do.
    let tag = head.header("x-linked-etag").or_else(|| head.header("etag"));
    let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"'));
    let hash = tag
        .and_then(ContentHash::parse)
        .or_else(|| listed?.hash.clone())
        .ok_or_else(|| Error::NoHash { url: endpoint.clone(), file: file.clone() })?;
    let own_length = || head.number("content-length").filter(|_| head.status() == 200);
    let length = head
        .number("x-linked-size")
        .or_else(own_length)
        .or_else(|| listed?.size)
        .ok_or_else(|| Error::answer(&url, "it does not say how long the file is"))?;
    let commit =
        head.header("x-repo-commit").map(str::to_owned).or(listing.and_then(|listing| listing.commit));
    let commit = commit
        .filter(|commit| is_commit_like(commit))
        .ok_or_else(|| Error::answer(&url, "it does not say which commit the file is of"))?;
    Ok(Plan { commit, remote: Remote { file, url, length, hash } })
}

/// The file that the session's reference names, and its commit.
pub fn remote(session: &Session) -> Result<(Remote, Option<String>), Error> {
    let Plan { commit, remote } = plan(session, session.reference.revision())?;
    Ok((remote, Some(commit)))
}

/// Takes the cache's copy if it is the one, else fetches.
fn carry_out(session: &Session, cache: &Cache, revision: &str, plan: &Plan) -> Result<Download, Error> {
    let Plan { commit, remote: Remote { file, length, hash, .. } } = plan;
    let notify = session.notify;
    let finished = |path, transferred| Download {
        path,
        file: file.clone(),
        commit: Some(commit.clone()),
        bytes: *length,
        transferred,
    };
    let (pointer, blob) = (cache.pointer(commit, file), cache.blob(hash));
    if pointer.exists() {
        if is_intact(&pointer, *length, hash, notify)? {
            // The cache may be read-only.
            let _ = cache.set_commit(revision, commit);
            return Ok(finished(pointer, 0));
        }
        notify(Event::Stale { path: &pointer });
    }
    let _lock = lock(&cache.lock(hash), notify)?;
    // Another process may have fetched it, or it is of another commit too.
    let mut transferred = 0;
    if !(blob.exists() && is_intact(&blob, *length, hash, notify)?) {
        transferred = fetch(session, &plan.remote, &cache.partial(hash), &blob)?;
    }
    let pointer = cache.point(commit, file, hash)?;
    cache.set_commit(revision, commit)?;
    Ok(finished(pointer, transferred))
}
