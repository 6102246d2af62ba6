//! The command line.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::added_models::ModelSource;
use crate::hosts::Host;
use crate::profile::Profile;
use crate::test;

/// Sets up, builds, serves and tests Beitscope
#[derive(Debug, Parser, PartialEq, Eq)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = SET_UP)]
pub enum Command {
    /// Build everything, quickly, and serve it on this machine
    Serve {
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Open a browser
        #[arg(long)]
        open: bool,
    },
    /// Leave the static site, optimised, in a folder
    Build {
        #[arg(long, value_name = "FOLDER", default_value = Profile::Release.site())]
        out: PathBuf,
        /// Make it ready for a kind of host
        #[arg(long)]
        host: Option<Host>,
        /// Convert a checkpoint and put it into the site: hf:OWNER/NAME, modelscope:OWNER/NAME or a path, then :q4_0 for
        /// 4 bits instead of 8; may be given several times
        #[arg(long = "model", value_name = "SOURCE[:TYPE]")]
        models: Vec<ModelSource>,
        /// Put these models before the others in the list: the first is loaded unless a visitor chooses another
        #[arg(long, requires = "models")]
        model_first: bool,
    },
    /// Make a site that is built already ready for a kind of host
    Host {
        host: Host,
        #[arg(long, value_name = "FOLDER", default_value = Profile::Release.site())]
        site: PathBuf,
    },
    /// Build the npm package, for pages and for Node, Deno and Bun, in target/package
    Package,
    /// Write .github/workflows/pages.yml: with a button on GitHub it builds the site with a model and publishes it
    Workflow,
    /// Time kernels, and photos in Chromium with converted models
    ///
    /// Without MODEL only the kernels. With `--backend gpu` first: kernels and photos natively on a GPU, or these models
    /// on WebGPU in Chromium. The other options are in tests/bench.rs.
    Bench {
        #[arg(value_name = "MODEL", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check that belongs to a change, or only some steps
    ///
    /// `quick`: the steps that need no browser, no GPU and no network of the true size; `nightly`: every step.
    Test {
        #[arg(value_name = "STEP", value_parser = PossibleValuesParser::new(test::names()), hide_possible_values = true)]
        names: Vec<String>,
        /// Name the steps instead of running them
        #[arg(long)]
        list: bool,
    },
    /// Finish a site that Trunk has built (Trunk.toml runs it)
    Hook,
    /// Check the TypeScript declarations in web/embed with the TypeScript compiler
    Types,
    /// Only install what the others need
    Setup,
}

const SET_UP: &str = "\
A tool that a command needs and does not find, it installs: rustup's wasm target, and Trunk, wasm-bindgen and
wasm-opt into a cache of this user, in $BEITSCOPE_CACHE, else $XDG_CACHE_HOME/beitscope, else
~/.cache/beitscope. The first time that takes about 3 minutes on 2 cores.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Command::try_parse_from(["xtask"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn commands_and_their_options() {
        let test = |names: &[&str], list| Command::Test {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            list,
        };
        let build = |out: &str, host, models: &[&str], model_first| Command::Build {
            out: out.into(),
            host,
            models: models.iter().map(|model| model.parse().unwrap()).collect(),
            model_first,
        };
        for (line, expected) in [
            ("setup", Command::Setup),
            ("hook", Command::Hook),
            ("types", Command::Types),
            ("workflow", Command::Workflow),
            ("package", Command::Package),
            ("build", build("dist", None, &[], false)),
            ("build --out site/x", build("site/x", None, &[], false)),
            ("build --host s3", build("dist", Some(Host::S3), &[], false)),
            (
                "build --model hf:a/b:q4_0 --model x.pth",
                build("dist", None, &["hf:a/b:q4_0", "x.pth"], false),
            ),
            ("build --model hf:a/b --model-first", build("dist", None, &["hf:a/b"], true)),
            ("host nginx --site x", Command::Host { host: Host::Nginx, site: "x".into() }),
            ("serve", Command::Serve { port: 8080, open: false }),
            ("serve --open --port 0", Command::Serve { port: 0, open: true }),
            ("serve --port=9000", Command::Serve { port: 9000, open: false }),
            (
                "bench m --threads 1",
                Command::Bench { arguments: vec!["m".into(), "--threads".into(), "1".into()] },
            ),
            (
                "bench --backend gpu m",
                Command::Bench { arguments: vec!["--backend".into(), "gpu".into(), "m".into()] },
            ),
            ("bench", Command::Bench { arguments: vec![] }),
            ("test", test(&[], false)),
            ("test fmt unit quick", test(&["fmt", "unit", "quick"], false)),
            ("test --list", test(&[], true)),
        ] {
            assert_eq!(parse(line).ok(), Some(expected), "{line}");
        }
    }

    #[test]
    fn help_is_given() {
        for line in ["help", "serve --help", "--help"] {
            assert_eq!(parse(line).unwrap_err().kind(), ErrorKind::DisplayHelp, "{line}");
        }
        let help = parse("help").unwrap_err().to_string();
        assert!(help.contains("BEITSCOPE_CACHE"), "{help}");
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
            ("build --host geocities", "cloudflare-pages"),
            ("build --model-first", "--model"),
            ("build --model hf:q4_0", "expected hf:OWNER/NAME"),
            ("host", "HOST"),
            ("host geocities", "nginx"),
            ("setup now", "now"),
            ("test nonsense", "nonsense"),
            ("test nonsense", "chromium"),
        ] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains(named), "{line}: {message}");
        }
    }
}
