//! The panel drawn.

use super::desk::{Class, Desk, Photo, PhotoState, Training};
use super::panel::Msg;
use super::text::TeachText;
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
pub struct Hands {
    pub send: Callback<Msg>,
}

impl Hands {
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

pub fn panel(desk: &Desk, text: &'static TeachText, model: bool, hands: &Hands, picture: Picture) -> Html {
    let folders = hands.files(Msg::Folders);
    html! {
        <section class="teach" aria-labelledby="teach-heading" data-testid="teach">
            <details>
                <summary><h2 id="teach-heading">{ text.heading }</h2></summary>
                <p class="teach-intro">{ text.intro }</p>
                <ul class="teach-classes">
                    { for desk.classes.iter().map(|c| class(c, text, hands, picture)) }
                </ul>
                <div class="teach-actions">
                    <button type="button" class="button" data-testid="teach-add" onclick={hands.click(|| Msg::AddClass)}>
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
                        disabled={!model || desk.lesson().is_none()}
                        onclick={hands.click(|| Msg::Train)}
                    >
                        { text.teach }
                    </button>
                </div>
                <p class="teach-status" role="status" data-testid="teach-status" data-state={hook(desk)}>
                    { said(desk, text, model) }
                </p>
                if desk.left_out > 0 {
                    <p class="teach-failure" data-testid="teach-left-out">{ (text.left_out)(desk.left_out) }</p>
                }
                if let Training::Done(lesson) = &desk.training {
                    { results(lesson, desk, text) }
                }
            </details>
            { heads(desk, text, model, hands) }
        </section>
    }
}

/// The status's `data-state`.
fn hook(desk: &Desk) -> &'static str {
    match &desk.training {
        Training::Going(_) => "training",
        Training::Done(_) => "done",
        Training::Failed(_) => "failed",
        Training::None if desk.left().0 > 0 => "looking",
        Training::None if desk.lesson().is_some() => "ready",
        Training::None => "idle",
    }
}

fn said(desk: &Desk, text: &TeachText, model: bool) -> String {
    let (left, all) = desk.left();
    match &desk.training {
        _ if !model => text.waiting_for_model.to_owned(),
        Training::Going(accuracy) => (text.training)(*accuracy),
        Training::Failed(fault) => (text.teach_fault)(fault),
        _ if left > 0 => (text.looking)(left, all),
        Training::Done(lesson) if lesson.held_out == 0 => text.taught_unmeasured.to_owned(),
        Training::Done(lesson) => (text.taught)(lesson.right, lesson.held_out, lesson.ms / 1e3),
        Training::None if desk.lesson().is_some() => text.ready.to_owned(),
        Training::None => text.needs.to_owned(),
    }
}

fn class(class: &Class, text: &'static TeachText, hands: &Hands, picture: Picture) -> Html {
    let id = class.id;
    let name = class.name.trim();
    let oninput = hands.send.reform(move |event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        Msg::Rename(id, input.map(|input| input.value()).unwrap_or_default())
    });
    let ondragover = Callback::from(|event: DragEvent| event.prevent_default());
    let ondrop = hands.send.reform(move |event: DragEvent| {
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
                        onchange={hands.files(move |files| Msg::Photos(id, files))}
                    />
                </label>
                <span class="teach-count">{ (text.photos)(class.photos.len()) }</span>
                <button
                    type="button"
                    class="teach-remove"
                    aria-label={(text.remove_class)(name)}
                    onclick={hands.click(move || Msg::RemoveClass(id))}
                >
                    { "×" }
                </button>
            </div>
            <ul class="teach-photos">
                { for class.photos.iter().take(SHOWN).map(|p| photo(p, text, hands, picture)) }
                if more > 0 {
                    <li class="teach-more">{ format!("+{more}") }</li>
                }
            </ul>
            { for failed.map(|photo| failure(photo, text)) }
        </li>
    }
}

fn photo(photo: &Photo, text: &TeachText, hands: &Hands, picture: Picture) -> Html {
    let id = photo.id;
    let waiting = !matches!(photo.state, PhotoState::Seen);
    html! {
        <li key={id} class={classes!("teach-photo", waiting.then_some("waiting"))}>
            <button
                type="button"
                aria-label={(text.remove_photo)(&photo.name)}
                title={(text.remove_photo)(&photo.name)}
                onclick={hands.click(move || Msg::RemovePhoto(id))}
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

fn results(lesson: &TrainingReport, desk: &Desk, text: &'static TeachText) -> Html {
    let table = !lesson.confusion.is_empty() && lesson.classes.len() <= LARGEST_TABLE;
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
                <th scope="row">{ &lesson.classes[right] }</th>
                { for counts.iter().enumerate().map(cell) }
            </tr>
        }
    };
    let mistake = |(photo, answered): &(u64, usize)| {
        // A photo that was removed meanwhile has no name any more.
        let (class, name) = desk.photo(*photo)?;
        Some(html! { <li key={*photo}>{ (text.mistake)(name, class, &lesson.classes[*answered]) }</li> })
    };
    let mistakes: Vec<Html> = lesson.mistakes.iter().filter_map(mistake).take(LISTED).collect();
    html! {
        <>
            if table {
                <div class="teach-table">
                    <table data-testid="teach-confusion">
                        <caption>{ text.confusion }</caption>
                        <thead>
                            <tr>
                                <th scope="col">{ text.right_class }</th>
                                { for lesson.classes.iter().map(|name| html! { <th scope="col">{ name }</th> }) }
                            </tr>
                        </thead>
                        <tbody>{ for lesson.confusion.iter().enumerate().map(row) }</tbody>
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
fn heads(desk: &Desk, text: &'static TeachText, model: bool, hands: &Hands) -> Html {
    let import = hands.send.clone();
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
            if let Some(head) = &desk.own {
                <fieldset>
                    <legend>{ text.which }</legend>
                    <label>
                        <input
                            type="radio"
                            name="teach-which"
                            data-testid="teach-use-models"
                            checked={!desk.in_use}
                            onchange={hands.send.reform(|_: Event| Msg::UseModels)}
                        />
                        { text.models }
                    </label>
                    <label>
                        <input
                            type="radio"
                            name="teach-which"
                            data-testid="teach-use-own"
                            checked={desk.in_use}
                            onchange={hands.send.reform(|_: Event| Msg::UseOwn)}
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
                <button type="button" class="link" data-testid="teach-forget" onclick={hands.click(|| Msg::Forget)}>
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
            if let Some(fault) = &desk.refused {
                <p role="alert" class="teach-failure" data-testid="teach-refused">{ (text.teach_fault)(fault) }</p>
                if desk.kept_refused {
                    <button type="button" class="link" data-testid="teach-forget-refused" onclick={hands.click(|| Msg::Forget)}>
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
