//! Imports: asked for, offered, run, paused, failed and taken into use, while photos are answered.

use super::*;
use crate::import::{ImportAction, ImportStage, NextStep};
use crate::storage::{ModelInStorage, StorageContents};
use protocol::fault::LoadFault;
use protocol::import::{
    Hubs, ImportFault, ImportOffer, ImportPhase, ImportPreprocessing, ImportProgress, ImportReply,
    ImportSource,
};

const ADDRESS: &str = "import:hf:timm/beit#q8_0";

fn source(checkpoint: &str) -> ImportSource {
    ImportSource { checkpoint: checkpoint.into(), quantization: "q8_0".into() }
}

pub(super) fn offer_of(source: &ImportSource) -> ImportOffer {
    ImportOffer {
        source: source.clone(),
        url: String::new(),
        host: "huggingface.co".into(),
        page: "https://huggingface.co/timm/beit".into(),
        file: "model.safetensors".into(),
        name: "beit".into(),
        license: None,
        download_bytes: 1_200,
        kept_bytes: 323,
        resumed_bytes: 0,
        missing_bytes: 0,
        sha256: None,
        parameters: 300,
        classes: 1_000,
        image_size: 224,
        preprocessing: ImportPreprocessing { short_side: 236, mean: [0.5; 3], std: [0.5; 3], from: None },
    }
}

fn offer() -> Rc<ImportOffer> {
    Rc::new(offer_of(&source("hf:timm/beit")))
}

fn progress(received: u64) -> ImportProgress {
    let phase = ImportPhase::Download;
    ImportProgress { phase, received, total: 1_200, bytes_per_second: None, restarted: false }
}

fn import(state: &mut State, action: ImportAction) -> Vec<Effect> {
    state.update(Action::Import(action))
}

fn ask(state: &mut State, checkpoint: &str) -> Vec<Effect> {
    import(state, ImportAction::Ask(source(checkpoint)))
}

fn says(state: &mut State, reply: ImportReply) -> Vec<Effect> {
    let worker = state.import.worker;
    import(state, ImportAction::Worker(worker, Reply::Import(reply)))
}

fn awake(state: &mut State) -> Vec<Effect> {
    let worker = state.import.worker;
    import(state, ImportAction::Worker(worker, Reply::Awake { lock: None }))
}

fn fails(state: &mut State, fault: ImportFault) -> Vec<Effect> {
    says(state, ImportReply::Failed { fault, message: String::new() })
}

const FOCUS: Effect = Effect::Focus(Focus::Import);
const FOCUS_MENU: Effect = Effect::Focus(Focus::Models);

fn offered() -> State {
    let mut state = ready();
    ask(&mut state, "hf:timm/beit");
    awake(&mut state);
    says(&mut state, ImportReply::Offer((*offer()).clone()));
    assert_eq!(state.import.stage, ImportStage::Offered(offer()));
    state
}

fn running() -> State {
    let mut state = offered();
    import(&mut state, ImportAction::Start);
    awake(&mut state);
    state
}

