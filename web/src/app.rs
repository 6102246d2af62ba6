//! The app: holds the one [`State`], does the [`Effect`]s that its update asks for, draws it.

use crate::client::Client;
use crate::components::{DragVeil, DropZone, Footer, Gallery, Header, Samples, StorageNote};
use crate::english::ENGLISH;
use crate::intake::{self, Handlers, Incoming};
use crate::model_choice;
use crate::shelf::Shelf;
use crate::state::{Action, Breakdown, Effect, Engine, Focus, Problem, State};
use crate::status::Status;
use crate::storage;
use crate::text::Text;
use crate::worker_build::WorkerBuild;
use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;
use yew::{Callback, Component, Context, ContextProvider, Html, html};

/// How many photos become cards at once. The rest of a batch waits for its turn, so that a thousand
/// photos do not hold the page up.
const ARRIVALS_AT_ONCE: usize = 8;

pub struct App {
    state: State,
    text: &'static Text,
    client: Option<Client>,
    shelf: Rc<RefCell<Shelf>>,
    dispatch: Callback<Action>,
    incoming: Callback<Vec<Incoming>>,
    /// Where the focus goes once the page is drawn.
    focus: Option<Focus>,
    /// Drops and pastes anywhere on the page.
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = Action;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let shelf = Rc::new(RefCell::new(Shelf::default()));
        let dispatch = ctx.link().callback(|action| action);
        let incoming = {
            let (shelf, dispatch) = (shelf.clone(), dispatch.clone());
            Callback::from(move |incoming: Vec<Incoming>| {
                let batch = shelf.borrow_mut().next_batch();
                admit(batch, incoming, shelf.clone(), dispatch.clone());
            })
        };
        let handlers = Handlers {
            incoming: incoming.clone(),
            dragging: ctx.link().callback(Action::Dragging),
            pasted_nothing: ctx.link().callback(|()| Action::PastedNothing),
        };
        let listeners =
            web_sys::window().map(|window| intake::listen(&window, &handlers)).unwrap_or_default();
        ctx.link().send_message(Action::Opened);
        Self {
            state: State::default(),
            text: &ENGLISH,
            client: None,
            shelf,
            dispatch,
            incoming,
            focus: None,
            _listeners: listeners,
        }
    }

    fn update(&mut self, _: &Context<Self>, action: Action) -> bool {
        for effect in self.state.update(action) {
            self.perform(effect);
        }
        true
    }

    fn view(&self, _: &Context<Self>) -> Html {
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
        let note = state.choice.as_ref().and_then(|choice| choice.note.clone());
        html! {
            <ContextProvider<&'static Text> context={self.text}>
                <Header model={model.clone()} backend={backend.clone()} ms={state.ms_per_photo()} />
                <main>
                    <DropZone {empty} {status} {note} incoming={self.incoming.clone()} dispatch={self.dispatch.clone()} />
                    if empty {
                        <Samples dispatch={self.dispatch.clone()} />
                    } else {
                        <Gallery photos={state.photos.clone()} {counts} dispatch={self.dispatch.clone()} />
                    }
                </main>
                <Footer {model} {backend}>
                    <StorageNote {kept} stored={state.stored} dispatch={self.dispatch.clone()} />
                </Footer>
                <DragVeil shown={state.dragging} />
            </ContextProvider<&'static Text>>
        }
    }

    fn rendered(&mut self, _: &Context<Self>, _: bool) {
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
    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::ChooseModel => {
                let dispatch = self.dispatch.clone();
                spawn_local(async move { dispatch.emit(Action::Chosen(model_choice::choose().await)) });
            }
            Effect::StartWorker => self.start_worker(),
            Effect::StopWorker => self.client = None,
            Effect::Load { manifest } => self.ask(|client| client.load(manifest)),
            Effect::MeasureStorage => {
                let dispatch = self.dispatch.clone();
                spawn_local(async move { dispatch.emit(Action::StorageMeasured(storage::used().await)) });
            }
            Effect::PersistStorage => spawn_local(storage::persist()),
            Effect::ClearStorage => {
                let dispatch = self.dispatch.clone();
                spawn_local(async move {
                    storage::clear().await;
                    dispatch.emit(Action::StorageMeasured(storage::used().await));
                });
            }
            Effect::Classify(id) => {
                let shelf = self.shelf.clone();
                self.ask(|client| match shelf.borrow().file(id) {
                    Some(file) => client.classify(id, file),
                    None => Err(format!("photo {id} has no file")),
                });
            }
            Effect::Forget(id) => self.shelf.borrow_mut().forget(id),
            Effect::FetchSample(file) => {
                let incoming = self.incoming.clone();
                spawn_local(async move { incoming.emit(vec![intake::sample(file).await]) });
            }
            Effect::Focus(focus) => self.focus = Some(focus),
        }
    }

    fn start_worker(&mut self) {
        self.client = None;
        let Some(build) = WorkerBuild::best() else {
            self.dispatch.emit(Action::Chosen(Err(Problem::NoSimd)));
            return;
        };
        match Client::start(build, &self.dispatch) {
            Ok(client) => self.client = Some(client),
            Err(reason) => self.dispatch.emit(Action::WorkerBroke(Breakdown::Crashed(reason))),
        }
    }

    fn ask(&self, request: impl FnOnce(&Client) -> Result<(), String>) {
        let asked = self.client.as_ref().map_or_else(|| Err("it is not running".to_owned()), request);
        if let Err(reason) = asked {
            self.dispatch.emit(Action::WorkerBroke(Breakdown::Crashed(reason)));
        }
    }
}

/// Lets what came in arrive, a few at a time.
fn admit(batch: u64, mut incoming: Vec<Incoming>, shelf: Rc<RefCell<Shelf>>, dispatch: Callback<Action>) {
    let rest = incoming.split_off(incoming.len().min(ARRIVALS_AT_ONCE));
    let arrivals = incoming.into_iter().map(|one| shelf.borrow_mut().admit(one)).collect();
    dispatch.emit(Action::Arrived { batch, arrivals });
    if !rest.is_empty() {
        Timeout::new(0, move || admit(batch, rest, shelf, dispatch)).forget();
    }
}
