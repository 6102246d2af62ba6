//! Every kind of fault and reason is said in both languages.

use crate::chinese::CHINESE;
use crate::engine::EngineError;
use crate::english::ENGLISH;
use crate::photo::PhotoError;
use crate::worker_setup::Notice;
use archive::ArchiveFault;
use archive::zip::Method;
use protocol::BackendInfo;
use protocol::fault::{Foreign, LoadFault, PhotoFault, Reason, TeachFault};
use protocol::import::ImportFault;

const FOREIGN: [Foreign; 13] = [
    Foreign::Avif,
    Foreign::Heic,
    Foreign::JpegXl,
    Foreign::Jpeg2000,
    Foreign::JpegXr,
    Foreign::OpenExr,
    Foreign::Svg,
    Foreign::Pdf,
    Foreign::Psd,
    Foreign::Cur,
    Foreign::Icns,
    Foreign::Matroska,
    Foreign::Video,
];

fn photo_faults() -> Vec<PhotoFault> {
    let format = || "JPEG".to_owned();
    let mut faults = vec![
        PhotoFault::NoModel,
        PhotoFault::Unreadable,
        PhotoFault::Empty,
        PhotoFault::NotAPhoto,
        PhotoFault::Variant { format: format() },
        PhotoFault::NoDecoder { format: Foreign::Heic, reason: "no answer".into() },
        PhotoFault::NoPreview { raw: "DNG".into() },
        PhotoFault::Truncated { format: format() },
        PhotoFault::Damaged { format: format() },
        PhotoFault::TooManyPixels { width: 60_000, height: 60_000, most_megapixels: 100 },
        PhotoFault::FileTooLarge { megabytes: 300, most_megabytes: 256 },
        PhotoFault::OutOfMemory { width: 9000, height: 9000 },
        PhotoFault::Network { reason: "x".into() },
        PhotoFault::FallbackFailed { fault: LoadFault::Refused { reason: "x".into() } },
    ];
    faults.extend(FOREIGN.map(|format| PhotoFault::Unsupported { format }));
    faults
}

fn load_faults() -> Vec<LoadFault> {
    let (url, reason) = ("https://host/m.json".to_owned(), "x".to_owned());
    vec![
        LoadFault::NotStarted { reason: reason.clone() },
        LoadFault::Unreachable { url: url.clone(), reason: reason.clone() },
        LoadFault::Status { url: url.clone(), status: 404 },
        LoadFault::TooLong { url: url.clone(), limit: 9 },
        LoadFault::Broken { url: url.clone(), reason: reason.clone() },
        LoadFault::Stalled { url: url.clone(), seconds: 20 },
        LoadFault::WebPage { url: url.clone() },
        LoadFault::DamagedShard { reason: reason.clone() },
        LoadFault::Address { url: url.clone() },
        LoadFault::Manifest { url, reason: reason.clone() },
        LoadFault::NotImported { address: "import:hf:timm/x#q8_0".into() },
        LoadFault::Refused { reason },
    ]
}

fn teach_faults() -> Vec<TeachFault> {
    let reason = || "x".to_owned();
    vec![
        TeachFault::NoModel,
        TeachFault::Unreadable,
        TeachFault::Names,
        TeachFault::NoFeatures,
        TeachFault::TooFew,
        TeachFault::NotAHead { reason: reason() },
        TeachFault::OtherModel { made_for: "a".into(), loaded: "b".into() },
        TeachFault::Unusable { reason: reason() },
        TeachFault::Network { reason: reason() },
    ]
}

