use super::icon::{Icon, Shape};
use super::progress_bar::ProgressBar;
use super::tagging_list::TaggingList;
use super::tagging_vocabulary::TaggingVocabulary;
use super::use_text;
use page::status::StageProgress;
use page::tagging::text::{TagText, of};
use page::tagging::{
    Row, RowOutcome, THRESHOLDS, TagAction, TagRules, TagStage, TagTarget, Task, Vocabulary,
    VocabularyRefusal, Work,
};
use protocol::keywords::{KeywordLanguage, Place};
use std::rc::Rc;
use web_sys::{File, HtmlDialogElement, HtmlSelectElement};
use yew::{Callback, Event, Html, Properties, TargetCast, component, html, use_effect_with, use_node_ref};

#[derive(PartialEq, Properties)]
pub struct TaggingDialogProps {
    pub stage: TagStage,
    pub rules: TagRules,
    pub target: TagTarget,
    pub vocabulary: Option<Vocabulary>,
    pub refused_vocabulary: Option<(Rc<str>, VocabularyRefusal)>,
    /// Photos looked at, of how many.
    pub progress: (usize, usize),
    pub without_answer: usize,
    pub can_write: bool,
    pub rows: Rc<[Row]>,
    /// How many files that were written can be restored.
    pub undoable: usize,
    /// A vocabulary was chosen.
    pub on_vocabulary: Callback<File>,
    pub dispatch: Callback<TagAction>,
}

/// Keywords into the photos: which, what would change, and where to.
#[component]
pub fn TaggingDialog(props: &TaggingDialogProps) -> Html {
    let TaggingDialogProps { stage, dispatch, .. } = props;
    let page_text = use_text();
    let text = of(page_text.tag);
    let dialog = use_node_ref();
    use_effect_with(dialog.clone(), |dialog| {
        if let Some(dialog) = dialog.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
            // It is in the document and closed, which is all that can be amiss.
            dialog.show_modal().ok();
        }
    });
    let state = match stage {
        TagStage::Closed => "closed",
        TagStage::Naming => "naming",
        TagStage::Planning => "planning",
        TagStage::Planned => "planned",
        TagStage::Working(_) => "working",
        TagStage::Finished(_) => "finished",
        TagStage::NoModel => "no-model",
    };
    html! {
        <dialog
            ref={dialog}
            class="tagging"
            data-testid="tagging"
            data-state={state}
            aria-labelledby="tagging-heading"
            onclose={dispatch.reform(|_: Event| TagAction::Close)}
        >
            <div class="tagging-bar">
                <h2 id="tagging-heading">{ text.heading }</h2>
                <button class="tool" type="button" aria-label={text.close} data-testid="tag-close" onclick={dispatch.reform(|_| TagAction::Close)}>
                    <Icon shape={Shape::Cross} />
                </button>
            </div>
            <div class="tagging-body">
                <p class="tagging-intro">{ text.intro }</p>
                { rules(props, text) }
                <div class="tagging-status" id="tagging-status" tabindex="-1" role="status" data-testid="tag-status">{ status(props, text) }</div>
                if !props.rows.is_empty() {
                    <TaggingList rows={props.rows.clone()} tag={page_text.tag} />
                }
            </div>
            <div class="tagging-actions">{ actions(props, text) }</div>
        </dialog>
    }
}

const LANGUAGES: [(KeywordLanguage, &str); 3] =
    [(KeywordLanguage::English, "en"), (KeywordLanguage::Chinese, "zh"), (KeywordLanguage::Both, "both")];

fn rules(props: &TaggingDialogProps, text: &'static TagText) -> Html {
    let TaggingDialogProps { stage, rules, dispatch, .. } = props;
    let disabled = matches!(stage, TagStage::Working(_) | TagStage::Naming | TagStage::NoModel);
    let chosen = |event: Event| event.target_unchecked_into::<HtmlSelectElement>().value();
    let threshold =
        dispatch.reform(move |event| TagAction::SetThreshold(chosen(event).parse().unwrap_or_default()));
    let language = dispatch.reform(move |event| {
        let value = chosen(event);
        let found = LANGUAGES.into_iter().find(|(_, key)| *key == value);
        TagAction::SetLanguage(found.map(|(language, _)| language).unwrap_or_default())
    });
    let percent = |percent: u8| {
        html! { <option value={percent.to_string()} selected={percent == rules.threshold}>{ (text.percent)(percent) }</option> }
    };
    let name = |language| match language {
        KeywordLanguage::English => text.english,
        KeywordLanguage::Chinese => text.chinese,
        KeywordLanguage::Both => text.both,
    };
    let option = |(language, key): (KeywordLanguage, &'static str)| {
        html! { <option value={key} selected={language == rules.language}>{ name(language) }</option> }
    };
    html! {
        <div class="tagging-rules">
            <label>
                <span>{ text.threshold }</span>
                <select class="field" data-testid="tag-threshold" {disabled} onchange={threshold}>
                    { for THRESHOLDS.into_iter().map(percent) }
                </select>
            </label>
            <label>
                <span>{ text.language }</span>
                <select class="field" data-testid="tag-language" {disabled} onchange={language}>
                    { for LANGUAGES.into_iter().map(option) }
                </select>
            </label>
            <TaggingVocabulary
                vocabulary={props.vocabulary.clone()}
                refused={props.refused_vocabulary.clone()}
                {disabled}
                on_file={props.on_vocabulary.clone()}
                dispatch={dispatch.clone()}
            />
        </div>
    }
}

