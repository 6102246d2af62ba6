//! Does the [`Effect`]s that an update of the state asks for.

use super::App;
use crate::annotate::{Heat, annotate};
use crate::client::{self, Client, WorkerEvent};
use crate::diagnostics;
use crate::download;
use crate::fetch;
use crate::intake;
use crate::model_choice;
use crate::page_address::parameter;
use crate::previews;
use crate::record_link;
use crate::storage;
use crate::updates;
use crate::visitor_language;
use page::action::Action;
use page::effect::Effect;
use page::engine::{EngineError, WorkerFailure};
use page::export::Format;
use page::import::ImportAction;
use page::photo::{PhotoError, PhotoId, Progress};
use page::viewer::Explanation;
use protocol::Device;
use protocol::import::ImportRequest;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Url};
use yew::Callback;

impl App {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::ChooseModel => {
                let on_chosen = {
                    let dispatch = self.dispatch.clone();
                    move |choice| dispatch.emit(Action::ModelChosen(choice))
                };
                let dispatch = self.dispatch.clone();
                let on_listed = move |list| dispatch.emit(Action::ModelsListed(list));
                spawn_local(async move { model_choice::choose(on_chosen, on_listed).await });
            }
            Effect::RememberModel(manifest) => model_choice::remember(&manifest),
            Effect::ForgetModel => model_choice::forget(),
            Effect::StartWorker => self.start_worker(),
            Effect::StopWorker => self.client = None,
            Effect::ForgetNamedModel => model_choice::forget_named(),
            Effect::Load { manifest, agreed } => {
                let threads = self.plan.as_ref().map_or(1, |plan| plan.threads);
                let agreed = agreed || model_choice::foreign_host(&manifest).is_none();
                self.ask(|client| client.load(&manifest, wished_device(), threads, agreed));
            }
            Effect::MeasureStorage => self.measure_storage_after(async {}),
            Effect::PersistStorage => spawn_local(storage::persist()),
            Effect::ClearStorage => self.measure_storage_after(storage::clear()),
            Effect::RemoveStored(manifest) => {
                self.measure_storage_after(async move { storage::remove(&manifest).await });
            }
            Effect::StartImportWorker(number) => self.start_import_worker(number),
            Effect::StopImportWorker => self.import_client = None,
            Effect::InspectImport { source, hubs } => {
                let checkpoint = source.checkpoint.clone();
                self.ask_import(ImportRequest::Inspect { source, hubs }, &checkpoint);
            }
            Effect::RunImport(offer) => {
                let offer = (*offer).clone();
                let checkpoint = offer.source.checkpoint.clone();
                let threads = self.plan.as_ref().map_or(1, |plan| plan.threads);
                self.ask_import(ImportRequest::Start { offer, threads }, &checkpoint);
            }
            Effect::RemoveImport(address) => {
                self.measure_storage_after(async move { storage::remove_import(&address).await });
            }
            Effect::Classify(ids) => self.classify(ids),
            Effect::Explain { id, class } => {
                self.ask_about(id, move |client, photo| client.explain(id, class, photo));
            }
            Effect::FindClasses(query) => self.ask(|client| client.find_classes(query)),
            Effect::ShowInput(id) => self.ask_about(id, move |client, photo| client.show_input(id, photo)),
            Effect::ShowWhole { id, side } => {
                self.ask_about(id, move |client, photo| client.show_whole(id, side, photo));
            }
            Effect::DrawPreview { id, picture } => self.previews.draw(id, picture),
            Effect::DrawWhole { id, picture } => {
                self.open(id, async move { previews::encode(&picture).await.ok() });
            }
            Effect::OpenWhole(id) => {
                let source = self.files.borrow().source(id).cloned();
                self.open(id, async move { source?.blob().await });
            }
            Effect::CloseWhole => close(&self.whole),
            Effect::SetLanguage { language, chosen } => visitor_language::announce(language, chosen),
            Effect::Export(format) => self.export(format),
            Effect::Tag(effect) => self.perform_tagging(effect),
            Effect::SavePicture(id) => self.save_picture(id),
            Effect::Share(record) => {
                let Some(address) = record_link::write(&record) else { return };
                self.act_after(async move { Action::LinkMade { copied: download::copy(&address).await } });
            }
            Effect::ForgetRecord => record_link::remove(),
            Effect::Diagnose => {
                let state = self.state.clone();
                self.act_after(async move { Action::Diagnosed(diagnostics::gather(&state).await.into()) });
            }
            Effect::CopyDiagnostics(facts) => {
                self.act_after(async move { Action::DiagnosticsCopied(download::copy(&facts).await) });
            }
            Effect::UpdateNow => updates::apply(),
            Effect::TeachReply(reply) => self.teach_replies.emit(reply),
            Effect::Forget(id) => {
                self.files.borrow_mut().forget(id);
                self.previews.forget(id);
            }
            Effect::FetchSample(file) => {
                let incoming = self.incoming.clone();
                spawn_local(async move { incoming.emit(vec![intake::sample(file).await]) });
            }
            Effect::Focus(focus) => self.focus = Some(focus),
        }
    }

    fn start_worker(&mut self) {
        self.client = None;
        let plan = match client::plan(parameter("worker").as_deref(), parameter("threads").as_deref()) {
            Ok(Ok(plan)) => plan,
            Ok(Err(reason)) => {
                return self.dispatch.emit(Action::ModelChosen(Err(EngineError::NoWorker(reason))));
            }
            Err(reason) => {
                return self.dispatch.emit(Action::WorkerFailed(WorkerFailure::Misunderstood(reason)));
            }
        };
        match Client::start(&plan.build, &self.dispatch.reform(action)) {
            Ok(client) => self.client = Some(Rc::new(client)),
            Err(reason) => self.dispatch.emit(Action::WorkerFailed(WorkerFailure::Crashed(reason))),
        }
        self.plan = Some(plan);
    }

    /// Starts the worker of an import, beside the one that answers photos.
    fn start_import_worker(&mut self, number: u64) {
        self.import_client = None;
        let act = self.dispatch.reform(Action::Import);
        let plan = client::plan(parameter("worker").as_deref(), parameter("threads").as_deref());
        let started = match plan {
            Ok(Ok(plan)) => {
                Client::start(&plan.build, &act.reform(move |event| import_action(number, event)))
            }
            // The page says so at its top already.
            Ok(Err(_)) => Err("no build of the worker runs in this browser".to_owned()),
            Err(reason) => Err(reason),
        };
        match started {
            Ok(client) => self.import_client = Some((number, client)),
            Err(reason) => act.emit(ImportAction::WorkerFailed(number, WorkerFailure::Crashed(reason))),
        }
    }

    /// Asks the import's worker, with the visitor's file beside the request if it is about one.
    fn ask_import(&self, request: ImportRequest, checkpoint: &str) {
        let Some((number, client)) = &self.import_client else { return };
        let files = self.checkpoint_files.borrow();
        let file = files.get(checkpoint).map(|file| -> &Blob { file });
        if let Err(reason) = client.import(request, file) {
            let failure = WorkerFailure::Crashed(reason);
            self.dispatch.emit(Action::Import(ImportAction::WorkerFailed(*number, failure)));
        }
    }

    pub(super) fn ask(&self, request: impl FnOnce(&Client) -> Result<(), String>) {
        let not_running = || Err("it is not running".to_owned());
        crash_on_send_error(self.client.as_deref().map_or_else(not_running, request), &self.dispatch);
    }

    fn measure_storage_after(&self, change: impl Future<Output = ()> + 'static) {
        self.act_after(async move {
            change.await;
            Action::StorageMeasured(storage::measure().await)
        });
    }

    fn act_after(&self, action: impl Future<Output = Action> + 'static) {
        let dispatch = self.dispatch.clone();
        spawn_local(async move { dispatch.emit(action.await) });
    }

    /// Sends photos to the worker; those in archives are unpacked first, one after another.
    fn classify(&self, ids: Vec<PhotoId>) {
        let Some(client) = &self.client else { return self.ask(|_| Ok(())) };
        let (client, dispatch) = (Rc::downgrade(client), self.dispatch.clone());
        let sources: Vec<_> = ids.iter().map(|&id| (id, self.files.borrow().source(id).cloned())).collect();
        spawn_local(async move {
            let mut photos = Vec::new();
            for (id, source) in sources {
                let photo = match source {
                    Some(source) => source.blob().await,
                    None => None,
                };
                match photo {
                    Some(photo) => photos.push((id, photo)),
                    None => dispatch.emit(Action::PhotoUnreadable(id, PhotoError::NotUnpacked)),
                }
            }
            // Has the worker been ended meanwhile, the state knows and will ask the next one.
            let Some(client) = client.upgrade().filter(|_| !photos.is_empty()) else { return };
            crash_on_send_error(client.classify(&photos), &dispatch);
        });
    }

    /// Sends the worker a request and the photo that it is about.
    fn ask_about(&self, id: PhotoId, request: impl FnOnce(&Client, &Blob) -> Result<(), String> + 'static) {
        let Some(client) = &self.client else { return self.ask(|_| Ok(())) };
        let (client, dispatch) = (Rc::downgrade(client), self.dispatch.clone());
        let source = self.files.borrow().source(id).cloned();
        spawn_local(async move {
            let photo = match source {
                Some(source) => source.blob().await,
                None => None,
            };
            // Has the worker been ended meanwhile, the state knows and will ask the next one.
            let Some(client) = client.upgrade() else { return };
            match photo {
                Some(photo) => crash_on_send_error(request(&client, &photo), &dispatch),
                // Its answer stands.
                None => dispatch.emit(Action::PhotoNotReopened(id)),
            }
        });
    }

    fn export(&self, format: Format) {
        let text = self.state.language.text();
        let state = &self.state;
        let content = format.write(&state.listed(), state.top_k, text.photo_error);
        // A browser that saves nothing says so itself.
        download::text(format.file_name(), format.media_type(), &content).ok();
    }

    fn save_picture(&self, id: PhotoId) {
        let Some((seen, photo)) = self.state.viewed().filter(|(seen, _)| seen.id == id) else { return };
        let Progress::Done(answer) = &photo.progress else { return };
        let Some(source) = self.files.borrow().source(id).cloned() else { return };
        let map = match &seen.explanation {
            Explanation::Shown { map, .. } => Some(map.clone()),
            _ => None,
        };
        let (answer, top_k, text) = (answer.clone(), self.state.top_k, self.state.language.text());
        let strength = f64::from(seen.strength) / 100.0;
        let stem = photo.name.rsplit_once('.').map_or(&*photo.name, |(stem, _)| stem);
        let name = format!("{stem}-beitscope.png");
        let seen = seen.url.clone();
        spawn_local(async move {
            // What is in sight may be other than the file: the browser does not know every format.
            let in_sight = match seen {
                Some(url) => fetch::blob(&url, u64::MAX).await.ok(),
                None => None,
            };
            let Some(file) = (match in_sight {
                Some(picture) => Some(picture),
                None => source.blob().await,
            }) else {
                return;
            };
            let heat = map.as_deref().map(|map| Heat { map, strength });
            match annotate(&file, &answer, top_k, heat, text).await {
                // A browser that saves nothing says so itself.
                Ok(picture) => download::blob(&name, &picture).unwrap_or_default(),
                Err(error) => web_sys::console::error_1(&error),
            }
        });
    }

    /// Opens a picture of the photo for the large view.
    fn open(&self, id: PhotoId, picture: impl Future<Output = Option<Blob>> + 'static) {
        close(&self.whole);
        let (whole, dispatch) = (self.whole.clone(), self.dispatch.clone());
        spawn_local(async move {
            let url = picture.await.and_then(|picture| Url::create_object_url_with_blob(&picture).ok());
            // Without one, the small picture stays.
            let Some(url) = url.map(Rc::<str>::from) else { return };
            if let Some(earlier) = whole.replace(Some(url.clone())) {
                Url::revoke_object_url(&earlier).ok();
            }
            dispatch.emit(Action::WholeOpened { id, url });
        });
    }
}

