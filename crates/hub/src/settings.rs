//! What the environment says. The names and defaults are those of Python's `huggingface_hub` and `modelscope`.

use crate::hub::Hub;
use crate::retry::Retries;
use crate::{Error, urls};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// Where models come from, where they go, and how the network is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Hugging Face, or a mirror of it.
    pub hugging_face: Site,
    /// ModelScope, or a mirror of it.
    pub modelscope: Site,
    /// The variable that forbids to ask Hugging Face, if one does.
    pub offline: Option<&'static str>,
    /// The proxies to use.
    pub proxies: Proxies,
    /// A PEM file of certificate authorities to trust instead of Mozilla's.
    pub certificates: Option<PathBuf>,
    /// How transient errors are retried.
    pub retries: Retries,
}

/// One hub.
#[derive(Clone, Debug)]
pub struct Site {
    /// Scheme, host and maybe a path, without a slash at the end.
    pub endpoint: String,
    /// The access token, where there is one.
    pub token: Option<Token>,
    /// The folder that holds the repositories' folders.
    pub cache: PathBuf,
}

/// An access token. It is not shown by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// `None` for what no HTTP header can carry.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'))
            .then(|| Self(text.into()))
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Which proxy to go through, as `curl` reads the variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http:` addresses.
    pub http: Option<String>,
    /// For `https:` addresses.
    pub https: Option<String>,
    /// Hosts to reach directly: names with all names under them, or `*`.
    pub none: Vec<String>,
}

impl Proxies {
    /// The proxy for a URL.
    pub fn of(&self, url: &Url) -> Option<&str> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let host = url.host_str().unwrap_or_default();
        proxy.as_deref().filter(|_| !self.none.iter().any(|entry| covers(entry, host)))
    }
}

/// Whether an entry of `NO_PROXY` is about a host.
fn covers(entry: &str, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let entry = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    entry == "*" || host == entry || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'))
}

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// When a variable makes no sense, a token's file can't be read, or there is no home folder.
    pub fn from_env() -> Result<Self, Error> {
        Self::read(&|name| std::env::var_os(name))
    }

    /// Reads an environment that `lookup` gives.
    ///
    /// # Errors
    /// See [`Settings::from_env`].
    pub fn read(lookup: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let environment = Environment { lookup };
        Ok(Self {
            hugging_face: environment.hugging_face()?,
            modelscope: environment.modelscope()?,
            offline: ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]
                .into_iter()
                .find(|name| environment.is_true(name)),
            proxies: environment.proxies(),
            certificates: environment
                .first(&["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
                .map(|(_, path)| path.into()),
            retries: Retries::default(),
        })
    }

    pub(crate) fn site(&self, hub: Hub) -> &Site {
        match hub {
            Hub::HuggingFace => &self.hugging_face,
            Hub::ModelScope => &self.modelscope,
        }
    }
}

struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
}

impl Environment<'_> {
    /// A variable's value; an empty one counts as not set.
    fn value(&self, name: &str) -> Option<OsString> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn first(&self, names: &[&'static str]) -> Option<(&'static str, OsString)> {
        names.iter().find_map(|name| self.value(name).map(|value| (*name, value)))
    }

    fn text(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        self.first(names).map(|(name, value)| (name, value.to_string_lossy().trim().to_owned()))
    }

    fn is_true(&self, name: &str) -> bool {
        let value = self.value(name).map(|value| value.to_string_lossy().to_ascii_uppercase());
        value.is_some_and(|value| matches!(&*value, "1" | "ON" | "YES" | "TRUE"))
    }

    /// The folder that the first of these variables names, `~` replaced.
    fn folder(&self, names: &[&'static str]) -> Result<Option<PathBuf>, Error> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        let path = PathBuf::from(value);
        match path.strip_prefix("~") {
            Ok(rest) => Ok(Some(self.home(name)?.join(rest))),
            Err(_) => Ok(Some(path)),
        }
    }

    fn home(&self, variable: &'static str) -> Result<PathBuf, Error> {
        let home = self.value("HOME").or_else(|| self.value("USERPROFILE")).map(PathBuf::from);
        home.or_else(std::env::home_dir).filter(|home| home.is_absolute()).ok_or(Error::NoHome { variable })
    }

    fn hugging_face(&self) -> Result<Site, Error> {
        let home = match self.folder(&["HF_HOME"])? {
            Some(home) => home,
            None => match self.folder(&["XDG_CACHE_HOME"])? {
                Some(cache) => cache.join("huggingface"),
                None => self.home("HF_HOME")?.join(".cache/huggingface"),
            },
        };
        let cache = self.folder(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"])?;
        let token = match self.text(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
            Some((name, text)) => Some(token(name, &text)?),
            None if self.is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN") => None,
            None => {
                let path = self.folder(&["HF_TOKEN_PATH"])?.unwrap_or_else(|| home.join("token"));
                read_token(&path)?
            }
        };
        Ok(Site {
            endpoint: self.endpoint(&["HF_ENDPOINT"], Hub::HuggingFace.endpoint())?,
            token,
            cache: cache.unwrap_or_else(|| home.join("hub")),
        })
    }

    fn modelscope(&self) -> Result<Site, Error> {
        let cache = match self.folder(&["MODELSCOPE_CACHE"])? {
            Some(cache) => cache,
            None => self.home("MODELSCOPE_CACHE")?.join(".cache/modelscope"),
        };
        let token = match self.text(&["MODELSCOPE_API_TOKEN"]) {
            Some((name, text)) => Some(token(name, &text)?),
            None => None,
        };
        let names = ["MODELSCOPE_ENDPOINT", "MODELSCOPE_DOMAIN"];
        let endpoint = self.endpoint(&names, Hub::ModelScope.endpoint())?;
        Ok(Site { endpoint, token, cache })
    }

    fn endpoint(&self, names: &[&'static str], default: &str) -> Result<String, Error> {
        let Some((name, text)) = self.text(names) else { return Ok(default.to_owned()) };
        let full = if text.contains("://") { text.clone() } else { format!("https://{text}") };
        let endpoint = full.trim_end_matches('/');
        if urls::is_endpoint(endpoint) {
            Ok(endpoint.to_owned())
        } else {
            let expected = "an address such as https://hub.example.org";
            Err(Error::Setting { name: name.to_owned(), expected, got: text })
        }
    }

    fn proxies(&self) -> Proxies {
        let text = |names| self.text(names).map(|(_, text)| text);
        let none = text(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Proxies {
            http: text(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: text(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            none: none
                .split([',', ' '])
                .filter(|entry| !entry.is_empty())
                .map(|entry| without_port(entry).trim_matches(['[', ']']).to_owned())
                .collect(),
        }
    }
}

/// An entry of `NO_PROXY` may carry a port, which makes no difference here; an IPv6 address has colons of its own.
fn without_port(entry: &str) -> &str {
    match entry.rsplit_once(':') {
        Some((host, _)) if !host.contains(':') || host.ends_with(']') => host,
        _ => entry,
    }
}

fn token(name: &str, text: &str) -> Result<Token, Error> {
    let expected = "an access token, letters and digits on one line";
    // The value is a secret, or nearly one.
    Token::new(text).ok_or_else(|| Error::Setting { name: name.to_owned(), expected, got: "…".into() })
}

fn read_token(path: &Path) -> Result<Option<Token>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Token::new(&text)),
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::io("read the access token in", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Error> {
        let all: Vec<_> = [("HOME", "/home/x")].iter().chain(variables).copied().collect();
        Settings::read(&move |name| all.iter().rev().find(|(other, _)| *other == name).map(|v| v.1.into()))
    }

    #[test]
    fn caches_are_where_the_hubs_libraries_have_them() {
        for (variables, expected) in [
            (&[][..], "/home/x/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/c")], "/c/huggingface/hub"),
            (&[("HF_HOME", "/d/hf"), ("XDG_CACHE_HOME", "/c")], "/d/hf/hub"),
            (&[("HF_HOME", "~/hf")], "/home/x/hf/hub"),
            (&[("HF_HUB_CACHE", "/e"), ("HF_HOME", "/d/hf")], "/e"),
        ] {
            assert_eq!(read(variables).unwrap().hugging_face.cache, Path::new(expected), "{variables:?}");
        }
        assert_eq!(read(&[]).unwrap().modelscope.cache, Path::new("/home/x/.cache/modelscope"));
        assert_eq!(read(&[("MODELSCOPE_CACHE", "/m")]).unwrap().modelscope.cache, Path::new("/m"));
    }

    #[test]
    fn endpoints_may_lack_a_scheme_and_must_make_sense() {
        let endpoint = |value| read(&[("HF_ENDPOINT", value)]).map(|s| s.hugging_face.endpoint);
        assert_eq!(endpoint("").unwrap(), "https://huggingface.co");
        assert_eq!(endpoint("http://127.0.0.1:8000/").unwrap(), "http://127.0.0.1:8000");
        assert_eq!(endpoint("hf-mirror.example").unwrap(), "https://hf-mirror.example");
        for value in ["ftp://x", "http://", "https://a b", "https://x?y", "https://user:secret@x"] {
            assert!(endpoint(value).unwrap_err().to_string().contains("HF_ENDPOINT"), "{value}");
        }
        let domain = read(&[("MODELSCOPE_DOMAIN", "www.modelscope.ai")]).unwrap().modelscope.endpoint;
        assert_eq!(domain, "https://www.modelscope.ai");
    }

    #[test]
    fn a_token_comes_from_its_variable_or_else_its_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        let home = folder.path().to_str().unwrap();
        let secret = |variables: &[(&str, &str)]| {
            let token = read(variables).unwrap().hugging_face.token;
            token.map(|token| token.secret().to_owned())
        };
        assert_eq!(secret(&[("HF_HOME", home)]).as_deref(), Some("hf_file"));
        assert_eq!(secret(&[("HF_HOME", home), ("HF_TOKEN", " hf_env ")]).as_deref(), Some("hf_env"));
        assert_eq!(secret(&[("HF_HOME", home), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
        assert_eq!(secret(&[]), None);
        let settings = read(&[("HF_TOKEN", "hf_env"), ("MODELSCOPE_API_TOKEN", "ms-env")]).unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hf_env") && !shown.contains("ms-env"), "{shown}");
        let refused = read(&[("HF_TOKEN", "hf_a\nX-Evil: 1")]).unwrap_err().to_string();
        assert!(refused.contains("HF_TOKEN") && !refused.contains("Evil"), "{refused}");
    }

    #[test]
    fn proxies_are_chosen_by_scheme_and_host() {
        let proxies = read(&[
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("ALL_PROXY", "http://other:1"),
            ("NO_PROXY", "localhost, .corp.example,*.intra,10.0.0.1:80,::1,[fe80::2]:80"),
        ])
        .unwrap()
        .proxies;
        for (url, expected) in [
            ("https://huggingface.co/a", Some("http://proxy:3128")),
            ("http://huggingface.co/a", Some("http://other:1")),
            ("https://localhost:8000/", None),
            ("https://hub.corp.example/", None),
            ("https://corp.example/", None),
            ("https://xcorp.example/", Some("http://proxy:3128")),
            ("https://a.b.INTRA/", None),
            ("http://10.0.0.1:99/", None),
            ("http://[::1]:99/", None),
            ("http://[fe80::2]/", None),
            ("http://[fe80::3]/", Some("http://other:1")),
        ] {
            assert_eq!(proxies.of(&Url::parse(url).unwrap()), expected, "{url}");
        }
        let none = read(&[("no_proxy", "*"), ("all_proxy", "p:1")]).unwrap().proxies;
        assert_eq!(none.of(&Url::parse("http://x/").unwrap()), None);
    }
}