#[test]
fn an_import_is_asked_for_offered_run_and_taken_into_use() {
    let mut state = ready();
    state.hubs = Hubs { hf: Some("https://hf-mirror.com".into()), modelscope: None };
    arrive(&mut state, 1, &[1, 2]);
    // A listed model that is not here yet is not loaded but looked up.
    assert_eq!(state.update(Action::PickModel(ADDRESS.into())), [Effect::StartImportWorker(1)]);
    assert_eq!(state.import.stage, ImportStage::Inspecting(source("hf:timm/beit")));
    let asked = Effect::InspectImport { source: source("hf:timm/beit"), hubs: state.hubs.clone() };
    assert_eq!(awake(&mut state), [asked]);
    let effects = says(&mut state, ImportReply::Offer((*offer()).clone()));
    assert_eq!(effects, [Effect::StopImportWorker, FOCUS]);
    assert_eq!(import(&mut state, ImportAction::Start), [Effect::StartImportWorker(2), FOCUS]);
    assert_eq!(awake(&mut state), [Effect::RunImport(offer())]);
    assert_eq!(says(&mut state, ImportReply::Progress(progress(400))), []);
    // The old model answers meanwhile.
    assert_eq!(done(&mut state, 1, 40.0), [Effect::Classify(vec![2])]);
    assert_eq!(data_states(&state), ["done", "running"]);

    let effects = says(&mut state, ImportReply::Done { manifest: ADDRESS.into() });
    assert_eq!(
        effects,
        [
            Effect::StopImportWorker,
            Effect::PersistStorage,
            Effect::MeasureStorage,
            Effect::RememberModel(ADDRESS.into()),
            Effect::StartWorker
        ]
    );
    assert_eq!(state.import.stage, ImportStage::Done { name: "beit".into(), bytes: 323 });
    assert_eq!(state.choice.as_deref(), Some(ADDRESS));
    assert_eq!(data_states(&state), ["done", "queued"]);
    assert_eq!(import(&mut state, ImportAction::Close), [FOCUS_MENU]);
    assert_eq!(state.import.stage, ImportStage::Closed);
}

#[test]
fn what_is_written_or_pasted_is_read_or_refused() {
    let mut state = ready();
    let ask_for = |text: &str| ImportAction::AskFor { text: text.into(), quantization: "q4_0".into() };
    assert_eq!(import(&mut state, ask_for("a model please")), [FOCUS]);
    let ImportStage::Failed { fault, offer: None, .. } = &state.import.stage else {
        panic!("{:?}", state.import.stage)
    };
    assert!(matches!(fault, ImportFault::NotAReference { got, .. } if got == "a model please"));
    assert_eq!(state.import.next_step(), Some(NextStep::None));
    import(&mut state, ask_for("https://huggingface.co/timm/beit"));
    let ImportStage::Inspecting(source) = &state.import.stage else { panic!("{:?}", state.import.stage) };
    assert_eq!(source.address(), "import:hf:timm/beit#q4_0");
    // Nothing is left running behind the refusal.
    assert_eq!(import(&mut state, ask_for("?")), [Effect::StopImportWorker, FOCUS]);
}

#[test]
fn an_offer_can_be_left_and_needs_room() {
    for action in [ImportAction::Close, ImportAction::Cancel] {
        let mut state = offered();
        assert_eq!(import(&mut state, action), [FOCUS_MENU]);
        assert_eq!(state.import.stage, ImportStage::Closed);
    }
    let mut state = offered();
    let short = Rc::new(ImportOffer { missing_bytes: 9, ..(*offer()).clone() });
    state.import.stage = ImportStage::Offered(short);
    assert_eq!(import(&mut state, ImportAction::Start), [], "there is no room for it");
}

#[test]
fn a_pause_ends_the_worker_and_keeps_what_has_come() {
    let mut state = running();
    says(&mut state, ImportReply::Progress(progress(400)));
    let worker = state.import.worker;
    assert_eq!(import(&mut state, ImportAction::Pause), [Effect::StopImportWorker, FOCUS]);
    assert_eq!(state.import.stage, ImportStage::Paused { offer: offer(), received: 400 });
    // What its worker had said before it ended.
    let late = ImportReply::Done { manifest: ADDRESS.into() };
    assert_eq!(import(&mut state, ImportAction::Worker(worker, Reply::Import(late))), []);
    assert_eq!(import(&mut state, ImportAction::Resume), [Effect::StartImportWorker(worker + 1), FOCUS]);
    assert_eq!(awake(&mut state), [Effect::RunImport(offer())]);
    // Asked for in the menu, it goes on as well.
    import(&mut state, ImportAction::Pause);
    let effects = ask(&mut state, "hf:timm/beit");
    assert_eq!(effects, [Effect::StartImportWorker(worker + 2), FOCUS]);
}

