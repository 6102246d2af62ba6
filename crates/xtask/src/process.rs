//! Running other programs.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::Result;

/// How many lines of a failed job's output are printed.
const TAIL: usize = 100;

/// Runs a program that shares this terminal.
///
/// # Errors
/// Names the command when it can't be run or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("can't run `{}`: {error}", describe(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", describe(command))) }
}

/// Runs a program and returns what it printed on its standard output.
///
/// # Errors
/// Names the command when it can't be run or fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("can't run `{}`: {error}", describe(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}` failed ({}): {}", describe(command), output.status, said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a long job: its output goes to the file `log`, this terminal shows for how long it has
/// run, and its last line.
///
/// # Errors
/// The command and the last lines of its output, when it can't be run or fails.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let log_error = |error: io::Error| format!("can't write {}: {error}", log.display());
    let file = File::create(log).map_err(log_error)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone().map_err(log_error)?)
        .stderr(file)
        .spawn()
        .map_err(|error| format!("can't run `{}`: {error}", describe(command)))?;
    let started = Instant::now();
    let terminal = io::stderr().is_terminal();
    // A terminal's line is rewritten; elsewhere each report is a line, so they come seldom.
    let every = Duration::from_secs(if terminal { 1 } else { 30 });
    let mut due = every;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if started.elapsed() >= due {
            due += every;
            let line = format!("  {} so far: {:.60}", human_duration(started.elapsed()), last_line(log));
            if terminal {
                eprint!("\r\x1b[K{line}");
                let _ = io::stderr().flush();
            } else {
                eprintln!("{line}");
            }
        }
        thread::sleep(Duration::from_millis(200));
    };
    if terminal {
        eprint!("\r\x1b[K");
    }
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(log).unwrap_or_default();
    // Cargo's progress says nothing of the failure.
    let lines: Vec<_> = said.lines().filter(|line| !line.starts_with("   Compiling ")).collect();
    let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
    Err(format!("`{}` failed ({status}); its output ends:\n{tail}", describe(command)))
}

fn last_line(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

/// The result of a job on a thread of its own.
pub fn joined(job: ScopedJoinHandle<Result<()>>) -> Result<()> {
    job.join().unwrap_or_else(|_| Err("a job broke down; its message is above".into()))
}

/// A command as one would type it.
pub fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A duration as one would say it: `0.4 s`, `42 s`, `7 min 5 s`.
pub fn human_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// The first file named `program` on the PATH.
pub fn find_on_path(program: &str) -> Option<PathBuf> {
    find_in(env::var_os("PATH").as_deref()?, program)
}

fn find_in(path: &OsStr, program: &str) -> Option<PathBuf> {
    let program = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(path).map(|folder| folder.join(&program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spoken() {
        for (milliseconds, expected) in
            [(40, "0.0 s"), (9_940, "9.9 s"), (42_900, "42 s"), (473_000, "7 min 53 s")]
        {
            assert_eq!(human_duration(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn failures_name_the_command() {
        let message = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(message.contains("no-such-program-here"), "{message}");
        let message = output(Command::new("cargo").arg("no-such-subcommand-here")).unwrap_err();
        assert!(message.contains("cargo no-such-subcommand-here"), "{message}");
    }

    #[test]
    fn a_logged_failure_quotes_the_output() {
        let log = env::temp_dir().join(format!("xtask-log-{}", std::process::id()));
        let good = run_logged(Command::new("cargo").arg("--version"), &log);
        assert_eq!(good, Ok(()));
        assert!(last_line(&log).starts_with("cargo "));
        let bad = run_logged(Command::new("cargo").arg("no-such-subcommand-here"), &log).unwrap_err();
        fs::remove_file(&log).unwrap();
        assert!(bad.contains("no such command"), "{bad}");
    }
}
