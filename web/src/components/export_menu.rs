use super::icon::{Icon, Shape};
use super::use_text;
use crate::tagging::can_write;
use page::action::Action;
use page::export::Format;
use page::tagging::{self, TagAction};
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct ExportMenuProps {
    /// There is something to export.
    pub enabled: bool,
    /// A photo has an answer.
    pub answered: bool,
    pub dispatch: Callback<Action>,
}

/// All results, to take away.
#[component]
pub fn ExportMenu(ExportMenuProps { enabled, answered, dispatch }: &ExportMenuProps) -> Html {
    let text = use_text();
    let button = |format: Format, what: &'static str, testid: &'static str| {
        html! {
            <button
                class="menu-item"
                type="button"
                data-testid={testid}
                disabled={!enabled}
                onclick={dispatch.reform(move |_| Action::Export(format))}
            >
                { what }
            </button>
        }
    };
    html! {
        <details class="menu" name="menu" data-testid="export">
            <summary class="button quiet" id="export-menu"><Icon shape={Shape::Save} />{ text.export }</summary>
            <div class="menu-items">
                { button(Format::Json, text.export_json, "export-json") }
                { button(Format::Csv, text.export_csv, "export-csv") }
                <button
                    class="menu-item"
                    type="button"
                    data-testid="export-keywords"
                    disabled={!answered}
                    onclick={dispatch.reform(|_| Action::Tag(TagAction::Open { can_write: can_write() }))}
                >
                    { tagging::text::of(text.tag).entry }
                </button>
            </div>
        </details>
    }
}