/// `Cancel` in every stage, and which of them have something in storage.
#[test]
fn an_import_can_be_cancelled_at_every_moment() {
    let gone = vec![Effect::StopImportWorker, Effect::RemoveImport(ADDRESS.into()), FOCUS_MENU];
    let mut paused = running();
    import(&mut paused, ImportAction::Pause);
    let mut failed = running();
    fails(&mut failed, ImportFault::NoStorage);
    let mut inspecting = ready();
    ask(&mut inspecting, "hf:timm/beit");
    let mut not_found = inspecting.clone();
    fails(&mut not_found, ImportFault::NoCheckpoint { page: "x".into() });
    for (name, mut state, expected) in [
        ("closed", ready(), vec![]),
        ("inspecting", inspecting, vec![Effect::StopImportWorker, FOCUS_MENU]),
        ("not found", not_found, vec![FOCUS_MENU]),
        ("offered", offered(), vec![FOCUS_MENU]),
        ("running", running(), gone.clone()),
        ("paused", paused, gone.clone()),
        ("failed", failed, gone),
    ] {
        assert_eq!(import(&mut state, ImportAction::Cancel), expected, "{name}");
        assert_eq!(state.import.stage, ImportStage::Closed, "{name}");
        assert!(matches!(state.engine, Engine::Ready { .. }));
    }
}

#[test]
fn there_is_one_import_at_a_time() {
    let mut state = running();
    assert_eq!(ask(&mut state, "hf:timm/other"), [FOCUS]);
    assert!(state.import.refused && matches!(state.import.stage, ImportStage::Running { .. }));
    let file = ImportAction::FileGiven { name: "x.pth".into(), quantization: "q8_0".into() };
    assert_eq!(import(&mut state, file), [FOCUS]);
    let nonsense = ImportAction::AskFor { text: "?".into(), quantization: "q8_0".into() };
    assert_eq!(import(&mut state, nonsense), [FOCUS]);
    assert_eq!(ask(&mut state, "hf:timm/beit"), [FOCUS], "it runs already");
    import(&mut state, ImportAction::Pause);
    assert!(!state.import.refused);
    assert_eq!(ask(&mut state, "hf:timm/other"), [FOCUS]);
    assert!(state.import.refused);
    // What is only looked up or offered makes room.
    for mut state in [offered(), ready()] {
        ask(&mut state, "hf:timm/beit");
        ask(&mut state, "hf:timm/other");
        assert_eq!(state.import.stage, ImportStage::Inspecting(source("hf:timm/other")));
        let late = Reply::Import(ImportReply::Offer((*offer()).clone()));
        assert_eq!(import(&mut state, ImportAction::Worker(1, late)), []);
    }
}

/// What can be done after each fault: while looked up, and once it had begun.
#[test]
fn after_a_failure_the_visitor_is_told_what_can_be_done() {
    let text = || "x".to_owned();
    for (fault, inspected, begun) in [
        (ImportFault::Unreachable { host: text(), reason: text() }, NextStep::TryAgain, NextStep::GoOn),
        (ImportFault::TooManyRequests { host: text(), seconds: None }, NextStep::TryAgain, NextStep::GoOn),
        (ImportFault::NoRoom { missing: 9 }, NextStep::TryAgain, NextStep::GoOn),
        (ImportFault::Crashed { reason: text() }, NextStep::TryAgain, NextStep::GoOn),
        (
            ImportFault::Damaged { host: text(), expected: text(), got: text() },
            NextStep::TryAgain,
            NextStep::TryAgain,
        ),
        (ImportFault::NoAccess { page: text(), host: text(), status: 401 }, NextStep::None, NextStep::None),
        (ImportFault::Refused { reason: text() }, NextStep::None, NextStep::None),
        (ImportFault::NoStorage, NextStep::None, NextStep::None),
        (ImportFault::Unreadable { file: text() }, NextStep::ChooseFile, NextStep::ChooseFile),
    ] {
        let mut state = ready();
        ask(&mut state, "hf:timm/beit");
        assert_eq!(fails(&mut state, fault.clone()), [Effect::StopImportWorker, FOCUS]);
        assert_eq!(state.import.next_step(), Some(inspected), "{fault:?}");
        let effects = import(&mut state, ImportAction::Retry);
        assert_eq!(
            effects.is_empty(),
            matches!(inspected, NextStep::None | NextStep::ChooseFile),
            "{fault:?}"
        );

        let mut state = running();
        let worker = state.import.worker;
        assert_eq!(fails(&mut state, fault.clone()), [Effect::StopImportWorker]);
        assert_eq!(state.import.next_step(), Some(begun), "{fault:?}");
        assert_eq!(import(&mut state, ImportAction::Close), [], "its parts are in storage");
        if matches!(begun, NextStep::GoOn | NextStep::TryAgain) {
            let effects = import(&mut state, ImportAction::Retry);
            assert_eq!(effects, [Effect::StartImportWorker(worker + 1), FOCUS]);
            assert_eq!(awake(&mut state), [Effect::RunImport(offer())]);
        }
    }
}

