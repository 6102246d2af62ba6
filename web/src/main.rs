//! The page: a yew app that takes photos in, hands them one at a time to a web worker and lays the
//! answers over them. It speaks only the protocol and never links the network itself.

mod annotate;
mod app;
mod camera;
mod chinese;
mod client;
mod components;
mod diagnostics;
mod download;
mod english;
mod export;
mod fetch;
mod heat;
mod intake;
mod isolation;
mod language;
mod models;
mod numbers;
mod photo;
mod previews;
mod record;
mod record_link;
mod service_worker;
mod shelf;
mod state;
mod status;
mod storage;
mod teach;
mod text;
mod threads;
mod updates;
mod viewport;

fn main() {
    wasm_bindgen_futures::spawn_local(async {
        if !isolation::ensure_isolated().await {
            draw();
        }
    });
}

fn draw() {
    let document = web_sys::window().and_then(|window| window.document());
    // index.html has it, with a sketch of the page that is replaced now.
    if let Some(root) = document.and_then(|document| document.get_element_by_id("app")) {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
