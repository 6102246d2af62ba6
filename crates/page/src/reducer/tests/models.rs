//! Models are listed, picked and taken over from one another.

use super::*;
use protocol::fault::{LoadFault, PhotoFault};
use protocol::{Area, HeatMap};

const DEMO: &str = "https://host/models/demo/manifest.json";
const LARGE: &str = "https://host/models/large/manifest.json";

fn listed(manifest: &str) -> Listed {
    Listed { manifest: manifest.into(), name: "A model".into(), ..Listed::default() }
}

fn models_listed(models: Vec<Listed>) -> Action {
    Action::ModelsListed(Ok(ModelList { models, ..ModelList::default() }))
}

/// What the worker says once the large model is ready.
fn large_ready() -> Reply {
    let Reply::Ready { mut model, backend, kept } = ready_reply() else { panic!("not ready") };
    (model.name, model.sha256) = ("large".into(), "11".repeat(32));
    Reply::Ready { model, backend, kept }
}

fn provenances(state: &State) -> Vec<Option<&str>> {
    state
        .photos
        .iter()
        .map(|photo| photo.provenance.as_ref().map(|provenance| &*provenance.model.name))
        .collect()
}

#[test]
fn another_model_is_remembered_loaded_and_answers_everything_anew() {
    let mut state = ready();
    arrive(&mut state, 1, &[1, 2, 3]);
    done(&mut state, 1, 40.0);
    state.update(Action::Worker(Reply::Failed {
        id: 2,
        fault: PhotoFault::NotAPhoto,
        message: String::new(),
    }));
    assert_eq!(data_states(&state), ["done", "error", "running"]);

    let effects = state.update(Action::PickModel(LARGE.into()));
    assert_eq!(effects, [Effect::RememberModel(LARGE.into()), Effect::StartWorker]);
    assert_eq!(data_states(&state), ["done", "error", "queued"], "the answer stays until there is a new one");
    assert_eq!(provenances(&state), [Some("tiny"), None, None]);

    assert_eq!(
        state.update(Action::Worker(Reply::Awake { lock: None })),
        [Effect::Load { manifest: LARGE.into(), agreed: false }]
    );
    let effects = state.update(Action::Worker(large_ready()));
    assert_eq!(effects, [Effect::MeasureStorage, Effect::Classify(vec![1])]);
    assert_eq!(data_states(&state), ["running", "error", "queued"]);
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(vec![3])]);
    done(&mut state, 3, 40.0);
    assert_eq!(provenances(&state), [Some("large"), None, Some("large")]);
}

#[test]
fn the_same_model_anew_asks_nothing_again() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    done(&mut state, 1, 40.0);
    assert_eq!(state.update(Action::PickModel(DEMO.into())), [], "it is in use");
    // Such as when a GPU was lost and the worker went on without it.
    assert_eq!(state.update(Action::Worker(ready_reply())), [Effect::MeasureStorage]);
    assert_eq!(data_states(&state), ["done"]);
}

#[test]
fn a_model_that_could_not_be_loaded_can_be_picked_again_or_left() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    done(&mut state, 1, 40.0);
    state.update(Action::PickModel(LARGE.into()));
    state.update(Action::Worker(Reply::LoadFailed {
        fault: LoadFault::Address { url: "x".into() },
        message: String::new(),
    }));
    assert_eq!(data_states(&state), ["done"], "the old answer is still there");
    let again = state.update(Action::PickModel(LARGE.into()));
    assert_eq!(again, [Effect::RememberModel(LARGE.into()), Effect::StartWorker]);
    state.update(Action::PickModel(DEMO.into()));
    state.update(Action::Worker(ready_reply()));
    assert_eq!(data_states(&state), ["done"], "its own model is back");
}

