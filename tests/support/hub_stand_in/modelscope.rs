//! ModelScope's interface, as far as models are fetched by it.

use super::{Behaviour, COMMIT, Shared, content, hexadecimal, redirect_to_storage, target};
use serde_json::{Value, json};
use server::{Disturbance, Request};
use sha2::{Digest, Sha256};

/// `None` for what is no address of ModelScope's.
pub fn answer(request: &Request, shared: &Shared, behaviour: &Behaviour) -> Option<Disturbance> {
    let (path, parameters) = target(request);
    let parameter =
        |name| parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let (repository, what) = path.strip_prefix("/api/v1/models/")?.split_once("/repo")?;
    let is_known = matches!(parameter("Revision"), None | Some("master" | COMMIT));
    if what == "/files" {
        return Some(match &behaviour.instead_of_listing {
            Some(instead) => instead.clone(),
            None if repository != shared.repository.name => fault("the model does not exist"),
            None if !is_known => fault("the revision does not exist"),
            None => content("listing.json", listing(shared, behaviour).to_string(), &[]),
        });
    }
    let file = parameter("FilePath")?;
    if repository != shared.repository.name || !is_known {
        return Some(fault("the model does not exist"));
    }
    if file == shared.repository.file() {
        let instead = behaviour.instead_of_redirect.clone();
        return Some(instead.unwrap_or_else(|| redirect_to_storage(shared, behaviour, &[])));
    }
    let small = shared.repository.small_file(file).map(|body| content(file, body, &[]));
    Some(small.unwrap_or_else(|| fault("the file does not exist")))
}

fn listing(shared: &Shared, behaviour: &Behaviour) -> Value {
    let entry = |path: &str, bytes: u64, sha256: &str, is_large: bool| {
        json!({
            "Path": path, "Name": path, "Type": "blob", "Size": bytes, "Revision": COMMIT, "Mode": "33188",
            "IsLFS": is_large, "Sha256": sha256,
        })
    };
    let sha256 = behaviour.told_sha256.as_ref().unwrap_or(&shared.sha256);
    let mut files = vec![entry(shared.repository.file(), shared.bytes, sha256, true)];
    let small = |(name, body): &(String, Vec<u8>)| {
        entry(name, body.len() as u64, &hexadecimal(&Sha256::digest(body)), false)
    };
    files.extend(shared.repository.small_files.iter().map(small));
    json!({ "Code": 200, "Success": true, "Message": "", "Data": { "Files": files } })
}

fn fault(message: &str) -> Disturbance {
    let body = json!({ "Code": 10010205001_u64, "Success": false, "Message": message, "Data": null });
    Disturbance::Answer {
        status: 404,
        content_type: "application/json",
        headers: vec![],
        body: body.to_string().into(),
    }
}
