//! The page in the browser: yew components, and services over `web-sys`. What the page knows, decides and says is the
//! `page` crate's; the network is the worker's and never linked here.
//!
//! ```text
//! event ──▶ component or service ──▶ app: Action ──▶ page: State::update ──▶ State ──▶ components
//!                                                            └──▶ Effects ──▶ app::perform ──▶ service, client
//!
//! a photo: intake ─▶ photo_files ─▶ client ─▶ worker … ─▶ client ─▶ Action ─▶ components: card, viewer, heat_overlay
//!             └── archives: photo_source unpacks when a photo is wanted
//! ```
//! Services return values or call back with them; [`app`] and `app::perform` alone turn those into actions, and effects
//! into calls.

mod annotate;
mod app;
mod archive_names;
mod camera;
mod client;
mod components;
mod diagnostics;
mod download;
mod fetch;
mod inflate;
mod intake;
mod isolation;
mod model_choice;
mod page_address;
mod photo_files;
mod photo_source;
mod previews;
mod record_link;
mod service_worker;
mod storage;
mod tagging;
mod teach;
mod updates;
mod viewport;
mod visitor_language;

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
