//! Names that go to a program with the tables and come back: see `crates/archive-names`.
//!
//! The question is one byte for [`SingleByte`] (0: code page 437, 1: Windows-1252), then each name's length (32 bits,
//! least significant byte first) and bytes. The answer has lengths and UTF-8 in the same way, as many.

use super::SingleByte;

/// How these names are asked for.
///
/// # Panics
/// When a name has 4 GiB.
pub fn question(names: &[&[u8]], rest: SingleByte) -> Vec<u8> {
    let mut question = vec![u8::from(rest == SingleByte::Windows1252)];
    names.iter().for_each(|name| push(&mut question, name));
    question
}

/// The names in an answer; none in what is no answer.
pub fn answers(answer: &[u8]) -> Option<Vec<String>> {
    split(answer)?.into_iter().map(|name| String::from_utf8(name.to_vec()).ok()).collect()
}

/// The answer to a question; none to what is no question.
#[cfg(feature = "character-sets")]
pub fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let (rest, names) = question.split_first()?;
    let rest = match rest {
        0 => SingleByte::Cp437,
        1 => SingleByte::Windows1252,
        _ => return None,
    };
    let mut answer = Vec::new();
    super::decode(&split(names)?, rest).iter().for_each(|name| push(&mut answer, name.as_bytes()));
    Some(answer)
}

fn push(bytes: &mut Vec<u8>, name: &[u8]) {
    let length = u32::try_from(name.len()).expect("names are short");
    bytes.extend(length.to_le_bytes());
    bytes.extend(name);
}

fn split(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut names = Vec::new();
    while !bytes.is_empty() {
        let (length, behind) = bytes.split_first_chunk()?;
        let (name, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        names.push(name);
        bytes = behind;
    }
    Some(names)
}
