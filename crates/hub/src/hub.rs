//! The model hubs, and how each one's variables and pages are called.

use std::fmt;

/// A model hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Hub {
    HuggingFace,
    ModelScope,
}

impl Hub {
    /// What a reference starts with, before the colon.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::HuggingFace => "hf",
            Self::ModelScope => "modelscope",
        }
    }

    /// The hub's own server.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::HuggingFace => "https://huggingface.co",
            Self::ModelScope => "https://modelscope.cn",
        }
    }

    /// The main branch.
    pub fn main_revision(self) -> &'static str {
        match self {
            Self::HuggingFace => "main",
            Self::ModelScope => "master",
        }
    }

    /// The environment variable that holds the access token.
    pub fn token_variable(self) -> &'static str {
        match self {
            Self::HuggingFace => "HF_TOKEN",
            Self::ModelScope => "MODELSCOPE_API_TOKEN",
        }
    }

    /// The environment variable that names the cache.
    pub fn cache_variable(self) -> &'static str {
        match self {
            Self::HuggingFace => "HF_HOME",
            Self::ModelScope => "MODELSCOPE_CACHE",
        }
    }

    /// The environment variable that names another server.
    pub fn endpoint_variable(self) -> &'static str {
        match self {
            Self::HuggingFace => "HF_ENDPOINT",
            Self::ModelScope => "MODELSCOPE_ENDPOINT",
        }
    }

    /// The repository's page for people.
    pub fn page(self, endpoint: &str, repository: &str) -> String {
        match self {
            Self::HuggingFace => format!("{endpoint}/{repository}"),
            Self::ModelScope => format!("{endpoint}/models/{repository}"),
        }
    }
}

impl fmt::Display for Hub {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::HuggingFace => "Hugging Face",
            Self::ModelScope => "ModelScope",
        })
    }
}
