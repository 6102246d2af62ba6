//! A repository's files, as a hub lists them.

use crate::Hub;
use crate::content_hash::ContentHash;
use crate::reference::is_safe_path;
use serde::Deserialize;

/// What a hub says of a repository at one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its files, those in folders too.
    pub files: Vec<ListedFile>,
    /// The commit that the revision is, where the hub tells it.
    pub commit: Option<String>,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its path in the repository.
    pub path: String,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// Its content's hash.
    pub hash: Option<ContentHash>,
    /// The commit that last changed it, where the hub tells it.
    pub commit: Option<String>,
}

impl ListedFile {
    /// SHA-256 of its bytes, lower-case hexadecimal, where the hub tells it.
    pub fn sha256(&self) -> Option<&str> {
        match &self.hash {
            Some(ContentHash::Sha256(hex)) => Some(hex),
            Some(ContentHash::GitBlob(_)) | None => None,
        }
    }
}

impl Listing {
    /// Reads a hub's answer. Files whose names could lead out of a folder are left out: names become paths.
    ///
    /// # Errors
    /// Why it is no listing: the hub's own message, where it has one.
    pub fn parse(hub: Hub, json: &[u8]) -> Result<Self, String> {
        let mut listing = match hub {
            Hub::HuggingFace => hugging_face(json)?,
            Hub::ModelScope => modelscope(json)?,
        };
        listing.files.retain(|file| is_safe_path(&file.path));
        Ok(listing)
    }

    /// The paths of its files.
    pub fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// The file of this path.
    pub fn file(&self, path: &str) -> Option<&ListedFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// `GET /api/models/OWNER/NAME/revision/REVISION?blobs=true`
#[derive(Deserialize)]
struct HuggingFaceAnswer {
    sha: Option<String>,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

fn hugging_face(json: &[u8]) -> Result<Listing, String> {
    let answer: HuggingFaceAnswer = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let file = |Sibling { rfilename, size, lfs }: Sibling| {
        let lfs = lfs.as_ref();
        ListedFile {
            path: rfilename,
            size: lfs.and_then(|lfs| lfs.size).or(size),
            hash: lfs.and_then(|lfs| ContentHash::parse(lfs.sha256.as_deref()?)),
            commit: None,
        }
    };
    Ok(Listing { files: answer.siblings.into_iter().map(file).collect(), commit: answer.sha })
}

/// `GET /api/v1/models/OWNER/NAME/repo/files?Revision=…&Recursive=True`
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelScopeAnswer {
    code: Option<i64>,
    success: Option<bool>,
    message: Option<String>,
    data: Option<ModelScopeData>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelScopeData {
    files: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
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

fn modelscope(json: &[u8]) -> Result<Listing, String> {
    let ModelScopeAnswer { code, success, message, data } =
        serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if success == Some(false) || code.is_some_and(|code| code != 200) {
        return Err(message.unwrap_or_else(|| format!("code {}", code.unwrap_or_default())));
    }
    let entries = data.unwrap_or_default().files.unwrap_or_default();
    let is_file = |entry: &Entry| entry.r#type.as_deref() != Some("tree");
    let file = |Entry { path, size, sha256, revision, .. }: Entry| ListedFile {
        path,
        size,
        hash: sha256.and_then(|sha256| ContentHash::parse(&sha256)),
        commit: revision.filter(|commit| !commit.is_empty()),
    };
    Ok(Listing { files: entries.into_iter().filter(is_file).map(file).collect(), commit: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hubs_tell_length_and_hash() {
        let sha256 = "ab".repeat(32);
        let hugging_face = format!(
            r#"{{"sha":"c0ffee","siblings":[{{"rfilename":"config.json","size":7}},{{"rfilename":"../x"}},
                {{"rfilename":"model.safetensors","size":9,"lfs":{{"sha256":"{sha256}","size":9}}}}]}}"#
        );
        let modelscope = format!(
            r#"{{"Code":200,"Success":true,"Data":{{"Files":[{{"Path":"sub","Type":"tree"}},
                {{"Path":"config.json","Type":"blob","Size":7}},
                {{"Path":"model.safetensors","Type":"blob","Size":9,"Sha256":"{sha256}","Revision":"c0ffee"}}]}}}}"#
        );
        for (hub, json, commit) in
            [(Hub::HuggingFace, hugging_face, Some("c0ffee")), (Hub::ModelScope, modelscope, None)]
        {
            let listing = Listing::parse(hub, json.as_bytes()).unwrap();
            assert_eq!(listing.names(), ["config.json", "model.safetensors"], "{hub}");
            let file = listing.file("model.safetensors").unwrap();
            assert_eq!((file.size, file.sha256()), (Some(9), Some(sha256.as_str())), "{hub}");
            assert_eq!(listing.commit.as_deref(), commit, "{hub}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_hubs_words() {
        let json = br#"{"Code":10010,"Success":false,"Message":"no such model"}"#;
        assert_eq!(Listing::parse(Hub::ModelScope, json).unwrap_err(), "no such model");
        assert!(Listing::parse(Hub::HuggingFace, b"<html>").is_err());
    }
}
