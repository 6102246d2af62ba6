//! The app: holds the one [`State`] and draws it.

mod perform;
mod tagging;

use crate::client::Client;
use crate::components::{
    CameraView, DiagnosticsPanel, DragOverlay, DropZone, Footer, Gallery, Header, ImportPanel, ModelPicker,
    PickerProps, RecordView, Samples, StorageNote, TaggingDialog, Toolbar, Viewer,
};
use crate::intake::{self, Handlers, Incoming, Receivers};
use crate::model_choice::foreign_host;
use crate::photo_files::PhotoFiles;
use crate::previews::{PreviewEvent, Previews};
use crate::record_link;
use crate::tagging::Tagger;
use crate::teach::{Ask, Replies, Teach};
use crate::updates;
use crate::viewport;
use crate::visitor_language;
use gloo::events::EventListener;
use page::action::Action;
use page::effect::Focus;
use page::engine::Engine;
use page::import::{DEFAULT_QUANTIZATION, ImportAction, ImportStage};
use page::photo::{Photo, PhotoId, Preview};
use page::state::State;
use page::status::Status;
use page::tagging::TagStage;
use page::text::Text;
use page::worker_setup::{Notice, Plan};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, HtmlElement};
use yew::{Callback, Component, Context, ContextProvider, Html, html};

pub struct App {
    state: State,
    client: Option<Rc<Client>>,
    /// The worker of an import, by its number.
    import_client: Option<(u64, Client)>,
    /// The visitor's checkpoint files by what stands for them in an import's source, `file:NAME`.
    checkpoint_files: Rc<RefCell<HashMap<String, File>>>,
    /// How the worker was started.
    plan: Option<Plan>,
    files: Rc<RefCell<PhotoFiles>>,
    /// Where the panel of the visitor's own classes listens.
    teach_replies: Replies,
    previews: Rc<Previews>,
    /// Writes keywords.
    tagger: Rc<Tagger>,
    /// The object URL of the photo in the large view.
    whole: Rc<RefCell<Option<Rc<str>>>>,
    dispatch: Callback<Action>,
    incoming: Callback<Vec<Incoming>>,
    /// Takes a checkpoint file, and how its weights are to be rounded.
    checkpoint: Callback<(File, String)>,
    /// Where the focus goes once the page is drawn.
    focus: Option<Focus>,
    /// Drops and pastes anywhere on the page.
    _listeners: Vec<EventListener>,
}

