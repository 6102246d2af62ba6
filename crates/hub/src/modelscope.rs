//! ModelScope: which file, of which revision, with which hash.

use crate::choose::{Choice, choose};
use crate::digest::ContentHash;
use crate::lock::lock;
use crate::modelscope_cache::Cache;
use crate::reference::is_safe_path;
use crate::session::{Session, Subject};
use crate::transfer::{Remote, fetch, is_intact};
use crate::urls::encode_component;
use crate::{Download, Error, Event, Reference, Settings};
use serde::Deserialize;
use std::fs;

/// `GET /api/v1/models/OWNER/NAME/repo/files?Revision=…&Recursive=True`
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: Option<i64>,
    success: Option<bool>,
    message: Option<String>,
    data: Option<Listing>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    files: Option<Vec<Entry>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    path: String,
    /// `blob` or `tree`.
    r#type: Option<String>,
    size: Option<u64>,
    sha256: Option<String>,
    /// The commit that last changed the file.
    revision: Option<String>,
}

pub fn download(
    reference: &Reference,
    settings: &Settings,
    notify: &dyn Fn(Event),
) -> Result<Download, Error> {
    let revision = reference.revision.as_deref().unwrap_or("master");
    let cache = Cache::new(&settings.modelscope.cache, reference, revision);
    let session = Session::new(reference, settings, notify)?;
    match list(&session, revision) {
        Ok(entries) => carry_out(&session, &cache, revision, &entries),
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

/// The repository's files, folders left out.
fn list(session: &Session, revision: &str) -> Result<Vec<Entry>, Error> {
    let (endpoint, repository) = (&session.site.endpoint, session.reference.repository());
    let revision = encode_component(revision);
    let url = format!("{endpoint}/api/v1/models/{repository}/repo/files?Revision={revision}&Recursive=True");
    let Answer { code, success, message, data } = session.json(&url, Subject::Repository)?;
    if success == Some(false) || code.is_some_and(|code| code != 200) {
        let reason = message.unwrap_or_else(|| format!("code {}", code.unwrap_or_default()));
        return Err(Error::answer(&url, reason));
    }
    let entries = data.unwrap_or_default().files.unwrap_or_default();
    // Names become paths of this machine.
    let is_file = |entry: &Entry| entry.r#type.as_deref() != Some("tree") && is_safe_path(&entry.path);
    Ok(entries.into_iter().filter(is_file).collect())
}

/// Takes the cache's copy if it is the one, else fetches.
fn carry_out(session: &Session, cache: &Cache, revision: &str, entries: &[Entry]) -> Result<Download, Error> {
    let (reference, notify, endpoint) = (session.reference, session.notify, &session.site.endpoint);
    let names: Vec<String> = entries.iter().map(|entry| entry.path.clone()).collect();
    let Choice { file, others } = choose(reference, &names)?;
    notify(Event::Chosen { file: &file, others: &others });
    let url = format!(
        "{endpoint}/api/v1/models/{}/repo?Revision={}&FilePath={}",
        reference.repository(),
        encode_component(revision),
        encode_component(&file)
    );
    let entry = entries.iter().find(|entry| entry.path == file);
    let hash = entry
        .and_then(|entry| ContentHash::parse(entry.sha256.as_deref()?))
        .ok_or_else(|| Error::NoHash { url: endpoint.clone(), file: file.clone() })?;
    let length = entry
        .and_then(|entry| entry.size)
        .ok_or_else(|| Error::answer(&url, "it does not say how long the file is"))?;
    let commit = entry.and_then(|entry| entry.revision.clone()).filter(|commit| !commit.is_empty());

    let path = cache.file(&file);
    let finished = |transferred| Download {
        path: path.clone(),
        file: file.clone(),
        commit: commit.clone(),
        bytes: length,
        transferred,
    };
    if path.exists() {
        if is_intact(&path, length, &hash, notify)? {
            return Ok(finished(0));
        }
        notify(Event::Stale { path: &path });
    }
    let _lock = lock(&cache.lock(reference, &file), notify)?;
    // Another process may have fetched it meanwhile.
    if path.exists() && is_intact(&path, length, &hash, notify)? {
        return Ok(finished(0));
    }
    let remote = Remote { file: file.clone(), url, length, hash };
    Ok(finished(fetch(session, &remote, &cache.partial(&file), &path)?))
}