#[test]
fn a_worker_that_crashes_or_dies_with_the_page_disturbs_no_photo() {
    let mut state = running();
    arrive(&mut state, 1, &[1]);
    let worker = state.import.worker;
    let crash = WorkerFailure::Crashed("unreachable".into());
    assert_eq!(import(&mut state, ImportAction::WorkerFailed(worker - 1, crash.clone())), [], "long ended");
    let restored = import(&mut state, ImportAction::PageRestored(worker));
    assert_eq!(restored, [Effect::StartImportWorker(worker + 1)]);
    assert_eq!(awake(&mut state), [Effect::RunImport(offer())]);
    assert_eq!(import(&mut state, ImportAction::WorkerFailed(worker + 1, crash)), [Effect::StopImportWorker]);
    assert_eq!(state.import.next_step(), Some(NextStep::GoOn));
    assert_eq!(data_states(&state), ["running"]);
    let mut state = offered();
    assert_eq!(import(&mut state, ImportAction::PageRestored(1)), [], "its worker has ended");
}

fn stored(offer: &Rc<ImportOffer>) -> StorageContents {
    let imports = [offer.clone()].into();
    StorageContents { bytes: Some(0), imports, ..StorageContents::default() }
}

#[test]
fn an_unfinished_import_is_found_at_the_start_of_a_visit_alone() {
    let begun = Rc::new(ImportOffer { resumed_bytes: 400, ..(*offer()).clone() });
    let mut state = ready();
    state.update(Action::StorageMeasured(stored(&begun)));
    assert_eq!(state.import.stage, ImportStage::Paused { offer: begun.clone(), received: 400 });
    assert_eq!(
        import(&mut state, ImportAction::Cancel),
        [Effect::StopImportWorker, Effect::RemoveImport(ADDRESS.into()), FOCUS_MENU]
    );
    // Looked up before it was removed.
    state.update(Action::StorageMeasured(stored(&begun)));
    assert_eq!(state.import.stage, ImportStage::Closed);
    let mut state = offered();
    state.update(Action::StorageMeasured(stored(&begun)));
    assert_eq!(state.import.stage, ImportStage::Offered(offer()));
}

