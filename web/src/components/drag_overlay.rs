use super::use_text;
use yew::{Html, Properties, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct DragOverlayProps {
    pub shown: bool,
}

/// Covers the window while files are dragged over it: the whole page is the target.
#[component]
pub fn DragOverlay(DragOverlayProps { shown }: &DragOverlayProps) -> Html {
    let text = use_text();
    html! {
        <div class={classes!("veil", shown.then_some("shown"))} aria-hidden="true"><p>{ text.let_go }</p></div>
    }
}
