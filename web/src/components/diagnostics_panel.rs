use super::use_text;
use page::action::Action;
use std::rc::Rc;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct DiagnosticsPanelProps {
    /// The facts, once they were asked for.
    pub facts: Option<Rc<str>>,
    /// They are in the clipboard.
    pub copied: bool,
    pub dispatch: Callback<Action>,
}

/// What one wants to know when something is slow or does not work.
#[component]
pub fn DiagnosticsPanel(DiagnosticsPanelProps { facts, copied, dispatch }: &DiagnosticsPanelProps) -> Html {
    let text = use_text();
    html! {
        <details class="diagnostics" data-testid="diagnostics" ontoggle={dispatch.reform(|_| Action::Diagnose)}>
            <summary>{ text.diagnostics }</summary>
            if let Some(facts) = facts {
                // It scrolls sideways on a phone, so the keyboard has to reach it.
                <pre tabindex="0" aria-label={text.diagnostics}>{ facts.to_string() }</pre>
                <button class="button quiet" type="button" onclick={dispatch.reform(|_| Action::CopyDiagnostics)}>
                    { if *copied { text.copied } else { text.copy } }
                </button>
            }
        </details>
    }
}
