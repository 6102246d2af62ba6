use super::import_menu::picked;
use super::progress_bar::ProgressBar;
use super::use_text;
use page::effect::Focus;
use page::import::{ENDINGS, ImportAction, ImportStage, ImportState, NextStep, fetched_share};
use page::status::StageProgress;
use page::text::Text;
use protocol::import::{ImportFault, ImportOffer, ImportProgress, ImportSource};
use std::rc::Rc;
use web_sys::{File, MouseEvent};
use yew::{AttrValue, Callback, Event, Html, KeyboardEvent, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct ImportPanelProps {
    pub import: ImportState,
    /// Takes the visitor's file that the import lacks.
    pub file_again: Callback<File>,
    pub dispatch: Callback<ImportAction>,
}

/// The import of a checkpoint: asks before anything large is fetched, then tells how far it is. It lies at the lower
/// edge of the window and covers no more than that, so photos are looked at meanwhile.
#[component]
pub fn ImportPanel(props: &ImportPanelProps) -> Html {
    let text = use_text();
    let import = &props.import;
    let onkeydown = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                dispatch.emit(ImportAction::Close);
            }
        })
    };
    let content = match &import.stage {
        ImportStage::Closed => return html! {},
        ImportStage::Inspecting(source) => inspecting(source, text, props),
        ImportStage::Offered(offer) => offered(offer, text, props),
        ImportStage::Running { offer, progress } => running(offer, progress.as_ref(), text, props),
        ImportStage::Paused { offer, received } => paused(offer, *received, text, props),
        ImportStage::Failed { source, offer, fault } => failed(source, offer.as_ref(), fault, text, props),
        ImportStage::Done { name, bytes } => done(name, *bytes, text, props),
    };
    html! {
        <section
            id={Focus::Import.element_id()}
            class="import"
            tabindex="-1"
            aria-label={text.import.heading}
            data-testid="import"
            data-stage={stage_name(&import.stage)}
            {onkeydown}
        >
            { content }
            if import.refused {
                <p class="notice" role="status" data-testid="import-refused">{ text.import.one_at_a_time }</p>
            }
        </section>
    }
}

/// The stage, as tests and styles read it.
fn stage_name(stage: &ImportStage) -> &'static str {
    match stage {
        ImportStage::Closed => "closed",
        ImportStage::Inspecting(_) => "inspecting",
        ImportStage::Offered(_) => "offered",
        ImportStage::Running { .. } => "running",
        ImportStage::Paused { .. } => "paused",
        ImportStage::Failed { .. } => "failed",
        ImportStage::Done { .. } => "done",
    }
}

fn inspecting(source: &ImportSource, text: &Text, props: &ImportPanelProps) -> Html {
    let words = text.import;
    let lead = (words.inspecting)(shown(source));
    html! {
        <>
            <p class="import-lead" role="status">{ lead.clone() }</p>
            <ProgressBar measure={StageProgress::Unknown} label={words.heading} value={lead} testid="import-inspecting" />
            <div class="import-actions">
                { button(words.cancel, "import-cancel", ImportAction::Cancel, false, props) }
            </div>
        </>
    }
}

fn offered(offer: &ImportOffer, text: &Text, props: &ImportPanelProps) -> Html {
    let words = text.import;
    let is_file = offer.source.is_file();
    let fact = |term: &'static str, value: Html| html! { <><dt>{ term }</dt><dd>{ value }</dd></> };
    let license = offer.license.clone().unwrap_or_else(|| words.license_unknown.to_owned());
    html! {
        <div data-testid="import-offer">
            <h2 class="import-lead">{ (words.offer)(&offer.name) }</h2>
            <dl class="import-facts">
                { fact(words.model_term, html! { (words.model)(offer) }) }
                { fact(words.download_term, html! { <>{ (words.download)(offer) }{ link(offer) }</> }) }
                { fact(words.kept_term, html! { (words.kept)(offer) }) }
                { fact(words.license_term, html! { license }) }
                { fact(words.preprocessing_term, html! { (words.preprocessing)(&offer.preprocessing) }) }
            </dl>
            if offer.missing_bytes > 0 {
                <p class="import-fault" role="alert" data-testid="import-fault">{ (words.missing)(offer.missing_bytes) }</p>
            }
            <div class="import-actions">
                <button
                    class="button primary"
                    type="button"
                    data-testid="import-start"
                    disabled={offer.missing_bytes > 0}
                    onclick={props.dispatch.reform(|_| ImportAction::Start)}
                >
                    { if is_file { words.start_file } else { words.start } }
                </button>
                { button(words.not_now, "import-close", ImportAction::Close, false, props) }
            </div>
        </div>
    }
}

/// To the model's page on the hub. Only https addresses become links, whatever the worker says.
fn link(offer: &ImportOffer) -> Html {
    let address = Some(offer.page.clone()).filter(|page| page.starts_with("https://"));
    html! {
        if let Some(address) = address {
            { " (" }<a href={address} target="_blank" rel="noopener noreferrer">{ shown(&offer.source).to_owned() }</a>{ ")" }
        }
    }
}

