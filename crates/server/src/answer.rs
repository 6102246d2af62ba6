//! What a request is answered with.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::date::http_date;
use crate::disturbance::Changes;
use crate::range::{Wanted, wanted};
use crate::request::Request;
use crate::resolve::{Resolved, resolve};
use crate::{CONTENT_SECURITY_POLICY, Shared, content_type};

/// Bytes read from a file and sent at a time.
const CHUNK_BYTES: u64 = 64 * 1024;

/// A status, its headers and its body.
pub struct Answer {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    /// 304 has neither a body nor its length.
    None,
    Bytes(Vec<u8>),
    /// So many bytes, from the file's position on.
    File(File, u64),
}

impl Answer {
    /// Answers `request`, with the whole file where `ignore_range`, before anything else disturbs it.
    pub fn to(request: &Request, shared: &Shared, ignore_range: bool) -> Answer {
        if request.method != "GET" && request.method != "HEAD" {
            let mut answer = Answer::text(405, "Only GET and HEAD are answered here.\n");
            answer.headers.push(("Allow", "GET, HEAD".into()));
            return answer;
        }
        let prefix = &shared.options.prefix;
        match resolve(&shared.root, prefix, request.path()) {
            Resolved::File(path) => Answer::file(request, &path, ignore_range)
                .unwrap_or_else(|_| Answer::text(500, "The file could not be read.\n")),
            Resolved::Redirect(mut location) => {
                location.push_str(&request.target[request.path().len()..]);
                let mut answer = Answer::text(301, "It is here with a slash at the end.\n");
                answer.headers.push(("Location", location));
                answer
            }
            Resolved::Nothing if !request.path().starts_with(prefix.as_str()) => {
                Answer::text(404, &format!("Not found. This server's files are under {prefix}\n"))
            }
            Resolved::Nothing => Answer::text(404, "Not found.\n"),
        }
    }

