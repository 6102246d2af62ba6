use super::answer::AnswerList;
use super::icon::{Icon, Shape};
use super::use_text;
use crate::photo::{Photo, Preview, Progress, Trouble};
use crate::state::{Action, Focus};
use crate::text::Text;
use std::rc::Rc;
use yew::{Callback, Html, Properties, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct CardProps {
    pub photo: Rc<Photo>,
    pub dispatch: Callback<Action>,
}

/// A photo with its answer, or with why it has none.
#[component]
pub fn Card(CardProps { photo, dispatch }: &CardProps) -> Html {
    let text = use_text();
    let id = photo.id;
    let name = if photo.name.is_empty() { text.dropped_thing } else { &*photo.name };
    let ms = match &photo.progress {
        Progress::Done(answer) => Some(answer.ms.to_string()),
        _ => None,
    };
    let shown = matches!(photo.preview, Preview::Shown(_)).then_some("shown");
    html! {
        <article
            class={classes!("card", shown)}
            data-testid="photo-card"
            data-state={photo.progress.hook()}
            data-name={name.to_owned()}
            data-ms={ms}
        >
            <div class="frame">
                { preview(photo, name, text, dispatch) }
                { over(photo, text, dispatch) }
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
                <p class="name">{ name.to_owned() }</p>
                if let Progress::Done(answer) = &photo.progress {
                    <p class="measures">
                        <span>{ (text.dimensions)(answer.width, answer.height) }</span>
                        <span>{ (text.milliseconds)(answer.ms) }</span>
                    </p>
                }
            </div>
        </article>
    }
}

/// The photo; until the browser shows it, and where it cannot, a quiet placeholder.
fn preview(photo: &Photo, name: &str, text: &Text, dispatch: &Callback<Action>) -> Html {
    let id = photo.id;
    let image = photo.preview.url().map(|url| {
        html! {
            <img
                src={url.clone()}
                alt={(text.photo)(name)}
                loading="lazy"
                decoding="async"
                onload={dispatch.reform(move |_| Action::Previewed { id, shown: true })}
                onerror={dispatch.reform(move |_| Action::Previewed { id, shown: false })}
            />
        }
    });
    html! {
        <>
            if photo.preview == Preview::Unavailable && !matches!(photo.progress, Progress::Failed(_)) {
                <p class="placeholder"><Icon shape={Shape::Photo} /><span>{ text.no_preview }</span></p>
            }
            { image }
        </>
    }
}

/// What is laid over the photo.
fn over(photo: &Photo, text: &'static Text, dispatch: &Callback<Action>) -> Html {
    match &photo.progress {
        Progress::Queued => {
            html! { <p class="over waiting"><i class="dot" aria-hidden="true"></i>{ text.waiting }</p> }
        }
        Progress::Running => {
            html! { <p class="over waiting"><i class="dot" aria-hidden="true"></i>{ text.looking }</p> }
        }
        Progress::Done(answer) => html! { <AnswerList predictions={answer.predictions.clone()} /> },
        Progress::Failed(trouble) => failure(photo.id, trouble, text, dispatch),
    }
}

fn failure(id: u64, trouble: &Trouble, text: &Text, dispatch: &Callback<Action>) -> Html {
    html! {
        <div class="over failure">
            <Icon shape={Shape::Alert} />
            <p data-testid="error">{ (text.trouble)(trouble) }</p>
            if trouble.can_retry() {
                <button class="button" type="button" onclick={dispatch.reform(move |_| Action::Retry(id))}>
                    <Icon shape={Shape::Again} />{ text.try_again }
                </button>
            }
        </div>
    }
}
