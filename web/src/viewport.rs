//! Measures where the window is on the grid of cards.

use gloo::events::EventListener;
use page::listing::Viewport;
use web_sys::Window;
use yew::Callback;

/// Reports when the window shows another part of the list, until the listeners are dropped.
pub fn listen(window: &Window, on_change: &Callback<Viewport>) -> [EventListener; 2] {
    ["scroll", "resize"].map(|event| {
        let on_change = on_change.clone();
        EventListener::new(window, event, move |_| report(&on_change, None))
    })
}

/// Reports where the window is, unless that is known.
pub fn report(on_change: &Callback<Viewport>, known: Option<&Viewport>) {
    if let Some(viewport) = measure().filter(|viewport| known != Some(viewport)) {
        on_change.emit(viewport);
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
