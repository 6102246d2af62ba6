use super::card::Card;
use super::use_text;
use page::action::Action;
use page::listing::{Drawn, Listing, SortOrder};
use page::photo::Photo;
use std::rc::Rc;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct GalleryProps {
    /// The listed photos in their order.
    pub listed: Vec<Rc<Photo>>,
    /// The part of them that is drawn.
    pub drawn: Drawn,
    pub listing: Listing,
    pub top_k: usize,
    /// There are several models, so that each answer says whose it is.
    pub tells_model: bool,
    pub dispatch: Callback<Action>,
    /// The toolbar, above the grid.
    pub children: Html,
}

/// The photos, each on its card. Of a long list only the rows in sight are drawn; what is left out keeps
/// its height, so that the scroll bar tells the truth.
#[component]
pub fn Gallery(props: &GalleryProps) -> Html {
    let GalleryProps { listed, drawn, listing, top_k, tells_model, dispatch, children } = props;
    let text = use_text();
    let movable = listing.order == SortOrder::Own;
    let card = |photo: &Rc<Photo>| {
        html! {
            <Card key={photo.id} photo={photo.clone()} top_k={*top_k} {movable} tells_model={*tells_model} dispatch={dispatch.clone()} />
        }
    };
    let (row, gap) = listing.viewport.map_or((0.0, 0.0), |viewport| (viewport.row, viewport.gap));
    // A gap of the grid follows it, so it is a little less than its rows.
    let spacer = |rows: usize, key: &'static str| {
        let height = format!("{:.1}", (rows as f64 * row - gap).max(0.0));
        html! {
            if rows > 0 {
                <svg key={key} class="spacer" width="1" {height} aria-hidden="true" />
            }
        }
    };
    html! {
        <section class="gallery" aria-labelledby="gallery-heading">
            <h2 id="gallery-heading" class="visually-hidden">{ text.gallery }</h2>
            { children.clone() }
            if listed.is_empty() {
                <p class="nothing-found">{ (text.nothing_found)(&listing.query) }</p>
            }
            <div id="photo-grid" class="grid">
                { spacer(drawn.rows_before, "before") }
                { for listed[drawn.range.clone()].iter().map(card) }
                { spacer(drawn.rows_after, "after") }
            </div>
        </section>
    }
}
