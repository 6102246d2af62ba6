//! The page's Chinese (simplified).

use crate::numbers::{grouped, megabytes, percent, rounded, signed};
use crate::photo::{ArchiveFault, Trouble};
use crate::state::{Counts, Order, Problem};
use crate::status::Status;
use crate::text::{Said, Text};
use crate::threads::{NoPlan, Notice};
use protocol::{BackendInfo, Loading, ModelInfo};

pub static CHINESE: Text = Text {
    tag: "zh",
    title: "Beitscope：照片里是什么？",
    other_language: "English",

    privacy: "照片不会离开本页面。网络就在您的浏览器里运行。",
    model_card: "模型说明",
    credits: "示例照片：猫（Stéfan van der Walt）、咖啡（Rachel Michetti）、火箭（SpaceX），均为 CC0。",
    wordnet: "类别与种类来自 WordNet 3.0，© 2006 普林斯顿大学",
    quantization,
    maker: |model| format!("{}，{}", model.name, quantization(&model.quantization)),
    size: |model| format!("{} MB", megabytes(model.bytes)),
    model_facts,
    reason,
    backend,

    invitation: "照片里是什么？",
    ways_in: "把照片、文件夹或 zip 文件拖到页面任意处，粘贴图片或图片网址，或选择文件。",
    more: "还有照片吗？",
    more_ways_in: "把照片、文件夹或 zip 文件拖到任意处，粘贴或选择。",
    choose: "选择照片",
    choose_folder: "文件夹",
    let_go: "松手即可识别",
    try_again: "重试",

    samples: "手边没有照片？试试这些。",
    try_sample: |what| format!("试试{what}"),
    cat: "猫",
    coffee: "咖啡",
    rocket: "火箭",

    status,
    notice,
    isolate: "在这个浏览器里全部启用。",
    progress: "正在加载模型",
    progress_value: of_megabytes,
    pause: "暂停",
    resume: "继续",

    stored: |bytes| format!("浏览器里保存了 {} MB 权重，供下次使用。", megabytes(bytes)),
    clear_storage: "删除",
    no_storage: "浏览器在这里不保存任何内容（无痕窗口，或网址不是 https），下次访问要重新下载权重。",
    no_room: "浏览器没有空间保存权重，下次访问要重新下载。腾出一些磁盘空间即可改变。",

    gallery: "照片",
    counts,
    clear: "全部清除",

    tools: "全部照片",
    listed: |photos| format!("找到 {}", grouped(photos as u64)),
    skipped: |files| format!("略过 {} 个不是照片的文件", grouped(files as u64)),
    left,
    stop: "停止",
    go_on: "继续",
    search: "查找类别或文件名",
    order_label: "排序",
    order: |order| match order {
        Order::Own => "最新在前",
        Order::Name => "按文件名",
        Order::Label => "按类别",
        Order::Confidence => "最有把握在前",
    },
    classes_label: "显示的类别数",
    classes: |classes| format!("前 {classes} 名"),
    nothing_found: |query| format!("没有照片的类别或文件名含有“{query}”。"),

    export: "导出",
    export_json: "全部结果（JSON）",
    export_csv: "全部结果（CSV 表格）",
    export_png: "带答案的照片（PNG）",
    copy_link: "复制结果链接",
    link_copied: "已复制。链接里没有照片。",
    link_in_address: "链接在地址栏里。里面没有照片。",

    record: |file| format!("别人看到的“{file}”"),
    record_from: |record| {
        format!(
            "{} · {} · {} 毫秒 · 照片 SHA-256 {}",
            record.model,
            record.backend,
            rounded(record.ms),
            short(&record.sha256)
        )
    },
    record_note: "链接里没有照片。如果您有这张照片，拖到这里即可核对。",
    record_same: "在这里得到的答案相同。",
    record_different: "在这里得到的答案不同。",
    record_damaged: "这个网址里的结果链接已损坏，无法读取。",
    dismiss: "关闭",

    open: |name| format!("放大查看 {name}"),
    close: "关闭",
    previous: "上一张",
    next: "下一张",
    place: |at, count| format!("{} / {}", grouped(at as u64), grouped(count as u64)),
    explain: |label| format!("为什么是{label}"),
    explain_hint: "点击一个类别，看照片的哪些部分支持它。",
    explain_waiting: "正在看…",
    why: |label| format!("为什么是“{label}”？"),
    average: |value| format!("图块平均 {}", signed(value)),
    strength: "浓淡",
    patches_for: "支持的图块",
    patches_against: "反对的图块",
    constant: "每张照片都相同的部分",
    rounding: "8 位舍入",
    logit: "Logit",
    heat_meaning: "琥珀色的方格贡献高于平均，蓝色的低于平均。这是精确值：各部分之和就是用来计算概率的那个数。到最后一层，图块之间已交换过所见，所以一格代表的不只是它自己。",
    input: "网络看到的画面",
    input_meaning: |side| format!("照片中网络只看到这个 {side} × {side} 像素的方块。"),
    no_model: "模型现在没有加载。加载后请再试。",
    signed,
    told: sentence,
    kind: |kind| &kind.label_zh,
    kind_meaning: "概率合计至少 90% 的最具体种类（WordNet）",

    camera: "相机",
    camera_heading: "拍一张照片",
    camera_take: "拍照",
    camera_live: "实时识别",
    camera_waiting: "等待相机…",
    camera_refused: "无法使用相机：浏览器或设备拒绝了。请在地址栏旁的网站设置里允许，然后重试。",
    camera_missing: "没有找到相机。",

    diagnostics: "诊断信息",
    copy: "复制",
    copied: "已复制",

    update_ready: "新版本已就绪。",
    update_now: "重新加载以使用",

    photo: |name| format!("照片 {name}"),
    waiting: "等待中",
    looking: "正在看…",
    remove: |name| format!("移除 {name}"),
    answers: "网络的判断",
    label: |prediction| if prediction.label_zh.is_empty() { &prediction.label } else { &prediction.label_zh },
    percent,
    dimensions: |width, height| format!("{width} × {height}"),
    milliseconds: |ms| format!("{} 毫秒", rounded(ms)),
    no_preview: "无法预览",
    dropped_thing: "拖入的内容",
    trouble,
};

