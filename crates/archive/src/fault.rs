//! What keeps an archive as a whole from being read.

/// What is wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum ArchiveFault {
    #[error("the archive is cut short, damaged, or no archive at all")]
    Damaged,
    #[error("the archive lists more files than are read")]
    TooManyFiles,
    #[error("the archive is one part of several")]
    Split,
    #[error("unpacked, the archive is longer than {most_megabytes} MB")]
    TooLarge { most_megabytes: u64 },
    #[error("{} archives are not read", .0.name())]
    Foreign(Foreign),
}

/// Archives that are known by their name or first bytes, and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Foreign {
    Rar,
    SevenZip,
    TarBzip2,
    TarXz,
    TarZstd,
}

impl Foreign {
    /// What the format is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rar => "RAR",
            Self::SevenZip => "7z",
            Self::TarBzip2 => "tar.bz2",
            Self::TarXz => "tar.xz",
            Self::TarZstd => "tar.zst",
        }
    }
}
