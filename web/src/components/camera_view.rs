use super::answer::AnswerList;
use super::icon::{Icon, Shape};
use super::use_text;
use crate::camera::{Camera, NoCamera, snapshot};
use page::action::Action;
use page::camera::LiveCamera;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, HtmlDialogElement, HtmlVideoElement};
use yew::{Callback, Event, Html, Properties, component, html, use_effect_with, use_node_ref, use_state};

#[derive(PartialEq, Properties)]
pub struct CameraViewProps {
    pub live: LiveCamera,
    pub top_k: usize,
    /// A photo was taken.
    pub taken: Callback<File>,
    /// The camera's picture of this moment, to be looked at.
    pub frame: Callback<File>,
    pub dispatch: Callback<Action>,
}

/// The camera's picture in a dialog. The camera is on exactly as long as the dialog is open.
#[component]
pub fn CameraView(CameraViewProps { live, top_k, taken, frame, dispatch }: &CameraViewProps) -> Html {
    let text = use_text();
    let (dialog, video) = (use_node_ref(), use_node_ref());
    let error = use_state(|| None::<NoCamera>);
    let plays = use_state(|| false);
    use_effect_with((), {
        let (dialog, video, error) = (dialog.clone(), video.clone(), error.setter());
        move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                // It is in the document and closed, which is all that can be amiss.
                dialog.show_modal().ok();
            }
            let camera = std::rc::Rc::new(std::cell::RefCell::new(None));
            let open = std::rc::Rc::new(std::cell::Cell::new(true));
            spawn_local({
                let (camera, open) = (camera.clone(), open.clone());
                async move {
                    match Camera::start().await {
                        // Closed while the visitor was asked: off it goes again.
                        Ok(started) if open.get() => {
                            if let Some(video) = video.cast::<HtmlVideoElement>() {
                                started.show(&video);
                            }
                            camera.replace(Some(started));
                        }
                        Ok(_) => {}
                        Err(reason) if open.get() => error.set(Some(reason)),
                        Err(_) => {}
                    }
                }
            });
            move || {
                open.set(false);
                camera.take();
            }
        }
    });
    // While it runs, the state asks for one picture after another.
    use_effect_with((live.running && *plays, live.wanted), {
        let (video, frame) = (video.clone(), frame.clone());
        move |&(running, _)| {
            if running {
                take(&video, "frame.jpg", frame);
            }
        }
    });
    let shoot = {
        let (video, taken) = (video.clone(), taken.clone());
        Callback::from(move |_| take(&video, &name(), taken.clone()))
    };
    let running = live.running;
    let predictions: Vec<_> =
        live.answer.iter().flat_map(|answer| answer.predictions.iter().take(*top_k).cloned()).collect();
    let none_of = live.answer.as_ref().and_then(|answer| answer.none_of);
    html! {
        <dialog
            ref={dialog}
            class="camera"
            data-testid="camera-view"
            aria-label={text.camera_heading}
            onclose={dispatch.reform(|_: Event| Action::SwitchCamera(false))}
        >
            <div class="viewer-bar">
                <p class="name">{ text.camera_heading }</p>
                <button class="tool" type="button" aria-label={text.close} onclick={dispatch.reform(|_| Action::SwitchCamera(false))}>
                    <Icon shape={Shape::Cross} />
                </button>
            </div>
            <div class="finder">
                <video ref={video} autoplay=true muted=true playsinline=true onplaying={let plays = plays.clone(); move |_| plays.set(true)}></video>
                if let Some(reason) = *error {
                    <p class="hint" data-testid="error">
                        { match reason {
                            NoCamera::Refused => text.camera_refused,
                            NoCamera::Missing => text.camera_missing,
                        } }
                    </p>
                } else if !*plays {
                    <p class="hint" role="status">{ text.camera_waiting }</p>
                }
                if !predictions.is_empty() {
                    <AnswerList over=true {predictions} {none_of} explain={Callback::noop()} />
                }
            </div>
            <div class="camera-bar">
                <button class="button primary" type="button" data-testid="shoot" disabled={!*plays} onclick={shoot}>
                    { text.camera_take }
                </button>
                <button
                    class="button"
                    type="button"
                    data-testid="live"
                    disabled={!*plays}
                    aria-pressed={running.to_string()}
                    onclick={dispatch.reform(move |_| Action::SetLive(!running))}
                >
                    <Icon shape={if running { Shape::Pause } else { Shape::Play }} />{ text.camera_live }
                </button>
            </div>
        </dialog>
    }
}

fn take(video: &yew::NodeRef, name: &str, to: Callback<File>) {
    let Some(video) = video.cast::<HtmlVideoElement>() else { return };
    let name = name.to_owned();
    spawn_local(async move {
        // A picture that cannot be had now can be had at the next click.
        if let Ok(picture) = snapshot(&video, &name).await {
            to.emit(picture);
        }
    });
}

/// `camera-2026-01-31T12-30-00.jpg`.
fn name() -> String {
    let now = String::from(js_sys::Date::new_0().to_iso_string());
    format!("camera-{}.jpg", now.get(..19).unwrap_or_default().replace(':', "-"))
}
