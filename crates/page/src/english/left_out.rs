//! What was left out, in English.

use super::counted;
use crate::numbers::grouped;
use archive::{LeftOut, Reason};

/// “7 files left out: 4 videos, 2 encrypted, 1 nested archive”.
pub fn skipped(left_out: &LeftOut) -> String {
    let files = counted(left_out.total() as usize, "file", "files");
    let kinds: Vec<_> = left_out.counts().map(|(reason, files)| of_kind(reason, files)).collect();
    format!("{files} left out: {}", kinds.join(", "))
}

fn of_kind(reason: Reason, files: u64) -> String {
    let (one, many) = match reason {
        Reason::Video => ("video", "videos"),
        Reason::Sound => ("sound", "sounds"),
        Reason::Document => ("document", "documents"),
        Reason::Other => ("other that is no photo", "others that are no photos"),
        Reason::Hidden => ("hidden", "hidden"),
        Reason::Encrypted => ("encrypted", "encrypted"),
        Reason::Method => ("packed in an unknown way", "packed in an unknown way"),
        Reason::Nested => ("nested archive", "nested archives"),
        Reason::Special => ("link or special file", "links or special files"),
        Reason::Unreadable => ("unreadable", "unreadable"),
        Reason::Folder => ("folder that can’t be listed", "folders that can’t be listed"),
        Reason::Beyond => ("more than fit at once", "more than fit at once"),
    };
    format!("{} {}", grouped(files), if files == 1 { one } else { many })
}

pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Video => "video",
        Reason::Sound => "sound",
        Reason::Document => "document",
        Reason::Other => "no photo",
        Reason::Hidden => "hidden file",
        Reason::Encrypted => "encrypted",
        Reason::Method => "packed in an unknown way",
        Reason::Nested => "nested archive",
        Reason::Special => "link or special file",
        Reason::Unreadable => "unreadable",
        Reason::Folder => "folder that can’t be listed",
        Reason::Beyond => "more than fit at once",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_kind() {
        let mut left_out = LeftOut::default();
        left_out.count(Reason::Video, 4);
        left_out.count(Reason::Encrypted, 2);
        left_out.count(Reason::Nested, 1);
        assert_eq!(skipped(&left_out), "7 files left out: 4 videos, 2 encrypted, 1 nested archive");
        let mut one = LeftOut::default();
        one.add("notes.txt", Reason::Document);
        assert_eq!(skipped(&one), "1 file left out: 1 document");
    }
}
