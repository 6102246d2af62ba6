//! The command line.

use std::path::PathBuf;

use crate::hosts::Host;
use crate::profile::Profile;
use crate::{Result, test};

pub const HELP: &str = "\
Usage: cargo xtask COMMAND

  serve [--port 8080] [--open]   build everything, quickly, and serve it on this machine
  build [--out dist] [--host H]  leave the static site, optimised, in a folder, ready for a host:
                                 github-pages, cloudflare-pages, netlify, nginx or s3
  host H [--site dist]           make a site that is built already ready for a host
  bench MODEL…                   time kernels, and photos in Chromium with these converted models;
                                 its options are in tests/bench.rs
  bench --backend gpu [MODEL…]   the same on a GPU: kernels and photos natively, or these models on
                                 WebGPU in Chromium
  test [STEP…]                   run every check that belongs to a change, or only these steps;
                                 `test --list` names them. `test quick`: what needs no browser, no
                                 GPU and no network of the true size; `test nightly`: all there is
  hook                           finish a site that Trunk has built (Trunk.toml runs it)
  types                          hold the declarations for TypeScript in web/embed against its compiler
  setup                          only install what the others need
  help                           this text

What a command needs and can't find, it installs: rustup's wasm target, and Trunk, wasm-bindgen and
wasm-opt into a cache of this user, in $BEITSCOPE_CACHE, else $XDG_CACHE_HOME/beitscope, else
~/.cache/beitscope. The first time that takes about 3 minutes on 2 cores.";

const DEFAULT_PORT: u16 = 8080;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Setup,
    Hook,
    Types,
    Build {
        out: PathBuf,
        host: Option<Host>,
    },
    Host {
        host: Host,
        site: PathBuf,
    },
    Serve {
        port: u16,
        open: bool,
    },
    /// For the benchmark in a browser, as they are.
    Bench {
        arguments: Vec<String>,
    },
    /// No name means every step.
    Test {
        names: Vec<String>,
    },
}

/// Reads the arguments after `cargo xtask`.
///
/// # Errors
/// A sentence that names the argument that is wrong.
pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command> {
    // `--port=80` is `--port 80`.
    let mut arguments = arguments.flat_map(|argument| match argument.split_once('=') {
        Some((name, value)) if name.starts_with("--") => vec![name.to_owned(), value.to_owned()],
        _ => vec![argument],
    });
    let name = arguments.next().unwrap_or_else(|| "help".into());
    let mut command = match name.as_str() {
        "help" | "--help" | "-h" => return Ok(Command::Help),
        "setup" => Command::Setup,
        "hook" => Command::Hook,
        "types" => Command::Types,
        "build" => Command::Build { out: Profile::Release.site().into(), host: None },
        "host" => {
            let host = arguments.next().ok_or("host wants the name of one, such as `nginx`")?;
            Command::Host { host: Host::parse(&host)?, site: Profile::Release.site().into() }
        }
        "serve" => Command::Serve { port: DEFAULT_PORT, open: false },
        "bench" => return Ok(Command::Bench { arguments: arguments.collect() }),
        "test" => Command::Test { names: Vec::new() },
        _ => return Err(format!("there is no command {name:?}")),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match (&mut command, argument.as_str()) {
            (_, "--help" | "-h") => return Ok(Command::Help),
            (Command::Build { out, .. }, "--out") => *out = value()?.into(),
            (Command::Build { host, .. }, "--host") => *host = Some(Host::parse(&value()?)?),
            (Command::Host { site, .. }, "--site") => *site = value()?.into(),
            (Command::Serve { open, .. }, "--open") => *open = true,
            (Command::Serve { port, .. }, "--port") => {
                let value = value()?;
                *port = value
                    .parse()
                    .map_err(|_| format!("--port wants a number from 0 to 65535, got {value:?}"))?;
            }
            (Command::Test { names }, name) if test::is_known(name) => {
                names.push(argument);
            }
            (Command::Test { .. }, _) => {
                return Err(format!(
                    "there is no step {argument:?}; the steps and groups are {}",
                    test::names().join(", ")
                ));
            }
            _ => return Err(format!("{name} does not take {argument:?}")),
        }
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        super::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_and_their_options() {
        for (line, expected) in [
            ("", Command::Help),
            ("help", Command::Help),
            ("serve --help", Command::Help),
            ("setup", Command::Setup),
            ("hook", Command::Hook),
            ("types", Command::Types),
            ("build", Command::Build { out: "dist".into(), host: None }),
            ("build --out site/x", Command::Build { out: "site/x".into(), host: None }),
            ("build --host s3", Command::Build { out: "dist".into(), host: Some(Host::S3) }),
            ("host nginx --site x", Command::Host { host: Host::Nginx, site: "x".into() }),
            ("serve", Command::Serve { port: 8080, open: false }),
            ("serve --open --port 0", Command::Serve { port: 0, open: true }),
            ("serve --port=9000", Command::Serve { port: 9000, open: false }),
            (
                "bench m --threads 1",
                Command::Bench { arguments: vec!["m".into(), "--threads".into(), "1".into()] },
            ),
            ("test", Command::Test { names: vec![] }),
            (
                "test fmt unit quick",
                Command::Test { names: vec!["fmt".into(), "unit".into(), "quick".into()] },
            ),
            ("test --list", Command::Test { names: vec!["--list".into()] }),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("sevre", "sevre"),
            ("serve --port", "--port"),
            ("serve --port 70000", "70000"),
            ("serve --port x", "x"),
            ("build --open", "--open"),
            ("build --out", "--out"),
            ("build --host geocities", "geocities"),
            ("host", "nginx"),
            ("setup now", "now"),
            ("test nonsense", "nonsense"),
        ] {
            let message = parse(line).unwrap_err();
            assert!(message.contains(named), "{line}: {message}");
        }
    }
}
