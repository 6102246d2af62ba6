//! What a file is, by its name, by the type that a browser gives it, or by its first bytes.

use crate::{Foreign, Reason};

/// What a file among others looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Photo,
    Archive(ArchiveFormat),
    /// Nothing to look at, for this reason.
    Other(Reason),
}

/// How an archive is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ArchiveFormat {
    Zip,
    Tar,
    /// A tar file packed by gzip.
    TarGz,
    Foreign(Foreign),
}

const PHOTOS: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff", "ico",
    "avif", "heic", "heif", "hif", "jxl", "jp2", "j2k", "j2c", "jpf", "jpx", "pbm", "pgm", "ppm", "pnm",
    "pam", "qoi", "tga", // Raw photos.
    "dng", "cr2", "cr3", "nef", "nrw", "arw", "srf", "sr2", "raf", "orf", "rw2", "pef", "srw", "rwl", "3fr",
];
const VIDEOS: &[&str] = &[
    "mp4", "m4v", "mov", "avi", "mkv", "webm", "wmv", "flv", "mpg", "mpeg", "m2ts", "mts", "3gp", "3g2",
    "ogv", "vob",
];
const SOUNDS: &[&str] = &["mp3", "m4a", "aac", "wav", "flac", "ogg", "oga", "opus", "wma", "aiff", "mid"];
const DOCUMENTS: &[&str] = &[
    "txt", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "md", "csv",
    "tsv", "html", "htm", "xml", "json", "yaml", "yml", "log", "epub", "svg",
];
/// Files that systems leave in folders, hidden from their users.
const SYSTEM: &[&str] = &["thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"];

impl Kind {
    /// By the file's name, which may have folders before it, and its media type, where one is known.
    pub fn of(path: &str, media_type: &str) -> Self {
        let name = file_name(path);
        let lower = name.to_lowercase();
        // Macs add a hidden twin of every file, and a folder of such twins to an archive.
        if name.starts_with('.') || path.starts_with("__MACOSX/") || SYSTEM.contains(&lower.as_str()) {
            return Self::Other(Reason::Hidden);
        }
        if let Some(format) = ArchiveFormat::of(&lower) {
            return Self::Archive(format);
        }
        let ending = lower.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
        let is = |endings: &[&str]| endings.contains(&ending);
        let media = |kind: &str| media_type.starts_with(kind);
        if is(PHOTOS) || media("image/") && ending != "svg" {
            Self::Photo
        } else if is(VIDEOS) || media("video/") {
            Self::Other(Reason::Video)
        } else if is(SOUNDS) || media("audio/") {
            Self::Other(Reason::Sound)
        } else if is(DOCUMENTS) || media("text/") {
            Self::Other(Reason::Document)
        } else {
            Self::Other(Reason::Other)
        }
    }
}

/// Whether a file among others in a folder looks like a photo: some browsers know no type for HEIC and its like.
pub fn is_photo(path: &str, media_type: &str) -> bool {
    Kind::of(path, media_type) == Kind::Photo
}

impl ArchiveFormat {
    /// So many of a file's first bytes are enough for [`ArchiveFormat::by_content`].
    pub const HEAD: u64 = 512;

    fn of(lower_name: &str) -> Option<Self> {
        const ENDINGS: &[(&str, ArchiveFormat)] = &[
            (".zip", ArchiveFormat::Zip),
            (".cbz", ArchiveFormat::Zip),
            (".tar", ArchiveFormat::Tar),
            (".cbt", ArchiveFormat::Tar),
            (".tar.gz", ArchiveFormat::TarGz),
            (".tgz", ArchiveFormat::TarGz),
            (".rar", ArchiveFormat::Foreign(Foreign::Rar)),
            (".cbr", ArchiveFormat::Foreign(Foreign::Rar)),
            (".7z", ArchiveFormat::Foreign(Foreign::SevenZip)),
            (".tar.bz2", ArchiveFormat::Foreign(Foreign::TarBzip2)),
            (".tbz2", ArchiveFormat::Foreign(Foreign::TarBzip2)),
            (".tar.xz", ArchiveFormat::Foreign(Foreign::TarXz)),
            (".txz", ArchiveFormat::Foreign(Foreign::TarXz)),
            (".tar.zst", ArchiveFormat::Foreign(Foreign::TarZstd)),
        ];
        ENDINGS.iter().find(|(ending, _)| lower_name.ends_with(ending)).map(|&(_, format)| format)
    }