/// The `backend` parameter of the page's address: `auto`, `cpu` or `webgpu`.
fn wished_device() -> Device {
    match parameter("backend").as_deref() {
        Some("cpu") => Device::Cpu,
        Some("webgpu" | "gpu") => Device::Webgpu,
        _ => Device::Auto,
    }
}

/// A request that could not be sent ends the worker.
fn crash_on_send_error(sent: Result<(), String>, dispatch: &Callback<Action>) {
    if let Err(reason) = sent {
        dispatch.emit(Action::WorkerFailed(WorkerFailure::Crashed(reason)));
    }
}

fn close(whole: &RefCell<Option<Rc<str>>>) {
    if let Some(url) = whole.take() {
        // Only a malformed URL is refused, and then nothing is held by it.
        Url::revoke_object_url(&url).ok();
    }
}

fn action(event: WorkerEvent) -> Action {
    match event {
        WorkerEvent::Reply(reply) => Action::Worker(reply),
        WorkerEvent::Input { id, side, rgba } => Action::SawInput { id, side, rgba },
        WorkerEvent::Whole { id, side, picture } => Action::SawWhole { id, side, picture },
        WorkerEvent::Failed(failure) => Action::WorkerFailed(failure),
        WorkerEvent::PageRestored => Action::PageRestored,
    }
}

fn import_action(number: u64, event: WorkerEvent) -> ImportAction {
    match event {
        WorkerEvent::Reply(reply) => ImportAction::Worker(number, reply),
        WorkerEvent::Failed(failure) => ImportAction::WorkerFailed(number, failure),
        WorkerEvent::PageRestored => ImportAction::PageRestored(number),
        WorkerEvent::Input { .. } | WorkerEvent::Whole { .. } => {
            let reason = "it was asked about no photo".to_owned();
            ImportAction::WorkerFailed(number, WorkerFailure::Misunderstood(reason))
        }
    }
}
