//! Draws the panel of a visitor's own classes.

use super::Msg;
use page::teach::state::{Class, Photo, PhotoState, TeachState, Training};
use page::teach::text::TeachText;
use protocol::teach::TrainingReport;
use std::rc::Rc;
use web_sys::{DragEvent, File, FileList, HtmlInputElement};
use yew::{Callback, Event, Html, InputEvent, MouseEvent, TargetCast, classes, html};

/// Small pictures shown of each class.
const SHOWN: usize = 12;
/// Rows and columns of the largest table that is shown.
const LARGEST_TABLE: usize = 20;
/// Mistakes that are listed.
const LISTED: usize = 20;

/// What the panel's parts do.
#[derive(Clone)]
pub struct Callbacks {
    pub send: Callback<Msg>,
}

impl Callbacks {
    fn click(&self, msg: impl Fn() -> Msg + 'static) -> Callback<MouseEvent> {
        self.send.reform(move |_| msg())
    }

    fn files(&self, msg: impl Fn(Vec<File>) -> Msg + 'static) -> Callback<Event> {
        self.send.reform(move |event: Event| {
            let input: Option<HtmlInputElement> = event.target_dyn_into();
            let files = input.as_ref().and_then(HtmlInputElement::files).map(listed).unwrap_or_default();
            // So that the same file can be picked again.
            if let Some(input) = input {
                input.set_value("");
            }
            msg(files)
        })
    }
}

type Picture<'a> = &'a dyn Fn(u64) -> Option<Rc<str>>;

pub fn panel(
    state: &TeachState,
    text: &'static TeachText,
    model: bool,
    callbacks: &Callbacks,
    picture: Picture,
) -> Html {
    let folders = callbacks.files(Msg::Folders);
    html! {
        <section class="teach" aria-labelledby="teach-heading" data-testid="teach">
            <details>
                <summary><h2 id="teach-heading">{ text.heading }</h2></summary>
                <p class="teach-intro">{ text.intro }</p>
                <ul class="teach-classes">
                    { for state.classes.iter().map(|c| class(c, text, callbacks, picture)) }
                </ul>
                <div class="teach-actions">
                    <button type="button" class="button" data-testid="teach-add" onclick={callbacks.click(|| Msg::AddClass)}>
                        { text.add_class }
                    </button>
                    <label class="button">
                        { text.add_folders }
                        <input
                            class="visually-hidden"
                            type="file"
                            multiple=true
                            webkitdirectory=true
                            data-testid="teach-folders"
                            onchange={folders}
                        />
                    </label>
                    <button
                        type="button"
                        class="button primary"
                        data-testid="teach-train"
                        disabled={!model || state.training_request().is_none()}
                        onclick={callbacks.click(|| Msg::Train)}
                    >
                        { text.teach }
                    </button>
                </div>
                <p class="teach-status" role="status" data-testid="teach-status" data-state={data_state(state)}>
                    { status_text(state, text, model) }
                </p>
                if state.left_out > 0 {
                    <p class="teach-failure" data-testid="teach-left-out">{ (text.left_out)(state.left_out) }</p>
                }
                if let Training::Done(report) = &state.training {
                    { results(report, state, text) }
                }
            </details>
            { heads(state, text, model, callbacks) }
        </section>
    }
}

/// The status's `data-state`.
fn data_state(state: &TeachState) -> &'static str {
    match &state.training {
        Training::Going(_) => "training",
        Training::Done(_) => "done",
        Training::Failed(_) => "failed",
        Training::None if state.left().0 > 0 => "looking",
        Training::None if state.training_request().is_some() => "ready",
        Training::None => "idle",
    }
}

