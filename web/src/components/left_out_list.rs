use super::use_text;
use archive::LeftOut;
use yew::{Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct LeftOutListProps {
    pub left_out: LeftOut,
}

/// How many files were left out and why, with the first names to unfold.
#[component]
pub fn LeftOutList(LeftOutListProps { left_out }: &LeftOutListProps) -> Html {
    let text = use_text();
    let unnamed = left_out.total().saturating_sub(left_out.names().len() as u64);
    html! {
        <details class="left-out" data-testid="left-out">
            <summary>{ (text.skipped)(left_out) }</summary>
            <ul>
                { for left_out.names().iter().map(|(name, reason)| html! {
                    <li><bdi>{ &**name }</bdi>{ " " }<small>{ (text.left_out_for)(*reason) }</small></li>
                }) }
                if unnamed > 0 {
                    <li>{ (text.left_out_more)(unnamed) }</li>
                }
            </ul>
        </details>
    }
}
