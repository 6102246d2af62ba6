//! What the page is doing, in Chinese.

use super::errors::engine_error;
use super::{of_megabytes, time};
use crate::numbers::{grouped, megabytes};
use crate::state::Counts;
use crate::status::Status;
use crate::text::StatusText;
use protocol::Loading;

pub fn status(status: &Status) -> StatusText {
    let plain = |lead: &str| (lead.to_owned(), String::new());
    let (lead, detail) = match status {
        Status::Starting => plain("正在启动…"),
        Status::Finding => plain("正在查找模型…"),
        Status::Asking(offer) => {
            (format!("要从 {} 下载 {} MB 吗？", offer.host, megabytes(offer.bytes)), String::new())
        }
        Status::Downloading(loading) => ("正在下载模型".into(), download(loading)),
        Status::Reading(loading) => {
            ("正在从浏览器存储读取模型".into(), format!("：{}", of_megabytes(loading.built, loading.total)))
        }
        Status::Paused(loading) => {
            ("下载已暂停".into(), format!("：已有 {}", of_megabytes(loading.here, loading.total)))
        }
        Status::Compiling { ready, total } => {
            let count = if *total > 0 { format!("：{ready} / {total} 个程序") } else { String::new() };
            ("正在准备显卡".into(), count)
        }
        Status::WarmingUp => plain("正在预热，好让第一张照片也很快…"),
        Status::Ready => plain("可以开始了。"),
        Status::Classifying { name, left } => {
            let more = if *left > 1 { format!(" · 还有 {} 张", left - 1) } else { String::new() };
            (format!("正在看 {name}"), more)
        }
        Status::Stopped { left } => (format!("已停止：{left} 张在等待。"), String::new()),
        Status::Settled(counts) => (settled(counts), String::new()),
        Status::PastedNothing => plain("粘贴的内容里没有照片。"),
        Status::Failed(_) => plain("模型无法加载。"),
    };
    let problem = match status {
        Status::Failed(error) => Some(engine_error(error)),
        Status::Asking(offer) => Some(format!(
            "网址指定了另一个网站的模型，它自称“{}”。它的答案和类别名称与本站无关。无论选哪个，照片都不会离开本设备。",
            offer.name
        )),
        _ => None,
    };
    StatusText { lead, detail, problem }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_as_it_is() {
        assert_eq!(settled(&Counts { left: 0, done: 3, failed: 1 }), "3 张有了答案。1 张无法识别。");
    }
}
