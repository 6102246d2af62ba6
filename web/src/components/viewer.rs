use super::answer::{AnswerList, kind};
use super::class_search::ClassSearch;
use super::explanation::{Why, not_shown_reason};
use super::heat_overlay::HeatOverlay;
use super::icon::{Icon, Shape};
use super::pixels::Pixels;
use super::use_text;
use page::action::Action;
use page::photo::{Photo, Progress};
use page::sharing::LinkState;
use page::text::Text;
use page::viewer::{Explanation, Input, Viewer as Seen, explained};
use protocol::Answer;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlInputElement};
use yew::{Callback, Event, Html, KeyboardEvent, Properties, component, html, use_effect_with, use_node_ref};

#[derive(PartialEq, Properties)]
pub struct ViewerProps {
    pub seen: Seen,
    pub photo: Rc<Photo>,
    /// Which of the listed photos it is, from 0, and how many there are.
    pub place: (usize, usize),
    pub top_k: usize,
    /// What became of the link to the result.
    pub link: LinkState,
    pub dispatch: Callback<Action>,
}

/// One photo, large: the whole of it, its answer, and why. The dialog is the browser's own, so that focus,
/// Escape and the rest of the page behave as everywhere.
#[component]
pub fn Viewer(ViewerProps { seen, photo, place, top_k, link, dispatch }: &ViewerProps) -> Html {
    let text = use_text();
    let dialog = use_node_ref();
    use_effect_with(dialog.clone(), |dialog| {
        if let Some(dialog) = dialog.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
            // It is in the document and closed, which is all that can be amiss.
            dialog.show_modal().ok();
        }
    });
    let (at, count) = *place;
    // At the ends the buttons do nothing, but keep the keyboard's focus.
    let step = |by: isize| dispatch.reform(move |_| Action::StepViewer(by));
    let answer = match &photo.progress {
        Progress::Done(answer) => Some(answer),
        _ => None,
    };
    html! {
        <dialog
            ref={dialog}
            class="viewer"
            data-testid="viewer"
            aria-label={(text.photo)(&photo.name)}
            onclose={dispatch.reform(|_: Event| Action::CloseViewer)}
            onkeydown={keys(dispatch)}
        >
            <div class="viewer-bar">
                <p class="name">{ photo.name.to_string() }</p>
                <p class="place">{ (text.place)(at + 1, count) }</p>
                <button class="tool" type="button" aria-label={text.previous} aria-disabled={(at == 0).to_string()} onclick={step(-1)}>
                    <Icon shape={Shape::Back} />
                </button>
                <button class="tool" type="button" aria-label={text.next} aria-disabled={(at + 1 >= count).to_string()} onclick={step(1)}>
                    <Icon shape={Shape::Forth} />
                </button>
                <button class="tool" type="button" aria-label={text.close} data-testid="close" onclick={dispatch.reform(|_| Action::CloseViewer)}>
                    <Icon shape={Shape::Cross} />
                </button>
            </div>
            <div class="viewer-body">
                { stage(seen, photo, answer, text, dispatch) }
                <div class="viewer-side">
                    { side(seen, photo, answer, *top_k, *link, text, dispatch) }
                </div>
            </div>
        </dialog>
    }
}

/// Arrow keys go to the next photo, but in a slider they are its own.
fn keys(dispatch: &Callback<Action>) -> Callback<KeyboardEvent> {
    let dispatch = dispatch.clone();
    Callback::from(move |event: KeyboardEvent| {
        let in_slider = event.target().is_some_and(|target| target.dyn_ref::<HtmlInputElement>().is_some());
        let by = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            _ => return,
        };
        if !in_slider && !event.alt_key() && !event.ctrl_key() && !event.meta_key() {
            event.prevent_default();
            dispatch.emit(Action::StepViewer(by));
        }
    })
}

