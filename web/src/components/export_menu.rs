use super::icon::{Icon, Shape};
use super::use_text;
use page::action::Action;
use page::export::Format;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct ExportMenuProps {
    /// There is something to export.
    pub enabled: bool,
    pub dispatch: Callback<Action>,
}

/// All results, to take away.
#[component]
pub fn ExportMenu(ExportMenuProps { enabled, dispatch }: &ExportMenuProps) -> Html {
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
            <summary class="button quiet"><Icon shape={Shape::Save} />{ text.export }</summary>
            <div class="menu-items">
                { button(Format::Json, text.export_json, "export-json") }
                { button(Format::Csv, text.export_csv, "export-csv") }
            </div>
        </details>
    }
}
