//! The words of each language.

use crate::chinese::CHINESE;
use crate::english::ENGLISH;
use crate::language::Language;
use crate::text::Text;

impl Language {
    pub fn text(self) -> &'static Text {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}
