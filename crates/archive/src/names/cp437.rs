//! Code page 437: what the zip format means by a name that is not declared to be UTF-8.

/// The letters of the bytes from 0x80 on.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

pub fn decode(name: &[u8]) -> String {
    let upper: Vec<char> = UPPER.chars().collect();
    let letter = |&byte: &u8| match byte {
        0..0x80 => char::from(byte),
        _ => upper.get(usize::from(byte) - 0x80).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    name.iter().map(letter).collect()
}

/// Whether the byte is a letter of a western alphabet.
pub fn is_letter(byte: u8) -> bool {
    matches!(byte, 0x80..=0x9a | 0xa0..=0xa5 | 0xe1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_letter_for_every_byte() {
        assert_eq!(UPPER.chars().count(), 128);
        let all: Vec<u8> = (0x80..=0xff).collect();
        assert!(!decode(&all).contains(char::REPLACEMENT_CHARACTER));
        assert_eq!(decode(b"t\x84glich/gr\x94\xe1er.jpg"), "täglich/größer.jpg");
        assert_eq!(decode(b"\x9b\x9c\x9d\xdb\xe0\xf8\xff"), "¢£¥█α°\u{a0}");
    }

    #[test]
    fn letters_are_those_of_the_table() {
        for byte in 0x80..=0xff {
            let letter = decode(&[byte]).chars().next().unwrap();
            let western =
                letter.is_alphabetic() && (letter as u32) < 0x100 && !matches!(letter, 'µ' | 'ª' | 'º');
            assert_eq!(is_letter(byte), western, "{byte:#x} {letter}");
        }
    }
}
