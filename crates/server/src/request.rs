//! The head of an HTTP request: its first line and its headers.

use std::io::{self, BufRead, Read};

/// More than any browser sends; a head beyond this is refused.
const MAX_HEAD_BYTES: u64 = 32 * 1024;

/// A request as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` or what else was asked.
    pub method: String,
    /// The path as it was asked, with its query: `/models/demo/manifest.json?v=2`.
    pub target: String,
    /// Names in lower case, values trimmed.
    headers: Vec<(String, String)>,
    /// HTTP/1.1 rather than HTTP/1.0.
    modern: bool,
}

/// Why a request can't be answered.
#[derive(Debug)]
pub enum ReadError {
    /// The connection ended or failed, before or amid a request.
    Closed,
    /// What arrived is not HTTP/1; answered with 400.
    Malformed,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        match error.kind() {
            io::ErrorKind::InvalidData => ReadError::Malformed,
            _ => ReadError::Closed,
        }
    }
}

impl Request {
    /// Reads the next request's head.
    pub(crate) fn read(reader: &mut impl BufRead) -> Result<Request, ReadError> {
        let mut head = reader.take(MAX_HEAD_BYTES);
        let line = read_line(&mut head)?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(ReadError::Malformed);
        };
        if !matches!(version, "HTTP/1.0" | "HTTP/1.1") || !target.starts_with('/') {
            return Err(ReadError::Malformed);
        }
        let mut headers = Vec::new();
        loop {
            let line = read_line(&mut head)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(ReadError::Malformed)?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            modern: version == "HTTP/1.1",
        })
    }

    /// The path without its query, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The value of the first header with this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether the client may send another request on the same connection.
    pub(crate) fn keeps_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default().to_ascii_lowercase();
        if self.modern { !connection.contains("close") } else { connection.contains("keep-alive") }
    }

    /// Whether bytes follow the head that are not another request.
    pub(crate) fn has_body(&self) -> bool {
        self.header("transfer-encoding").is_some()
            || self.header("content-length").is_some_and(|length| length != "0")
    }
}

fn read_line(head: &mut impl BufRead) -> Result<String, ReadError> {
    let mut line = String::new();
    head.read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.strip_suffix('\r').unwrap_or(line).to_owned()),
        // Cut off by the client, or by the limit on the head.
        None if line.is_empty() => Err(ReadError::Closed),
        None => Err(ReadError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, ReadError> {
        Request::read(&mut text.as_bytes())
    }

    #[test]
    fn a_head_is_taken_apart() {
        let request = read("GET /a%20b.js?v=1 HTTP/1.1\r\nHost: here\r\nRANGE:  bytes=0-1 \r\n\r\n").unwrap();
        assert_eq!((request.method.as_str(), request.path()), ("GET", "/a%20b.js"));
        assert_eq!(request.target, "/a%20b.js?v=1");
        assert_eq!(request.header("range"), Some("bytes=0-1"));
        assert!(request.keeps_alive() && !request.has_body());
    }

    #[test]
    fn connections_close_when_asked_or_old() {
        assert!(!read("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").unwrap().keeps_alive());
        assert!(!read("GET / HTTP/1.0\r\n\r\n").unwrap().keeps_alive());
        assert!(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap().keeps_alive());
    }

    #[test]
    fn nonsense_is_malformed_and_silence_is_closed() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(40_000));
        for text in ["GET\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", &long] {
            assert!(matches!(read(text), Err(ReadError::Malformed)), "{text:.40}");
        }
        assert!(matches!(read("GET / HTTP/1.1\r\nnocolon\r\n\r\n"), Err(ReadError::Malformed)));
        for text in ["", "GET / HTTP/1.1\r\n"] {
            assert!(matches!(read(text), Err(ReadError::Closed)), "{text}");
        }
    }
}