fn running(
    offer: &ImportOffer,
    progress: Option<&ImportProgress>,
    text: &Text,
    props: &ImportPanelProps,
) -> Html {
    let words = text.import;
    let phase = |progress: &ImportProgress| (words.phase)(progress.phase, offer.source.is_file());
    let lead = progress.map_or(words.starting, phase);
    let amounts = progress.map(words.amounts);
    let (received, total) = progress
        .map_or((offer.resumed_bytes, offer.download_bytes), |progress| (progress.received, progress.total));
    html! {
        <>
            <h2 class="import-lead">{ offer.name.clone() }</h2>
            // Numbers that change many times a second are not read aloud.
            <p>
                <span role="status" data-testid="import-phase">{ lead }</span>
                if let Some(amounts) = &amounts {
                    <span class="import-amounts" aria-hidden="true" data-testid="import-amounts">{ amounts.clone() }</span>
                }
            </p>
            { bar(received, total, amounts.unwrap_or_else(|| lead.to_owned()).into(), text) }
            if progress.is_some_and(|progress| progress.restarted) {
                <p class="notice" data-testid="import-restarted">{ words.restarted }</p>
            }
            <p class="hint">{ words.meanwhile }</p>
            <div class="import-actions">
                { button(words.pause, "import-pause", ImportAction::Pause, false, props) }
                { button(words.cancel, "import-cancel", ImportAction::Cancel, false, props) }
            </div>
        </>
    }
}

fn paused(offer: &Rc<ImportOffer>, received: u64, text: &Text, props: &ImportPanelProps) -> Html {
    let words = text.import;
    let amounts = (words.of)(received, offer.download_bytes);
    let wants_file = props.import.wants_file();
    html! {
        <>
            <h2 class="import-lead">{ (words.paused)(&offer.name) }</h2>
            <p><span class="import-amounts">{ amounts.clone() }</span></p>
            { bar(received, offer.download_bytes, amounts.into(), text) }
            if wants_file {
                <p>{ (words.file_wanted)(&offer.file) }</p>
            }
            <div class="import-actions">
                if wants_file {
                    { file_button(text, props) }
                } else {
                    { button(words.go_on, "import-resume", ImportAction::Resume, true, props) }
                }
                { button(words.discard, "import-cancel", ImportAction::Cancel, false, props) }
            </div>
        </>
    }
}

fn failed(
    source: &ImportSource,
    offer: Option<&Rc<ImportOffer>>,
    fault: &ImportFault,
    text: &Text,
    props: &ImportPanelProps,
) -> Html {
    let words = text.import;
    let name = offer.map_or_else(|| shown(source), |offer| &offer.name);
    let retry = |said| button(said, "import-resume", ImportAction::Retry, true, props);
    html! {
        <>
            <h2 class="import-lead">{ (words.failed)(name) }</h2>
            <p class="import-fault" role="alert" data-testid="import-fault">{ (words.fault)(fault) }</p>
            <div class="import-actions">
                { match props.import.next_step() {
                    Some(NextStep::GoOn) => retry(words.go_on),
                    Some(NextStep::TryAgain) => retry(words.try_again),
                    Some(NextStep::ChooseFile) => file_button(text, props),
                    Some(NextStep::None) | None => html! {},
                } }
                if offer.is_some() {
                    { button(words.discard, "import-cancel", ImportAction::Cancel, false, props) }
                } else {
                    { button(words.close, "import-close", ImportAction::Close, false, props) }
                }
            </div>
        </>
    }
}

fn done(name: &str, bytes: u64, text: &Text, props: &ImportPanelProps) -> Html {
    html! {
        <>
            <p role="status" data-testid="import-done">{ (text.import.done)(name, bytes) }</p>
            <div class="import-actions">
                { button(text.import.close, "import-close", ImportAction::Close, false, props) }
            </div>
        </>
    }
}

/// A reference without its hub, or the file's name.
fn shown(source: &ImportSource) -> &str {
    source.checkpoint.split_once(':').map_or(&*source.checkpoint, |(_, name)| name)
}

fn bar(received: u64, total: u64, value: AttrValue, text: &Text) -> Html {
    let measure = fetched_share(received, total);
    html! { <ProgressBar {measure} label={text.import.heading} {value} testid="import-progress" /> }
}

fn button(
    said: &'static str,
    testid: &'static str,
    action: ImportAction,
    is_primary: bool,
    props: &ImportPanelProps,
) -> Html {
    let onclick = props.dispatch.reform(move |_: MouseEvent| action.clone());
    let class = if is_primary { "button primary" } else { "button" };
    html! { <button {class} type="button" data-testid={testid} {onclick}>{ said }</button> }
}

fn file_button(text: &Text, props: &ImportPanelProps) -> Html {
    let file_again = props.file_again.clone();
    let onchange = Callback::from(move |event: Event| {
        picked(&event).into_iter().for_each(|file| file_again.emit(file));
    });
    html! {
        <>
            <input
                id="import-file-again"
                class="visually-hidden"
                type="file"
                accept={ENDINGS}
                data-testid="import-file-again"
                {onchange}
            />
            <label class="button primary" for="import-file-again">{ text.import.choose_file }</label>
        </>
    }
}
