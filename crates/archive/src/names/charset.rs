//! The character sets that names come in.

use super::SingleByte;
use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS};

/// A character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Charset {
    Utf8,
    MultiByte(MultiByte),
    SingleByte(SingleByte),
}

/// One in which letters take one byte or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiByte {
    Gbk,
    Big5,
    ShiftJis,
    EucKr,
}

impl MultiByte {
    pub const ALL: [Self; 4] = [Self::Gbk, Self::ShiftJis, Self::EucKr, Self::Big5];

    pub fn encoding(self) -> &'static Encoding {
        match self {
            Self::Gbk => GBK,
            Self::Big5 => BIG5,
            Self::ShiftJis => SHIFT_JIS,
            Self::EucKr => EUC_KR,
        }
    }
}

/// The name in this set, if every byte is right and no letter is a control or of somebody's own making.
pub fn decoded(name: &[u8], set: MultiByte) -> Option<String> {
    let text = set.encoding().decode_without_bom_handling_and_without_replacement(name)?;
    let odd = |letter: char| matches!(letter, '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}');
    (!text.contains(odd)).then(|| text.into_owned())
}
