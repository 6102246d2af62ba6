//! What the user names: `hf:OWNER/NAME`, `modelscope:OWNER/NAME`, each with `/FILE` and `@REVISION` if need be.

use crate::error::Error;
use crate::hub::Hub;
use crate::percent_encoding::{encode_component, encode_path};
use std::fmt;
use std::str::FromStr;

/// A model on a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The hub it is on.
    pub hub: Hub,
    /// The repository's owner.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// The checkpoint's path in the repository; found by its name if not given.
    pub file: Option<String>,
    /// A branch, a tag or a commit; the main branch if not given.
    pub revision: Option<String>,
}

impl Reference {
    /// Whether a text begins as a reference does, valid or not.
    pub fn has_hub_prefix(text: &str) -> bool {
        [Hub::HuggingFace, Hub::ModelScope].iter().any(|hub| strip(text, *hub).is_some())
    }

    /// `OWNER/NAME`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The revision, the main branch if none is named.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(self.hub.main_revision())
    }

    /// Where the hub at `endpoint` lists the repository's files.
    pub fn listing_address(&self, endpoint: &str) -> String {
        let (repository, revision) = (self.repository(), encode_component(self.revision()));
        match self.hub {
            Hub::HuggingFace => format!("{endpoint}/api/models/{repository}/revision/{revision}?blobs=true"),
            Hub::ModelScope => {
                format!("{endpoint}/api/v1/models/{repository}/repo/files?Revision={revision}&Recursive=True")
            }
        }
    }

    /// Where the hub at `endpoint` serves a file of the repository at this revision.
    pub fn file_address(&self, endpoint: &str, revision: &str, file: &str) -> String {
        let (repository, revision) = (self.repository(), encode_component(revision));
        match self.hub {
            Hub::HuggingFace => format!("{endpoint}/{repository}/resolve/{revision}/{}", encode_path(file)),
            Hub::ModelScope => {
                let file = encode_component(file);
                format!("{endpoint}/api/v1/models/{repository}/repo?Revision={revision}&FilePath={file}")
            }
        }
    }

    /// The repository's page for people, on the hub at `endpoint`.
    pub fn page(&self, endpoint: &str) -> String {
        self.hub.page(endpoint, &self.repository())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = [Hub::HuggingFace, Hub::ModelScope];
        let found = known.into_iter().find_map(|hub| strip(text, hub).map(|rest| (hub, rest)));
        let Some((hub, rest)) = found else {
            let reason = "the hubs are hf (Hugging Face) and modelscope";
            return Err(Error::Reference { got: text.into(), prefix: "hf", reason });
        };
        let refuse = |reason| Error::Reference { got: text.into(), prefix: hub.prefix(), reason };
        let (path, revision) = match rest.split_once('@') {
            Some((path, revision)) => (path, Some(revision)),
            None => (rest, None),
        };
        let mut parts = path.splitn(3, '/');
        let (Some(owner), Some(name)) = (parts.next(), parts.next()) else {
            return Err(refuse("a model is named by its owner and its name"));
        };
        let file = parts.next();
        if !is_name(owner) || !is_name(name) {
            return Err(refuse(
                "owner and name consist of letters, digits, dots, dashes and underscores and start with a letter, a \
                 digit or an underscore",
            ));
        }
        if !file.is_none_or(is_safe_path) {
            return Err(refuse("a file is named by its path in the repository"));
        }
        if !revision.is_none_or(is_safe_path) {
            return Err(refuse("a revision is a branch, a tag or a commit"));
        }
        Ok(Self {
            hub,
            owner: owner.into(),
            name: name.into(),
            file: file.map(Into::into),
            revision: revision.map(Into::into),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}/{}", self.hub.prefix(), self.owner, self.name)?;
        if let Some(file) = &self.file {
            write!(f, "/{file}")?;
        }
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        Ok(())
    }
}

fn strip(text: &str, hub: Hub) -> Option<&str> {
    text.strip_prefix(hub.prefix())?.strip_prefix(':')
}

fn is_name(text: &str) -> bool {
    let start = text.bytes().next();
    start.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        // Hubs forbid it, and the cache's folder names use it as their separator.
        && !text.contains("--")
}

/// Whether a path from outside stays inside the folder it is joined to, on every system.
pub(crate) fn is_safe_path(path: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !path.contains(forbidden) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart_and_put_together() {
        for (text, hub, owner, name, file, revision) in [
            ("hf:timm/beitv2.in1k", Hub::HuggingFace, "timm", "beitv2.in1k", None, None),
            ("hf:a/b@refs/pr/3", Hub::HuggingFace, "a", "b", None, Some("refs/pr/3")),
            ("modelscope:damo/cv_x@v1.0.2", Hub::ModelScope, "damo", "cv_x", None, Some("v1.0.2")),
            ("hf:a/b/sub/c.pth@main", Hub::HuggingFace, "a", "b", Some("sub/c.pth"), Some("main")),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.hub, &*reference.owner, &*reference.name), (hub, owner, name), "{text}");
            assert_eq!(
                (reference.file.as_deref(), reference.revision.as_deref()),
                (file, revision),
                "{text}"
            );
            assert_eq!(reference.to_string(), text);
            assert!(Reference::has_hub_prefix(text));
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_with_a_reason() {
        for (text, reason) in [
            ("hf:", "owner and its name"),
            ("hf:timm", "owner and its name"),
            ("hf:../x", "letters, digits"),
            ("hf:timm/", "letters, digits"),
            ("hf:a--b/c", "letters, digits"),
            ("hf:timm/beit v2", "letters, digits"),
            ("hf:a/b/", "path in the repository"),
            ("hf:a/b/../../etc/passwd", "path in the repository"),
            ("hf:a/b/c\\d", "path in the repository"),
            ("modelscope:a/b@", "branch, a tag"),
            ("modelscope:a/b@../..", "branch, a tag"),
            ("civitai:a/b", "the hubs are"),
        ] {
            let sentence = text.parse::<Reference>().unwrap_err().to_string();
            assert!(sentence.starts_with(text) && sentence.contains(reason), "{sentence}");
        }
        assert!(!Reference::has_hub_prefix("models/hf/x.pth") && !Reference::has_hub_prefix("hf/x"));
    }
}
