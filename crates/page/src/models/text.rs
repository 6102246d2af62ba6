//! What is said about models, in each language.

use super::list::{Accuracy, ListFault, Listed};
use crate::numbers::{grouped, megabytes};

/// A language's words.
pub struct ModelsText {
    pub model: &'static str,
    pub choose: &'static str,
    /// A model that is not of the list: the page's address names it.
    pub unlisted: &'static str,
    pub on_device: &'static str,
    pub megabytes: fn(u64) -> String,
    pub accuracy: fn(&Accuracy) -> String,
    pub not_measured: &'static str,
    /// The button while the model that is loaded is marked.
    pub in_use: &'static str,
    pub use_it: &'static str,
    /// The same where that fetches so many bytes.
    pub fetch_it: fn(u64) -> String,
    pub answered_by: &'static str,
    pub fault: fn(&ListFault) -> String,
}

impl ModelsText {
    pub fn name<'a>(&self, model: &'a Listed) -> &'a str {
        let own = model.name_zh.as_deref().filter(|_| std::ptr::eq(self, &CHINESE));
        own.unwrap_or(&model.name)
    }
}

static ENGLISH: ModelsText = ModelsText {
    model: "Model",
    choose: "Which model answers?",
    unlisted: "The model in this page’s address",
    on_device: "on this device",
    megabytes: |bytes| format!("{} MB", megabytes(bytes)),
    accuracy: |accuracy| {
        let Accuracy { top_1, top_5, images, on, .. } = accuracy;
        let on = on.as_deref().unwrap_or("photos");
        format!("{top_1:.1} % right, {top_5:.1} % among the first five ({} {on})", grouped(*images))
    },
    not_measured: "Accuracy not measured",
    in_use: "In use",
    use_it: "Use it",
    fetch_it: |bytes| format!("Download {} MB and use it", megabytes(bytes)),
    answered_by: "The model that gave this answer",
    fault: |fault| {
        let reason = match fault {
            ListFault::NotFetched(reason) => format!("it could not be fetched: {reason}"),
            ListFault::TooLong => "it is far too long".into(),
            ListFault::NotAList(reason) => format!("it is no list of models: {reason}"),
            ListFault::NoModel => "it lists no model".into(),
            ListFault::TooMany => "it lists too many models".into(),
            ListFault::Entry { place, field } => {
                format!("“{field}” of model {place} is nothing that may stand there")
            }
            ListFault::Hub(field) => format!("“{field}” is nothing that may stand there"),
        };
        format!(
            "The list of models, models/index.json, is left aside ({reason}). The page goes on without it. Whoever \
             runs the site can have it written anew by `cargo xtask build`."
        )
    },
};

static CHINESE: ModelsText = ModelsText {
    model: "模型",
    choose: "用哪个模型作答？",
    unlisted: "网址中指定的模型",
    on_device: "已在本机",
    megabytes: |bytes| format!("{} MB", megabytes(bytes)),
    accuracy: |accuracy| {
        let Accuracy { top_1, top_5, images, on, on_zh } = accuracy;
        let on = on_zh.as_deref().or(on.as_deref()).unwrap_or("照片");
        format!("首选答对 {top_1:.1}%，前五含正确答案 {top_5:.1}%（{} 张，{on}）", grouped(*images))
    },
    not_measured: "未测准确率",
    in_use: "使用中",
    use_it: "使用",
    fetch_it: |bytes| format!("下载 {} MB 并使用", megabytes(bytes)),
    answered_by: "给出此答案的模型",
    fault: |fault| {
        let reason = match fault {
            ListFault::NotFetched(reason) => format!("无法获取：{reason}"),
            ListFault::TooLong => "太长".into(),
            ListFault::NotAList(reason) => format!("不是模型列表：{reason}"),
            ListFault::NoModel => "没有列出模型".into(),
            ListFault::TooMany => "列出的模型太多".into(),
            ListFault::Entry { place, field } => format!("第 {place} 个模型的“{field}”不合规定"),
            ListFault::Hub(field) => format!("“{field}”不合规定"),
        };
        format!(
            "模型列表 models/index.json 没有采用（{reason}）。页面不用它继续工作。网站的维护者可用 `cargo xtask build` 重新生成它。"
        )
    },
};

/// The words for a BCP 47 tag.
pub fn of(tag: &str) -> &'static ModelsText {
    if tag.starts_with("zh") { &CHINESE } else { &ENGLISH }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_says_on_what_it_was_measured() {
        let accuracy = Accuracy {
            top_1: 75.78125,
            top_5: 92.1875,
            images: 1280,
            on: Some("ImageNet photos".into()),
            on_zh: Some("ImageNet 照片".into()),
        };
        let said = (ENGLISH.accuracy)(&accuracy);
        assert_eq!(said, "75.8 % right, 92.2 % among the first five (1,280 ImageNet photos)");
        assert!((CHINESE.accuracy)(&accuracy).contains("ImageNet 照片"));
    }

    #[test]
    fn a_name_is_given_in_the_language_where_there_is_one() {
        let model = Listed { name: "Large".into(), name_zh: Some("大".into()), ..Listed::default() };
        assert_eq!((of("en").name(&model), of("zh").name(&model)), ("Large", "大"));
        let plain = Listed { name: "Large".into(), ..Listed::default() };
        assert_eq!(of("zh").name(&plain), "Large");
    }
}