fn changes(rows: &[Row]) -> usize {
    rows.iter().filter(|row| row.is_change()).count()
}

fn folder(target: &TagTarget) -> Option<&str> {
    match target {
        TagTarget::Zip => None,
        TagTarget::Folder(name) => Some(name),
    }
}

fn status(props: &TaggingDialogProps, text: &'static TagText) -> Html {
    let TaggingDialogProps { stage, progress, rows, target, without_answer, .. } = props;
    let (done, all) = *progress;
    match stage {
        TagStage::Closed => html! {},
        TagStage::Naming => html! { <p>{ text.naming }</p> },
        TagStage::NoModel => html! { <p>{ text.no_model }</p> },
        TagStage::Planning => html! {
            <>
                <p>{ (text.planning)(done, all) }</p>
                { bar(done, all, text.list, (text.planning)(done, all)) }
            </>
        },
        TagStage::Planned if rows.is_empty() => html! { <p>{ text.no_photos }</p> },
        TagStage::Planned => {
            let is_sidecar =
                |row: &Row| matches!(row.outcome, RowOutcome::Change { place: Place::Sidecar, .. });
            let new_sidecars = *target == TagTarget::Zip && rows.iter().any(is_sidecar);
            html! {
                <>
                    <p>{ (text.planned)(changes(rows), rows.len(), folder(target)) }</p>
                    if *without_answer > 0 {
                        <p class="hint">{ (text.without_answer)(*without_answer) }</p>
                    }
                    if new_sidecars {
                        <p class="hint">{ text.new_sidecars }</p>
                    }
                    if changes(rows) == 0 {
                        <p class="hint">{ text.nothing }</p>
                    }
                </>
            }
        }
        TagStage::Working(work) => html! {
            <>
                <p>{ working(work, text) }</p>
                { bar(work.done + work.failed.len(), work.total, text.heading, working(work, text)) }
            </>
        },
        TagStage::Finished(work) => finished(work, text),
    }
}

fn bar(done: usize, all: usize, label: &'static str, value: String) -> Html {
    let share = done as f64 / all.max(1) as f64;
    let measure = StageProgress::Share { here: share, built: share };
    html! { <ProgressBar {measure} {label} {value} testid="tag-progress" /> }
}

fn working(work: &Work, text: &'static TagText) -> String {
    let sentence = match work.task {
        Task::Zip => text.zipping,
        Task::Write => text.writing,
        Task::Undo => text.undoing,
    };
    sentence(work.done, work.total)
}

fn finished(work: &Work, text: &'static TagText) -> Html {
    let sentence = match work.task {
        Task::Zip if work.stopped || work.done == 0 => None,
        Task::Zip => Some((text.zipped)(work.done)),
        Task::Write => Some((text.wrote)(work.done)),
        Task::Undo => Some((text.undone)(work.done)),
    };
    html! {
        <>
            if let Some(sentence) = sentence {
                <p>{ sentence }</p>
            }
            if work.stopped {
                <p>{ text.stopped }</p>
            }
            if !work.failed.is_empty() {
                <p>{ (text.failed)(work.failed.len()) }</p>
                <ul class="tagging-failed">
                    { for work.failed.iter().map(|(name, why)| html! { <li><b>{ name.to_string() }</b>{ " " }{ (text.refusal)(why) }</li> }) }
                </ul>
            }
        </>
    }
}

fn actions(props: &TaggingDialogProps, text: &'static TagText) -> Html {
    let TaggingDialogProps { stage, target, can_write, rows, undoable, dispatch, .. } = props;
    let button = |class: &'static str, testid: &'static str, label: String, action: TagAction| {
        let onclick = dispatch.reform(move |_| action.clone());
        html! { <button class={class} type="button" data-testid={testid} {onclick}>{ label }</button> }
    };
    let count = changes(rows);
    let start = match target {
        TagTarget::Zip => (text.download)(count),
        TagTarget::Folder(name) => (text.write)(count, name),
    };
    let at_rest = matches!(stage, TagStage::Planned | TagStage::Finished(_));
    html! {
        <>
            if at_rest && *undoable > 0 {
                { button("button quiet", "tag-undo", (text.undo)(*undoable), TagAction::Undo) }
            }
            if at_rest && *target != TagTarget::Zip {
                { button("button quiet", "tag-use-zip", text.use_zip.into(), TagAction::UseZip) }
            }
            if at_rest && *can_write && *target == TagTarget::Zip {
                { button("button quiet", "tag-folder", text.choose_folder.into(), TagAction::PickFolder) }
            }
            if *stage == TagStage::Planned && count > 0 {
                { button("button primary", "tag-start", start, TagAction::Start) }
            }
            if matches!(stage, TagStage::Working(_)) {
                { button("button quiet", "tag-stop", text.stop.into(), TagAction::Stop) }
            }
            if matches!(stage, TagStage::Finished(_)) {
                { button("button quiet", "tag-again", text.list_again.into(), TagAction::ListAgain) }
            }
        </>
    }
}
