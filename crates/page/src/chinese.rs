//! The page's Chinese (simplified).

mod errors;
mod fault;
mod import;
mod left_out;
mod status;

use crate::listing::SortOrder;
use crate::numbers::{grouped, megabytes, percent, rounded, signed};
use crate::state::Counts;
use crate::text::Text;
use protocol::{BackendInfo, ModelInfo};

pub static CHINESE: Text = Text {
    tag: "zh",
    title: "Beitscope：照片里是什么？",
    name: "中文",
    other_language_here: None,

    privacy: "照片不会离开本页面。网络就在您的浏览器里运行。",
    model_card: "模型说明",
    credits: "示例照片：猫（Stéfan van der Walt）、咖啡（Rachel Michetti），CC0；高山（Aitzol Berasategi），CC BY 4.0。",
    wordnet: "类别与种类来自 WordNet 3.0，© 2006 普林斯顿大学",
    quantization,
    part_missing: |percent| format!("此图片缺少 {percent}% 的内容：文件不完整或已损坏"),
    raw_preview: |raw| format!("根据这张原始照片（{raw}）中的预览图"),
    provenance: |model| format!("{}，{}", model.name, quantization(&model.quantization)),
    size: |model| format!("{} MB", megabytes(model.bytes)),
    model_facts,
    reasons: fault::reasons,
    backend,

    invitation: "照片里是什么？",
    ways_in: "把照片、文件夹、zip 或 tar 文件拖到页面任意处，粘贴图片或图片网址，或选择文件。",
    more: "还有照片吗？",
    more_ways_in: "把照片、文件夹、zip 或 tar 文件拖到任意处，粘贴或选择。",
    choose: "选择照片",
    choose_folder: "文件夹",
    let_go: "松手即可识别",
    try_again: "重试",

    samples: "手边没有照片？试试这些。",
    try_sample: |what| format!("试试{what}"),
    cat: "猫",
    coffee: "咖啡",
    mountain: "高山",

    status: status::status,
    notice: errors::notice,
    isolate: "在这个浏览器里全部启用。",
    progress: "正在加载模型",
    progress_value: of_megabytes,
    agree: "下载",
    decline: "使用本站的模型",
    pause: "暂停",
    resume: "继续",

    from_host: |host| format!("来自 {host}"),
    stored: |bytes| format!("浏览器里保存了 {} MB 权重，供下次使用。", megabytes(bytes)),
    clear_storage: "删除",
    stored_models: "浏览器里保存的模型",
    stored_part: |here, all| {
        if here == all { format!("{} MB", megabytes(all)) } else { of_megabytes(here, all) }
    },
    days_ago: |days| match days {
        0 => "今天用过".into(),
        1 => "昨天用过".into(),
        days => format!("{} 天前用过", grouped(days)),
    },
    remove_stored: "删除",
    remove_stored_model: |name| format!("从浏览器中删除 {name}"),
    no_storage: "浏览器在这里不保存任何内容（无痕窗口，或网址不是 https），下次访问要重新下载权重。",
    no_room: "浏览器没有空间保存权重，下次访问要重新下载。腾出一些磁盘空间即可改变。",

    import: &import::IMPORT,

    gallery: "照片",
    counts,
    clear: "全部清除",

    tools: "全部照片",
    listed: |photos| format!("找到 {}", grouped(photos as u64)),
    skipped: left_out::skipped,
    left_out_for: left_out::reason,
    left_out_more: |files| format!("还有 {} 个", grouped(files)),
    left,
    stop: "停止",
    go_on: "继续",
    search: "查找类别或文件名",
    order_label: "排序",
    order: |order| match order {
        SortOrder::Own => "最新在前",
        SortOrder::Name => "按文件名",
        SortOrder::Label => "按类别",
        SortOrder::Confidence => "最有把握在前",
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
    other_class: "查询其他类别",
    other_class_hint: "名称的一部分",
    classes_found: |listed, all| match all {
        0 => "没有名称含有这些字的类别。".into(),
        all if all == listed => format!("{} 个类别", grouped(all as u64)),
        all => format!("{} 个类别中的前 {listed} 个", grouped(all as u64)),
    },
    class_name: |class| if class.label_zh.is_empty() { &class.label } else { &class.label_zh },
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
    photo_fault: fault::photo,
    teach_fault: fault::teach,
    kind: |kind| if kind.label_zh.is_empty() { &kind.label } else { &kind.label_zh },
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
    none_of: |classes| format!("很可能不是它认识的 {} 种事物中的任何一种", grouped(classes)),
    answers_if_none: "它认识的事物中最接近的",
    label: |prediction| if prediction.label_zh.is_empty() { &prediction.label } else { &prediction.label_zh },
    percent,
    dimensions: |width, height| format!("{width} × {height}"),
    milliseconds: |ms| format!("{} 毫秒", rounded(ms)),
    no_preview: "无法预览",
    dropped_thing: "拖入的内容",
    photo_error: errors::photo_error,
};

fn model_facts(model: &ModelInfo) -> String {
    let (parameters, classes) = (parameters(model.parameters), grouped(model.classes as u64));
    format!("{parameters} · {classes} 类 · {} 像素", model.image_size)
}

/// A network's parameters in the units of 10⁴ and 10⁸, which Chinese counts in.
fn parameters(count: u64) -> String {
    const TEN_THOUSAND: u64 = 10_000;
    match count {
        0..TEN_THOUSAND => format!("{} 个参数", grouped(count)),
        TEN_THOUSAND..99_995_000 => {
            format!("{} 万参数", grouped((count + TEN_THOUSAND / 2) / TEN_THOUSAND))
        }
        99_995_000.. => format!("{:.2} 亿参数", count as f64 / 1e8),
    }
}

fn backend(backend: &BackendInfo, ms: Option<f64>) -> String {
    let device = match backend.kind.as_str() {
        "cpu" => format!("处理器，{} 个线程", backend.threads),
        _ => "显卡".into(),
    };
    let time = ms.map(|ms| format!("每张 {} 毫秒", rounded(ms)));
    std::iter::once(device).chain(time).collect::<Vec<_>>().join(" · ")
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
    fn counts_and_times_are_said_as_people_say_them() {
        assert_eq!(left(1200, Some(150.0)), "还有 1,200 张 · 约 3 分钟");
    }

    #[test]
    fn parameters_are_counted_in_units_of_ten_thousand() {
        let told = [9_999, 10_000, 11_387_752, 99_994_999, 99_995_000, 304_429_800].map(parameters);
        let expected =
            ["9,999 个参数", "1 万参数", "1,139 万参数", "9,999 万参数", "1.00 亿参数", "3.04 亿参数"];
        assert_eq!(told, expected);
    }
}