fn import_faults() -> Vec<ImportFault> {
    let (host, page, reason) =
        (|| "huggingface.co".to_owned(), || "https://huggingface.co/a/b".to_owned(), || "x".to_owned());
    vec![
        ImportFault::NotAReference { got: "beit".into(), reason: reason() },
        ImportFault::Unreachable { host: host(), reason: reason() },
        ImportFault::NoAccess { page: page(), host: host(), status: 401 },
        ImportFault::NotFound { checkpoint: "hf:a/b".into(), host: host() },
        ImportFault::TooManyRequests { host: host(), seconds: None },
        ImportFault::TooManyRequests { host: host(), seconds: Some(30) },
        ImportFault::Status { host: host(), status: 503 },
        ImportFault::Interrupted { host: host(), received: 4, total: 9, reason: reason() },
        ImportFault::Answer { host: host(), reason: reason() },
        ImportFault::NoCheckpoint { page: page() },
        ImportFault::Split { page: page() },
        ImportFault::Format { reason: reason() },
        ImportFault::Refused { reason: reason() },
        ImportFault::Damaged { host: host(), expected: "aa".into(), got: "bb".into() },
        ImportFault::NoRoom { missing: 9_000_000 },
        ImportFault::NoStorage,
        ImportFault::Unreadable { file: "x.pth".into() },
        ImportFault::OutOfMemory { reason: reason() },
        ImportFault::Crashed { reason: String::new() },
        ImportFault::Crashed { reason: reason() },
    ]
}

fn reasons() -> Vec<Reason> {
    let (name, reason) = (|| "GPU".to_owned(), || "x".to_owned());
    vec![
        Reason::NoGpu { reason: reason() },
        Reason::SoftwareGpu { name: name() },
        Reason::GpuRefused { name: name(), reason: reason() },
        Reason::GpuFailed { name: name(), reason: reason() },
        Reason::GpuWrong { name: name(), cosine: Some(0.5) },
        Reason::GpuWrong { name: name(), cosine: None },
        Reason::GpuWrongOnModel { name: name() },
        Reason::Compared { name: name(), gpu_ms: 9.0, cpu_ms: 90.0 },
        Reason::GpuLost { reason: reason() },
        Reason::GpuAgain,
        Reason::WrongForecast { predicted_ms: 9.0, observed_ms: 90.0 },
        Reason::FewerThreads { reason: reason() },
        Reason::FallbackBuild { reason: reason() },
        Reason::Fastest { chosen: "a".into(), slower: vec!["b".into()] },
    ]
}

/// How many kinds serde knows of an enum: its complaint about one that it does not know lists them all. So a kind
/// that is missing above is noticed.
fn kinds<T: serde::de::DeserializeOwned>(unknown: &str) -> usize {
    let complaint = serde_json::from_str::<T>(unknown).err().expect("no such kind").to_string();
    let (_, expected) = complaint.split_once("expected one of").expect("the kinds");
    expected.matches('`').count() / 2
}

fn is_chinese(sentence: &str) -> bool {
    sentence.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
}

/// In English a sentence, in Chinese one too, with its own full stop and none of the English one's words.
fn check(english: &str, chinese: &str) {
    assert!(english.contains(' ') && english.ends_with('.') && !is_chinese(english), "{english:?}");
    assert!(is_chinese(chinese) && chinese.ends_with('。'), "{chinese:?}");
    for word in [" the ", " is ", " not ", " can't ", " of "] {
        assert!(!chinese.contains(word), "{chinese:?} has {word:?}");
    }
}

