use super::icon::{Icon, Shape};
use super::progress_bar::ProgressBar;
use super::use_text;
use crate::isolation;
use page::action::Action;
use page::engine::EngineError;
use page::import::ImportAction;
use page::status::Status;
use page::worker_setup::Notice;
use protocol::fault::LoadFault;
use protocol::import::ImportSource;
use web_sys::MouseEvent;
use yew::{Callback, Html, Properties, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct StatusLineProps {
    pub status: Status,
    /// What keeps the page from its best.
    pub notice: Option<Notice>,
    pub dispatch: Callback<Action>,
}

/// What the page is doing, in a sentence and, where it can be measured, a bar.
#[component]
pub fn StatusLine(StatusLineProps { status, notice, dispatch }: &StatusLineProps) -> Html {
    let text = use_text();
    let said = (text.status)(status);
    let act = |action: Action| dispatch.reform(move |_: MouseEvent| action.clone());
    let reload = dispatch.reform(|_| Action::Reload);
    let mood = match status {
        Status::Failed(_) => "failed",
        status if status.busy() => "busy",
        _ => "calm",
    };
    let progress = match status {
        Status::Downloading(loading) | Status::Paused(loading) => {
            (text.progress_value)(loading.here, loading.total)
        }
        Status::Reading(loading) => (text.progress_value)(loading.built, loading.total),
        _ => said.lead.clone(),
    };
    html! {
        <div class={classes!("status", mood)}>
            <div class="status-row">
                <div class="status-text" data-testid="status" aria-live="polite">
                    <p>
                        <i class="dot" aria-hidden="true"></i>
                        <span>{ said.lead }<span aria-hidden="true">{ said.detail }</span></span>
                    </p>
                    if let Some(problem) = said.problem {
                        <p class="problem" data-testid={if matches!(status, Status::Failed(_)) { "error" } else { "question" }}>{ problem }</p>
                    }
                    if let Some(notice) = notice {
                        <p class="notice" data-testid="notice">
                            { (text.notice)(notice) }
                            if let (Notice::NotIsolated { .. }, Some(address)) = (notice, isolation::opt_in_url()) {
                                { " " }<a href={address}>{ text.isolate }</a>
                            }
                        </p>
                    }
                </div>
                if let Some(source) = missing_import(status) {
                    <div class="status-choices">
                        <button
                            class="button primary"
                            type="button"
                            data-testid="import-again"
                            onclick={act(Action::Import(ImportAction::Ask(source)))}
                        >
                            { text.import.import_again }
                        </button>
                        <button class="button" type="button" data-testid="use-own" onclick={act(Action::UseOwnModel)}>
                            { text.import.use_own }
                        </button>
                    </div>
                } else if matches!(status, Status::Failed(_)) {
                    <button class="button" type="button" onclick={reload}>
                        <Icon shape={Shape::Again} />{ text.try_again }
                    </button>
                } else if matches!(status, Status::Asking(_)) {
                    <div class="status-choices">
                        <button class="button primary" type="button" data-testid="agree" onclick={act(Action::AcceptOffer)}>
                            { text.agree }
                        </button>
                        <button class="button" type="button" data-testid="decline" onclick={act(Action::DeclineOffer)}>
                            { text.decline }
                        </button>
                    </div>
                } else if matches!(status, Status::Paused(_)) {
                    <button class="button" type="button" data-testid="resume" onclick={act(Action::ResumeLoading)}>
                        { text.resume }
                    </button>
                } else if status.can_pause() {
                    <button class="button" type="button" data-testid="pause" onclick={act(Action::PauseLoading)}>
                        { text.pause }
                    </button>
                }
            </div>
            if let Some(measure) = status.measure() {
                <ProgressBar {measure} label={text.progress} value={progress} />
            }
        </div>
    }
}

/// What was imported, if the chosen model was and is not in storage any more.
fn missing_import(status: &Status) -> Option<ImportSource> {
    match status {
        Status::Failed(EngineError::Load(LoadFault::NotImported { address })) => ImportSource::of(address),
        _ => None,
    }
}
