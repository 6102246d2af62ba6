//! The dialog in Chinese.

use super::{TagText, some_names};
use crate::numbers::grouped;
use crate::tagging::{LONGEST_VOCABULARY, Refusal, VocabularyRefusal};
use protocol::keywords::{NotEmbedded, NotMerged, VocabularyFault};

fn number(count: usize) -> String {
    grouped(count as u64)
}

fn why_not_merged(why: NotMerged) -> &'static str {
    match why {
        NotMerged::Encoding => "其 XMP 既不是 UTF-8 也不是 UTF-16",
        NotMerged::Damaged => "其 XMP 已损坏",
        NotMerged::Form => "其中的关键词不是列表",
        NotMerged::TooLong => "其 XMP 太长",
        NotMerged::NotReadBack => "关键词并入其 XMP 后无法再读出",
    }
}

fn why_beside(why: &NotEmbedded) -> String {
    match why {
        NotEmbedded::Damaged => "照片不完整或已损坏".into(),
        NotEmbedded::Xmp { why } => why_not_merged(*why).into(),
        NotEmbedded::SeveralPackets => "照片中有多个 XMP 数据包".into(),
        NotEmbedded::Extended => "照片的关键词在扩展 XMP 数据包中".into(),
        NotEmbedded::RawProfile => "照片的 XMP 采用只有 ImageMagick 使用的形式".into(),
        NotEmbedded::NoRoom { bytes, most } => {
            format!("XMP 将有 {} 字节，而最多只能放 {} 字节", grouped(*bytes), grouped(*most))
        }
        NotEmbedded::Offsets => "照片文件中还有另一幅图像，其位置可能从文件开头算起".into(),
        NotEmbedded::ContentCredentials => "照片带有签名的内容凭证，任何改动都会使其失效".into(),
    }
}

fn vocabulary_fault(fault: &VocabularyFault) -> String {
    match fault {
        VocabularyFault::NoTab { line, text } => {
            format!(
                "第 {line} 行（“{text:.60}”）没有制表符。每行应为：类别或大类、制表符、关键词，各以制表符隔开"
            )
        }
        VocabularyFault::NoClass { line } => format!("第 {line} 行的第一个制表符之前没有内容"),
        VocabularyFault::Repeated { line, first, class } => {
            format!("第 {line} 行与第 {first} 行都是关于“{class}”的")
        }
    }
}

pub(super) static CHINESE: TagText = TagText {
    entry: "把关键词写入照片…",
    heading: "照片中的关键词",
    intro: "识别结果会成为照片元数据（XMP）中的关键词，照片管理软件会从那里读取。像素和其他一切保持不变。在您确认之前不会写入任何内容。",
    threshold: "最低概率",
    language: "关键词的语言",
    english: "英文",
    chinese: "中文",
    both: "中英文",
    percent: |percent| format!("{percent}%"),
    own: "自己的关键词",
    choose_own: "选择文件…",
    own_form: "文本文件。每行为：类别或大类、制表符、关键词，各以制表符隔开。",
    drop_own: "改回模型的名称",
    unknown_names: |names| match some_names(names, "、") {
        (shown, 0) => format!("模型不认识：{shown}。"),
        (shown, more) => format!("模型不认识：{shown}，以及另外 {} 个。", number(more)),
    },
    refused_vocabulary: |file, refusal| match refusal {
        VocabularyRefusal::Unreadable => {
            format!("无法读取“{file}”，或其大小超过 {} MB。请选择另一个文件。", LONGEST_VOCABULARY >> 20)
        }
        VocabularyRefusal::NoText => format!("“{file}”不是 UTF-8 文本。请另存为 UTF-8 后再选择。"),
        VocabularyRefusal::Fault(fault) => {
            format!("“{file}”：{}。请改正后再选择。", vocabulary_fault(fault))
        }
        VocabularyRefusal::NoWriter(reason) => {
            format!("读取“{file}”的程序无法运行（{reason}）。请检查网络连接后重试。")
        }
    },
    naming: "正在询问模型答案的类别…",
    planning: |done, all| format!("正在读取照片：{} / {}", number(done), number(all)),
    no_model: "模型尚未就绪。请关闭此窗口，待页面提示就绪后再打开。",
    no_photos: "还没有照片得到答案。请关闭此窗口，待有答案后再打开。",
    planned: |changed, all, folder| {
        let place = folder.map(|folder| format!("“{folder}”中的 ")).unwrap_or_default();
        format!("{place}{} 张照片里有 {} 张的关键词会改变", number(all), number(changed))
    },
    nothing: "没有需要写入的内容。",
    without_answer: |count| format!("略去 {} 张：没有当前模型的答案，或图片内容不完整。", number(count)),
    new_sidecars: "zip 文件中的附属文件是新建的，请不要覆盖已有的附属文件；请改为写入文件夹，或使用 `beitscope tag`：两者都会合并。",
    list: "将要改变的内容",
    added: "新增：",
    removed: "移除：",
    unchanged: "已有这些关键词",
    no_keyword: "没有关键词",
    sidecar: |name, why| match why {
        Some(why) => format!("写入旁边的 {name}：{}", why_beside(why)),
        None => format!("写入旁边的 {name}"),
    },
    refusal: |refusal| match refusal {
        Refusal::Sidecar(why) => format!("无法更改其附属文件：{}。请修复或移除它。", why_not_merged(*why)),
        Refusal::Unreadable => "文件已无法读取。请重新添加到页面。".into(),
        Refusal::Changed => "文件在读取之后已改变。请重新添加到页面。".into(),
        Refusal::NotInFolder => "该文件夹中没有此文件。请选择它所在的文件夹。".into(),
        Refusal::NotWritten(reason) => format!("浏览器未能写入（{reason}）。文件保持原样，请重试。"),
        Refusal::NoWriter(reason) => format!("写入关键词的程序无法运行（{reason}）。请检查网络连接后重试。"),
    },
    download: |count| format!("下载 zip（{} 个文件）", number(count)),
    choose_folder: "写入文件夹…",
    write: |count, folder| format!("把 {} 个文件写入“{folder}”", number(count)),
    use_zip: "改为生成 zip",
    stop: "停止",
    close: "关闭",
    list_again: "重新列出",
    undo: |count| format!("撤销 {} 个文件", number(count)),
    zipping: |done, all| format!("正在收集文件：{} / {}", number(done), number(all)),
    writing: |done, all| format!("正在写入文件：{} / {}", number(done), number(all)),
    undoing: |done, all| format!("正在恢复文件：{} / {}", number(done), number(all)),
    zipped: |count| format!("zip 文件中有 {} 个文件。", number(count)),
    wrote: |count| format!("已写入 {} 个文件。只要此页面开着，就可以撤销。", number(count)),
    undone: |count| format!("已恢复 {} 个文件。", number(count)),
    stopped: "已提前停止。",
    failed: |count| format!("{} 个文件保持原样：", number(count)),
};
