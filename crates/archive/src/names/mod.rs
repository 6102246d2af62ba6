//! File names out of archives that do not say which character set they are in.
//!
//! The guess is made over all names of an archive together: one name is a few bytes. Separators are looked for in
//! what comes out: in several of these sets a letter's second byte may be 0x5C, a backslash.

#[cfg(feature = "character-sets")]
mod charset;
#[cfg(feature = "character-sets")]
mod common_letters;
#[cfg(feature = "character-sets")]
mod cp437;
#[cfg(feature = "character-sets")]
mod decode;
#[cfg(feature = "character-sets")]
mod detect;
mod exchange;

#[cfg(feature = "character-sets")]
pub use charset::Charset;
#[cfg(feature = "character-sets")]
pub use decode::{decode, guess};
#[cfg(feature = "character-sets")]
pub use exchange::answer;
pub use exchange::{answers, question};

/// A character set in which every letter takes one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SingleByte {
    /// The zip format's default.
    Cp437,
    /// Russian DOS and Windows.
    Cp866,
    /// What old western systems of other kinds had.
    Windows1252,
}

/// The names, where they are in ASCII or surely in UTF-8: as `decode` has them, without its tables.
pub fn plain(names: &[&[u8]]) -> Option<Vec<String>> {
    let texts: Vec<&str> =
        names.iter().map(|name| std::str::from_utf8(name)).collect::<Result<_, _>>().ok()?;
    is_surely_utf8(&texts).then(|| texts.into_iter().map(str::to_owned).collect())
}

/// Whether names that are valid UTF-8 are in no other set: two bytes that make a letter there may be one of another set,
/// unless it is an accented one inside a word.
fn is_surely_utf8(names: &[&str]) -> bool {
    names.iter().any(|name| name.chars().any(|letter| letter >= '\u{800}'))
        || names.iter().all(|name| is_between_ascii(name))
}

/// Whether each letter outside ASCII stands alone or with one more, beside a letter of ASCII.
fn is_between_ascii(name: &str) -> bool {
    let letters: Vec<char> = name.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let run = letters[at..].iter().take_while(|letter| !letter.is_ascii()).count();
        let beside =
            |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(char::is_ascii_alphanumeric);
        if run > 2 || run > 0 && !beside(at.checked_sub(1)) && !beside(Some(at + run)) {
            return false;
        }
        at += run + 1;
    }
    true
}

#[cfg(all(test, feature = "character-sets"))]
mod tests;