#[test]
fn an_import_of_a_file_needs_the_file() {
    let mut state = ready();
    let file = source("file:beit.pth");
    let given = || ImportAction::FileGiven { name: "beit.pth".into(), quantization: "q8_0".into() };
    assert_eq!(import(&mut state, given()), [Effect::StartImportWorker(1)]);
    let offer = Rc::new(offer_of(&file));
    says(&mut state, ImportReply::Offer((*offer).clone()));
    import(&mut state, ImportAction::Start);
    import(&mut state, ImportAction::Pause);
    assert!(!state.import.wants_file(), "it is at hand");
    import(&mut state, ImportAction::Resume);
    fails(&mut state, ImportFault::Unreadable { file: "beit.pth".into() });
    assert!(state.import.wants_file());
    assert_eq!(import(&mut state, ImportAction::Retry), []);
    let again = import(&mut state, ImportAction::FileGivenAgain);
    assert_eq!(again, [Effect::StartImportWorker(4), FOCUS]);

    // On the next visit.
    let mut state = ready();
    state.update(Action::StorageMeasured(stored(&offer)));
    assert!(state.import.wants_file());
    assert_eq!(import(&mut state, ImportAction::Resume), []);
    let again = import(&mut state, ImportAction::FileGivenAgain);
    assert_eq!(again, [Effect::StartImportWorker(1), FOCUS]);
    // Dropped once more, it goes on as well.
    let mut state = ready();
    state.update(Action::StorageMeasured(stored(&offer)));
    assert_eq!(import(&mut state, given()), [Effect::StartImportWorker(1), FOCUS]);
    assert_eq!(awake(&mut state), [Effect::RunImport(offer)]);
}

fn in_storage(manifest: &str, here: u64) -> StorageContents {
    let model = ModelInStorage {
        manifest: manifest.into(),
        name: "beit".into(),
        quantization: "q8_0".into(),
        bytes: 9,
        here,
        days: None,
        sha256: "ab".into(),
    };
    StorageContents { bytes: Some(here), models: [model].into(), ..StorageContents::default() }
}

#[test]
fn an_imported_model_is_loaded_like_any_other_as_long_as_it_is_whole() {
    let mut state = ready();
    state.update(Action::StorageMeasured(in_storage(ADDRESS, 9)));
    assert_eq!(
        state.update(Action::PickModel(ADDRESS.into())),
        [Effect::RememberModel(ADDRESS.into()), Effect::StartWorker]
    );
    assert_eq!(state.stored.imported(&[]).len(), 1);
    let mut state = ready();
    state.update(Action::StorageMeasured(in_storage(ADDRESS, 8)));
    assert_eq!(state.update(Action::PickModel(ADDRESS.into())), [Effect::StartImportWorker(1)]);
    assert!(state.stored.imported(&[]).is_empty());
}

#[test]
fn a_model_that_is_not_in_storage_any_more_is_imported_again_or_left() {
    let missing = || {
        let mut state = State::default();
        state.update(Action::ModelChosen(Ok(ADDRESS.into())));
        let fault = LoadFault::NotImported { address: ADDRESS.into() };
        state.update(Action::Worker(Reply::LoadFailed { fault, message: String::new() }));
        state
    };
    let mut state = missing();
    assert_eq!(ask(&mut state, "hf:timm/beit"), [Effect::StartImportWorker(1)]);
    says(&mut state, ImportReply::Offer((*offer()).clone()));
    import(&mut state, ImportAction::Start);
    let effects = says(&mut state, ImportReply::Done { manifest: ADDRESS.into() });
    assert!(effects.contains(&Effect::StartWorker), "{effects:?}");

    let mut state = missing();
    let effects = state.update(Action::UseOwnModel);
    assert_eq!(effects, [Effect::StopWorker, Effect::ForgetModel, Effect::ChooseModel]);
    assert_eq!((&state.engine, &state.choice), (&Engine::Choosing, &None));
    assert_eq!(ready().update(Action::UseOwnModel), []);
    // Of a file, the visitor is asked for it.
    let mut state = missing();
    assert_eq!(ask(&mut state, "file:x.pth"), [FOCUS]);
    assert_eq!(state.import.next_step(), Some(NextStep::ChooseFile));
    assert_eq!(import(&mut state, ImportAction::FileGivenAgain), [Effect::StartImportWorker(1)]);
}

#[test]
fn clearing_the_storage_ends_an_import() {
    let mut state = running();
    assert_eq!(state.update(Action::ClearStorage), [Effect::StopImportWorker, Effect::ClearStorage]);
    assert_eq!(state.import.stage, ImportStage::Closed);
}
