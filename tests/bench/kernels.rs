//! The kernels' own bench (`crates/kernels/examples/bench_kernels`) as WebAssembly in Chromium: it prints by an import.

use server::{Disturbance, Options, Server};
use std::path::Path;
use tests::browser::Client;

/// Runs the module and prints its lines.
pub async fn run(client: &Client, module: &Path) {
    let folder = module.parent().expect("a file lies in a folder");
    let disturb = |request: &server::Request| match request.path().ends_with(PAGE) {
        true => Disturbance::Answer {
            status: 200,
            content_type: "text/html",
            headers: vec![],
            body: b"<!doctype html><title>kernels</title>".to_vec(),
        },
        false => Disturbance::None,
    };
    let options = Options { disturb: Some(Box::new(disturb)), ..Options::new(folder) };
    let server = Server::start(options).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    client.goto(&format!("{}{PAGE}", server.url())).await.expect("the page opens");
    let script = "const [file, done] = arguments;
        (async () => {
            const lines = [];
            const env = {
                now: () => performance.now(),
                print: (start, length) => {
                    const memory = instance.exports.memory.buffer;
                    lines.push(new TextDecoder().decode(new Uint8Array(memory, start, length)));
                },
            };
            const { instance } = await WebAssembly.instantiateStreaming(fetch(file), { env });
            instance.exports.main(0, 0);
            done(lines);
        })().catch((error) => done(String(error)));";
    let name = module.file_name().unwrap_or_default().to_string_lossy();
    let lines = client.execute_async(script, vec![name.into()]).await.expect("the module runs");
    let lines = lines.as_array().unwrap_or_else(|| panic!("the module failed: {lines}"));
    for line in lines.iter().filter_map(|line| line.as_str()) {
        println!("{line}");
    }
}

const PAGE: &str = "kernels.html";
