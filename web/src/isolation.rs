//! Cross-origin isolation on hosts that send no headers for it, by way of a service worker that adds them
//! (`service-worker.js`). Only where somebody opted in: whoever hosts the page, by
//! `<meta name="isolation" content="service-worker">`, or the visitor, by `?isolate=1` in its address.
//! `?isolate=0` takes it back.
//!
//! A service worker controls only pages opened after it has started, so the page is reloaded, once: before that a mark
//! is left in the tab's session storage, and while it is there nothing is reloaded.

use crate::page_address::{base_address, parameter};
use crate::service_worker::{SERVICE_WORKER, container};
use futures_util::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorkerRegistration, ServiceWorkerState, Storage, Url, Window};

/// The service worker's script where it isolates.
const ISOLATING: &str = "service-worker.js?isolate";

/// The mark's key. Its value is the address that was reloaded.
const MARK: &str = "beitscope-isolating";

/// Milliseconds between two checks whether a service worker is active.
const CHECK_INTERVAL: u32 = 50;
/// Checks for the one that isolates: without it the page goes on, and has threads at the next visit.
const CHECKS_FOR_ISOLATING: u32 = 5_000 / CHECK_INTERVAL;
/// Checks for the plain one that replaces it: without that the page would stay isolated against the visitor's wish.
const CHECKS_FOR_PLAIN: u32 = 30_000 / CHECK_INTERVAL;

/// Makes the page isolated, if that was opted in for, or no longer so. Returns whether the page is being reloaded for
/// it, so that nothing else needs to begin.
pub async fn ensure_isolated() -> bool {
    let Some(window) = web_sys::window() else { return false };
    let requested = parameter("isolate");
    let Some(session) = window.session_storage().ok().flatten() else { return false };
    if requested.as_deref() == Some("0") {
        if stop_isolating(&window).await.is_some() {
            // This page is still isolated, and without the service worker its workers would be refused.
            return !was_reloaded(&session) && reload(&window, &session);
        }
        session.remove_item(MARK).ok();
        return false;
    }
    if is_isolated(&window) {
        // Should isolation be lost, the page may be reloaded for it again.
        session.remove_item(MARK).ok();
        return false;
    }
    let opted_in = requested.is_some() || host_opted_in(&window);
    opted_in
        && !was_reloaded(&session)
        && activate(&window, ISOLATING, CHECKS_FOR_ISOLATING).await.is_some()
        && reload(&window, &session)
}

/// The page's address with which a visitor opts in; none where that would be in vain.
pub fn opt_in_url() -> Option<String> {
    let window = web_sys::window()?;
    let session = window.session_storage().ok()??;
    let can = container(&window).is_some() && !is_isolated(&window) && !was_reloaded(&session);
    let url = Url::new(&window.location().href().ok()?).ok()?;
    url.search_params().set("isolate", "1");
    can.then(|| url.href())
}

fn is_isolated(window: &Window) -> bool {
    Reflect::get(window, &"crossOriginIsolated".into()).is_ok_and(|value| value.is_truthy())
}

fn was_reloaded(session: &Storage) -> bool {
    // Where the mark can't be read, it may be there.
    !matches!(session.get_item(MARK), Ok(None))
}

fn reload(window: &Window, session: &Storage) -> bool {
    let address = window.location().href().unwrap_or_default();
    session.set_item(MARK, &address).is_ok() && window.location().reload().is_ok()
}

fn host_opted_in(window: &Window) -> bool {
    let selector = r#"meta[name="isolation"][content="service-worker"]"#;
    window.document().is_some_and(|page| page.query_selector(selector).is_ok_and(|meta| meta.is_some()))
}

/// Registers the service worker with this script and waits until it is active.
async fn activate(window: &Window, script: &str, checks: u32) -> Option<()> {
    let address = address(script)?;
    let registering = JsFuture::from(container(window)?.register(&address));
    // The script may never come.
    let timeout = TimeoutFuture::new(checks * CHECK_INTERVAL);
    let Either::Left((registered, _)) = select(registering, timeout).await else { return None };
    let registration: ServiceWorkerRegistration = registered.ok()?.unchecked_into();
    for _ in 0..checks {
        let active = registration.active().filter(|worker| worker.script_url() == address);
        if active.is_some_and(|worker| worker.state() == ServiceWorkerState::Activated) {
            return Some(());
        }
        TimeoutFuture::new(CHECK_INTERVAL).await;
    }
    None
}

/// Replaces the service worker that isolates, if it is there, by the plain one. Not by unregistering the former: the
/// plain one's registration comes while a page of the former's may still be open, and has then been seen to leave the
/// former in charge.
async fn stop_isolating(window: &Window) -> Option<()> {
    let registering = container(window)?.get_registration_with_document_url(&base_address());
    let registration: JsValue = JsFuture::from(registering).await.ok()?;
    let registration: ServiceWorkerRegistration = registration.dyn_into().ok()?;
    let isolating = address(ISOLATING)?;
    let there = [registration.installing(), registration.waiting(), registration.active()];
    there.into_iter().flatten().find(|worker| worker.script_url() == isolating)?;
    activate(window, SERVICE_WORKER, CHECKS_FOR_PLAIN).await
}

fn address(script: &str) -> Option<String> {
    Url::new_with_base(script, &base_address()).ok().map(|url| url.href())
}