/// The app's messages.
#[allow(clippy::large_enum_variant, reason = "a message lives for a moment")]
pub enum Msg {
    Action(Action),
    /// The panel of the visitor's own classes asks the worker something, which leaves the page's state as it is.
    Teach(Ask),
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let files = Rc::new(RefCell::new(PhotoFiles::default()));
        let dispatch = ctx.link().callback(Msg::Action);
        let checkpoint_files = Rc::<RefCell<HashMap<String, File>>>::default();
        let checkpoint = {
            let (files, dispatch) = (checkpoint_files.clone(), dispatch.clone());
            Callback::from(move |(file, quantization): (File, String)| {
                let name = file.name();
                files.borrow_mut().insert(format!("file:{name}"), file);
                dispatch.emit(Action::Import(ImportAction::FileGiven { name, quantization }));
            })
        };
        let incoming = {
            let (files, dispatch, checkpoint) = (files.clone(), dispatch.clone(), checkpoint.clone());
            Callback::from(move |incoming: Vec<Incoming>| {
                let (files, dispatch) = (files.clone(), dispatch.clone());
                let receivers = Receivers {
                    on_arrived: dispatch.reform(|(batch, arrivals)| Action::Arrived { batch, arrivals }),
                    on_checkpoint: checkpoint.reform(|file| (file, DEFAULT_QUANTIZATION.to_owned())),
                };
                spawn_local(async move {
                    let left_out = intake::admit(incoming, files, receivers).await;
                    if !left_out.is_empty() {
                        dispatch.emit(Action::FilesLeftOut(left_out));
                    }
                });
            })
        };
        let handlers = Handlers {
            incoming: incoming.clone(),
            dragging: dispatch.reform(Action::Dragging),
            pasted_nothing: dispatch.reform(|()| Action::PastedNothing),
        };
        let mut listeners = Vec::new();
        if let Some(window) = web_sys::window() {
            listeners = intake::listen(&window, &handlers);
            listeners.extend(viewport::listen(&window, &dispatch.reform(Action::Scrolled)));
            let dispatch = dispatch.clone();
            listeners.push(EventListener::new(&window, "hashchange", move |_| {
                dispatch.emit(Action::RecordRead(record_link::read()));
            }));
        }
        let previews = Rc::new(Previews::new(files.clone(), dispatch.reform(preview_action)));
        dispatch.emit(Action::SetLanguage { language: visitor_language::detect(), chosen: false });
        dispatch.emit(Action::RecordRead(record_link::read()));
        dispatch.emit(Action::Opened);
        updates::watch(dispatch.reform(|()| Action::UpdateReady));
        Self {
            state: State::default(),
            client: None,
            import_client: None,
            checkpoint_files,
            plan: None,
            files,
            teach_replies: Replies::default(),
            previews,
            tagger: Rc::default(),
            whole: Rc::default(),
            dispatch,
            incoming,
            checkpoint,
            focus: None,
            _listeners: listeners,
        }
    }

    fn update(&mut self, _: &Context<Self>, msg: Msg) -> bool {
        let action = match msg {
            Msg::Action(action) => action,
            Msg::Teach((request, file)) => {
                self.ask(|client| client.teach(request, file.as_deref()));
                return false;
            }
        };
        if let Action::Scrolled(viewport) = action {
            return self.state.scrolled(viewport);
        }
        for effect in self.state.update(action) {
            self.perform(effect);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let state = &self.state;
        let status = Status::of(state);
        let counts = state.counts();
        let empty = counts.all() == 0;
        let (model, backend, kept) = match &state.engine {
            Engine::Ready { model, backend, kept } => {
                (Some(model.clone()), Some(backend.clone()), Some(*kept))
            }
            _ => (None, None, None),
        };
        let note = state.listed_choice().and_then(|model| state.language.pick(&model.note, &model.note_zh));
        let words = page::models::text::of(state.language.text().tag);
        let list_fault = state.list_fault.as_ref().map(words.fault);
        let picker = self.picker();
        let started = backend.as_ref().filter(|backend| backend.kind == "cpu").map(|backend| backend.threads);
        let of_plan = || self.plan.as_ref().zip(started).and_then(|(plan, started)| plan.notice(started));
        let notice = match state.crashes.total() {
            0 => of_plan(),
            times => Some(Notice::StartedAgain { times }),
        };
        html! {
            <ContextProvider<&'static Text> context={state.language.text()}>
                <Header
                    model={model.clone()}
                    host={state.choice.as_ref().filter(|_| state.listed_choice().is_none()).and_then(|manifest| foreign_host(manifest))}
                    backend={backend.clone()}
                    ms={state.ms_per_photo()}
                    language={state.language}
                    dispatch={self.dispatch.clone()}
                >
                    if picker.is_choice() {
                        <ModelPicker ..picker.clone() />
                    }
                </Header>
                <main>
                    <RecordView shared={state.shared.clone()} agrees={state.agrees()} dispatch={self.dispatch.clone()} />
                    <DropZone {empty} {status} {notice} {note} {list_fault} update_ready={state.update_ready} incoming={self.incoming.clone()} dispatch={self.dispatch.clone()} />
                    if empty {
                        <Samples dispatch={self.dispatch.clone()} />
                    } else {
                        { self.gallery() }
                    }
                    <Teach
                        model={model.clone()}
                        replies={self.teach_replies.clone()}
                        ask={ctx.link().callback(Msg::Teach)}
                        reclassify={self.dispatch.reform(|()| Action::Reclassify)}
                        dropped={self.dispatch.reform(|()| Action::Dragging(false))}
                    />
                    { self.import() }
                </main>
                <Footer {model} {backend}>
                    <StorageNote {kept} stored={state.stored.clone()} dispatch={self.dispatch.clone()} />
                    <DiagnosticsPanel
                        facts={state.diagnostics.0.clone()}
                        copied={state.diagnostics.1}
                        dispatch={self.dispatch.clone()}
                    />
                </Footer>
                <DragOverlay shown={state.dragging} />
                { self.viewer() }
                { self.camera() }
                { self.tagging_dialog() }
            </ContextProvider<&'static Text>>
        }
    }

    fn rendered(&mut self, _: &Context<Self>, _: bool) {
        let listed = self.state.listed();
        let drawn = &listed[self.state.drawn(listed.len()).range];
        let wanting = drawn.iter().filter(|photo| photo.preview == Preview::Wanted);
        self.previews.want(wanting.map(|photo| photo.id).collect());
        viewport::report(&self.dispatch.reform(Action::Scrolled), self.state.listing.viewport.as_ref());

        let Some(focus) = self.focus.take() else { return };
        let document = web_sys::window().and_then(|window| window.document());
        let element = document.and_then(|document| document.get_element_by_id(&focus.element_id()));
        if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            // An element that cannot take the focus leaves it where it is.
            element.focus().ok();
        }
    }
}

