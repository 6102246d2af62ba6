//! One client's connection: its requests, one after another.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::answer::Answer;
use crate::disturbance::{Changes, Instead};
use crate::request::{ReadError, Request};
use crate::{Disturbance, Record, Shared, lock};

/// How long a connection may lie idle, and how long a client may refuse to take bytes.
const IDLE: Duration = Duration::from_secs(120);

/// Answers requests until the client leaves, is silent for long, or breaks the protocol.
pub fn serve(stream: &TcpStream, shared: &Shared) {
    let configured = stream
        .set_read_timeout(Some(IDLE))
        .and_then(|()| stream.set_write_timeout(Some(IDLE)))
        // Heads are small and the client waits for each.
        .and_then(|()| stream.set_nodelay(true));
    if configured.is_ok() {
        let mut reader = BufReader::new(stream);
        while answer_next(&mut reader, stream, shared) {}
    }
    // Other handles of this connection are alive; the client must see its end now.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Whether the connection is good for another request.
fn answer_next(reader: &mut BufReader<&TcpStream>, stream: &TcpStream, shared: &Shared) -> bool {
    let request = match Request::read(reader) {
        Ok(request) => request,
        Err(ReadError::Closed) => return false,
        Err(ReadError::Malformed) => {
            let mut answer = Answer::text(400, "That is not an HTTP/1.1 request.\n");
            answer.add_common_headers(shared, true);
            let _ = answer.send(stream, false, &Changes::default());
            return false;
        }
    };
    let disturbance = shared.options.disturb.as_ref().map_or(Disturbance::None, |disturb| disturb(&request));
    let mut changes = Changes::from(disturbance);
    if changes.silence {
        await_end(reader, shared);
        return false;
    }
    let mut answer = match changes.instead.take() {
        Some(Instead { status, content_type, headers, body }) => {
            Answer::bytes(status, content_type, body).with(&headers)
        }
        None => Answer::to(&request, shared, changes.ignore_range),
    };
    thread::sleep(changes.delay);
    // A body is not read, so nothing after it can be either.
    let closing = !request.keeps_alive() || request.has_body();
    answer.add_common_headers(shared, closing);
    answer.replace_headers(&changes.headers);
    if shared.options.record {
        // Before the answer is sent, so that a client that has it finds it recorded.
        lock(&shared.records).push(Record {
            method: request.method.clone(),
            target: request.target.clone(),
            range: request.header("range").map(str::to_owned),
            if_range: request.header("if-range").map(str::to_owned),
            status: answer.status,
            length: answer.length(),
        });
    }
    let head_only = request.method == "HEAD";
    let sent = answer.send(stream, head_only, &changes).is_ok();
    if changes.holds() {
        await_end(reader, shared);
        return false;
    }
    sent && !closing
}

/// Returns once the client has left or the server stops. What the client asks meanwhile stays unanswered.
fn await_end(reader: &mut BufReader<&TcpStream>, shared: &Shared) {
    while !shared.stopping.load(Ordering::SeqCst) {
        let asked = match reader.fill_buf() {
            Ok(bytes) => bytes.len(),
            // It is merely silent for longer than [`IDLE`].
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return,
        };
        if asked == 0 {
            return;
        }
        reader.consume(asked);
    }
}
