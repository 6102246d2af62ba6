//! Cross-origin isolation on hosts that send no headers for it, by way of a service worker that adds them
//! (`service-worker.js`). Only where somebody opted in: whoever hosts the page, by
//! `<meta name="isolation" content="service-worker">`, or the visitor, by `?isolate=1` in its address.
//! `?isolate=0` takes it back.
//!
//! A service worker has a say only in pages opened after it has started, so the page is loaded anew, once:
//! before that a mark is left in the tab's session storage, and while it is there nothing is loaded anew.

use crate::page_address::{base_address, parameter};
use crate::service_worker::{SERVICE_WORKER, container};
use futures_util::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorkerRegistration, ServiceWorkerState, Storage, Url, Window};

/// What the service worker is called where it isolates.
const ISOLATING: &str = "service-worker.js?isolate";

/// The mark's key. Its value is the address that was loaded anew.
const MARK: &str = "beitscope-isolating";

/// Milliseconds between the looks whether a service worker has started.
const BETWEEN_LOOKS: u32 = 50;
/// So many looks for the one that isolates: without it the page goes on, and has threads at the next visit.
const LOOKS_FOR_ISOLATION: usize = 5_000 / BETWEEN_LOOKS as usize;
/// For the plain one that takes its place: going on without it would leave isolated what was to be so no longer.
const LOOKS_FOR_THE_PLAIN_ONE: usize = 30_000 / BETWEEN_LOOKS as usize;

/// Sees to it that the page is isolated, if that was opted in for. Returns whether the page is being loaded
/// anew, so that nothing else needs to begin.
pub async fn seek() -> bool {
    let Some(window) = web_sys::window() else { return false };
    let wish = parameter("isolate");
    let Some(marks) = window.session_storage().ok().flatten() else { return false };
    if wish.as_deref() == Some("0") {
        if give_up(&window).await.is_some() {
            // This page is still isolated, and without the service worker its workers would be refused.
            return !is_marked(&marks) && load_anew(&window, &marks);
        }
        marks.remove_item(MARK).ok();
        return false;
    }
    if is_isolated(&window) {
        // The next time that isolation is lost it may be sought again.
        marks.remove_item(MARK).ok();
        return false;
    }
    let opted_in = wish.is_some() || by_host(&window);
    opted_in
        && !is_marked(&marks)
        && start(&window, ISOLATING, LOOKS_FOR_ISOLATION).await.is_some()
        && load_anew(&window, &marks)
}

pub fn is_isolated(window: &Window) -> bool {
    Reflect::get(window, &"crossOriginIsolated".into()).is_ok_and(|value| value.is_truthy())
}

/// The page's address with which a visitor opts in; none where that would be in vain.
pub fn remedy() -> Option<String> {
    let window = web_sys::window()?;
    let marks = window.session_storage().ok()??;
    let can = container(&window).is_some() && !is_isolated(&window) && !is_marked(&marks);
    let url = Url::new(&window.location().href().ok()?).ok()?;
    url.search_params().set("isolate", "1");
    can.then(|| url.href())
}

fn is_marked(marks: &Storage) -> bool {
    // Where the mark can't be read, it may be there.
    !matches!(marks.get_item(MARK), Ok(None))
}

fn load_anew(window: &Window, marks: &Storage) -> bool {
    let address = window.location().href().unwrap_or_default();
    marks.set_item(MARK, &address).is_ok() && window.location().reload().is_ok()
}

fn by_host(window: &Window) -> bool {
    let selector = r#"meta[name="isolation"][content="service-worker"]"#;
    window.document().is_some_and(|page| page.query_selector(selector).is_ok_and(|meta| meta.is_some()))
}

/// Starts the service worker and waits until it has a say.
async fn start(window: &Window, called: &str, looks: usize) -> Option<()> {
    let address = address(called)?;
    let registering = JsFuture::from(container(window)?.register(&address));
    // The script may never come.
    let patience = TimeoutFuture::new(looks as u32 * BETWEEN_LOOKS);
    let Either::Left((registered, _)) = select(registering, patience).await else { return None };
    let registration: ServiceWorkerRegistration = registered.ok()?.unchecked_into();
    for _ in 0..looks {
        let active = registration.active().filter(|worker| worker.script_url() == address);
        if active.is_some_and(|worker| worker.state() == ServiceWorkerState::Activated) {
            return Some(());
        }
        TimeoutFuture::new(BETWEEN_LOOKS).await;
    }
    None
}

/// Puts the plain service worker in the place of the one that isolates, if that is there. Not by ending the latter:
/// the plain one's registration comes while a page of the latter's may still be open, and has then been seen to leave
/// the latter in charge.
async fn give_up(window: &Window) -> Option<()> {
    let registering = container(window)?.get_registration_with_document_url(&base_address());
    let registration: JsValue = JsFuture::from(registering).await.ok()?;
    let registration: ServiceWorkerRegistration = registration.dyn_into().ok()?;
    let isolating = address(ISOLATING)?;
    let there = [registration.installing(), registration.waiting(), registration.active()];
    there.into_iter().flatten().find(|worker| worker.script_url() == isolating)?;
    start(window, SERVICE_WORKER, LOOKS_FOR_THE_PLAIN_ONE).await
}

fn address(called: &str) -> Option<String> {
    Url::new_with_base(called, &base_address()).ok().map(|url| url.href())
}
