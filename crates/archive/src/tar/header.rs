//! A header: one block of 512 bytes.

use crate::ArchiveFault;

pub const BLOCK: u64 = 512;

/// What a header says.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub name: Vec<u8>,
    pub link: Vec<u8>,
    pub size: u64,
    pub kind: u8,
}

/// Reads a block; none for zeros.
///
/// # Errors
/// When its checksum is wrong, or its size is no number.
pub fn read(block: &[u8]) -> Result<Option<Header>, ArchiveFault> {
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let block: &[u8; BLOCK as usize] = block.try_into().map_err(|_| ArchiveFault::Damaged)?;
    // The checksum's own field counts as spaces. Old programs summed signed bytes.
    let bytes =
        || block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { b' ' } else { byte });
    let unsigned: u64 = bytes().map(u64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    let told = number(&block[148..156]).ok_or(ArchiveFault::Damaged)?;
    if told != unsigned && i64::try_from(told) != Ok(signed) {
        return Err(ArchiveFault::Damaged);
    }
    let size = number(&block[124..136]).ok_or(ArchiveFault::Damaged)?;
    let mut name = text(&block[..100]).to_vec();
    // GNU's own headers have other fields in the prefix's place.
    let prefix = if &block[257..263] == b"ustar\0" { text(&block[345..500]) } else { b"" };
    if !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    Ok(Some(Header { name, link: text(&block[157..257]).to_vec(), size, kind: block[156] }))
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits among spaces, or GNU's base 256 for what is longer. An empty field is 0.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (&first, rest) = field.split_first()?;
        let start = u64::from(first & 0x7f);
        // The sign bit of a negative number is among these.
        return rest.iter().try_fold(start, |value, &byte| {
            value.checked_mul(256).and_then(|value| value.checked_add(u64::from(byte)))
        });
    }
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0u64, |value, &digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_octal_or_of_base_256() {
        assert_eq!(number(b"00000000644\0"), Some(0o644));
        assert_eq!(number(b"   17 \0"), Some(0o17));
        assert_eq!(number(b"\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(2 << 32));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(number(b"12x4"), None);
        assert_eq!(number(b"9"), None);
    }
}
