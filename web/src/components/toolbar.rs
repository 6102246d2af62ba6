use super::export_menu::ExportMenu;
use super::icon::{Icon, Shape};
use super::left_out_list::LeftOutList;
use super::use_text;
use archive::LeftOut;
use page::action::Action;
use page::listing::{Listing, SortOrder};
use page::photo::{DEFAULT_TOP_K, LISTED_CLASSES};
use page::state::Counts;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Event, Html, InputEvent, Properties, TargetCast, component, html};

#[derive(PartialEq, Properties)]
pub struct ToolbarProps {
    pub counts: Counts,
    /// How many photos the search leaves.
    pub listed: usize,
    pub listing: Listing,
    pub stopped: bool,
    pub seconds_left: Option<f64>,
    /// Files left out.
    pub skipped: LeftOut,
    pub top_k: usize,
    pub dispatch: Callback<Action>,
}

/// What can be done with all photos at once.
#[component]
pub fn Toolbar(props: &ToolbarProps) -> Html {
    let ToolbarProps { counts, listed, listing, stopped, seconds_left, skipped, top_k, dispatch } = props;
    let text = use_text();
    let search = dispatch.reform(|event: InputEvent| {
        Action::Search(event.target_unchecked_into::<HtmlInputElement>().value())
    });
    let order = dispatch.reform(|event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
        Action::OrderBy(ORDERS.into_iter().find(|order| key(*order) == chosen).unwrap_or_default())
    });
    let classes = dispatch.reform(|event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
        Action::ShowClasses(chosen.parse().unwrap_or(DEFAULT_TOP_K))
    });
    let option = |one: SortOrder| {
        html! { <option value={key(one)} selected={one == listing.order}>{ (text.order)(one) }</option> }
    };
    let number = |k: usize| html! { <option value={k.to_string()} selected={k == *top_k}>{ (text.classes)(k) }</option> };
    let stop = {
        let stopped = *stopped;
        dispatch.reform(move |_| Action::StopQueue(!stopped))
    };
    let queued = counts.left > 1 || (*stopped && counts.left > 0);
    html! {
        <div class="tools" role="group" aria-label={text.tools}>
            <div class="tally" data-testid="tally">
                <span>{ (text.counts)(counts) }</span>
                if *listed < counts.all() {
                    <span>{ (text.listed)(*listed) }</span>
                }
                if !skipped.is_empty() {
                    <LeftOutList left_out={skipped.clone()} />
                }
            </div>
            if queued {
                <p class="queue" data-testid="queue" data-left={counts.left.to_string()}>
                    <span>{ (text.left)(counts.left, seconds_left.filter(|_| !stopped)) }</span>
                    <button class="button quiet" type="button" data-testid="stop" onclick={stop}>
                        <Icon shape={if *stopped { Shape::Play } else { Shape::Pause }} />
                        { if *stopped { text.go_on } else { text.stop } }
                    </button>
                </p>
            }
            <div class="controls">
                <input
                    type="search"
                    class="field"
                    data-testid="search"
                    placeholder={text.search}
                    aria-label={text.search}
                    value={listing.query.clone()}
                    oninput={search}
                />
                <select class="field" data-testid="order" aria-label={text.order_label} onchange={order}>
                    { for ORDERS.into_iter().map(option) }
                </select>
                <select class="field" data-testid="top-k" aria-label={text.classes_label} onchange={classes}>
                    { for [1, 3, 5, LISTED_CLASSES].into_iter().map(number) }
                </select>
                <ExportMenu enabled={counts.done + counts.failed > 0} answered={counts.done > 0} dispatch={dispatch.clone()} />
                <button class="button quiet" type="button" onclick={dispatch.reform(|_| Action::Clear)}>
                    { text.clear }
                </button>
            </div>
        </div>
    }
}

const ORDERS: [SortOrder; 4] = [SortOrder::Own, SortOrder::Name, SortOrder::Label, SortOrder::Confidence];

fn key(order: SortOrder) -> &'static str {
    match order {
        SortOrder::Own => "own",
        SortOrder::Name => "name",
        SortOrder::Label => "label",
        SortOrder::Confidence => "confidence",
    }
}
