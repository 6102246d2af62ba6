//! One HTTP request: through the right proxy, along redirects, the token only to whom it belongs.

use crate::settings::{Proxies, Settings};
use crate::{Error, Hub, urls};
use std::io;
use std::path::Path;
use std::time::Duration;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};
use url::Url;

/// To connect, the TLS handshake included.
const CONNECT: Duration = Duration::from_secs(30);
/// From the request to the end of the answer's head.
const ANSWER: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Headers alone, and only the hub's own: a redirect to storage is the answer.
    Head,
    Get,
}

/// An answer's head, its body still to be read.
pub struct Reply {
    pub response: Response<Body>,
    /// Where it came from, after redirects.
    pub url: Url,
    /// Whether a redirect led away from the server that was asked.
    pub left_origin: bool,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }
}

pub struct Client {
    agent: Agent,
    proxies: Proxies,
    hub: Hub,
}

impl Client {
    /// # Errors
    /// When the file of trusted certificates can't be used.
    pub fn new(settings: &Settings, hub: Hub) -> Result<Self, Error> {
        let certificates = match &settings.certificates {
            Some(path) => RootCerts::new_with_certs(&read_certificates(path)?),
            None => RootCerts::WebPki,
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // Redirects are followed below, where it is known whom the token belongs to.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("beitscope/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(settings.retries.read_timeout))
            .timeout_per_write(Some(settings.retries.read_timeout))
            .tls_config(TlsConfig::builder().root_certs(certificates).build())
            .build()
            .into();
        Ok(Self { agent, proxies: settings.proxies.clone(), hub })
    }

    /// Sends a request and follows its redirects. `secrets` are headers for the server that `url` names, and for no
    /// other: once a redirect leads away they are never sent again.
    ///
    /// # Errors
    /// Those of the connection. Every status is an answer.
    pub fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, String)],
        secrets: &[(&str, String)],
    ) -> Result<Reply, Error> {
        let asked = Url::parse(url).map_err(|error| Error::answer(url, error.to_string()))?;
        let mut reply = self.send_once(method, &asked, headers, Some(secrets))?;
        for _ in 0..MAX_REDIRECTS {
            if !matches!(reply.status(), 301 | 302 | 303 | 307 | 308) {
                return Ok(reply);
            }
            let target = reply.header("location").and_then(|location| urls::redirect(&reply.url, location));
            let Some(next) = target else {
                return Err(Error::answer(reply.url.as_str(), "a redirect that leads nowhere"));
            };
            if reply.url.scheme() == "https" && next.scheme() != "https" {
                return Err(Error::answer(
                    reply.url.as_str(),
                    "a redirect to a connection without encryption",
                ));
            }
            let left_origin = reply.left_origin || asked.origin() != next.origin();
            let is_answer = left_origin || reply.header("x-linked-etag").is_some();
            if method == Method::Head && is_answer {
                return Ok(reply);
            }
            reply = self.send_once(method, &next, headers, (!left_origin).then_some(secrets))?;
            reply.left_origin = left_origin;
        }
        Err(Error::answer(url, format!("more than {MAX_REDIRECTS} redirects")))
    }

    fn send_once(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&str, String)],
        secrets: Option<&[(&str, String)]>,
    ) -> Result<Reply, Error> {
        let mut request = match method {
            Method::Head => self.agent.head(url.as_str()),
            Method::Get => self.agent.get(url.as_str()),
        };
        // A compressed answer would have another length, and ranges of it other bytes.
        request = request.header("Accept-Encoding", "identity");
        for (name, value) in headers.iter().chain(secrets.unwrap_or_default()) {
            request = request.header(*name, value);
        }
        let proxy = self.proxies.of(url).map(proxy).transpose()?;
        let response = request.config().proxy(proxy).build().call().map_err(|e| self.fault(url, &e))?;
        Ok(Reply { response, url: url.clone(), left_origin: false })
    }

    /// Why there was no answer.
    fn fault(&self, url: &Url, error: &ureq::Error) -> Error {
        let host = urls::server(url);
        let reason = error.to_string();
        let reason = reason.strip_prefix("io: ").unwrap_or(&reason).to_owned();
        match error {
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => Error::Tls { host, reason },
            // rustls reports a certificate that is not trusted through the stream it wraps.
            ureq::Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => Error::Tls { host, reason },
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Error::answer(url.as_str(), reason),
            _ => {
                // Without its user name and password.
                let proxy = self.proxies.of(url);
                let proxy = proxy.map(|p| p.rsplit_once('@').map_or(p, |(_, host)| host).to_owned());
                Error::Unreachable { host, proxy, reason, variable: self.hub.endpoint_variable() }
            }
        }
    }
}

fn proxy(address: &str) -> Result<Proxy, Error> {
    Proxy::new(address).map_err(|_| Error::Setting {
        name: "HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY)".into(),
        expected: "a proxy such as http://proxy.example.org:3128",
        got: address.rsplit_once('@').map_or(address, |(_, host)| host).to_owned(),
    })
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let pem = std::fs::read(path).map_err(Error::io("read the certificates in", path))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Error::Setting {
            name: "SSL_CERT_FILE (or REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE)".into(),
            expected: "a PEM file of certificates",
            got: path.display().to_string(),
        });
    }
    Ok(certificates)
}
