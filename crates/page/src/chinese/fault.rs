//! The worker's faults, and the reasons for its backend, in Chinese.

use crate::numbers::rounded;
use protocol::BackendInfo;
use protocol::fault::{Foreign, LoadFault, PhotoFault, Reason, TeachFault};

const WORKS: &str = "支持 JPEG、HEIC、PNG、WebP、GIF、BMP 和 TIFF。";

pub fn photo(fault: &PhotoFault) -> String {
    match fault {
        PhotoFault::NoModel => "模型还没有加载。".into(),
        PhotoFault::Unreadable => "文件无法读取，可能在拖入后被移动或删除。".into(),
        PhotoFault::Empty => "文件是空的。".into(),
        PhotoFault::NotAPhoto => format!("这不是可读取的照片。{WORKS}"),
        PhotoFault::Unsupported { format } => format!("这是{}，无法读取。{WORKS}", foreign(*format)),
        PhotoFault::NoDecoder { format, reason } => format!(
            "这是{}，读取它所需的解码程序无法下载（{reason}）。请检查网络连接，然后重试。",
            foreign(*format)
        ),
        PhotoFault::Variant { format } => {
            format!("这个 {format} 文件的存储方式无法读取。另存为普通的 JPEG 或 PNG 即可。")
        }
        PhotoFault::NoPreview { raw } => format!(
            "这是相机的原始照片（{raw}），其中没有 Beitscope 可以查看的预览图。冲印后另存为 JPEG 即可。"
        ),
        PhotoFault::Truncated { format } => format!("这个 {format} 文件不完整：结尾部分缺失。"),
        PhotoFault::Damaged { format } => format!("这个 {format} 文件已损坏，无法读取。"),
        PhotoFault::TooManyPixels { width, height, most_megapixels } => {
            format!("照片有 {width} × {height} 像素。最多可读取 {} 万像素。", most_megapixels * 100)
        }
        PhotoFault::FileTooLarge { megabytes, most_megabytes } => {
            format!("文件有 {megabytes} MB。最多可读取 {most_megabytes} MB 的照片。")
        }
        PhotoFault::OutOfMemory { width, height } => {
            format!("剩余内存不足以读取这张 {width} × {height} 像素的照片。")
        }
        PhotoFault::Network { reason } => format!("网络处理这张照片时出错（{reason}）。"),
        PhotoFault::FallbackFailed { fault } => {
            format!("显卡处理这张照片时出错，网络又无法移到处理器上。{}", load(fault))
        }
    }
}

fn foreign(format: Foreign) -> &'static str {
    match format {
        Foreign::Avif => " AVIF 照片",
        Foreign::Heic => " HEIC 照片",
        Foreign::JpegXl => " JPEG XL 照片",
        Foreign::Jpeg2000 => " JPEG 2000 照片",
        Foreign::JpegXr => " JPEG XR 照片",
        Foreign::OpenExr => " OpenEXR 图片",
        Foreign::Svg => " SVG 图形",
        Foreign::Pdf => " PDF 文档",
        Foreign::Psd => " Photoshop 文档（PSD）",
        Foreign::Cur => "鼠标指针（CUR）",
        Foreign::Icns => "图标（ICNS）",
        Foreign::Matroska => "视频（Matroska 或 WebM）",
        Foreign::Video => "视频",
    }
}

