//! Lints of a build that clippy's driver compiles.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;
use crate::process::describe;

/// Runs a build and fails where a compiler, or clippy, has anything to say.
///
/// # Errors
/// The command. What was said is printed.
pub fn none(mut cargo: Command) -> Result<()> {
    cargo.args(["--message-format", "json"]).stdout(Stdio::piped());
    let named = describe(&cargo);
    let failed = |error| format!("can't run `{named}`: {error}");
    let mut child = cargo.spawn().map_err(failed)?;
    let mut told = BTreeSet::new();
    for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        if let Some(text) = diagnostic(&line.map_err(failed)?)
            && !told.contains(&text)
        {
            println!("{text}");
            told.insert(text);
        }
    }
    let status = child.wait().map_err(failed)?;
    match (status.success(), told.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("`{named}` has warnings")),
        (false, _) => Err(format!("`{named}` failed ({status})")),
    }
}

/// What a line of cargo's JSON tells of the code. Targets that share a file tell the same.
fn diagnostic(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    (message["reason"] == "compiler-message")
        .then(|| message["message"]["rendered"].as_str().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_compilers_words_count() {
        let lint =
            r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: needless"}}"#;
        assert_eq!(diagnostic(lint).as_deref(), Some("warning: needless"));
        for other in
            [r#"{"reason":"compiler-artifact","fresh":true}"#, r#"{"reason":"build-finished"}"#, "words"]
        {
            assert_eq!(diagnostic(other), None, "{other}");
        }
    }
}