    /// The file at `path`, or the part of it that is asked for and the client lacks.
    fn file(request: &Request, path: &Path, ignore_range: bool) -> io::Result<Answer> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let length = metadata.len();
        let tag = entity_tag(&metadata);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut answer = Answer {
            status: 200,
            headers: vec![
                ("Content-Type", content_type(&name).into()),
                ("ETag", tag.clone()),
                ("Last-Modified", http_date(modified(&metadata))),
                ("Accept-Ranges", if ignore_range { "none" } else { "bytes" }.into()),
            ],
            body: Body::None,
        };
        let known = request.header("if-none-match").unwrap_or_default();
        if known.split(',').any(|known| matches!(known.trim(), "*") || known.trim() == tag) {
            answer.status = 304;
            return Ok(answer);
        }
        // A part is only of use to a client whose other parts are of the same file.
        let same = request.header("if-range").is_none_or(|known| known == tag);
        match wanted(request.header("range").filter(|_| same && !ignore_range), length) {
            Wanted::All => answer.body = Body::File(file, length),
            Wanted::Part(range) => {
                answer.status = 206;
                let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                answer.headers.push(("Content-Range", content_range));
                file.seek(SeekFrom::Start(range.start))?;
                answer.body = Body::File(file, range.end - range.start);
            }
            Wanted::Unsatisfiable => {
                answer = Answer::text(416, "The file is shorter than that.\n");
                answer.headers.push(("Content-Range", format!("bytes */{length}")));
            }
        }
        Ok(answer)
    }

    /// A sentence.
    pub fn text(status: u16, sentence: &str) -> Answer {
        Answer::bytes(status, "text/plain; charset=utf-8", sentence.into())
    }

    /// These bytes.
    pub fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Answer {
        Answer { status, headers: vec![("Content-Type", content_type.into())], body: Body::Bytes(body) }
    }

    /// With more headers.
    pub fn with(mut self, headers: &[(&'static str, String)]) -> Answer {
        self.headers.extend_from_slice(headers);
        self
    }

    /// Puts headers in place of those of the same names.
    pub fn replace_headers(&mut self, headers: &[(&'static str, String)]) {
        self.headers.retain(|(name, _)| !headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name)));
        self.headers.extend_from_slice(headers);
    }

    /// Length of the body.
    pub fn length(&self) -> u64 {
        match &self.body {
            Body::None => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        }
    }

    /// Adds what every answer of this server says.
    pub fn add_common_headers(&mut self, shared: &Shared, closing: bool) {
        let options = &shared.options;
        // The browser may keep a copy, but asks each time whether it is still the same.
        self.headers.push(("Cache-Control", "no-cache".into()));
        self.headers.push(("X-Content-Type-Options", "nosniff".into()));
        self.headers.push(("Content-Security-Policy", CONTENT_SECURITY_POLICY.into()));
        self.headers.push(("Referrer-Policy", "no-referrer".into()));
        self.headers.push(("Date", http_date(SystemTime::now())));
        if options.isolation {
            self.headers.push(("Cross-Origin-Opener-Policy", "same-origin".into()));
            self.headers.push(("Cross-Origin-Embedder-Policy", "require-corp".into()));
        }
        if options.cross_origin {
            self.headers.push(("Access-Control-Allow-Origin", "*".into()));
            self.headers.push(("Cross-Origin-Resource-Policy", "cross-origin".into()));
        } else if options.isolation {
            self.headers.push(("Cross-Origin-Resource-Policy", "same-origin".into()));
        }
        if !matches!(self.body, Body::None) {
            self.headers.push(("Content-Length", self.length().to_string()));
        }
        if closing {
            self.headers.push(("Connection", "close".into()));
        }
    }

    /// Sends it, without the body where `head_only`.
    ///
    /// # Errors
    /// Also when the disturbance is to hang up: the connection is of no use afterwards.
    pub fn send(self, mut to: impl Write, head_only: bool, changes: &Changes) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        to.write_all(head.as_bytes())?;
        if head_only {
            return Ok(());
        }
        match self.body {
            Body::None => Ok(()),
            Body::Bytes(bytes) => {
                let length = bytes.len() as u64;
                send_body(&mut bytes.as_slice(), length, to, changes)
            }
            Body::File(mut file, length) => send_body(&mut file, length, to, changes),
        }
    }
}

fn send_body(from: &mut impl Read, length: u64, mut to: impl Write, changes: &Changes) -> io::Result<()> {
    let end = changes.end.map_or(length, |end| length.min(end.after));
    // About ten chunks a second, so that progress can be watched.
    let chunk_bytes = changes.bytes_per_second.map_or(CHUNK_BYTES, |rate| (rate / 10).clamp(1, CHUNK_BYTES));
    let started = Instant::now();
    let mut chunk = vec![0; chunk_bytes.min(end) as usize];
    let mut sent = 0;
    while sent < end {
        let part = &mut chunk[..chunk_bytes.min(end - sent) as usize];
        // Fails where the file has shrunk meanwhile: the client then sees a body cut short.
        from.read_exact(part)?;
        if let Some(offset) = changes.corrupt
            && let Some(byte) = offset.checked_sub(sent).and_then(|index| part.get_mut(index as usize))
        {
            *byte = !*byte;
        }
        to.write_all(part)?;
        sent += part.len() as u64;
        if let Some(rate) = changes.bytes_per_second {
            let due = Duration::from_secs_f64(sent as f64 / rate.max(1) as f64);
            thread::sleep(due.saturating_sub(started.elapsed()));
        }
    }
    match changes.end {
        Some(end) if !end.hold => Err(io::ErrorKind::ConnectionAborted.into()),
        _ => Ok(()),
    }
}

/// Tells two states of a file apart by size and time of change.
fn entity_tag(metadata: &Metadata) -> String {
    let since = modified(metadata).duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("\"{:x}-{:x}\"", metadata.len(), since.as_nanos())
}

fn modified(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(UNIX_EPOCH)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
