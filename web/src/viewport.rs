//! Measures where the window is on the grid of cards.

use crate::state::{Action, Viewport};
use gloo::events::EventListener;
use web_sys::Window;
use yew::Callback;

/// Tells when the window shows another part of the list, until the listeners are dropped.
pub fn listen(window: &Window, dispatch: &Callback<Action>) -> [EventListener; 2] {
    ["scroll", "resize"].map(|event| {
        let dispatch = dispatch.clone();
        EventListener::new(window, event, move |_| tell(&dispatch, None))
    })
}

/// Tells where the window is, unless that is known.
pub fn tell(dispatch: &Callback<Action>, known: Option<&Viewport>) {
    if let Some(viewport) = measure().filter(|viewport| known != Some(viewport)) {
        dispatch.emit(Action::Scrolled(viewport));
    }
}

/// `None` while there is no card to measure.
fn measure() -> Option<Viewport> {
    let window = web_sys::window()?;
    let grid = window.document()?.get_element_by_id("photo-grid")?;
    let card = grid.query_selector(".card").ok()??.get_bounding_client_rect();
    let style = window.get_computed_style(&grid).ok()??;
    let property = |name| style.get_property_value(name).unwrap_or_default();
    let gap = property("row-gap").trim_end_matches("px").parse().unwrap_or(0.0);
    Some(Viewport {
        // Whole pixels: a smooth scroll would redraw at every fraction of one.
        top: -grid.get_bounding_client_rect().top().round(),
        height: window.inner_height().ok()?.as_f64()?,
        row: card.height() + gap,
        gap,
        columns: property("grid-template-columns").split_whitespace().count(),
    })
}