fn status_text(state: &TeachState, text: &TeachText, model: bool) -> String {
    let (left, all) = state.left();
    match &state.training {
        _ if !model => text.waiting_for_model.to_owned(),
        Training::Going(accuracy) => (text.training)(*accuracy),
        Training::Failed(fault) => (text.teach_fault)(fault),
        _ if left > 0 => (text.looking)(left, all),
        Training::Done(report) if report.held_out == 0 => text.taught_unmeasured.to_owned(),
        Training::Done(report) => (text.taught)(report.right, report.held_out, report.ms / 1e3),
        Training::None if state.training_request().is_some() => text.ready.to_owned(),
        Training::None => text.needs.to_owned(),
    }
}

fn class(class: &Class, text: &'static TeachText, callbacks: &Callbacks, picture: Picture) -> Html {
    let id = class.id;
    let name = class.name.trim();
    let oninput = callbacks.send.reform(move |event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        Msg::Rename(id, input.map(|input| input.value()).unwrap_or_default())
    });
    let ondragover = Callback::from(|event: DragEvent| event.prevent_default());
    let ondrop = callbacks.send.reform(move |event: DragEvent| {
        // The page would take them as photos to classify.
        event.prevent_default();
        event.stop_propagation();
        let files = event.data_transfer().and_then(|transfer| transfer.files()).map(listed);
        Msg::Photos(id, files.unwrap_or_default())
    });
    let failed = class.photos.iter().filter(|photo| matches!(photo.state, PhotoState::Failed(_)));
    let more = class.photos.len().saturating_sub(SHOWN);
    html! {
        <li class="teach-class" key={id} data-testid="teach-class" {ondragover} {ondrop}>
            <div class="teach-row">
                <input
                    type="text"
                    class="teach-name"
                    data-testid="teach-name"
                    aria-label={text.class_name}
                    placeholder={text.class_name}
                    maxlength="100"
                    value={class.name.clone()}
                    {oninput}
                />
                <label class="button">
                    { (text.add_photos)(name) }
                    <input
                        class="visually-hidden"
                        type="file"
                        multiple=true
                        accept="image/*"
                        data-testid="teach-photos"
                        onchange={callbacks.files(move |files| Msg::Photos(id, files))}
                    />
                </label>
                <span class="teach-count">{ (text.photos)(class.photos.len()) }</span>
                <button
                    type="button"
                    class="teach-remove"
                    aria-label={(text.remove_class)(name)}
                    onclick={callbacks.click(move || Msg::RemoveClass(id))}
                >
                    { "×" }
                </button>
            </div>
            <ul class="teach-photos">
                { for class.photos.iter().take(SHOWN).map(|p| photo(p, text, callbacks, picture)) }
                if more > 0 {
                    <li class="teach-more">{ format!("+{more}") }</li>
                }
            </ul>
            { for failed.map(|photo| failure(photo, text)) }
        </li>
    }
}

fn photo(photo: &Photo, text: &TeachText, callbacks: &Callbacks, picture: Picture) -> Html {
    let id = photo.id;
    let waiting = !matches!(photo.state, PhotoState::Seen);
    html! {
        <li key={id} class={classes!("teach-photo", waiting.then_some("waiting"))}>
            <button
                type="button"
                aria-label={(text.remove_photo)(&photo.name)}
                title={(text.remove_photo)(&photo.name)}
                onclick={callbacks.click(move || Msg::RemovePhoto(id))}
            >
                if let Some(url) = picture(id) {
                    <img src={url} alt="" loading="lazy" decoding="async" />
                }
            </button>
        </li>
    }
}

fn failure(photo: &Photo, text: &TeachText) -> Html {
    let PhotoState::Failed(fault) = &photo.state else { return Html::default() };
    let said = format!("{}: {}", photo.name, (text.photo_fault)(fault));
    html! { <p key={photo.id} class="teach-failure" data-testid="teach-failure">{ said }</p> }
}