pub fn load(fault: &LoadFault) -> String {
    let not_fetched = |why: String| format!("模型无法下载：{why}。请检查网络连接和网址，然后重试。");
    match fault {
        LoadFault::NotStarted { reason } => {
            format!("分类程序无法启动（{reason}）。请重新加载页面。")
        }
        LoadFault::Unreachable { url, reason } => not_fetched(format!("{url} 无法访问（{reason}）")),
        LoadFault::Status { url, status } => not_fetched(format!("{url} 返回 {status}")),
        LoadFault::TooLong { url, limit } => not_fetched(format!("{url} 超过预期的 {limit} 字节")),
        LoadFault::Broken { url, reason } => not_fetched(format!("下载 {url} 时连接中断（{reason}）")),
        LoadFault::Stalled { url, seconds } => not_fetched(format!("{url} 已有 {seconds} 秒没有传来数据")),
        LoadFault::WebPage { url } => {
            format!("模型无法下载：{url} 返回的是网页，而不是文件。如果当前网络要求先登录，请登录后重试。")
        }
        LoadFault::DamagedShard { reason } => {
            not_fetched(format!("收到的数据已损坏，重试后仍然如此（{reason}）"))
        }
        LoadFault::Address { url } => {
            format!("{url} 不是清单文件的网址。“model”应指向网站上的 manifest.json。")
        }
        LoadFault::Manifest { url, reason } => format!(
            "{url} 没有描述模型（{reason}）。“model”应指向 `beitscope convert` 生成的 manifest.json。"
        ),
        LoadFault::NotImported { .. } => "浏览器存储中已没有这个模型。请重新导入，或换一个模型。".into(),
        LoadFault::Refused { reason } => {
            format!("模型文件无法使用（{reason}）。请用 `beitscope convert` 重新转换。")
        }
    }
}

pub fn teach(fault: &TeachFault) -> String {
    match fault {
        TeachFault::NoModel => "模型还没有加载。".into(),
        TeachFault::Unreadable => "文件无法读取。".into(),
        TeachFault::Names => "请给每个类别取名，且互不相同。".into(),
        TeachFault::NoFeatures => "有些照片还没有看过。请稍后再试。".into(),
        TeachFault::TooFew => "请至少给两个类别各一张照片。".into(),
        TeachFault::NotAHead { reason } => format!("分类头无法使用：这不是分类头文件（{reason}）。"),
        TeachFault::OtherModel { made_for, loaded } => format!(
            "分类头无法使用：它是为模型 {made_for} 训练的，而现在加载的是 {loaded}，两者的特征含义不同。"
        ),
        TeachFault::Unusable { reason } => format!("分类头无法使用（{reason}）。"),
        TeachFault::Network { reason } => format!("网络出错（{reason}）。"),
    }
}

/// Where the network runs and why, for visitors; the diagnostics have the details.
pub fn reasons(backend: &BackendInfo) -> String {
    let place = match backend.kind.as_str() {
        "cpu" => format!("网络在处理器上运行，使用 {} 个线程。", backend.threads),
        _ => "网络在显卡上运行。".into(),
    };
    std::iter::once(place).chain(backend.reasons.iter().filter_map(reason)).collect()
}

fn reason(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::NoGpu { .. } => "没有使用显卡：此浏览器没有向网页提供显卡。".into(),
        Reason::SoftwareGpu { .. } => "没有使用显卡：这里唯一的显卡是用处理器模拟的。".into(),
        Reason::GpuRefused { name, .. } => format!("没有使用显卡：浏览器无法启用 {name}。"),
        Reason::GpuFailed { name, .. } => format!("没有使用显卡：{name} 出错。"),
        Reason::GpuWrong { name, .. } | Reason::GpuWrongOnModel { name } => {
            format!("没有使用显卡：{name} 计算结果不对。")
        }
        Reason::Compared { name, gpu_ms, cpu_ms } => format!(
            "一张照片在 {name} 上需要 {} 毫秒，在处理器上约需 {} 毫秒。",
            rounded(*gpu_ms),
            rounded(*cpu_ms)
        ),
        Reason::GpuLost { .. } => "显卡出错，不再使用。".into(),
        Reason::GpuAgain => "显卡出错一次，现已重新使用。".into(),
        Reason::WrongForecast { predicted_ms, observed_ms } => format!(
            "在另一种设备上，一张照片实际用了 {} 毫秒，而不是预计的 {} 毫秒，因此更换了设备。",
            rounded(*observed_ms),
            rounded(*predicted_ms)
        ),
        Reason::FewerThreads { .. } => "更多线程无法启动。".into(),
        Reason::FallbackBuild { .. } => "更快的程序无法启动。".into(),
        Reason::Fastest { .. } => return None,
    })
}
