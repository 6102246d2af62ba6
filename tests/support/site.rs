//! The built site and the files the tests use.

use serde_json::Value;
use server::{Disturbance, Options, Request, Server};
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Names another site than the one that `cargo xtask serve` and `cargo xtask test` build.
const VARIABLE: &str = "BEITSCOPE_SITE";

/// The built site.
pub fn dist() -> PathBuf {
    let dist = root().join(std::env::var_os(VARIABLE).unwrap_or_else(|| "target/site".into()));
    assert!(
        dist.join("index.html").is_file(),
        "there is no site in {}: `cargo xtask test site` builds it",
        dist.display()
    );
    dist
}

/// The site on a free port, as `cargo xtask serve` serves it.
pub fn serve() -> Server {
    serve_with(Options::new(dist()))
}

pub fn serve_with(options: Options) -> Server {
    Server::start(options).expect("a server on a free port")
}

/// The site with more files, as if they lay in it: path below the site, type, content.
pub fn serve_with_files(files: Vec<(String, &'static str, Vec<u8>)>) -> Server {
    let disturb = move |request: &Request| {
        let found = files.iter().find(|(path, ..)| request.path() == format!("/{path}"));
        found.map_or(Disturbance::None, |(_, content_type, body)| Disturbance::Answer {
            status: 200,
            content_type,
            headers: vec![],
            body: body.clone(),
        })
    };
    serve_with(Options { disturb: Some(Box::new(disturb)), record: true, ..Options::new(dist()) })
}

/// A file's SHA-256, lower-case hexadecimal, by another program than the ones under test.
pub fn sha256(file: &Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(file).output().expect("sha256sum");
    String::from_utf8_lossy(&output.stdout)[..64].to_owned()
}

/// The site with this script before the workers' own.
pub fn serve_with_script_in_workers(script: String) -> Server {
    let disturb = move |request: &Request| match request.path().strip_suffix("/worker.js") {
        Some(folder) => {
            let path = dist().join(folder.trim_start_matches('/')).join("worker.js");
            let body = [script.as_bytes(), &fs::read(path).expect("the worker's script")].concat();
            Disturbance::Answer { status: 200, content_type: "text/javascript", headers: vec![], body }
        }
        None => Disturbance::None,
    };
    serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(dist()) })
}

/// Before the workers' own code: those with threads die once they have begun to load a model.
pub const DIE_LOADING_WITH_THREADS: &str = "if (self.location.pathname.includes('-threads/')) {
  const post = self.postMessage;
  self.postMessage = (message, ...more) => {
    post.call(self, message, ...more);
    if (message[0].includes('\"type\":\"loading\"')) setTimeout(() => { throw new Error('out of memory'); });
  };
}
";

/// The files of a converted model, for [`serve_with_files`], below `folder`.
pub fn model_files(model: &Path, folder: &str) -> Vec<(String, &'static str, Vec<u8>)> {
    let files = std::fs::read_dir(model).expect("a converted model").map(|file| file.expect("a file").path());
    let file = |path: PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a file name").to_owned();
        (format!("{folder}/{name}"), server::content_type(&name), std::fs::read(&path).expect("its content"))
    };
    files.map(file).collect()
}

/// `models/index.json` as the site has it, with more entries.
pub fn list_with(more: Vec<Value>) -> (String, &'static str, Vec<u8>) {
    let list = std::fs::read(dist().join(LIST)).expect("the list of models");
    let mut list: Value = serde_json::from_slice(&list).expect("JSON");
    list["models"].as_array_mut().expect("a list").extend(more);
    (LIST.into(), "application/json", list.to_string().into_bytes())
}

/// The list of models, below the site.
pub const LIST: &str = "models/index.json";

/// A photo or a file that is none, from `tests/data/photos`.
pub fn photo(name: &str) -> PathBuf {
    existing(root().join("tests/data/photos").join(name))
}

/// A zip file from `tests/data/archives`.
pub fn archive(name: &str) -> PathBuf {
    existing(root().join("tests/data/archives").join(name))
}

/// One of the page's own sample photos.
pub fn sample(name: &str) -> PathBuf {
    existing(root().join("web/samples").join(name))
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
