//! The benchmark's arguments.

use crate::peer::{PEERS, Peer};
use std::path::{Path, PathBuf};

pub const USAGE: &str = "usage: bench MODEL_DIR… [--threads 1,2] [--worker NAME] [--rounds 3] [--photos 3] \
    [--backend cpu|gpu] [--peer FOLDER [--peers NAME,…]]";

#[derive(Debug)]
pub struct Arguments {
    pub models: Vec<PathBuf>,
    pub threads: Vec<usize>,
    pub worker: Option<String>,
    pub rounds: usize,
    pub photos: usize,
    /// The peers' folder.
    pub peer: Option<PathBuf>,
    /// Those that run, all if none are named.
    pub peers: Vec<Peer>,
    /// WebAssembly modules of the kernels' own bench, to be run first.
    pub kernels: Vec<PathBuf>,
    /// The same, on 256-bit registers.
    pub revectorized: Vec<PathBuf>,
    pub gpu: bool,
}

impl Arguments {
    /// Reads them, or says what is wrong with them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            models: vec![],
            threads: vec![1, 2],
            worker: None,
            rounds: 3,
            photos: 3,
            peer: None,
            peers: PEERS.to_vec(),
            kernels: vec![],
            revectorized: vec![],
            gpu: false,
        };
        let mut has_peers = false;
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") {
                parsed.models.push(absolute(&argument)?);
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"))?;
            match argument.as_str() {
                "--threads" => {
                    parsed.threads =
                        value.split(',').map(|n| count("--threads", n)).collect::<Result<_, _>>()?;
                }
                "--worker" => parsed.worker = Some(value),
                "--kernels" => parsed.kernels.push(absolute(&value)?),
                "--kernels-revectorized" => parsed.revectorized.push(absolute(&value)?),
                "--rounds" => parsed.rounds = count("--rounds", &value)?,
                "--photos" => parsed.photos = count("--photos", &value)?,
                "--backend" => {
                    parsed.gpu = match value.as_str() {
                        "gpu" => true,
                        "cpu" => false,
                        other => return Err(format!("--backend {other}: it must be cpu or gpu")),
                    }
                }
                "--peers" => {
                    parsed.peers = value.split(',').map(peer).collect::<Result<_, _>>()?;
                    has_peers = true;
                }
                "--peer" => parsed.peer = Some(absolute(&value)?),
                other => return Err(format!("{other} is not known\n{USAGE}")),
            }
        }
        if has_peers && parsed.peer.is_none() {
            return Err("--peers needs --peer FOLDER, which tools/bench-peers/make.sh fills".into());
        }
        if parsed.models.is_empty() && parsed.kernels.is_empty() && parsed.revectorized.is_empty() {
            return Err(USAGE.into());
        }
        Ok(parsed)
    }
}

fn peer(name: &str) -> Result<Peer, String> {
    let names = || PEERS.map(|peer| peer.name).join(", ");
    let found = PEERS.into_iter().find(|peer| peer.name == name);
    found.ok_or_else(|| format!("--peers {name}: it must be some of {}", names()))
}

fn count(name: &str, value: &str) -> Result<usize, String> {
    let count = value.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("{name} {value}: a number from 1 is expected"))
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    Path::new(path).canonicalize().map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, String> {
        Arguments::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn all_peers_run_unless_some_are_named() {
        let parsed = parse(". --peer .").unwrap();
        assert_eq!((parsed.peers.len(), &parsed.threads[..], parsed.gpu), (PEERS.len(), &[1, 2][..], false));
        let parsed = parse(". --peer . --peers ort-int8,rten-f32 --threads 4 --backend gpu").unwrap();
        let names: Vec<_> = parsed.peers.iter().map(|peer| peer.name).collect();
        assert_eq!(
            (&names[..], &parsed.threads[..], parsed.gpu),
            (&["ort-int8", "rten-f32"][..], &[4][..], true)
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, said) in [
            ("", "usage"),
            (". --peer . --peers ort-int7", "ort-int8, ort-q8"),
            (". --peers ort-int8", "--peer FOLDER"),
            (". --rounds 0", "--rounds 0"),
            (". --threads 1,x", "--threads x"),
            (". --backend tpu", "cpu or gpu"),
            (". --colour red", "--colour"),
            (". --photos", "--photos needs a value"),
            ("no-such-folder", "no-such-folder"),
        ] {
            let why = parse(words).map(drop).unwrap_err();
            assert!(why.contains(said), "{words}: {why}");
        }
    }
}
