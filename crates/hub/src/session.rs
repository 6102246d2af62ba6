//! Requests to one hub about one repository, their statuses turned into errors.

use crate::http::{Client, Method, Reply};
use crate::listing::Listing;
use crate::retry::{Retries, RetryBudget};
use crate::settings::{Settings, Site};
use crate::{Error, Event, Hub, Reference, urls};
use std::io::Read;
use std::time::Duration;

/// The longest listing that is read.
const MAX_JSON_BYTES: u64 = 64 << 20;

/// What a request is about, for the sentence when there is no such thing.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    Repository,
    File(&'a str),
}

pub struct Session<'a> {
    client: Client,
    pub site: &'a Site,
    pub reference: &'a Reference,
    pub retries: &'a Retries,
    pub notify: &'a dyn Fn(Event),
    secrets: Vec<(&'static str, String)>,
}

impl<'a> Session<'a> {
    /// # Errors
    /// See [`Client::new`].
    pub fn new(
        reference: &'a Reference,
        settings: &'a Settings,
        notify: &'a dyn Fn(Event),
    ) -> Result<Self, Error> {
        let site = settings.site(reference.hub);
        let mut secrets = Vec::new();
        if let Some(token) = &site.token {
            secrets.push(("Authorization", format!("Bearer {}", token.secret())));
            if reference.hub == Hub::ModelScope {
                // Its older paths know only the cookie.
                secrets.push(("Cookie", format!("m_session_id={}", token.secret())));
            }
        }
        let client = Client::new(settings, reference.hub)?;
        Ok(Self { client, site, reference, retries: &settings.retries, notify, secrets })
    }

    /// The repository's files.
    ///
    /// # Errors
    /// Also when the answer is no listing.
    pub fn listing(&self) -> Result<Listing, Error> {
        let url = &self.reference.listing_address(&self.site.endpoint);
        self.with_retries(|| {
            let reply = self.send(Method::Get, url, &[], Subject::Repository)?;
            let mut json = Vec::new();
            let mut reader = reply.response.into_body().into_with_config().limit(MAX_JSON_BYTES).reader();
            reader.read_to_end(&mut json).map_err(|error| Error::answer(url, error.to_string()))?;
            Listing::parse(self.reference.hub, &json).map_err(|reason| Error::answer(url, reason))
        })
    }

    /// The headers of `url`, as the hub itself gives them: of a redirect to another server, the redirect's.
    ///
    /// # Errors
    /// As for every request.
    pub fn head(&self, url: &str, subject: Subject) -> Result<Reply, Error> {
        self.with_retries(|| self.send(Method::Head, url, &[], subject))
    }

    fn with_retries<T>(&self, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut budget = RetryBudget::new(self.retries);
        loop {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(error) => budget.spend(error, self.notify)?,
            }
        }
    }

    /// One attempt; an answer that is neither success nor a redirect is an error, but 416 is an answer.
    ///
    /// # Errors
    /// Those of the connection and of the status.
    pub fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, String)],
        subject: Subject,
    ) -> Result<Reply, Error> {
        let reply = self.client.send(method, url, headers, &self.secrets)?;
        match reply.status() {
            200..=399 | 416 => Ok(reply),
            _ => Err(self.fault(&reply, subject)),
        }
    }

    fn fault(&self, reply: &Reply, subject: Subject) -> Error {
        let (hub, repository) = (self.reference.hub, self.reference.repository());
        let endpoint = self.site.endpoint.clone();
        let host = urls::server(&reply.url);
        let (status, code) = (reply.status(), reply.header("x-error-code"));
        let wait = reply.number("retry-after").map(Duration::from_secs);
        match (status, code) {
            (429, _) => Error::TooManyRequests { host, wait, variable: hub.token_variable() },
            // A storage server that the hub led to has no say in who may read: its signed addresses run out, and
            // the next request to the hub gives a fresh one.
            (401 | 403 | 404 | 410, _) if reply.left_origin => Error::Server { host, status, wait },
            (408 | 500..=599, _) => Error::Server { host, status, wait },
            (404, Some("RevisionNotFound")) => {
                let revision = self.reference.revision.clone().unwrap_or_else(|| "main".into());
                Error::NoRevision { hub, repository, revision }
            }
            (404, Some("EntryNotFound")) | (404, None) if let Subject::File(file) = subject => {
                Error::NoFile { hub, repository, file: file.to_owned(), files: Vec::new() }
            }
            (404, _) => {
                // ModelScope does not say which of the two it lacks.
                let revision = self.reference.revision.as_ref().filter(|_| hub == Hub::ModelScope);
                let at = revision.map(|revision| format!(" with a revision {revision}")).unwrap_or_default();
                Error::NoRepository { repository: repository + &at, endpoint }
            }
            (401 | 403, _) => {
                let with_token = !self.secrets.is_empty();
                Error::Access { hub, repository, endpoint, status, with_token }
            }
            _ => Error::answer(reply.url.as_str(), format!("status {status}")),
        }
    }
}
