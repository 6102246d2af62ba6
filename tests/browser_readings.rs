//! Tells how a browser reads photos, as `tools/odd-photos/read_with_pillow.py` does:
//! `cargo run -p tests --example browser_readings -- FOLDER > browser.json`; `BEITSCOPE_BROWSER` names another one.
//!
//! Pixels are what `createImageBitmap` and a canvas give, which know no colour under what is transparent.

use serde_json::{Map, Value, json};
use server::{Options, Server};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tests::browser::{Setup, browse};

/// Files that one script reads.
const AT_ONCE: usize = 100;

const READ: &str = "const [names, done] = arguments, CELLS = 12;
const edges = (length, cells) => Array.from({ length: cells + 1 }, (_, at) => Math.floor(at * length / cells));
const read = async (name) => {
  const blob = await (await fetch(encodeURIComponent(name))).blob();
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([blob]));
  } catch (error) {
    return { refused: error.name, detail: error.message };
  }
  const { width, height } = bitmap;
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const cells = Math.min(width, height) >= CELLS ? CELLS : 1;
  const [xs, ys] = [edges(width, cells), edges(height, cells)], grid = [];
  for (let y = 0; y < cells; y++) {
    for (let x = 0; x < cells; x++) {
      const [w, h] = [xs[x + 1] - xs[x], ys[y + 1] - ys[y]];
      const { data } = context.getImageData(xs[x], ys[y], w, h), sums = [0, 0, 0];
      for (let at = 0; at < data.length; at += 4) {
        for (let channel = 0; channel < 3; channel++) sums[channel] += data[at + channel];
      }
      grid.push(sums.map((sum) => Math.round(100 * sum / (w * h)) / 100));
    }
  }
  return { size: [width, height], grid };
};
(async () => {
  const readings = {};
  for (const name of names) readings[name] = await read(name);
  done(readings);
})();";

fn main() {
    let folder: PathBuf = std::env::args_os().nth(1).expect("the folder of photos").into();
    let folder = folder.canonicalize().expect("the folder of photos");
    let files = fs::read_dir(&folder).expect("the folder of photos").map(|entry| entry.unwrap().path());
    let is_photo = |path: &PathBuf| {
        path.is_file() && path.extension().is_none_or(|e| e != "json" && e != "md" && e != "py")
    };
    let mut names: Vec<_> = files.filter(is_photo).map(|path| path.file_name().unwrap().to_owned()).collect();
    names.sort();
    let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
    // A page of the photos' own origin, without a policy that forbids the script.
    let page = |request: &server::Request| match request.path() {
        "/" => server::Disturbance::Answer {
            status: 200,
            content_type: "text/html",
            headers: vec![],
            body: b"<!doctype html><title>photos</title>".to_vec(),
        },
        _ => server::Disturbance::None,
    };
    let server = Server::start(Options { disturb: Some(Box::new(page)), ..Options::new(&folder) }).unwrap();
    let mut readings = Map::new();
    browse(Setup { script: Duration::from_secs(600), ..Setup::default() }, async |client| {
        client.goto(&server.url()).await.expect("the page opens");
        for names in names.chunks(AT_ONCE) {
            let read = client.execute_async(READ, vec![json!(names)]).await.expect("readings");
            let Value::Object(read) = read else { panic!("{read}") };
            readings.extend(read);
        }
    });
    println!("{}", Value::Object(readings));
}