    /// By a file's first bytes. What is packed by gzip may be a tar file.
    pub fn by_content(head: &[u8]) -> Option<Self> {
        const MARKS: &[(&[u8], ArchiveFormat)] = &[
            (b"PK\x03\x04", ArchiveFormat::Zip),
            (b"PK\x05\x06", ArchiveFormat::Zip),
            (b"\x1f\x8b", ArchiveFormat::TarGz),
            (b"Rar!\x1a\x07", ArchiveFormat::Foreign(Foreign::Rar)),
            (b"7z\xbc\xaf\x27\x1c", ArchiveFormat::Foreign(Foreign::SevenZip)),
        ];
        // A tar file begins with a name, which may begin like anything.
        if head.get(257..262) == Some(b"ustar") {
            return Some(Self::Tar);
        }
        MARKS.iter().find(|(mark, _)| head.starts_with(mark)).map(|&(_, format)| format)
    }

    /// A program for Windows may be a zip file that unpacks itself.
    pub fn of_program(head: &[u8]) -> Option<Self> {
        head.starts_with(b"MZ").then_some(Self::Zip)
    }
}

/// A path's last part. Some programs for Windows write backslashes.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_told_by_name_or_type() {
        for (name, media_type) in [("a.JPG", ""), ("b.heic", ""), ("IMG_1", "image/jpeg"), ("c.d.webp", "")] {
            assert!(is_photo(name, media_type), "{name}");
        }
        for name in ["notes.txt", ".DS_Store", "._cat.jpg", "..jpg", "Thumbs.db", "jpg", "__MACOSX/a.jpg"] {
            assert!(!is_photo(name, ""), "{name}");
        }
        assert!(!is_photo("logo.svg", "image/svg+xml"));
    }

    #[test]
    fn the_rest_is_told_by_kind() {
        let kinds = [
            ("a/b.MP4", Kind::Other(Reason::Video)),
            ("clip", Kind::Other(Reason::Other)),
            ("a.mp3", Kind::Other(Reason::Sound)),
            ("read me.pdf", Kind::Other(Reason::Document)),
            ("x\\.hidden", Kind::Other(Reason::Hidden)),
            ("x.ZIP", Kind::Archive(ArchiveFormat::Zip)),
            ("x.tar.gz", Kind::Archive(ArchiveFormat::TarGz)),
            ("x.gz", Kind::Other(Reason::Other)),
            ("x.tar.xz", Kind::Archive(ArchiveFormat::Foreign(Foreign::TarXz))),
        ];
        for (name, kind) in kinds {
            assert_eq!(Kind::of(name, ""), kind, "{name}");
        }
        assert_eq!(Kind::of("clip", "video/mp4"), Kind::Other(Reason::Video));
    }

    #[test]
    fn archives_are_told_by_their_first_bytes() {
        let mut tar = [0; 512];
        tar[..4].copy_from_slice(b"PK\x03\x04");
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(ArchiveFormat::by_content(&tar), Some(ArchiveFormat::Tar));
        assert_eq!(ArchiveFormat::by_content(b"PK\x03\x04"), Some(ArchiveFormat::Zip));
        assert_eq!(
            ArchiveFormat::by_content(b"Rar!\x1a\x07\x01"),
            Some(ArchiveFormat::Foreign(Foreign::Rar))
        );
        assert_eq!(ArchiveFormat::by_content(b"\x1f\x8b\x08"), Some(ArchiveFormat::TarGz));
        assert_eq!(ArchiveFormat::by_content(b"\xff\xd8\xff"), None);
        assert_eq!(ArchiveFormat::by_content(b""), None);
    }
}
