//! What is said about imports, in Chinese.

use crate::import::seconds_left;
use crate::import::text::ImportText;
use crate::numbers::{channels, grouped, size};
use protocol::import::{ImportFault, ImportOffer, ImportPhase, ImportPreprocessing, ImportProgress};

pub static IMPORT: ImportText = ImportText {
    facts,
    look_up: "查看详情",
    other_model: "Hugging Face 或 ModelScope 上的其他模型",
    other_model_hint: "hf:OWNER/NAME",
    rounding: "精度",
    checkpoint_file: "检查点文件…",

    heading: "导入模型",
    inspecting: |name| format!("正在查询 {name}…"),
    offer: |name| format!("要导入 {name} 吗？"),
    model_term: "模型",
    model,
    download_term: "下载",
    download,
    kept_term: "保存",
    kept: |offer| {
        format!(
            "浏览器存储中 {}，{}",
            size(offer.kept_bytes),
            super::quantization(&offer.source.quantization)
        )
    },
    license_term: "许可",
    license_unknown: "未注明",
    preprocessing_term: "照片处理",
    preprocessing,
    missing: |bytes| {
        format!(
            "浏览器存储还缺 {}。请删除保存的模型（在页面末尾）或腾出磁盘空间，然后重新查询。",
            size(bytes)
        )
    },
    start: "下载并导入",
    start_file: "导入",
    not_now: "以后再说",

    starting: "正在启动…",
    phase,
    amounts,
    of,
    restarted: "对方服务器不能只发送剩余部分，因此全部重新下载。",
    meanwhile: "在此期间，照片仍由原来的模型识别。",
    pause: "暂停",
    cancel: "取消",

    paused: |name| format!("{name} 的导入已暂停"),
    file_wanted: |file| format!("请重新选择 {file} 以继续。"),
    go_on: "继续",
    discard: "放弃",
    choose_file: "重新选择文件",

    failed: |name| format!("{name} 无法导入"),
    fault,
    try_again: "重试",
    close: "关闭",
    one_at_a_time: "一次只能导入一个模型：请先完成或放弃这一个。",

    done: |name, bytes| format!("{name} 已导入，从现在起由它识别。浏览器里保存了 {}。", size(bytes)),

    import_again: "重新导入",
    use_own: "使用本站的模型",
};

