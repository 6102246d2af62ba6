use super::card::Card;
use super::use_text;
use crate::photo::Photo;
use crate::state::{Action, Counts};
use std::rc::Rc;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct GalleryProps {
    pub photos: Vec<Rc<Photo>>,
    pub counts: Counts,
    pub dispatch: Callback<Action>,
}

/// All photos, each on its card.
#[component]
pub fn Gallery(GalleryProps { photos, counts, dispatch }: &GalleryProps) -> Html {
    let text = use_text();
    let card = |photo: &Rc<Photo>| {
        html! { <Card key={photo.id} photo={photo.clone()} dispatch={dispatch.clone()} /> }
    };
    html! {
        <section aria-labelledby="gallery-heading">
            <div class="tools">
                <h2 id="gallery-heading" class="visually-hidden">{ text.gallery }</h2>
                <p>{ (text.counts)(counts) }</p>
                <button class="button quiet" type="button" onclick={dispatch.reform(|_| Action::Clear)}>{ text.clear }</button>
            </div>
            <div class="grid">{ for photos.iter().map(card) }</div>
        </section>
    }
}
