//! What one wants to know when something is slow or does not work, as text to copy. Nothing of it leaves
//! the page unless the visitor copies it.

use js_sys::Reflect;
use page::engine::Engine;
use page::english::ENGLISH;
use page::state::State;
use protocol::StageTime;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{StorageEstimate, Window};

/// A line for each fact: `name: value`.
pub async fn gather(state: &State) -> String {
    let mut facts = vec![("beitscope", env!("CARGO_PKG_VERSION").to_owned())];
    facts.extend(engine(state));
    if let Some(window) = web_sys::window() {
        facts.extend(browser(&window));
        facts.push(("storage", storage(&window).await.unwrap_or_else(|| "not told".into())));
    }
    facts.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn engine(state: &State) -> Vec<(&'static str, String)> {
    let Engine::Ready { model, backend, kept } = &state.engine else {
        return vec![("model", format!("{:?}", state.engine))];
    };
    let counts = state.counts();
    vec![
        ("model", format!("{} {} {} bytes", model.name, model.quantization, model.bytes)),
        ("model SHA-256", model.sha256.clone()),
        ("backend", format!("{} {}", backend.kind, backend.detail)),
        ("threads", backend.threads.to_string()),
        ("chosen because", (ENGLISH.reasons)(backend)),
        ("in detail", format!("{:?}", backend.reasons)),
        ("ms a photo", state.ms_per_photo().map_or("none yet".into(), |ms| format!("{ms:.1}"))),
        ("of the last photo, ms", stages(&state.stages)),
        ("weights kept", format!("{kept:?}, {} bytes", state.stored.bytes.unwrap_or(0))),
        ("photos", format!("{} done, {} failed, {} left", counts.done, counts.failed, counts.left)),
    ]
}

fn stages(times: &[StageTime]) -> String {
    let each: Vec<_> = times.iter().map(|time| format!("{} {:.1}", time.name, time.ms)).collect();
    if each.is_empty() { "not told".into() } else { each.join(", ") }
}

fn browser(window: &Window) -> Vec<(&'static str, String)> {
    let navigator = window.navigator();
    let of_navigator = |name: &str| js_value_text(Reflect::get(&navigator, &name.into()).ok());
    let of_window = |name: &str| js_value_text(Reflect::get(window, &name.into()).ok());
    vec![
        ("browser", of_navigator("userAgent")),
        ("languages", of_navigator("languages")),
        ("processors", of_navigator("hardwareConcurrency")),
        ("memory in GB, at most 8", of_navigator("deviceMemory")),
        ("secure context", of_window("isSecureContext")),
        ("cross-origin isolated", of_window("crossOriginIsolated")),
        ("WebAssembly SIMD", validates(SIMD).to_string()),
        ("relaxed SIMD", validates(RELAXED_SIMD).to_string()),
        ("WebGPU", of_navigator("gpu").contains("GPU").to_string()),
        ("service worker", service_worker(&navigator)),
        (
            "window",
            format!(
                "{} × {} at {}",
                of_window("innerWidth"),
                of_window("innerHeight"),
                of_window("devicePixelRatio")
            ),
        ),
    ]
}

fn service_worker(navigator: &JsValue) -> String {
    let container = Reflect::get(navigator, &"serviceWorker".into()).ok().filter(|value| value.is_object());
    let controller = container.and_then(|container| Reflect::get(&container, &"controller".into()).ok());
    controller.filter(|value| value.is_object()).map_or("none".into(), |controller| {
        js_value_text(Reflect::get(&controller, &"scriptURL".into()).ok())
    })
}

async fn storage(window: &Window) -> Option<String> {
    if !window.is_secure_context() {
        return None;
    }
    let manager = window.navigator().storage();
    let estimate: StorageEstimate = JsFuture::from(manager.estimate().ok()?).await.ok()?.unchecked_into();
    let persisted = JsFuture::from(manager.persisted().ok()?).await.ok()?.is_truthy();
    let bytes = |value: Option<f64>| value.map_or("?".into(), |bytes| format!("{:.1} MB", bytes / 1e6));
    let kept = if persisted { "kept until cleared" } else { "the browser may clear it" };
    Some(format!("{} used of {}, {kept}", bytes(estimate.get_usage()), bytes(estimate.get_quota())))
}

fn js_value_text(value: Option<JsValue>) -> String {
    match value {
        None => "not told".into(),
        Some(value) if value.is_undefined() => "not told".into(),
        Some(value) => String::from(js_sys::Object::from(value).to_string()),
    }
}

/// `() -> v128`: a constant.
const SIMD: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7b\x03\x02\x01\0\
    \x0a\x16\x01\x14\0\xfd\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0b";
/// `(v128, v128, v128) -> v128`: `f32x4.relaxed_madd`.
const RELAXED_SIMD: &[u8] = b"\0asm\x01\0\0\0\x01\x08\x01\x60\x03\x7b\x7b\x7b\x01\x7b\x03\x02\x01\0\
    \x0a\x0d\x01\x0b\0\x20\0\x20\x01\x20\x02\xfd\x85\x02\x0b";

fn validates(module: &[u8]) -> bool {
    js_sys::WebAssembly::validate(&js_sys::Uint8Array::from(module)).unwrap_or(false)
}
