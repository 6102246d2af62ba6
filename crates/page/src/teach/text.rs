//! What the panel says, in each language.

use crate::chinese::CHINESE as PAGE_CHINESE;
use crate::english::ENGLISH as PAGE_ENGLISH;
use protocol::fault::{PhotoFault, TeachFault};

/// A language's words.
pub struct TeachText {
    pub heading: &'static str,
    pub intro: &'static str,
    pub class_name: &'static str,
    pub add_photos: fn(&str) -> String,
    pub photos: fn(usize) -> String,
    pub remove_class: fn(&str) -> String,
    pub remove_photo: fn(&str) -> String,
    pub add_class: &'static str,
    pub add_folders: &'static str,
    pub teach: &'static str,
    /// Photos left to look at, of how many.
    pub looking: fn(usize, usize) -> String,
    pub needs: &'static str,
    pub ready: &'static str,
    pub waiting_for_model: &'static str,
    /// The share of right answers so far.
    pub training: fn(Option<f64>) -> String,
    /// Right answers, of how many held out, seconds.
    pub taught: fn(u32, u32, f64) -> String,
    pub taught_unmeasured: &'static str,
    pub confusion: &'static str,
    pub right_class: &'static str,
    pub mistakes: &'static str,
    /// Photo, its class, the class it was taken for.
    pub mistake: fn(&str, &str, &str) -> String,
    pub which: &'static str,
    pub models: &'static str,
    /// The visitor's classes by name.
    pub own: fn(&[String]) -> String,
    pub export: &'static str,
    pub import: &'static str,
    pub forget: &'static str,
    /// Files in folders that are no photos.
    pub left_out: fn(usize) -> String,
    pub photo_fault: fn(&PhotoFault) -> String,
    pub teach_fault: fn(&TeachFault) -> String,
}

/// Classes that are named before "…".
const NAMED: usize = 6;

fn list(classes: &[String], separator: &str) -> String {
    let rest = if classes.len() > NAMED { "…" } else { "" };
    format!("{}{rest}", classes[..classes.len().min(NAMED)].join(separator))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

pub static ENGLISH: TeachText = TeachText {
    heading: "Teach it your own classes",
    intro: "Name two or more classes and give each a few photos, from one on. They are learnt in seconds, here in \
            your browser; no photo leaves it.",
    class_name: "Name of the class",
    add_photos: |name| if name.is_empty() { "Add photos".into() } else { format!("Add photos of {name}") },
    photos: |n| if n == 1 { "1 photo".into() } else { format!("{n} photos") },
    remove_class: |name| {
        if name.is_empty() { "Remove this class".into() } else { format!("Remove the class {name}") }
    },
    remove_photo: |name| format!("Remove {name}"),
    add_class: "Add a class",
    add_folders: "Add folders named by class",
    teach: "Teach",
    looking: |left, all| format!("Looking at your photos: {} of {all}", all - left),
    needs: "Name at least two classes, all differently, and give each a photo.",
    ready: "Ready to learn.",
    waiting_for_model: "Waiting for the model.",
    training: |accuracy| match accuracy {
        None => "Learning…".into(),
        Some(share) => format!("Learning… {} right on photos held out", percent(share)),
    },
    taught: |right, all, seconds| {
        let share = percent(f64::from(right) / f64::from(all.max(1)));
        format!(
            "Learnt in {seconds:.1} s. Of {all} photos, each answered without having been shown, {right} were right ({share})."
        )
    },
    taught_unmeasured: "Learnt. With one photo a class there is none to hold out, so how good it is shows in use.",
    confusion: "What each class was taken for",
    right_class: "Class",
    mistakes: "Mistakes",
    mistake: |photo, right, answered| format!("{photo}: {right}, taken for {answered}"),
    which: "Answer with",
    models: "the model's classes",
    own: |classes| format!("your classes: {}", list(classes, ", ")),
    export: "Save these classes",
    import: "Open saved classes",
    forget: "Forget your classes",
    left_out: |files| match files {
        1 => "1 file left out: no photo.".into(),
        files => format!("{files} files left out: no photos."),
    },
    photo_fault: PAGE_ENGLISH.photo_fault,
    teach_fault: PAGE_ENGLISH.teach_fault,
};

pub static CHINESE: TeachText = TeachText {
    heading: "教它认识你自己的类别",
    intro: "给两个或更多类别起名，每类放几张照片，一张也行。学习只需几秒，全在你的浏览器里进行，照片不会离开。",
    class_name: "类别名称",
    add_photos: |name| {
        if name.is_empty() { "添加照片".into() } else { format!("添加“{name}”的照片") }
    },
    photos: |n| format!("{n} 张照片"),
    remove_class: |name| {
        if name.is_empty() { "移除此类别".into() } else { format!("移除类别“{name}”") }
    },
    remove_photo: |name| format!("移除 {name}"),
    add_class: "添加类别",
    add_folders: "添加以类别命名的文件夹",
    teach: "开始学习",
    looking: |left, all| format!("正在查看照片：{} / {all}", all - left),
    needs: "至少为两个类别起不同的名称，并各放一张照片。",
    ready: "可以开始学习。",
    waiting_for_model: "正在等待模型。",
    training: |accuracy| match accuracy {
        None => "正在学习……".into(),
        Some(share) => format!("正在学习……留出的照片答对 {}", percent(share)),
    },
    taught: |right, all, seconds| {
        let share = percent(f64::from(right) / f64::from(all.max(1)));
        format!("{seconds:.1} 秒学完。{all} 张照片各在未见过时作答，答对 {right} 张（{share}）。")
    },
    taught_unmeasured: "已学完。每类只有一张照片，无法留出检验，好坏要看使用。",
    confusion: "各类别被认成了什么",
    right_class: "类别",
    mistakes: "认错的照片",
    mistake: |photo, right, answered| format!("{photo}：应为 {right}，认成了 {answered}"),
    which: "回答时使用",
    models: "模型的类别",
    own: |classes| format!("你的类别：{}", list(classes, "、")),
    export: "保存这些类别",
    import: "打开已保存的类别",
    forget: "忘掉你的类别",
    left_out: |files| format!("略过 {files} 个不是照片的文件。"),
    photo_fault: PAGE_CHINESE.photo_fault,
    teach_fault: PAGE_CHINESE.teach_fault,
};

/// The words for a BCP 47 tag.
pub fn of(tag: &str) -> &'static TeachText {
    if tag.starts_with("zh") { &CHINESE } else { &ENGLISH }
}
