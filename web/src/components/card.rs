use super::answer::{AnswerList, kind};
use super::icon::{Icon, Shape};
use super::use_text;
use page::action::Action;
use page::effect::Focus;
use page::photo::{Photo, PhotoError, PhotoId, Preview, Progress};
use page::text::Text;
use std::rc::Rc;
use yew::{Callback, DragEvent, Html, KeyboardEvent, Properties, classes, component, html};

/// What a dragged card carries, beside which a file from the desktop carries files.
const CARD: &str = "application/x-beitscope-photo";

#[derive(PartialEq, Properties)]
pub struct CardProps {
    pub photo: Rc<Photo>,
    /// How many classes the answer shows.
    pub top_k: usize,
    /// The list is in the visitor's own order, so that cards can be moved.
    pub movable: bool,
    /// The answer says which model gave it.
    pub tells_model: bool,
    pub dispatch: Callback<Action>,
}

/// A photo with its answer, or with why it has none.
#[component]
pub fn Card(CardProps { photo, top_k, movable, tells_model, dispatch }: &CardProps) -> Html {
    let text = use_text();
    let id = photo.id;
    let name = if photo.name.is_empty() { text.dropped_thing } else { &*photo.name };
    let answer = match &photo.progress {
        Progress::Done(answer) => Some(answer),
        _ => None,
    };
    let shown = matches!(photo.preview, Preview::Shown(_)).then_some("shown");
    html! {
        <article
            class={classes!("card", shown)}
            data-testid="photo-card"
            data-state={photo.progress.data_state()}
            data-name={name.to_owned()}
            data-ms={answer.map(|answer| answer.ms.to_string())}
            draggable={movable.then_some("true")}
            ondragstart={Callback::from(move |event: DragEvent| pick_up(&event, id))}
            ondrop={movable.then(|| put_down(id, dispatch))}
            onkeydown={movable.then(|| nudge(id, dispatch))}
        >
            <div class="frame">
                { preview(photo, name, *movable, text, dispatch) }
                { over(photo, *top_k, text, dispatch) }
                <button
                    id={Focus::Remove(id).element_id()}
                    class="remove"
                    type="button"
                    aria-label={(text.remove)(name)}
                    onclick={dispatch.reform(move |_| Action::Remove(id))}
                >
                    <Icon shape={Shape::Cross} />
                </button>
            </div>
            <div class="foot">
                <p class="name" title={name.to_owned()}>{ name.to_owned() }</p>
                <p class="measures">
                    if let Some(answer) = answer {
                        if let Some(found) = &answer.kind {
                            { kind(found, text) }
                        } else {
                            <span>{ (text.dimensions)(answer.width, answer.height) }</span>
                        }
                        <span>{ (text.milliseconds)(answer.ms) }</span>
                    }
                </p>
                if let Some(raw) = answer.and_then(|answer| answer.reading.preview_of.as_ref()) {
                    <p class="maker" data-testid="raw-preview">{ (text.raw_preview)(raw) }</p>
                }
                if let Some(missing) = answer.map(|answer| answer.reading.missing_percent).filter(|&part| part > 0) {
                    <p class="maker" data-testid="part-missing">{ (text.part_missing)(missing) }</p>
                }
                if *tells_model {
                    <p class="maker" title={page::models::text::of(text.tag).answered_by} data-testid="maker">
                        { answer.and(photo.provenance.as_ref()).map(|provenance| (text.provenance)(&provenance.model)) }
                    </p>
                }
            </div>
        </article>
    }
}

fn pick_up(event: &DragEvent, id: PhotoId) {
    if let Some(transfer) = event.data_transfer() {
        // A card that cannot be moved is dropped nowhere.
        transfer.set_data(CARD, &id.to_string()).ok();
    }
}

fn put_down(target: PhotoId, dispatch: &Callback<Action>) -> Callback<DragEvent> {
    let dispatch = dispatch.clone();
    Callback::from(move |event: DragEvent| {
        let carried = event.data_transfer().and_then(|transfer| transfer.get_data(CARD).ok());
        if let Some(id) = carried.and_then(|id| id.parse().ok()) {
            // Else the window would take it for something that came in.
            event.prevent_default();
            event.stop_propagation();
            dispatch.emit(Action::MoveTo { id, target });
        }
    })
}

/// Alt and an arrow key move the card that has the focus.
fn nudge(id: PhotoId, dispatch: &Callback<Action>) -> Callback<KeyboardEvent> {
    let dispatch = dispatch.clone();
    Callback::from(move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            _ => return,
        };
        if event.alt_key() {
            event.prevent_default();
            dispatch.emit(Action::Nudge { id, by });
        }
    })
}

/// The photo, which opens its large view; where the browser cannot show it, a quiet placeholder.
fn preview(photo: &Photo, name: &str, movable: bool, text: &Text, dispatch: &Callback<Action>) -> Html {
    let id = photo.id;
    let image = photo.preview.url().map(|url| {
        html! { <img src={url.clone()} alt={(text.photo)(name)} decoding="async" draggable="false" /> }
    });
    let failed = matches!(photo.progress, Progress::Failed(_));
    if failed && image.is_none() {
        return html! {};
    }
    html! {
        <button
            id={Focus::Open(id).element_id()}
            type="button"
            class="open"
            aria-label={(text.open)(name)}
            aria-keyshortcuts={movable.then_some("Alt+ArrowLeft Alt+ArrowRight")}
            onclick={dispatch.reform(move |_| Action::OpenViewer { id, class: None })}
        >
            if photo.preview == Preview::Unavailable {
                <span class="placeholder"><Icon shape={Shape::Photo} /><span>{ text.no_preview }</span></span>
            }
            { image }
        </button>
    }
}

/// What is laid over the photo.
fn over(photo: &Photo, top_k: usize, text: &'static Text, dispatch: &Callback<Action>) -> Html {
    let id = photo.id;
    match &photo.progress {
        Progress::Queued => {
            html! { <p class="over waiting"><i class="dot" aria-hidden="true"></i>{ text.waiting }</p> }
        }
        Progress::Running(share) => html! {
            <>
                <p class="over waiting"><i class="dot" aria-hidden="true"></i>{ text.looking }</p>
                <svg class="through" aria-hidden="true">
                    <rect width={format!("{:.1}%", share * 100.0)} height="100%" />
                </svg>
            </>
        },
        Progress::Done(answer) => {
            let predictions = answer.predictions.iter().take(top_k).cloned().collect::<Vec<_>>();
            let explain = dispatch.reform(move |class| Action::OpenViewer { id, class: Some(class) });
            html! { <AnswerList over=true {predictions} {explain} none_of={answer.none_of} /> }
        }
        Progress::Failed(error) => failure(photo.id, error, text, dispatch),
    }
}

fn failure(id: u64, error: &PhotoError, text: &Text, dispatch: &Callback<Action>) -> Html {
    html! {
        <div class="over failure">
            <Icon shape={Shape::Alert} />
            <p data-testid="error">{ (text.photo_error)(error) }</p>
            if error.can_retry() {
                <button class="button" type="button" onclick={dispatch.reform(move |_| Action::Retry(id))}>
                    <Icon shape={Shape::Again} />{ text.try_again }
                </button>
            }
        </div>
    }
}