#[test]
fn what_the_large_view_showed_of_the_old_answer_goes_with_it() {
    let mut state = ready();
    arrive(&mut state, 1, &[1]);
    done(&mut state, 1, 40.0);
    state.update(Action::OpenViewer { id: 1, class: Some(3) });
    let area = Area { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
    let heat_map = HeatMap { grid: 1, contributions: vec![1.0], constant: 0.0, logit: 1.0, seen: area };
    state.update(Action::Worker(Reply::Explained { id: 1, class: 3, heat_map }));
    state.update(Action::PickModel(LARGE.into()));
    let explanation = |state: &State| state.viewer.as_ref().unwrap().explanation.clone();
    assert!(matches!(explanation(&state), Explanation::Shown { .. }));
    state.update(Action::Worker(large_ready()));
    assert_eq!(explanation(&state), Explanation::None);
}

#[test]
fn a_list_is_shown_or_left_aside_with_its_fault() {
    let mut state = ready();
    let fault = ListFault::NoModel;
    assert_eq!(state.update(Action::ModelsListed(Err(fault.clone()))), [Effect::MeasureStorage]);
    assert_eq!((state.list_fault.as_ref(), state.models.len()), (Some(&fault), 0));
    state.update(models_listed(vec![listed(DEMO), listed(LARGE)]));
    assert_eq!((&state.list_fault, state.models.len()), (&None, 2));
    assert_eq!(state.listed_choice().map(|model| &*model.manifest), Some(DEMO));
    assert!(matches!(state.engine, Engine::Ready { .. }), "the model goes on answering");
}

fn offer() -> protocol::Offer {
    protocol::Offer {
        manifest: LARGE.into(),
        host: "elsewhere.example".into(),
        name: "large".into(),
        quantization: "q4_0".into(),
        bytes: 1_200_000_000,
    }
}

/// A state in which the page's address named a model and the worker asks about it.
fn asked() -> State {
    let mut state = State::default();
    state.update(Action::ModelChosen(Ok(LARGE.into())));
    let load = state.update(Action::Worker(Reply::Awake { lock: None }));
    assert_eq!(load, [Effect::Load { manifest: LARGE.into(), agreed: false }]);
    assert_eq!(state.update(Action::Worker(Reply::AskFirst { offer: offer() })), []);
    assert_eq!(state.engine, Engine::Asking(Rc::new(offer())));
    state
}

#[test]
fn a_model_from_elsewhere_is_loaded_once_the_visitor_agrees_and_not_asked_about_again() {
    let mut state = asked();
    let load = [Effect::Load { manifest: LARGE.into(), agreed: true }];
    assert_eq!(state.update(Action::AcceptOffer), load);
    assert_eq!(state.update(Action::AcceptOffer), [], "once is enough");
    // Another worker, such as after a crash.
    assert_eq!(state.update(Action::Worker(Reply::Awake { lock: None })), load);
}

#[test]
fn who_declines_gets_the_sites_own_model() {
    let mut state = asked();
    let effects = state.update(Action::DeclineOffer);
    assert_eq!(effects, [Effect::StopWorker, Effect::ForgetNamedModel, Effect::ChooseModel]);
    state.update(Action::ModelChosen(Ok(DEMO.into())));
    assert_eq!(
        state.update(Action::Worker(Reply::Awake { lock: None })),
        [Effect::Load { manifest: DEMO.into(), agreed: false }]
    );
}

#[test]
fn what_the_site_lists_needs_no_question() {
    // The list comes after the question.
    let mut state = asked();
    let effects = state.update(models_listed(vec![listed(DEMO), listed(LARGE)]));
    assert!(effects.contains(&Effect::Load { manifest: LARGE.into(), agreed: true }), "{effects:?}");
    // And before it.
    let mut state = State::default();
    state.update(models_listed(vec![listed(LARGE)]));
    state.update(Action::ModelChosen(Ok(LARGE.into())));
    assert_eq!(
        state.update(Action::Worker(Reply::Awake { lock: None })),
        [Effect::Load { manifest: LARGE.into(), agreed: true }]
    );
}

/// The site's own model was still being looked up when the visitor picked another one.
#[test]
fn a_choice_that_comes_late_loses_no_photo() {
    for choice in [Ok(DEMO.into()), Err(EngineError::BadModelAddress("x".into()))] {
        let mut state = ready();
        arrive(&mut state, 1, &[1]);
        assert_eq!(data_states(&state), ["running"]);
        state.update(Action::ModelChosen(choice));
        assert_eq!((data_states(&state), state.in_flight.len()), (vec!["queued"], 0));
    }
}
