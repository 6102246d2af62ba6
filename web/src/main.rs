//! The page: a yew app that takes photos in, hands them one at a time to a web worker and lays the
//! answers over them. It speaks only the protocol and never links the network itself.

mod app;
mod client;
mod components;
mod english;
mod fetch;
mod intake;
mod model_choice;
mod photo;
mod shelf;
mod state;
mod status;
mod storage;
mod text;
mod worker_build;

fn main() {
    let document = web_sys::window().and_then(|window| window.document());
    // index.html has it, with a sketch of the page that is replaced now.
    if let Some(root) = document.and_then(|document| document.get_element_by_id("app")) {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