fn model_facts(model: &ModelInfo) -> String {
    let parameters = match model.parameters {
        count if count < 10_000_000 => grouped(count),
        count => format!("{:.1} 亿", count as f64 / 1e8),
    };
    format!("{parameters}参数 · {} 类 · {} 像素", grouped(model.classes as u64), model.image_size)
}

fn reason(backend: &BackendInfo) -> String {
    match backend.kind.as_str() {
        "cpu" => format!("网络在处理器上运行，使用 {} 个线程。", backend.threads),
        "webgpu" => "网络在显卡上运行（WebGPU）。".into(),
        _ => String::new(),
    }
}

fn backend(backend: &BackendInfo, ms: Option<f64>) -> String {
    let kind = match backend.kind.as_str() {
        "cpu" => "CPU",
        "webgpu" => "WebGPU",
        other => other,
    };
    let mut parts = vec![kind.to_owned()];
    if !backend.detail.is_empty() {
        parts.push(backend.detail.clone());
    }
    if backend.kind == "cpu" {
        parts.push(format!("{} 线程", backend.threads));
    }
    parts.extend(ms.map(|ms| format!("每张 {} 毫秒", rounded(ms))));
    parts.join(" · ")
}

fn status(status: &Status) -> Said {
    let plain = |lead: &str| (lead.to_owned(), String::new());
    let (lead, detail) = match status {
        Status::Starting => plain("正在启动…"),
        Status::Downloading(loading) => ("正在下载模型".into(), download(loading)),
        Status::Reading(loading) => {
            ("正在从浏览器存储读取模型".into(), format!("：{}", of_megabytes(loading.built, loading.total)))
        }
        Status::Paused(loading) => {
            ("下载已暂停".into(), format!("：已有 {}", of_megabytes(loading.here, loading.total)))
        }
        Status::Compiling { ready, total } => {
            let count = if *total > 0 { format!("：{ready} / {total} 个程序") } else { String::new() };
            ("正在准备 GPU".into(), count)
        }
        Status::WarmingUp => plain("正在预热，好让第一张照片也很快…"),
        Status::Ready => plain("可以开始了。"),
        Status::Looking { name, left } => {
            let more = if *left > 1 { format!(" · 还有 {} 张", left - 1) } else { String::new() };
            (format!("正在看 {name}"), more)
        }
        Status::Stopped { left } => (format!("已停止：{left} 张在等待。"), String::new()),
        Status::Settled(counts) => (settled(counts), String::new()),
        Status::PastedNothing => plain("粘贴的内容里没有照片。"),
        Status::Failed(_) => plain("模型无法加载。"),
    };
    let problem = match status {
        Status::Failed(problem) => Some(self::problem(problem)),
        _ => None,
    };
    Said { lead, detail, problem }
}

