use super::icon::{Icon, Shape};
use super::status_line::StatusLine;
use super::use_text;
use crate::intake::{self, Incoming};
use page::action::Action;
use page::effect::Focus;
use page::status::Status;
use page::worker_setup::Notice;
use web_sys::HtmlInputElement;
use yew::{Callback, Event, Html, Properties, TargetCast, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct DropZoneProps {
    /// No photo yet: the zone is large and welcoming, later it makes room.
    pub empty: bool,
    pub status: Status,
    /// What keeps the page from its best.
    pub notice: Option<Notice>,
    /// A sentence about the model.
    pub note: Option<String>,
    /// Why the list of models is left aside.
    pub list_fault: Option<String>,
    /// A new version of the page waits.
    pub update_ready: bool,
    pub incoming: Callback<Vec<Incoming>>,
    pub dispatch: Callback<Action>,
}

/// Where photos come in, and what the page is doing with them.
///
/// The button is the label of a real file input, so that keyboard and screen reader need nothing of
/// our own, and its hit area is stretched over the zone. Drops are taken by the whole window.
#[component]
pub fn DropZone(
    DropZoneProps { empty, status, notice, note, list_fault, update_ready, incoming, dispatch }: &DropZoneProps,
) -> Html {
    let text = use_text();
    let onchange = {
        let incoming = incoming.clone();
        Callback::from(move |event: Event| {
            let files = event.target_dyn_into::<HtmlInputElement>().map(|input| intake::picked(&input));
            if let Some(files) = files.filter(|files| !files.is_empty()) {
                incoming.emit(files);
            }
        })
    };
    let (heading, ways_in) =
        if *empty { (text.invitation, text.ways_in) } else { (text.more, text.more_ways_in) };
    html! {
        <>
            <section class={classes!("drop-zone", (!*empty).then_some("compact"))} data-testid="drop-zone">
                <div class="invitation">
                    <h1>{ heading }</h1>
                    <p>{ ways_in }</p>
                </div>
                <div class="pick">
                    <input
                        id={Focus::Picker.element_id()}
                        class="visually-hidden"
                        type="file"
                        multiple=true
                        accept="image/*,.heic,.heif,.avif,.jxl,.jp2,.j2k,.dng,.cr2,.cr3,.nef,.arw,.raf,.orf,.rw2,.tga,.qoi,.zip,application/zip,.tar,.tgz,.gz,application/x-tar,application/gzip"
                        data-testid="file-input"
                        onchange={onchange.clone()}
                    />
                    <label class="button primary" for={Focus::Picker.element_id()}>{ text.choose }</label>
                    <input
                        id="folder-picker"
                        class="visually-hidden"
                        type="file"
                        multiple=true
                        webkitdirectory=true
                        data-testid="folder-input"
                        {onchange}
                    />
                    <label class="button" for="folder-picker">{ text.choose_folder }</label>
                    <button
                        id={Focus::Camera.element_id()}
                        class="button"
                        type="button"
                        data-testid="camera"
                        onclick={dispatch.reform(|_| Action::SwitchCamera(true))}
                    >
                        { text.camera }
                    </button>
                </div>
                <StatusLine status={status.clone()} notice={notice.clone()} dispatch={dispatch.clone()} />
            </section>
            <div class="assurance">
                <p><Icon shape={Shape::Lock} /><span>{ text.privacy }</span></p>
                if *update_ready {
                    <p data-testid="update">
                        <Icon shape={Shape::Again} />
                        <span>
                            { text.update_ready }{ " " }
                            <button class="link" type="button" onclick={dispatch.reform(|_| Action::UpdateNow)}>{ text.update_now }</button>
                        </span>
                    </p>
                }
                if let Some(fault) = list_fault {
                    <p data-testid="models-fault"><Icon shape={Shape::Alert} /><span>{ fault.clone() }</span></p>
                }
                if let Some(note) = note {
                    <p><Icon shape={Shape::Info} /><span>{ note.clone() }</span></p>
                }
            </div>
        </>
    }
}
