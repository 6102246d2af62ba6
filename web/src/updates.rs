//! The service worker that keeps the page for use without a network, and new versions of it: announced,
//! and used when the visitor says so, never in the middle of work.

use crate::fetch::base_address;
use crate::service_worker::{SERVICE_WORKER, container};
use crate::state::Action;
use gloo::events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ServiceWorker, ServiceWorkerRegistration, ServiceWorkerState, Url};
use yew::Callback;

/// Registers the service worker, unless one is there, and tells when a new version waits.
pub fn watch(dispatch: Callback<Action>) {
    spawn_local(async move {
        // Without one the page works all the same, but not offline.
        follow(dispatch).await.ok();
    });
}

async fn follow(dispatch: Callback<Action>) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let Some(container) = container(&window) else { return Ok(()) };
    let known = JsFuture::from(container.get_registration_with_document_url(&base_address())).await?;
    let registration: ServiceWorkerRegistration = match known.dyn_into() {
        Ok(registration) => registration,
        Err(_) => {
            let address = Url::new_with_base(SERVICE_WORKER, &base_address())?.href();
            JsFuture::from(container.register(&address)).await?.dyn_into()?
        }
    };
    if registration.waiting().is_some() {
        dispatch.emit(Action::UpdateReady);
    }
    let listener = EventListener::new(&registration.clone(), "updatefound", move |_| {
        let Some(coming) = registration.installing() else { return };
        // The first one ever takes nobody by surprise.
        if registration.active().is_none() {
            return;
        }
        let dispatch = dispatch.clone();
        let watched = coming.clone();
        EventListener::new(&coming, "statechange", move |_| {
            // Where no page is its predecessor's, it doesn't wait, and may be past that by now.
            if !matches!(watched.state(), ServiceWorkerState::Installing | ServiceWorkerState::Redundant) {
                dispatch.emit(Action::UpdateReady);
            }
        })
        .forget();
    });
    // It listens as long as the page is open.
    listener.forget();
    Ok(())
}

/// Lets the version that waits take over, and loads the page anew once it has.
pub fn use_it() {
    spawn_local(async {
        // Where nothing waits any more, another tab was quicker, and loading anew is all there is to do.
        if take_over().await.is_none() {
            reload();
        }
    });
}

async fn take_over() -> Option<()> {
    let container = container(&web_sys::window()?)?;
    let registration =
        JsFuture::from(container.get_registration_with_document_url(&base_address())).await.ok()?;
    let waiting: ServiceWorker = registration.dyn_into::<ServiceWorkerRegistration>().ok()?.waiting()?;
    // Not once it controls this page: after the first visit's first load none does.
    let watched = waiting.clone();
    EventListener::new(&waiting, "statechange", move |_| {
        if watched.state() == ServiceWorkerState::Activated {
            reload();
        }
    })
    .forget();
    waiting.post_message(&"take over".into()).ok()
}

fn reload() {
    if let Some(window) = web_sys::window() {
        // A browser that refuses leaves the old version in use.
        window.location().reload().ok();
    }
}
