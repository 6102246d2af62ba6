//! Where answers go: JSON to stdout, words to stderr.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Whether to print JSON: when asked to, and whenever a program reads along. Only a person who looks
/// at the terminal gets a table instead.
pub fn wants_json(asked: bool) -> bool {
    asked || !io::stdout().is_terminal()
}

/// One line of JSON on stdout.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string(value).map_err(|e| Failure::Data(format!("cannot write the answer: {e}")))?;
    let mut stdout = io::stdout().lock();
    // Flushed line by line: whoever reads along gets each answer at once.
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_err(|e| Failure::Data(format!("cannot write to stdout: {e}")))
}

/// One line of JSON on stdout: the file, and what is told of it.
pub fn json_of(file: &str, what: &impl Serialize) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        file: &'a str,
        #[serde(flatten)]
        what: &'a T,
    }
    json(&Line { file, what })
}

/// Tells of a file that failed.
pub fn failure(file: &str, error: &str, as_json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
    }
    if as_json {
        return json_of(file, &Refusal { error });
    }
    say(&format!("{file}\n  {error}"));
    Ok(())
}

/// A line of words on stderr.
pub fn say(line: &str) {
    // Nothing can be done about an stderr that is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Bytes in MB (10⁶), or kB below one.
pub fn size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{:.1} kB", bytes as f64 / 1e3)
    } else {
        format!("{:.1} MB", bytes as f64 / 1e6)
    }
}
