//! What was left out, in Chinese.

use crate::numbers::grouped;
use archive::{LeftOut, Reason};

/// “略过 7 个文件：视频 4 个，加密 2 个，内层压缩包 1 个”。
pub fn skipped(left_out: &LeftOut) -> String {
    let of_kind = |(kind, files)| format!("{} {} 个", reason(kind), grouped(files));
    let kinds: Vec<_> = left_out.counts().map(of_kind).collect();
    format!("略过 {} 个文件：{}", grouped(left_out.total()), kinds.join("，"))
}

pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Video => "视频",
        Reason::Sound => "音频",
        Reason::Document => "文档",
        Reason::Other => "不是照片",
        Reason::Hidden => "隐藏文件",
        Reason::Encrypted => "加密",
        Reason::Method => "压缩方式不支持",
        Reason::Nested => "内层压缩包",
        Reason::Special => "链接或特殊文件",
        Reason::Unreadable => "无法读取",
        Reason::Folder => "无法列出的文件夹",
        Reason::Beyond => "超出一次的数量",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_kind() {
        let mut left_out = LeftOut::default();
        left_out.count(Reason::Video, 4);
        left_out.add("a.jpg", Reason::Encrypted);
        assert_eq!(skipped(&left_out), "略过 5 个文件：视频 4 个，加密 1 个");
    }
}
