//! Runs a program that may crash, hang or be stuck in a driver, for so many seconds at most, and keeps what it printed.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The end of what it printed to stderr is kept: so many bytes.
const TAIL: usize = 3000;
/// A process that was killed is waited for so long: one that is stuck in a driver never ends.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// The reading of stderr may end so much later than the process: it is another thread, and what the process started may
/// hold stderr open.
const AFTER_END: Duration = Duration::from_secs(2);
/// How often a process that closed its output is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(10);

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Finished,
    /// By itself, and not well: a sentence.
    Failed(String),
    /// It was killed at its limit.
    TimedOut,
    /// It was killed at its limit and did not end: it is stuck in the kernel, most likely in the GPU's driver.
    Stuck,
}

/// A process that has ended or was given up.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub ended: Ended,
    pub seconds: f64,
    /// The end of what it printed to stderr.
    pub stderr: String,
}

/// Runs `command` for at most `seconds`; `line` gets each line of its stdout as it comes. Its stdin is open as long as
/// this process lives: by its end it can tell that nobody waits any more.
pub fn run(mut command: Command, seconds: f64, mut line: impl FnMut(&str)) -> Outcome {
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(seconds.max(0.0));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let outcome = |ended, stderr: String| Outcome { ended, seconds: begun.elapsed().as_secs_f64(), stderr };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let program = command.get_program().to_string_lossy();
            return outcome(Ended::Failed(format!("{program} can't be started: {error}")), String::new());
        }
    };
    let tail = Arc::new(Mutex::new(Vec::new()));
    let (stderr_open, stderr_ended) = channel::<()>();
    if let Some(stderr) = child.stderr.take() {
        let tail = tail.clone();
        thread::spawn(move || {
            keep_tail(stderr, &tail);
            drop(stderr_open);
        });
    } else {
        drop(stderr_open);
    }
    let (send, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while stdout.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                if send.send(String::from_utf8_lossy(&bytes).trim_end().to_owned()).is_err() {
                    break;
                }
                bytes.clear();
            }
        });
    } else {
        drop(send);
    }
    let mut is_open = true;
    let ended = loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let stuck = !kill(&mut child);
            lines.try_iter().for_each(|text| line(&text));
            break if stuck { Ended::Stuck } else { Ended::TimedOut };
        }
        if is_open {
            match lines.recv_timeout(left) {
                Ok(text) => line(&text),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => is_open = false,
            }
            continue;
        }
        match child.try_wait() {
            Ok(Some(status)) => break ended(status),
            Ok(None) => thread::sleep(PAUSE.min(left)),
            Err(error) => break Ended::Failed(format!("its end can't be known: {error}")),
        }
    };
    // Nothing is ever sent: it returns when the reading has ended.
    let _ = stderr_ended.recv_timeout(AFTER_END);
    let tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
    outcome(ended, String::from_utf8_lossy(&tail).trim().to_owned())
}

fn keep_tail(mut from: impl Read, tail: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&buffer[..read]);
        let surplus = tail.len().saturating_sub(TAIL);
        tail.drain(..surplus);
    }
}

/// Kills the process and those that it started. False if it did not end.
fn kill(child: &mut Child) -> bool {
    // Its group has its number; the standard library kills single processes only.
    let group = format!("kill -9 -{}", child.id());
    if let Ok(mut killing) = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).spawn() {
        let _ = killing.wait();
    }
    let _ = child.kill();
    let end = Instant::now() + AFTER_KILL;
    while Instant::now() < end {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        thread::sleep(PAUSE);
    }
    false
}

fn ended(status: ExitStatus) -> Ended {
    match status.success() {
        true => Ended::Finished,
        // Names the signal of a crash.
        false => Ended::Failed(format!("it ended with {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, seconds: f64) -> (Outcome, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut lines = Vec::new();
        let outcome = run(command, seconds, |line| lines.push(line.to_owned()));
        (outcome, lines)
    }

    #[test]
    fn what_ends_by_itself_is_heard_whole() {
        let (outcome, lines) = shell("echo one; echo two; echo why >&2", 20.0);
        assert_eq!((outcome.ended, lines), (Ended::Finished, vec!["one".into(), "two".into()]));
        assert_eq!(outcome.stderr, "why");
    }

    #[test]
    fn stderr_is_read_to_its_end_and_no_longer_than_a_while() {
        let (outcome, _) = shell("(sleep 0.3; echo late >&2) >&- & exit 0", 20.0);
        assert_eq!((outcome.ended, &outcome.stderr[..]), (Ended::Finished, "late"));
        let (outcome, _) = shell("echo early >&2; sleep 30 >&- & exit 0", 20.0);
        assert_eq!((outcome.ended, &outcome.stderr[..]), (Ended::Finished, "early"));
        assert!(outcome.seconds < 20.0, "{}", outcome.seconds);
    }

    #[test]
    fn what_was_printed_before_a_crash_is_kept() {
        let (outcome, lines) = shell("echo one; kill -SEGV $$", 20.0);
        assert_eq!(lines, ["one"]);
        assert!(matches!(&outcome.ended, Ended::Failed(why) if why.contains("signal: 11")), "{outcome:?}");
        let (outcome, _) = shell("exit 3", 20.0);
        assert!(matches!(&outcome.ended, Ended::Failed(why) if why.contains("status: 3")), "{outcome:?}");
    }

    #[test]
    fn what_hangs_is_killed_with_all_that_it_started() {
        let (outcome, lines) = shell("echo one; sleep 61.25 & sleep 61.25", 0.3);
        assert_eq!((&outcome.ended, &lines[..]), (&Ended::TimedOut, &["one".to_owned()][..]));
        assert!(outcome.seconds < 5.0, "{outcome:?}");
    }

    #[test]
    fn what_closes_its_output_and_goes_on_is_killed_too() {
        let (outcome, _) = shell("exec >&- 2>&-; sleep 62", 0.3);
        assert_eq!(outcome.ended, Ended::TimedOut);
    }

    #[test]
    fn what_cannot_start_is_said() {
        let outcome = run(Command::new("a-program-that-is-nowhere"), 5.0, |_| ());
        assert!(matches!(&outcome.ended, Ended::Failed(why) if why.contains("a-program-that-is-nowhere")));
    }

    #[test]
    fn only_the_end_of_stderr_is_kept() {
        let (outcome, _) = shell("for i in $(seq 1 2000); do echo line $i >&2; done", 20.0);
        assert!(
            outcome.stderr.len() <= TAIL && outcome.stderr.ends_with("line 2000"),
            "{}",
            outcome.stderr.len()
        );
    }
}
