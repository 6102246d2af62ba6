//! The built site and the files the tests use.

use server::{Options, Server};
use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The built site.
pub fn dist() -> PathBuf {
    let dist = root().join("dist");
    assert!(
        dist.join("index.html").is_file(),
        "the site is not built: run `cargo xtask build`, or `cargo xtask test`, which builds it first"
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
