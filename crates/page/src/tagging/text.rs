//! What the dialog says, in each language.

mod chinese;

use super::{LONGEST_VOCABULARY, Refusal, VocabularyRefusal};
use crate::numbers::grouped;
use protocol::keywords::{NotEmbedded, NotMerged, VocabularyFault};

/// A language's words.
pub struct TagText {
    pub entry: &'static str,
    pub heading: &'static str,
    pub intro: &'static str,
    pub threshold: &'static str,
    pub language: &'static str,
    pub english: &'static str,
    pub chinese: &'static str,
    pub both: &'static str,
    pub percent: fn(u8) -> String,
    pub own: &'static str,
    pub choose_own: &'static str,
    pub own_form: &'static str,
    pub drop_own: &'static str,
    /// The names in the file that the model does not know.
    pub unknown_names: fn(&[String]) -> String,
    /// A file's name, and why it can't be used.
    pub refused_vocabulary: fn(&str, &VocabularyRefusal) -> String,
    pub naming: &'static str,
    /// Photos looked at, of how many.
    pub planning: fn(usize, usize) -> String,
    pub no_model: &'static str,
    pub no_photos: &'static str,
    /// Photos that would change and all that were looked at, and the folder's name.
    pub planned: fn(usize, usize, Option<&str>) -> String,
    pub nothing: &'static str,
    pub without_answer: fn(usize) -> String,
    /// How sidecars in a zip file are to be handled.
    pub new_sidecars: &'static str,
    pub list: &'static str,
    pub added: &'static str,
    pub removed: &'static str,
    pub unchanged: &'static str,
    pub no_keyword: &'static str,
    /// The name of a sidecar, and why it is one.
    pub sidecar: fn(&str, Option<&NotEmbedded>) -> String,
    pub refusal: fn(&Refusal) -> String,
    pub download: fn(usize) -> String,
    pub choose_folder: &'static str,
    pub write: fn(usize, &str) -> String,
    pub use_zip: &'static str,
    pub stop: &'static str,
    pub close: &'static str,
    pub list_again: &'static str,
    pub undo: fn(usize) -> String,
    /// Files written, of how many.
    pub zipping: fn(usize, usize) -> String,
    pub writing: fn(usize, usize) -> String,
    pub undoing: fn(usize, usize) -> String,
    pub zipped: fn(usize) -> String,
    pub wrote: fn(usize) -> String,
    pub undone: fn(usize) -> String,
    pub stopped: &'static str,
    pub failed: fn(usize) -> String,
}

fn photos(count: usize) -> String {
    if count == 1 { "1 photo".into() } else { format!("{} photos", grouped(count as u64)) }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".into() } else { format!("{} files", grouped(count as u64)) }
}

fn why_not_merged(why: NotMerged) -> &'static str {
    match why {
        NotMerged::Encoding => "its XMP is neither UTF-8 nor UTF-16",
        NotMerged::Damaged => "its XMP is damaged",
        NotMerged::Form => "its keywords are in a form that is no list",
        NotMerged::TooLong => "its XMP is too long",
        NotMerged::NotReadBack => "keywords can’t be merged into its XMP so that they are read back",
    }
}

fn why_beside(why: &NotEmbedded) -> String {
    match why {
        NotEmbedded::Damaged => "the photo is cut short or damaged".into(),
        NotEmbedded::Xmp { why } => why_not_merged(*why).into(),
        NotEmbedded::SeveralPackets => "the photo has more than one XMP packet".into(),
        NotEmbedded::Extended => "the photo’s keywords are in an extended XMP packet".into(),
        NotEmbedded::RawProfile => "the photo’s XMP is in a form that only ImageMagick writes".into(),
        NotEmbedded::NoRoom { bytes, most } => {
            format!("the XMP would have {} bytes, and there is room for {}", grouped(*bytes), grouped(*most))
        }
        NotEmbedded::Offsets => {
            "another image follows in the photo, whose place may be told from the file’s start".into()
        }
        NotEmbedded::ContentCredentials => {
            "the photo has signed Content Credentials, which every change makes invalid".into()
        }
    }
}

/// At most so many names are told.
const MOST_NAMES: usize = 8;

/// The first names, and how many are left.
fn some_names(names: &[String], between: &str) -> (String, usize) {
    let shown = &names[..names.len().min(MOST_NAMES)];
    (shown.join(between), names.len() - shown.len())
}