fn facts(download: Option<u64>, kept: Option<u64>, host: &str) -> String {
    let download = download.map(|bytes| format!("一次性下载 {}", size(bytes)));
    let kept = kept.map(|bytes| format!("保存 {}", size(bytes)));
    let parts = [download, kept, Some(format!("来自 {host}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn model(offer: &ImportOffer) -> String {
    let (classes, parameters) = (grouped(offer.classes), super::parameters(offer.parameters));
    format!("{classes} 类 · {parameters} · {} 像素", offer.image_size)
}

fn download(offer: &ImportOffer) -> String {
    let from = match offer.source.is_file() {
        true => format!("无：从 {} 读取 {}", offer.file, size(offer.download_bytes)),
        false => format!("{}，一次，来自 {}", size(offer.download_bytes), offer.host),
    };
    match offer.resumed_bytes {
        0 => from,
        here => format!("{from}；此前已有 {}", size(here)),
    }
}

fn preprocessing(photos: &ImportPreprocessing) -> String {
    let [mean, std] = [photos.mean, photos.std].map(|values| channels(values, "、"));
    let from = photos.from.as_deref().map_or("BEiTv2 的惯例".into(), |file| format!("依据 {file}"));
    format!("短边 {} 像素，均值 {mean}，标准差 {std}（{from}）", photos.short_side)
}

fn phase(phase: ImportPhase, is_file: bool) -> &'static str {
    match phase {
        ImportPhase::Waiting => "另一个标签页正在导入这个模型",
        ImportPhase::Download if is_file => "正在读取并转换",
        ImportPhase::Download => "正在下载并转换",
        ImportPhase::Reconnecting => "正在重新连接",
        ImportPhase::Store => "正在写入浏览器存储",
    }
}

fn amounts(progress: &ImportProgress) -> String {
    let rate = progress.bytes_per_second.filter(|_| progress.phase == ImportPhase::Download);
    let rate = rate.filter(|rate| *rate >= 1.0).map(|rate| format!("{}/s", size(rate as u64)));
    let left = seconds_left(progress).map(|seconds| format!("剩约 {}", super::time(seconds as f64)));
    let parts = [Some(of(progress.received, progress.total)), rate, left];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn of(bytes: u64, total: u64) -> String {
    if total == 0 { size(bytes) } else { format!("{} / {}", size(bytes), size(total)) }
}

fn fault(fault: &ImportFault) -> String {
    match fault {
        ImportFault::NotAReference { got, reason } => format!(
            "“{got}”不是模型的名称：请写成 hf:OWNER/NAME 或 modelscope:OWNER/NAME，必要时加上 /FILE 和 @REVISION（{reason}）。"
        ),
        ImportFault::Unreachable { host, reason } => format!(
            "本页面无法访问 {host}：没有网络连接，或者该服务器不允许其他网站的页面读取文件（{reason}）。请检查网络连接，或用浏览器下载文件后拖到这里。"
        ),
        ImportFault::NoAccess { page, host, status } => {
            format!("{host} 不向所有人提供这个模型（{status}）。请在 {page} 登录并下载文件，然后拖到这里。")
        }
        ImportFault::NotFound { checkpoint, host } => {
            format!("{host} 上没有 {checkpoint}（404）：请检查所有者、名称、文件和版本。")
        }
        ImportFault::TooManyRequests { host, seconds } => {
            let when = seconds.map_or("几分钟后".into(), |seconds| format!("{seconds} 秒后"));
            format!("{host} 收到的请求太多（429）。请在{when}重试。")
        }
        ImportFault::Status { host, status } => format!("{host} 暂时无法应答（状态 {status}）。请稍后重试。"),
        ImportFault::Interrupted { host, received, total, reason } => format!(
            "与 {host} 的连接在收到 {} 后中断（{reason}）。已收到的部分会保留：网络恢复后可以继续。",
            of(*received, *total)
        ),
        ImportFault::Answer { host, reason } => {
            format!("{host} 的应答不符合预期（{reason}）。请稍后重试，或用浏览器下载文件后拖到这里。")
        }
        ImportFault::NoCheckpoint { page } => format!(
            "那里没有像检查点的文件（model.safetensors、pytorch_model.bin、*.pth）。请查看 {page}，并在模型名称后加上文件名：hf:OWNER/NAME/FILE。"
        ),
        ImportFault::Split { page } => {
            format!("{page} 的检查点分成多个文件。请用命令行转换：beitscope convert。")
        }
        ImportFault::Format { reason } => format!("这个文件无法导入：{reason}。"),
        ImportFault::Refused { reason } => format!("这不是 BEiT 或 BEiTv2 分类模型：{reason}。"),
        ImportFault::Damaged { host, expected, got } => format!(
            "收到的内容与 {host} 公布的不符：SHA-256 为 {got}，应为 {expected}。内容已丢弃。请重新开始；如果再次发生，说明传输途中有设备改动了文件。"
        ),
        ImportFault::NoRoom { missing } => {
            format!("浏览器存储还缺 {} MB。请删除保存的模型，或腾出磁盘空间。", missing.div_ceil(1_000_000))
        }
        ImportFault::NoStorage => {
            "浏览器不为本页面保存任何内容（无痕窗口，或网址不是 https），因此无法在这里导入模型。".into()
        }
        ImportFault::Unreadable { file } => {
            format!("{file} 无法读取，可能已被移动、修改或删除。请重新选择它以继续。")
        }
        ImportFault::OutOfMemory { reason } => {
            format!("内存不足以导入这个模型（{reason}）。请关闭其他标签页，或选择 4 位而不是 8 位。")
        }
        ImportFault::Crashed { reason } if reason.is_empty() => {
            "导入意外停止。已收到的部分会保留：可以从那里继续。".into()
        }
        ImportFault::Crashed { reason } => {
            format!("导入意外停止（{reason}）。已收到的部分会保留：可以从那里继续。")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_bytes_rate_and_time() {
        let progress = ImportProgress {
            phase: ImportPhase::Download,
            received: 412_000_000,
            total: 1_218_000_000,
            bytes_per_second: Some(8e6),
            restarted: false,
        };
        assert_eq!(amounts(&progress), "412 MB / 1.2 GB · 8 MB/s · 剩约 2 分钟");
    }
}
