//! Names in any character set, all of an archive together.

use super::charset::{Charset, decoded};
use super::{SingleByte, cp437, detect};

/// Decodes an archive's names: all that are not declared to be UTF-8. What is in no character set of several bytes is
/// read as `rest`.
pub fn decode(names: &[&[u8]], rest: SingleByte) -> Vec<String> {
    let charset = guess(names, rest);
    names.iter().map(|name| one(name, charset)).collect()
}

/// The character set of an archive's names.
pub fn guess(names: &[&[u8]], rest: SingleByte) -> Charset {
    let named: Vec<&[u8]> = names.iter().copied().filter(|name| !name.is_ascii()).collect();
    let utf8 = named.iter().all(|name| std::str::from_utf8(name).is_ok());
    if utf8 && detect::is_surely_utf8(&named) {
        return Charset::Utf8;
    }
    match detect::legacy(&named) {
        Some(set) => Charset::MultiByte(set),
        None if utf8 => Charset::Utf8,
        None if detect::is_cp866(&named) => Charset::SingleByte(SingleByte::Cp866),
        None => Charset::SingleByte(rest),
    }
}

fn one(name: &[u8], charset: Charset) -> String {
    match (std::str::from_utf8(name), charset) {
        // Beside names in a set of single bytes, a valid sequence of several is no accident.
        (Ok(name), Charset::Utf8 | Charset::SingleByte(_)) => name.to_owned(),
        (_, Charset::Utf8) => String::from_utf8_lossy(name).into_owned(),
        (_, Charset::MultiByte(set)) => {
            decoded(name, set).unwrap_or_else(|| String::from_utf8_lossy(name).into_owned())
        }
        (_, Charset::SingleByte(SingleByte::Cp437)) => cp437::decode(name),
        (_, Charset::SingleByte(SingleByte::Cp866)) => {
            encoding_rs::IBM866.decode_without_bom_handling(name).0.into_owned()
        }
        (_, Charset::SingleByte(SingleByte::Windows1252)) => {
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(name).0.into_owned()
        }
    }
}