fn vocabulary_fault(fault: &VocabularyFault) -> String {
    match fault {
        VocabularyFault::NoTab { line, text } => format!(
            "line {line} (“{text:.60}”) has no tab. A line is a class or a kind, a tab, and its keywords, each after a tab"
        ),
        VocabularyFault::NoClass { line } => format!("line {line} has nothing before its first tab"),
        VocabularyFault::Repeated { line, first, class } => {
            format!("line {line} is about “{class}”, as line {first} is already")
        }
    }
}

static ENGLISH: TagText = TagText {
    entry: "Write keywords into the photos…",
    heading: "Keywords in the photos",
    intro: "What was recognised becomes keywords in the photos’ metadata (XMP), where photo managers look for them. \
            Pixels and all else stay as they are. Nothing is written before you say so.",
    threshold: "Least probability",
    language: "Language of the keywords",
    english: "English",
    chinese: "Chinese",
    both: "Both",
    percent: |percent| format!("{percent} %"),
    own: "Own keywords",
    choose_own: "Choose a file…",
    own_form: "A text file. Each line is a class or a kind, a tab, and its keywords, each after a tab.",
    drop_own: "Use the model’s names again",
    unknown_names: |names| match some_names(names, ", ") {
        (shown, 0) => format!("The model does not know: {shown}."),
        (shown, more) => format!("The model does not know: {shown}, and {} more.", grouped(more as u64)),
    },
    refused_vocabulary: |file, refusal| match refusal {
        VocabularyRefusal::Unreadable => format!(
            "“{file}” can’t be read, or is larger than {} MB. Choose another file.",
            LONGEST_VOCABULARY >> 20
        ),
        VocabularyRefusal::NoText => {
            format!("“{file}” is no text in UTF-8. Save it as such, and choose it again.")
        }
        VocabularyRefusal::Fault(fault) => {
            format!("“{file}”: {}. Correct it, and choose it again.", vocabulary_fault(fault))
        }
        VocabularyRefusal::NoWriter(reason) => format!(
            "The program that reads “{file}” could not run ({reason}). Check the connection, and try again."
        ),
    },
    naming: "Asking the model what its answers are…",
    planning: |done, all| format!("Reading photos: {} of {}", grouped(done as u64), grouped(all as u64)),
    no_model: "The model is not ready. Close this, and open it again once the page says that it is.",
    no_photos: "No photo has an answer yet. Close this, and open it again once one has.",
    planned: |changed, all, folder| {
        let place = folder.map(|folder| format!(" in “{folder}”")).unwrap_or_default();
        format!("{} of {}{place} would get other keywords", grouped(changed as u64), photos(all))
    },
    nothing: "There is nothing to write.",
    without_answer: |count| {
        format!(
            "{} left out: no answer of the model in use, or a part of the picture is missing.",
            photos(count)
        )
    },
    new_sidecars: "Sidecars in the zip file are new. Don’t put them over sidecars that you have; write into the folder \
                   instead, or use `beitscope tag`: both merge them.",
    list: "What would change",
    added: "new:",
    removed: "goes:",
    unchanged: "has these keywords already",
    no_keyword: "gets no keyword",
    sidecar: |name, why| match why {
        Some(why) => format!("into {name} beside it: {}", why_beside(why)),
        None => format!("into {name} beside it"),
    },
    refusal: |refusal| match refusal {
        Refusal::Sidecar(why) => {
            format!("Its sidecar can’t be changed: {}. Mend or remove it.", why_not_merged(*why))
        }
        Refusal::Unreadable => "The file can’t be read any more. Add it to the page again.".into(),
        Refusal::Changed => "The file has changed since it was read. Add it to the page again.".into(),
        Refusal::NotInFolder => "The folder has no such file. Choose the folder that it lies in.".into(),
        Refusal::NotWritten(reason) => {
            format!("The browser has not written it ({reason}). The file is as it was; try again.")
        }
        Refusal::NoWriter(reason) => {
            format!(
                "The program that writes keywords could not run ({reason}). Check the connection, and try again."
            )
        }
    },
    download: |count| format!("Download {} as zip", files(count)),
    choose_folder: "Write into a folder…",
    write: |count, folder| format!("Write {} into “{folder}”", files(count)),
    use_zip: "Make a zip instead",
    stop: "Stop",
    close: "Close",
    list_again: "List again",
    undo: |count| format!("Undo {}", files(count)),
    zipping: |done, all| format!("Collecting: {} of {}", grouped(done as u64), files(all)),
    writing: |done, all| format!("Writing: {} of {}", grouped(done as u64), files(all)),
    undoing: |done, all| format!("Restoring: {} of {}", grouped(done as u64), files(all)),
    zipped: |count| format!("The zip file has {}.", files(count)),
    wrote: |count| format!("{} written. As long as this page is open, that can be undone.", files(count)),
    undone: |count| format!("{} restored.", files(count)),
    stopped: "Stopped before the end.",
    failed: |count| format!("{} left alone:", files(count)),
};

