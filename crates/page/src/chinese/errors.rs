//! Notices and errors of the engine and of photos, in Chinese.

use super::fault;
use crate::engine::EngineError;
use crate::photo::PhotoError;
use crate::worker_setup::{NoPlan, Notice};
use archive::ArchiveFault;

pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::NotIsolated { cores } => format!(
            "这台设备有 {cores} 个处理器，但网络只用了一个：使用更多线程需要跨源隔离，而网站的服务器没有启用它。网站管理员可以启用。"
        ),
        Notice::NoSharing => {
            "网络只用了一个线程：这个浏览器不向网页提供线程可以共享的内存。换一个浏览器也许更快。".into()
        }
        Notice::BadThreads { got, most, used } => format!(
            "“{got}”不是有效的线程数：页面的“threads”参数为 1 到 {most}，0 表示由页面决定。现在使用 {used} 个线程。"
        ),
        Notice::StartedAgain { times } => {
            format!("分类程序意外停止 {times} 次，已重新启动。照片不会丢失：手上的那张会再看一次。")
        }
        Notice::Fewer { planned, started } => format!(
            "计划使用 {planned} 个线程，只启动了 {started} 个：浏览器没有启动其余的。关闭其他标签页并重新加载页面也许有帮助。"
        ),
    }
}

pub fn engine_error(error: &EngineError) -> String {
    match error {
        EngineError::NoWorker(NoPlan::BadBuild(name)) => format!("“{name}”不是这个浏览器能运行的程序。页面的“worker”参数可以是 simd128、simd128-threads 或 relaxed-threads；不写则自动选用最快的。"),
        EngineError::NoWorker(NoPlan::NoSimd) => "这个浏览器没有网络所需的 WebAssembly SIMD。Firefox 89、Chrome 91、Edge 91、Safari 16.4 及更新版本都有。".into(),
        EngineError::BadModelAddress(address) => format!("“{address}”不是模型的网址。页面的“model”参数应指向 manifest.json，例如 models/demo/manifest.json。"),
        EngineError::NotStarted(reason) => because("分类程序无法下载或启动", reason, "请检查网络连接，然后重试。"),
        EngineError::Crashed(reason) => because("分类程序意外停止", reason, "照片都还在：请重试；如果内存不足，先关闭其他标签页。"),
        EngineError::Misunderstood(reason) => because("页面与分类程序的版本不同", reason, "请重新加载页面。"),
        EngineError::Load(fault) => fault::load(fault),
    }
}

fn because(what: &str, reason: &str, advice: &str) -> String {
    if reason.is_empty() { format!("{what}。{advice}") } else { format!("{what}（{reason}）。{advice}") }
}

pub fn photo_error(error: &PhotoError) -> String {
    match error {
        PhotoError::Photo(fault) => fault::photo(fault),
        PhotoError::Crashed => "分类程序每次看这张照片都意外停止。关闭其他标签页后再试也许可以。".into(),
        PhotoError::NothingInside => "里面没有照片。".into(),
        PhotoError::FolderUnreadable => "浏览器无法列出这个文件夹。请直接拖入其中的照片。".into(),
        PhotoError::Archive(fault) => archive(*fault),
        PhotoError::Encrypted => {
            "它在压缩包里是加密的，Beitscope 不询问密码。请在电脑上用密码解压，再拖入文件夹。".into()
        }
        PhotoError::PackedBy(method) => {
            format!("它的压缩方式（{}）Beitscope 无法解压。请在电脑上解压，再拖入文件夹。", method.name())
        }
        PhotoError::NestedTooDeep => "这个压缩包嵌套得太深，没有打开。请在电脑上解压，再拖入文件夹。".into(),
        PhotoError::NestedTooLarge { most_megabytes } => format!(
            "这个压缩包压缩在另一个压缩包里，这类压缩包最多只解压 {most_megabytes} MB。请在电脑上解压外层，再单独拖入这个文件。"
        ),
        PhotoError::NotUnpacked => "这张照片无法解压：压缩包已损坏，或拖入后被移动。".into(),
        PhotoError::NotShared(host) => format!(
            "图片无法获取：{host} 无法访问，或不允许其他网页读取其图片。请保存图片后拖入文件，或复制图片本身再粘贴。"
        ),
        PhotoError::NotReadable { scheme } => format!(
            "图片的地址以“{scheme}”开头，网页无法通过这种地址读取内容。请复制图片本身再粘贴，或保存后拖入文件。"
        ),
        PhotoError::NotAFile => "拖入的内容里没有文件。请先保存图片，再拖入文件。".into(),
        PhotoError::NotFetched => "示例照片无法获取。请检查网络连接后再点击。".into(),
    }
}

fn archive(fault: ArchiveFault) -> String {
    match fault {
        ArchiveFault::Damaged => {
            "这不是 zip 或 tar 文件，或文件已损坏或不完整。请在电脑上解压后拖入照片。".into()
        }
        ArchiveFault::TooManyFiles => "这个压缩包列出的文件过多。请在电脑上解压后拖入照片。".into(),
        ArchiveFault::Split => "这是分卷压缩包的一部分。请在电脑上合并解压，再拖入文件夹。".into(),
        ArchiveFault::TooLarge { most_megabytes } => format!(
            "这个压缩包解压后超过 {most_megabytes} MB，其后的内容没有读取。请在电脑上解压，再拖入文件夹。"
        ),
        ArchiveFault::Foreign(format) => {
            format!("这是 {} 压缩包，Beitscope 无法解压。请在电脑上解压，再拖入文件夹。", format.name())
        }
    }
}