#[test]
fn every_kind_of_fault_is_said_in_both_languages() {
    const UNKNOWN: &str = r#"{"kind":"?"}"#;
    let photo = photo_faults();
    assert_eq!(photo.len() - FOREIGN.len() + 1, kinds::<PhotoFault>(UNKNOWN));
    assert_eq!(FOREIGN.len(), kinds::<Foreign>("\"?\""));
    for fault in photo {
        check(&(ENGLISH.photo_fault)(&fault), &(CHINESE.photo_fault)(&fault));
        let error = PhotoError::Photo(fault.clone());
        assert_eq!((ENGLISH.photo_error)(&error), (ENGLISH.photo_fault)(&fault));
        assert_eq!((CHINESE.photo_error)(&error), (CHINESE.photo_fault)(&fault));
    }
    let load = load_faults();
    assert_eq!(load.len(), kinds::<LoadFault>(UNKNOWN));
    for fault in load {
        let status = crate::status::Status::Failed(EngineError::Load(fault));
        let problem = |text: &super::Text| (text.status)(&status).problem.expect("what is wrong");
        check(&problem(&ENGLISH), &problem(&CHINESE));
    }
    let import = import_faults();
    // Two of them are said in two ways.
    assert_eq!(import.len() - 2, kinds::<ImportFault>(UNKNOWN));
    for fault in import {
        check(&(ENGLISH.import.fault)(&fault), &(CHINESE.import.fault)(&fault));
    }
    let teach = teach_faults();
    assert_eq!(teach.len(), kinds::<TeachFault>(UNKNOWN));
    for fault in teach {
        check(&(ENGLISH.teach_fault)(&fault), &(CHINESE.teach_fault)(&fault));
    }
}

#[test]
fn every_notice_is_said_in_both_languages() {
    for notice in [
        Notice::NotIsolated { cores: 4 },
        Notice::NoSharing,
        Notice::BadThreads { got: "x".into(), most: 64, used: 2 },
        Notice::StartedAgain { times: 2 },
        Notice::Fewer { planned: 4, started: 2 },
    ] {
        check(&(ENGLISH.notice)(&notice), &(CHINESE.notice)(&notice));
    }
}

#[test]
fn every_reason_for_a_backend_is_said_in_both_languages() {
    let reasons = reasons();
    // One of them is said in two ways.
    assert_eq!(reasons.len() - 1, kinds::<Reason>(r#"{"kind":"?"}"#));
    for reason in reasons {
        for kind in ["cpu", "webgpu"] {
            let reasons = vec![reason.clone()];
            let backend =
                BackendInfo { kind: kind.into(), detail: "x".into(), threads: 2, batch: 1, reasons };
            check(&(ENGLISH.reasons)(&backend), &(CHINESE.reasons)(&backend));
        }
    }
}

/// Whatever is left out or rejected is said in both languages, and what to do.
#[test]
fn every_error_of_what_comes_in_is_said_in_both_languages() {
    let faults = [
        ArchiveFault::Damaged,
        ArchiveFault::TooManyFiles,
        ArchiveFault::Split,
        ArchiveFault::TooLarge { most_megabytes: 1024 },
        ArchiveFault::Foreign(archive::Foreign::Rar),
    ];
    let mut errors = vec![
        PhotoError::Crashed,
        PhotoError::NothingInside,
        PhotoError::FolderUnreadable,
        PhotoError::Encrypted,
        PhotoError::PackedBy(Method::Other(9)),
        PhotoError::NestedTooDeep,
        PhotoError::NestedTooLarge { most_megabytes: 256 },
        PhotoError::NotUnpacked,
        PhotoError::NotShared("host".into()),
        PhotoError::NotReadable { scheme: "file:".into() },
        PhotoError::NotAFile,
        PhotoError::NotFetched,
    ];
    errors.extend(faults.map(PhotoError::Archive));
    for error in errors {
        check(&(ENGLISH.photo_error)(&error), &(CHINESE.photo_error)(&error));
    }
    for reason in archive::Reason::ALL {
        let (english, chinese) = ((ENGLISH.left_out_for)(reason), (CHINESE.left_out_for)(reason));
        assert!(!english.is_empty() && !is_chinese(english) && is_chinese(chinese), "{english} {chinese}");
    }
}

#[test]
fn a_kind_without_a_chinese_name_is_called_by_its_english_one() {
    let kind = |zh: &str| protocol::Kind {
        wnid: "n12205694".into(),
        label: "herb".into(),
        label_zh: zh.into(),
        score: 0.95,
    };
    assert_eq!((CHINESE.kind)(&kind("草本植物")), "草本植物");
    assert_eq!((CHINESE.kind)(&kind("")), "herb");
}