fn download(loading: &Loading) -> String {
    let mut parts = vec![of_megabytes(loading.here, loading.total)];
    if let Some(rate) = loading.bytes_per_second {
        parts.push(format!("{:.1} MB/s", rate / 1e6));
        if rate >= 1.0 {
            parts.push(format!("剩 {}", time(loading.total.saturating_sub(loading.here) as f64 / rate)));
        }
    }
    format!("：{}", parts.join(" · "))
}

fn settled(counts: &Counts) -> String {
    let done = match (counts.done, counts.failed) {
        (0, _) => String::new(),
        (done, 0) => format!("{} 张照片都有了答案。", grouped(done as u64)),
        (done, _) => format!("{} 张有了答案。", grouped(done as u64)),
    };
    let failed = match counts.failed {
        0 => String::new(),
        failed => format!("{} 张无法识别。", grouped(failed as u64)),
    };
    done + &failed
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::NotIsolated { cores } => format!(
            "这台设备有 {cores} 个处理器，但网络只用了一个线程：网站的服务器没有发送跨源隔离所需的标头（Cross-Origin-Opener-Policy: same-origin 和 Cross-Origin-Embedder-Policy: require-corp）。网站管理员可以加上它们，或启用网站的隔离 service worker。"
        ),
        Notice::BadThreads { got, most, used } => format!(
            "“{got}”不是有效的线程数：页面的“threads”参数为 1 到 {most}，0 表示由页面决定。现在使用 {used} 个线程。"
        ),
        Notice::Fewer { planned, started } => format!(
            "计划使用 {planned} 个线程，只启动了 {started} 个：浏览器没有启动其余的。关闭其他标签页并重新加载页面也许有帮助。"
        ),
    }
}

fn problem(problem: &Problem) -> String {
    match problem {
        Problem::NoWorker(NoPlan::BadBuild(name)) => format!("“{name}”不是这个浏览器能运行的程序。页面的“worker”参数可以是 simd128、simd128-threads 或 relaxed-threads；不写则自动选用最快的。"),
        Problem::NoWorker(NoPlan::NoSimd) => "这个浏览器没有网络所需的 WebAssembly SIMD。Firefox 89、Chrome 91、Edge 91、Safari 16.4 及更新版本都有。".into(),
        Problem::BadModelAddress(address) => format!("“{address}”不是模型的网址。页面的“model”参数应指向 manifest.json，例如 models/demo/manifest.json。"),
        Problem::NotStarted(reason) => because("分类程序无法下载或启动", reason, "请检查网络连接，然后重试。"),
        Problem::Crashed(reason) => because("分类程序意外停止", reason, "照片都还在：请重试；如果内存不足，先关闭其他标签页。"),
        Problem::Misunderstood(reason) => because("页面与分类程序的版本不同", reason, "请重新加载页面。"),
        Problem::Told(told) => sentence(told),
    }
}

fn because(what: &str, reason: &str, advice: &str) -> String {
    if reason.is_empty() { format!("{what}。{advice}") } else { format!("{what}（{reason}）。{advice}") }
}

fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Told(told) => sentence(told),
        Trouble::Crashed => "分类程序在看这张照片时意外停止。再试一次也许可以。".into(),
        Trouble::NothingInside => "里面没有照片。".into(),
        Trouble::FolderUnreadable => "浏览器无法列出这个文件夹。请直接拖入其中的照片。".into(),
        Trouble::Archive(ArchiveFault::Damaged) => {
            "这不是 zip 文件，或文件已损坏或不完整。请解压后拖入照片。".into()
        }
        Trouble::Archive(ArchiveFault::TooManyFiles) => {
            "这个 zip 文件列出的文件过多。请解压后拖入照片。".into()
        }
        Trouble::NotUnpacked => "这张照片无法解压：zip 文件已损坏，或拖入后被移动。".into(),
        Trouble::NotShared(host) => format!(
            "图片无法获取：{host} 无法访问，或不允许其他网页读取其图片。请保存图片后拖入文件，或复制图片本身再粘贴。"
        ),
        Trouble::NotAFile => "拖入的内容里没有文件。请先保存图片，再拖入文件。".into(),
        Trouble::NotFetched => "示例照片无法获取。请检查网络连接后再点击。".into(),
    }
}

/// The worker's sentences are English; the usual ones about photos are said in Chinese here.
fn sentence(told: &str) -> String {
    const WORKS: &str = "支持 JPEG、PNG、WebP、GIF、BMP 和 TIFF。";
    let starts = |start: &str| told.starts_with(start);
    if starts("This file is empty.") {
        "文件是空的。".into()
    } else if starts("This is not a photo") {
        format!("这不是可读取的照片。{WORKS}")
    } else if starts("This is ") && told.contains("can't read") {
        format!("这种格式无法读取。{WORKS}（{told}）")
    } else if told.contains("is cut short") {
        "文件不完整：结尾部分缺失。".into()
    } else if told.contains("is damaged") {
        "文件已损坏，无法读取。".into()
    } else if starts("This photo is ") && told.contains("megapixels") {
        format!("照片的像素太多。（{told}）")
    } else if starts("This file could not be read") {
        "文件无法读取，可能在拖入后被移动或删除。".into()
    } else {
        told.to_owned()
    }
}

fn counts(counts: &Counts) -> String {
    format!("{} 张照片", grouped(counts.all() as u64))
}

fn left(photos: usize, seconds: Option<f64>) -> String {
    let left = format!("还有 {} 张", grouped(photos as u64));
    seconds.map_or(left.clone(), |seconds| format!("{left} · 约 {}", time(seconds)))
}

fn time(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{} 秒", seconds.max(1.0).ceil()),
        ..5_400.0 => format!("{} 分钟", (seconds / 60.0).ceil()),
        _ => format!("{} 小时", (seconds / 3_600.0).ceil()),
    }
}

fn quantization(name: &str) -> String {
    match name {
        "q8_0" => "8 位".into(),
        "q4_0" => "4 位".into(),
        "f16" => "16 位浮点".into(),
        "f32" => "32 位浮点".into(),
        other => other.into(),
    }
}

fn of_megabytes(bytes: u64, total: u64) -> String {
    match total {
        0 => format!("{} MB", megabytes(bytes)),
        total => format!("{} / {} MB", megabytes(bytes), megabytes(total)),
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_sentences_of_the_worker_are_said_in_chinese() {
        let chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..'\u{9fff}').contains(&letter));
        for told in [
            "This file is empty.",
            "This is not a photo Beitscope can read. JPEG, PNG, WebP, GIF, BMP and TIFF work.",
            "This is a HEIC photo, which Beitscope can't read. JPEG, PNG, WebP, GIF, BMP and TIFF work.",
            "This JPEG is cut short: the end of the file is missing.",
            "This PNG is damaged and can't be read.",
            "This photo is 60000 × 60000 pixels. Beitscope reads up to 100 megapixels.",
        ] {
            assert!(chinese(&sentence(told)), "{told}");
        }
        assert_eq!(sentence("Something else."), "Something else.");
    }

    #[test]
    fn counts_and_times_are_said_as_people_say_them() {
        assert_eq!(left(1200, Some(150.0)), "还有 1,200 张 · 约 3 分钟");
        assert_eq!(settled(&Counts { left: 0, done: 3, failed: 1 }), "3 张有了答案。1 张无法识别。");
    }
}
