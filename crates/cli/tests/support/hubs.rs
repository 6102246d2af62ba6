//! Both hubs on this machine, each with the repository `timm/tiny`: a tiny network and small files.

use super::{Run, data, run};
use server::{Disturbance, Options, Record, Request, Server};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::Command;

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const CHECKPOINT: &str = "golden/tiny-relative.weights.safetensors";

/// The hubs' server and the folder that commands run in.
pub struct Hubs {
    server: Server,
}

impl Hubs {
    /// `disturb` may spoil a transfer of the checkpoint.
    pub fn start(
        small: &[(&str, &str)],
        disturb: impl Fn(&Request) -> Disturbance + Send + Sync + 'static,
    ) -> Self {
        let small: Vec<(String, String)> =
            small.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let checkpoint = fs::read(data(CHECKPOINT)).unwrap();
        let (length, hash) = (checkpoint.len(), sha256(&checkpoint));
        let respond = move |request: &Request| {
            let target = request.target.as_str();
            if target.ends_with(CHECKPOINT) {
                return disturb(request);
            }
            if target == "/api/models/timm/tiny/revision/main?blobs=true" {
                let listing =
                    format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"model.safetensors"}}]}}"#);
                return answer(200, vec![], listing);
            }
            if target.starts_with("/api/v1/models/timm/tiny/repo/files?") {
                let entry = |name: &str, size, hash: &str| {
                    format!(r#"{{"Path":"{name}","Type":"blob","Size":{size},"Sha256":"{hash}"}}"#)
                };
                let mut files = vec![entry("model.safetensors", length, &hash)];
                files.extend(
                    small.iter().map(|(name, text)| entry(name, text.len(), &sha256(text.as_bytes()))),
                );
                let listing =
                    format!(r#"{{"Code":200,"Success":true,"Data":{{"Files":[{}]}}}}"#, files.join(","));
                return answer(200, vec![], listing);
            }
            let on_hugging_face =
                target.strip_prefix("/timm/tiny/resolve/").and_then(|at| at.split_once('/'));
            let on_modelscope =
                target.strip_prefix("/api/v1/models/timm/tiny/repo?Revision=master&FilePath=");
            match on_hugging_face.map(|(_, name)| name).or(on_modelscope) {
                Some("model.safetensors") => {
                    let headers = vec![
                        ("Location", format!("/{CHECKPOINT}")),
                        ("X-Linked-Etag", format!("\"{hash}\"")),
                        ("X-Linked-Size", length.to_string()),
                        ("X-Repo-Commit", COMMIT.to_owned()),
                    ];
                    answer(302, headers, "")
                }
                Some(name) => match small.iter().find(|(small, _)| small == name) {
                    Some((_, text)) => {
                        let tag = format!("\"{}\"", sha256(text.as_bytes()));
                        answer(200, vec![("ETag", tag), ("X-Repo-Commit", COMMIT.to_owned())], text.as_str())
                    }
                    None => answer(404, vec![("X-Error-Code", "EntryNotFound".into())], "{}"),
                },
                None => answer(404, vec![("X-Error-Code", "RepoNotFound".into())], "{}"),
            }
        };
        let options = Options { disturb: Some(Box::new(respond)), record: true, ..Options::new(data(".")) };
        Self { server: Server::start(options).unwrap() }
    }

    /// Runs [`command`] with these arguments more.
    pub fn convert(&self, folder: &Path, source: &str, out: &str, more: &[&str]) -> Run {
        run(command(folder, &self.server, source, out).args(more))
    }

    /// What was asked of the checkpoint itself: range, status.
    pub fn transfers(&self) -> Vec<(Option<String>, u16)> {
        let of_file = |record: &Record| record.target.ends_with(CHECKPOINT);
        let records = self.server.requests().into_iter().filter(of_file);
        records.map(|record| (record.range, record.status)).collect()
    }

    /// What was asked.
    pub fn targets(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|record| record.target).collect()
    }
}

/// `beitscope convert SOURCE --quant q8_0 --out FOLDER/OUT` with nothing of the environment but the hubs' addresses and
/// caches in the folder.
pub fn command(folder: &Path, server: &Server, source: &str, out: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beitscope"));
    let endpoint = server.url();
    command
        .env_clear()
        .env("HOME", folder)
        .env("HF_ENDPOINT", &endpoint)
        .env("HF_HOME", folder.join("hf"))
        .env("MODELSCOPE_ENDPOINT", &endpoint)
        .env("MODELSCOPE_CACHE", folder.join("ms"))
        .args(["convert", source, "--quant", "q8_0", "--out"])
        .arg(folder.join(out));
    command
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An answer of a hub.
pub fn answer(status: u16, headers: Vec<(&'static str, String)>, body: impl Into<Vec<u8>>) -> Disturbance {
    Disturbance::Answer { status, content_type: "application/json", headers, body: body.into() }
}