fn stage(
    seen: &Seen,
    photo: &Photo,
    answer: Option<&Answer>,
    text: &Text,
    dispatch: &Callback<Action>,
) -> Html {
    let map = match (&seen.explanation, answer) {
        (Explanation::Shown { map, .. }, Some(answer)) => Some((map.clone(), (answer.width, answer.height))),
        _ => None,
    };
    html! {
        <div class="stage">
            if let Some(url) = &seen.url {
                <img
                    src={url.clone()}
                    alt={(text.photo)(&photo.name)}
                    onerror={dispatch.reform(|_| Action::WholeFailed)}
                />
            } else if let Some(url) = photo.preview.url() {
                <img class="small" src={url.clone()} alt={(text.photo)(&photo.name)} />
            } else {
                <p class="placeholder"><Icon shape={Shape::Photo} /><span>{ text.no_preview }</span></p>
            }
            if let Some((map, size)) = map {
                <HeatOverlay {map} {size} strength={seen.strength} />
            }
        </div>
    }
}

fn side(
    seen: &Seen,
    photo: &Photo,
    answer: Option<&Answer>,
    top_k: usize,
    link: LinkState,
    text: &'static Text,
    dispatch: &Callback<Action>,
) -> Html {
    let Some(answer) = answer else {
        let sentence = match &photo.progress {
            Progress::Failed(error) => (text.photo_error)(error),
            Progress::Running(_) => text.looking.into(),
            _ => text.waiting.into(),
        };
        return html! { <p class="hint">{ sentence }</p> };
    };
    let predictions: Vec<_> = answer.predictions.iter().take(top_k).cloned().collect();
    let class = explained(&answer.predictions, seen);
    html! {
        <>
            if let Some(found) = &answer.kind {
                <p class="all-in-all">{ kind(found, text) }</p>
            }
            <AnswerList
                {predictions}
                none_of={answer.none_of}
                explained={seen.explanation.class()}
                explain={dispatch.reform(Action::ToggleExplanation)}
            />
            <ClassSearch search={seen.search.clone()} explained={seen.explanation.class()} dispatch={dispatch.clone()} />
            <Why explanation={seen.explanation.clone()} {class} strength={seen.strength} dispatch={dispatch.clone()} />
            { input(&seen.input, text, dispatch) }
            { take_away(link, text, dispatch) }
            <p class="hint">
                { (text.dimensions)(answer.width, answer.height) }{ " · " }{ (text.milliseconds)(answer.ms) }
                if let Some(provenance) = &photo.provenance {
                    { " · " }{ (text.provenance)(&provenance.model) }
                }
            </p>
        </>
    }
}

/// The photo with its answer as a picture, and a link to the result.
fn take_away(link: LinkState, text: &Text, dispatch: &Callback<Action>) -> Html {
    let said = match link {
        LinkState::None => "",
        LinkState::Copied => text.link_copied,
        LinkState::InAddress => text.link_in_address,
    };
    html! {
        <section class="take-away">
            <button class="button quiet" type="button" data-testid="export-png" onclick={dispatch.reform(|_| Action::SavePicture)}>
                <Icon shape={Shape::Save} />{ text.export_png }
            </button>
            <button class="button quiet" type="button" data-testid="copy-link" onclick={dispatch.reform(|_| Action::ShareResult)}>
                { text.copy_link }
            </button>
            <p class="hint" role="status">{ said }</p>
        </section>
    }
}

/// What the network saw, on demand.
fn input(input: &Input, text: &Text, dispatch: &Callback<Action>) -> Html {
    let hidden = matches!(input, Input::Hidden | Input::Failed(_));
    let body = match input {
        Input::Hidden => html! {},
        Input::Waiting => html! { <p class="hint" role="status">{ text.explain_waiting }</p> },
        Input::Failed(reason) => {
            html! { <p class="hint" data-testid="error">{ not_shown_reason(reason, text) }</p> }
        }
        Input::Shown { side, rgba } => html! {
            <>
                <Pixels side={*side} rgba={rgba.clone()} label={text.input} />
                <p class="hint">{ (text.input_meaning)(*side) }</p>
            </>
        },
    };
    html! {
        <section class="input">
            <button
                class="button quiet"
                type="button"
                data-testid="show-input"
                aria-expanded={(!hidden).to_string()}
                onclick={dispatch.reform(|_| Action::ToggleInput)}
            >
                { text.input }
            </button>
            { body }
        </section>
    }
}