impl App {
    fn picker(&self) -> PickerProps {
        PickerProps {
            models: self.state.models.clone(),
            chosen: self.state.choice.clone(),
            kept: self.state.stored.whole(&self.state.models),
            imported: self.state.stored.imported(&self.state.models),
            hubs: self.state.hubs.clone(),
            checkpoint: self.checkpoint.clone(),
            dispatch: self.dispatch.clone(),
        }
    }

    fn import(&self) -> Html {
        let import = &self.state.import;
        if import.stage == ImportStage::Closed {
            return html! {};
        }
        let file_again = {
            let source = import.source().map(|source| source.checkpoint.clone()).unwrap_or_default();
            let (files, dispatch) = (self.checkpoint_files.clone(), self.dispatch.clone());
            Callback::from(move |file| {
                files.borrow_mut().insert(source.clone(), file);
                dispatch.emit(Action::Import(ImportAction::FileGivenAgain));
            })
        };
        html! {
            <ImportPanel import={import.clone()} {file_again} dispatch={self.dispatch.reform(Action::Import)} />
        }
    }

    fn gallery(&self) -> Html {
        let state = &self.state;
        let listed = state.listed();
        let drawn = state.drawn(listed.len());
        html! {
            <Gallery listing={state.listing.clone()} {drawn} top_k={state.top_k} tells_model={self.picker().can_answer_otherwise()} dispatch={self.dispatch.clone()} listed={listed.clone()}>
                <Toolbar
                    counts={state.counts()}
                    listed={listed.len()}
                    listing={state.listing.clone()}
                    stopped={state.stopped}
                    seconds_left={state.seconds_left()}
                    skipped={state.skipped.clone()}
                    top_k={state.top_k}
                    dispatch={self.dispatch.clone()}
                />
            </Gallery>
        }
    }

    fn viewer(&self) -> Html {
        let Some((seen, photo)) = self.state.viewed() else { return html! {} };
        let listed = self.state.listed();
        let at = |id: PhotoId| listed.iter().position(|photo: &Rc<Photo>| photo.id == id);
        // A search may have taken it out of the list meanwhile.
        let place = at(seen.id).map_or((0, 1), |at| (at, listed.len()));
        html! {
            <Viewer
                seen={seen.clone()}
                photo={photo.clone()}
                {place}
                top_k={self.state.top_k}
                link={self.state.link}
                dispatch={self.dispatch.clone()}
            />
        }
    }

    fn tagging_dialog(&self) -> Html {
        let tagging = &self.state.tagging;
        if tagging.stage == TagStage::Closed {
            return html! {};
        }
        html! {
            <TaggingDialog
                stage={tagging.stage.clone()}
                rules={tagging.rules}
                target={tagging.target.clone()}
                vocabulary={tagging.vocabulary.clone()}
                refused_vocabulary={tagging.refused_vocabulary.clone()}
                progress={tagging.progress()}
                without_answer={tagging.without_answer}
                can_write={tagging.can_write}
                rows={tagging.rows.clone()}
                undoable={tagging.written.len()}
                on_vocabulary={self.on_vocabulary()}
                dispatch={self.dispatch.reform(Action::Tag)}
            />
        }
    }

    fn camera(&self) -> Html {
        let Some(live) = &self.state.live else { return html! {} };
        let taken = {
            let (incoming, dispatch) = (self.incoming.clone(), self.dispatch.clone());
            Callback::from(move |photo| {
                dispatch.emit(Action::SwitchCamera(false));
                incoming.emit(vec![Incoming::File(photo)]);
            })
        };
        let frame = {
            let (files, dispatch) = (self.files.clone(), self.dispatch.clone());
            Callback::from(move |picture| {
                files.borrow_mut().frame(picture);
                dispatch.emit(Action::CameraFrame);
            })
        };
        html! {
            <CameraView live={live.clone()} top_k={self.state.top_k} {taken} {frame} dispatch={self.dispatch.clone()} />
        }
    }
}

fn preview_action(event: PreviewEvent) -> Action {
    match event {
        PreviewEvent::Made { id, url } => Action::Previewed { id, url },
        PreviewEvent::Drawn { id, url } => Action::DecodedPreviewed { id, url },
        PreviewEvent::Dropped(ids) => Action::PreviewsDropped(ids),
    }
}
