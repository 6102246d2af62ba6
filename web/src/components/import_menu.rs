//! Below the listed models: any other model of a hub, and a checkpoint file of the visitor's own.

use super::use_text;
use page::action::Action;
use page::import::{DEFAULT_QUANTIZATION, ENDINGS, ImportAction, QUANTIZATIONS};
use web_sys::{File, HtmlInputElement, HtmlSelectElement, SubmitEvent};
use yew::{Callback, Event, Html, Properties, TargetCast, component, html, use_node_ref};

#[derive(PartialEq, Properties)]
pub struct ImportMenuProps {
    /// Takes a checkpoint file, and how its weights are to be rounded.
    pub checkpoint: Callback<(File, String)>,
    /// Closes the menu.
    pub close: Callback<()>,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn ImportMenu(ImportMenuProps { checkpoint, close, dispatch }: &ImportMenuProps) -> Html {
    let text = use_text();
    let words = text.import;
    let (field, rounding) = (use_node_ref(), use_node_ref());
    let quantization = {
        let rounding = rounding.clone();
        move || rounding.cast::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default()
    };
    let onsubmit = {
        let (field, quantization) = (field.clone(), quantization.clone());
        let (close, dispatch) = (close.clone(), dispatch.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = field.cast::<HtmlInputElement>().map(|field| field.value()).unwrap_or_default();
            if !text.trim().is_empty() {
                close.emit(());
                dispatch.emit(Action::Import(ImportAction::AskFor { text, quantization: quantization() }));
            }
        })
    };
    let onchange = {
        let (checkpoint, close) = (checkpoint.clone(), close.clone());
        Callback::from(move |event: Event| {
            if let Some(file) = picked(&event) {
                close.emit(());
                checkpoint.emit((file, quantization()));
            }
        })
    };
    html! {
        <form class="import-menu" {onsubmit}>
            <label for="import-source">{ words.other_model }</label>
            <div class="import-row">
                <input
                    ref={field}
                    id="import-source"
                    class="field"
                    type="search"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder={words.other_model_hint}
                    data-testid="import-source"
                />
                <select ref={rounding} class="field" aria-label={words.rounding} data-testid="import-rounding">
                    { for QUANTIZATIONS.map(|name| html! { <option value={name} selected={name == DEFAULT_QUANTIZATION}>{ (text.quantization)(name) }</option> }) }
                </select>
            </div>
            <div class="import-row">
                <button class="button" type="submit" data-testid="import-look-up">{ words.look_up }</button>
                <input
                    id="import-file"
                    class="visually-hidden"
                    type="file"
                    accept={ENDINGS}
                    data-testid="import-file"
                    {onchange}
                />
                <label class="button" for="import-file">{ words.checkpoint_file }</label>
            </div>
        </form>
    }
}

/// The picked file. The picker is emptied, so that the same file can be picked again.
pub fn picked(event: &Event) -> Option<File> {
    let input: HtmlInputElement = event.target_dyn_into()?;
    let file = input.files()?.get(0);
    input.set_value("");
    file
}