/// The words for a BCP 47 tag.
pub fn of(tag: &str) -> &'static TagText {
    if tag.starts_with("zh") { &chinese::CHINESE } else { &ENGLISH }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERGE: [NotMerged; 5] = [
        NotMerged::Encoding,
        NotMerged::Damaged,
        NotMerged::Form,
        NotMerged::TooLong,
        NotMerged::NotReadBack,
    ];

    #[test]
    fn every_reason_is_a_sentence_in_every_language() {
        let mut beside: Vec<NotEmbedded> = MERGE.map(|why| NotEmbedded::Xmp { why }).to_vec();
        beside.extend([
            NotEmbedded::Damaged,
            NotEmbedded::SeveralPackets,
            NotEmbedded::Extended,
            NotEmbedded::RawProfile,
            NotEmbedded::NoRoom { bytes: 70_000, most: 65_504 },
            NotEmbedded::Offsets,
            NotEmbedded::ContentCredentials,
        ]);
        let mut refusals: Vec<Refusal> = MERGE.map(Refusal::Sidecar).to_vec();
        refusals.extend([
            Refusal::Unreadable,
            Refusal::Changed,
            Refusal::NotInFolder,
            Refusal::NotWritten("full".into()),
            Refusal::NoWriter("404".into()),
        ]);
        let said = |tag: &str| -> Vec<String> {
            let text = of(tag);
            let sidecars = beside.iter().map(|why| (text.sidecar)("a.jpg.xmp", Some(why)));
            sidecars.chain(refusals.iter().map(|refusal| (text.refusal)(refusal))).collect()
        };
        let (english, chinese) = (said("en"), said("zh-CN"));
        for (english, chinese) in english.iter().zip(&chinese) {
            assert!(english.is_ascii() || english.contains(['’', '“']), "{english}");
            assert!(chinese.chars().any(|c| c > '\u{4e00}') && chinese != english, "{chinese}");
        }
        for sentence in &english[beside.len()..] {
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        let distinct: std::collections::HashSet<_> = english.iter().collect();
        // A damaged XMP and so on are said once as a reason for a sidecar and once as a refusal.
        assert_eq!(distinct.len(), english.len());
    }

    #[test]
    fn a_vocabulary_that_is_refused_is_told_where_it_is_wrong() {
        let line = 3;
        let refusals = [
            (VocabularyRefusal::Unreadable, "4 MB"),
            (VocabularyRefusal::NoText, "UTF-8"),
            (VocabularyRefusal::Fault(VocabularyFault::NoTab { line, text: "cat".into() }), "3"),
            (VocabularyRefusal::Fault(VocabularyFault::NoClass { line }), "3"),
            (
                VocabularyRefusal::Fault(VocabularyFault::Repeated { line, first: 1, class: "cat".into() }),
                "3",
            ),
            (VocabularyRefusal::NoWriter("404".into()), "404"),
        ];
        for (refusal, part) in &refusals {
            for (tag, end) in [("en", '.'), ("zh-CN", '。')] {
                let said = (of(tag).refused_vocabulary)("own.txt", refusal);
                assert!(said.contains("own.txt") && said.contains(part) && said.ends_with(end), "{said}");
            }
        }
        let names: Vec<String> = (1..=10).map(|n| format!("n{n}")).collect();
        assert!((of("en").unknown_names)(&names).ends_with("n8, and 2 more."));
        assert!((of("zh").unknown_names)(&names[..1]).contains("n1"));
    }

    #[test]
    fn numbers_are_counted_right() {
        let text = of("en");
        assert_eq!(
            (text.planned)(2, 1000, Some("2024")),
            "2 of 1,000 photos in “2024” would get other keywords"
        );
        assert_eq!((text.download)(1), "Download 1 file as zip");
        assert_eq!(
            (text.without_answer)(1),
            "1 photo left out: no answer of the model in use, or a part of the picture is missing."
        );
    }
}
