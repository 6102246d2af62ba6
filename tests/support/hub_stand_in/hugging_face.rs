//! Hugging Face's interface, as far as models are fetched by it.

use super::{Behaviour, COMMIT, Shared, content, hexadecimal, redirect_to_storage, status, target};
use serde_json::{Value, json};
use server::{Disturbance, Request};
use sha1::{Digest, Sha1};

/// The headers that a page may read.
const EXPOSED: &str = "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash";

/// What lets the page that asks read an answer.
pub fn cors(request: &Request) -> Vec<(&'static str, String)> {
    vec![
        ("Access-Control-Allow-Origin", request.header("origin").unwrap_or("*").to_owned()),
        ("Access-Control-Expose-Headers", EXPOSED.into()),
        ("Vary", "Origin".into()),
    ]
}

/// `None` for what is no address of Hugging Face's.
pub fn answer(request: &Request, shared: &Shared, behaviour: &Behaviour) -> Option<Disturbance> {
    let (path, _) = target(request);
    let name = &shared.repository.name;
    if let Some(rest) = path.strip_prefix("/api/models/") {
        let revision = match rest.strip_prefix(name.as_str()) {
            Some("") => Some("main"),
            Some(rest) => rest.strip_prefix("/revision/"),
            None => None,
        };
        return Some(match (revision, &behaviour.instead_of_listing) {
            (_, Some(instead)) => instead.clone(),
            (Some("main" | COMMIT), None) => {
                content("listing.json", listing(shared, behaviour).to_string(), &[])
            }
            (Some(_), None) => fault(404, "RevisionNotFound"),
            (None, None) => fault(404, "RepoNotFound"),
        });
    }
    if let Some(file) = path.strip_prefix(&format!("/api/resolve-cache/models/{name}/{COMMIT}/")) {
        let file = shared.repository.small_file(file).map(|body| content(file, body, &headers_of(body)));
        return Some(file.unwrap_or_else(|| fault(404, "EntryNotFound")));
    }
    let (repository, rest) = path.strip_prefix('/')?.split_once("/resolve/")?;
    let (revision, file) = rest.split_once('/')?;
    Some(match revision {
        _ if repository != name => fault(404, "RepoNotFound"),
        "main" | COMMIT if file == shared.repository.file() => resolve(shared, behaviour),
        // Small files are cached by commit.
        "main" | COMMIT if shared.repository.small_file(file).is_some() => {
            let mut headers = commit();
            headers.push((
                "Location",
                format!("/api/resolve-cache/models/{name}/{COMMIT}/{file}?etag=%22tag%22"),
            ));
            status(307, &headers)
        }
        "main" | COMMIT => fault(404, "EntryNotFound"),
        _ => fault(404, "RevisionNotFound"),
    })
}

fn listing(shared: &Shared, behaviour: &Behaviour) -> Value {
    let sha256 = behaviour.told_sha256.as_ref().unwrap_or(&shared.sha256);
    let mut siblings = vec![json!({
        "rfilename": shared.repository.file(), "size": shared.bytes, "blobId": COMMIT,
        "lfs": { "sha256": sha256, "size": shared.bytes, "pointerSize": 135 },
    })];
    for (name, content) in &shared.repository.small_files {
        siblings.push(json!({ "rfilename": name, "size": content.len(), "blobId": COMMIT }));
    }
    let mut listing = json!({
        "id": shared.repository.name, "modelId": shared.repository.name, "sha": COMMIT, "private": false, "gated": false,
        "library_name": "timm", "tags": ["timm", "safetensors"], "siblings": siblings,
    });
    if let Some(license) = &shared.repository.license {
        listing["cardData"] = json!({ "license": license, "library_name": "timm" });
        listing["tags"] = json!(["timm", "safetensors", format!("license:{license}")]);
    }
    listing
}

fn resolve(shared: &Shared, behaviour: &Behaviour) -> Disturbance {
    if let Some(instead) = &behaviour.instead_of_redirect {
        return instead.clone();
    }
    let sha256 = behaviour.told_sha256.as_ref().unwrap_or(&shared.sha256);
    let mut headers = commit();
    headers.push(("X-Linked-Size", shared.bytes.to_string()));
    headers.push(("X-Linked-ETag", format!("\"{sha256}\"")));
    headers.push(("Accept-Ranges", "bytes".into()));
    redirect_to_storage(shared, behaviour, &headers)
}

fn commit() -> Vec<(&'static str, String)> {
    vec![("X-Repo-Commit", COMMIT.into())]
}

/// Small files are named by Git.
fn headers_of(body: &[u8]) -> Vec<(&'static str, String)> {
    let blob = Sha1::new_with_prefix(format!("blob {}\0", body.len())).chain_update(body).finalize();
    let mut headers = commit();
    headers.push(("ETag", format!("\"{}\"", hexadecimal(&blob))));
    headers
}

fn fault(code: u16, error: &str) -> Disturbance {
    status(code, &[("X-Error-Code", error.into())])
}
