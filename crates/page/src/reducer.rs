//! The reducer: one pure function [`State::update`] from a state and an [`Action`] to the next state and the
//! [`Effect`]s it asks for.

mod camera;
mod engine;
mod import;
mod listing;
mod photos;
mod preview;
mod queue;
mod sharing;
mod tagging;
mod viewer;

use crate::action::Action;
use crate::effect::{Effect, Focus};
use crate::engine::Engine;
use crate::photo::{LISTED_CLASSES, Preview, Progress};
use crate::sharing::{LinkState, SharedRecord};
use crate::state::State;
use crate::viewer::NotShownReason;
use protocol::fault::PhotoFault;

impl State {
    /// Takes in what happened. Pure: the same state and action give the same state and effects.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        let has_failed = matches!(action, Action::WorkerFailed(_));
        let effects = self.reduce(action);
        if has_failed
            || effects.iter().any(|effect| matches!(effect, Effect::StartWorker | Effect::StopWorker))
        {
            self.stop_naming();
        }
        effects
    }

    fn reduce(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Opened => vec![Effect::ChooseModel],
            Action::ModelsListed(list) => self.on_models_listed(list),
            Action::ModelChosen(choice) => self.on_model_chosen(choice),
            Action::PickModel(manifest) => self.pick_model(manifest),
            Action::Worker(reply) => self.on_reply(reply),
            Action::WorkerFailed(failure) => self.on_worker_failed(failure),
            Action::PageRestored => self.on_page_restored(),
            Action::Reload => self.reload(),
            Action::AcceptOffer => self.agree(),
            Action::DeclineOffer => self.decline(),
            Action::UseOwnModel => self.use_own_model(),
            Action::PauseLoading => self.pause(),
            Action::ResumeLoading => self.resume(),
            Action::Import(action) => self.on_import(action),
            Action::StorageMeasured(kept) => {
                self.find_unfinished_import(&kept.imports);
                self.stored = kept;
                vec![]
            }
            Action::RemoveStored(manifest) => vec![Effect::RemoveStored(manifest)],
            Action::ClearStorage => {
                let mut effects = self.end_import_before_clearing();
                effects.push(Effect::ClearStorage);
                effects
            }
            Action::Arrived { batch, arrivals } => self.on_arrived(batch, arrivals),
            Action::PastedNothing => {
                self.empty_paste = true;
                vec![]
            }
            Action::Previewed { id, url } => self.on_previewed(id, url),
            Action::DecodedPreviewed { id, url } => {
                self.change(id, |photo| photo.preview = Preview::Shown(url));
                vec![]
            }
            Action::PreviewsDropped(ids) => {
                ids.into_iter().for_each(|id| self.change(id, |photo| photo.preview = Preview::Wanted));
                vec![]
            }
            Action::FilesLeftOut(files) => {
                self.skipped.append(files);
                vec![]
            }
            Action::PhotoUnreadable(id, error) if self.in_flight.contains(&id) => {
                self.settle(id, Progress::Failed(error))
            }
            // Of a worker before this one. The file is opened again.
            Action::PhotoUnreadable(..) => vec![],
            Action::PhotoNotReopened(id) => {
                self.on_not_shown(Some(id), NotShownReason::Photo(PhotoFault::Unreadable));
                vec![]
            }
            Action::StopQueue(stopped) => {
                self.stopped = stopped;
                self.send_next()
            }
            Action::ShowClasses(top_k) => {
                self.top_k = top_k.clamp(1, LISTED_CLASSES);
                vec![]
            }
            Action::Search(query) => {
                self.listing.query = query;
                vec![]
            }
            Action::OrderBy(order) => {
                self.listing.order = order;
                vec![]
            }
            Action::Scrolled(viewport) => {
                self.scrolled(viewport);
                vec![]
            }
            Action::MoveTo { id, target } => self.move_to(id, target),
            Action::Nudge { id, by } => self.nudge(id, by),
            Action::OpenViewer { id, class } => self.view(id, class),
            Action::CloseViewer => self.close_viewer(),
            Action::StepViewer(by) => self.step(by),
            Action::WholeOpened { id, url } => {
                if let Some(viewer) = self.viewer.as_mut().filter(|viewer| viewer.id == id) {
                    viewer.url = Some(url);
                }
                vec![]
            }
            Action::WholeFailed => self.whole_failed().into_iter().collect(),
            Action::ToggleExplanation(class) => self.explain(class),
            Action::SearchClasses(query) => self.search_classes(query),
            Action::HeatMapStrength(strength) => {
                if let Some(viewer) = &mut self.viewer {
                    viewer.strength = strength.min(100);
                }
                vec![]
            }
            Action::ToggleInput => self.toggle_input(),
            Action::SetLanguage { language, chosen } => {
                self.language = language;
                vec![Effect::SetLanguage { language, chosen }]
            }
            Action::Export(format) => vec![Effect::Export(format)],
            Action::Tag(action) => self.on_tagging(action),
            Action::SavePicture => {
                self.viewer.as_ref().map(|viewer| Effect::SavePicture(viewer.id)).into_iter().collect()
            }
            Action::ShareResult => self.share(),
            Action::LinkMade { copied } => {
                self.link = if copied { LinkState::Copied } else { LinkState::InAddress };
                vec![]
            }
            Action::RecordRead(shared) => {
                self.shared = shared;
                vec![]
            }
            Action::DismissRecord => {
                self.shared = SharedRecord::None;
                vec![Effect::ForgetRecord, Effect::Focus(Focus::Picker)]
            }
            Action::SwitchCamera(on) => self.switch_camera(on),
            Action::SetLive(live) => self.go_live(live),
            Action::CameraFrame => self.send_frame(),
            Action::Diagnose => vec![Effect::Diagnose],
            Action::Diagnosed(facts) => {
                self.diagnostics = (Some(facts), false);
                vec![]
            }
            Action::CopyDiagnostics => {
                self.diagnostics.0.clone().map(Effect::CopyDiagnostics).into_iter().collect()
            }
            Action::DiagnosticsCopied(copied) => {
                self.diagnostics.1 = copied;
                vec![]
            }
            Action::UpdateReady => {
                self.update_ready = true;
                vec![]
            }
            Action::UpdateNow => vec![Effect::UpdateNow],
            Action::SawInput { id, side, rgba } => {
                self.on_input(id, side, rgba);
                vec![]
            }
            Action::SawWhole { id, side, picture } => {
                self.on_decoded(id, side, picture).into_iter().collect()
            }
            Action::Retry(id) => {
                self.change(id, |photo| {
                    if matches!(&photo.progress, Progress::Failed(error) if error.can_retry()) {
                        photo.progress = Progress::Queued;
                    }
                });
                match self.engine {
                    Engine::Failed(_) => self.reload(),
                    _ => self.send_next(),
                }
            }
            Action::Remove(id) => self.remove(id),
            Action::Reclassify => self.reclassify(),
            Action::Clear => self.clear(),
            Action::Dragging(dragging) => {
                self.dragging = dragging;
                vec![]
            }
            Action::TrySample(file) => vec![Effect::FetchSample(file)],
        }
    }
}

#[cfg(test)]
mod tests;