fn results(report: &TrainingReport, state: &TeachState, text: &'static TeachText) -> Html {
    let table = !report.confusion.is_empty() && report.classes.len() <= LARGEST_TABLE;
    let row = |(right, counts): (usize, &Vec<u32>)| {
        let cell = |(answered, count): (usize, &u32)| {
            let kind = match (right == answered, *count) {
                (_, 0) => "none",
                (true, _) => "right",
                (false, _) => "wrong",
            };
            html! { <td class={kind}>{ count }</td> }
        };
        html! {
            <tr>
                <th scope="row">{ &report.classes[right] }</th>
                { for counts.iter().enumerate().map(cell) }
            </tr>
        }
    };
    let mistake = |(photo, answered): &(u64, usize)| {
        // A photo that was removed meanwhile has no name any more.
        let (class, name) = state.photo(*photo)?;
        Some(html! { <li key={*photo}>{ (text.mistake)(name, class, &report.classes[*answered]) }</li> })
    };
    let mistakes: Vec<Html> = report.mistakes.iter().filter_map(mistake).take(LISTED).collect();
    html! {
        <>
            if table {
                <div class="teach-table">
                    <table data-testid="teach-confusion">
                        <caption>{ text.confusion }</caption>
                        <thead>
                            <tr>
                                <th scope="col">{ text.right_class }</th>
                                { for report.classes.iter().map(|name| html! { <th scope="col">{ name }</th> }) }
                            </tr>
                        </thead>
                        <tbody>{ for report.confusion.iter().enumerate().map(row) }</tbody>
                    </table>
                </div>
            }
            if !mistakes.is_empty() {
                <h3>{ text.mistakes }</h3>
                <ul class="teach-mistakes" data-testid="teach-mistakes">{ for mistakes }</ul>
            }
        </>
    }
}

/// Which classes answer, and the head as a file.
fn heads(state: &TeachState, text: &'static TeachText, model: bool, callbacks: &Callbacks) -> Html {
    let import = callbacks.send.clone();
    let import = Callback::from(move |event: Event| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        let files = input.as_ref().and_then(HtmlInputElement::files).map(listed).unwrap_or_default();
        if let Some(input) = input {
            input.set_value("");
        }
        if let Some(file) = files.into_iter().next() {
            import.emit(Msg::Import(file));
        }
    });
    html! {
        <div class="teach-heads">
            if let Some(head) = &state.own {
                <fieldset>
                    <legend>{ text.which }</legend>
                    <label>
                        <input
                            type="radio"
                            name="teach-which"
                            data-testid="teach-use-models"
                            checked={!state.in_use}
                            onchange={callbacks.send.reform(|_: Event| Msg::UseModels)}
                        />
                        { text.models }
                    </label>
                    <label>
                        <input
                            type="radio"
                            name="teach-which"
                            data-testid="teach-use-own"
                            checked={state.in_use}
                            onchange={callbacks.send.reform(|_: Event| Msg::UseOwn)}
                        />
                        { (text.own)(&head.classes) }
                    </label>
                </fieldset>
                <a
                    class="button"
                    data-testid="teach-export"
                    download="my-classes.safetensors"
                    href={format!("data:application/octet-stream;base64,{}", head.file)}
                >
                    { text.export }
                </a>
                <button type="button" class="link" data-testid="teach-forget" onclick={callbacks.click(|| Msg::Forget)}>
                    { text.forget }
                </button>
            }
            <label class={classes!("button", (!model).then_some("disabled"))}>
                { text.import }
                <input
                    class="visually-hidden"
                    type="file"
                    accept=".safetensors"
                    data-testid="teach-import"
                    disabled={!model}
                    onchange={import}
                />
            </label>
            if let Some(fault) = &state.refused {
                <p role="alert" class="teach-failure" data-testid="teach-refused">{ (text.teach_fault)(fault) }</p>
                if state.kept_refused {
                    <button type="button" class="link" data-testid="teach-forget-refused" onclick={callbacks.click(|| Msg::Forget)}>
                        { text.forget }
                    </button>
                }
            }
        </div>
    }
}

fn listed(files: FileList) -> Vec<File> {
    (0..files.length()).filter_map(|i| files.item(i)).collect()
}
