//! ILSVRC2012's own class numbers, as its development kit explains them: they are not in the order of WordNet ids,
//! as a network's outputs are.

use flate2::read::ZlibDecoder;
use std::collections::HashMap;
use std::io::{BufRead, Read};

/// The table of the kit of 2012, a MATLAB file.
pub const META: &str = "meta.mat";
/// The table of later kits: lines of WordNet id, number and name.
pub const MAP: &str = "map_clsloc.txt";
/// The original is 90 kB long.
pub const MAX_META_BYTES: u64 = 16 << 20;

/// Number → WordNet id.
type Table = HashMap<usize, String>;

/// Reads `map_clsloc.txt`.
pub fn map(content: impl BufRead) -> Result<Table, String> {
    let mut table = Table::new();
    for line in content.lines() {
        let line = line.map_err(|e| e.to_string())?;
        let mut words = line.split_whitespace();
        match (words.next(), words.next().map(str::parse)) {
            (None, _) => {}
            (Some(wnid), Some(Ok(number))) => drop(table.insert(number, wnid.to_owned())),
            _ => return Err(format!("expected a WordNet id and a number, got {line:?}")),
        }
    }
    Ok(table)
}

/// Reads `meta.mat`: a MATLAB 5 file whose struct array `synsets` has the fields `ILSVRC2012_ID` and `WNID`.
///
/// Source: MathWorks, "MAT-File Format", version 5. Little-endian files only, as the kit's is.
pub fn meta(bytes: &[u8]) -> Result<Table, &'static str> {
    if bytes.get(126..128) != Some(b"IM") {
        return Err("it is no little-endian MATLAB 5 file");
    }
    let mut rest = &bytes[128..];
    while let Some(element) = Element::next(&mut rest) {
        let matrix = match element.kind {
            Element::COMPRESSED => {
                let mut inflated = Vec::new();
                let inflate = ZlibDecoder::new(element.data).take(MAX_META_BYTES).read_to_end(&mut inflated);
                inflate.map_err(|_| "it is damaged")?;
                Element::next(&mut &inflated[..]).and_then(|element| synsets(&element))
            }
            _ => synsets(&element),
        };
        if let Some(table) = matrix {
            return Ok(table);
        }
    }
    Err("it has no synsets with ILSVRC2012_ID and WNID")
}

/// A data element: type and content.
struct Element<'a> {
    kind: u32,
    data: &'a [u8],
}

impl<'a> Element<'a> {
    const MATRIX: u32 = 14;
    const COMPRESSED: u32 = 15;

    /// Takes the first element off `bytes`.
    fn next(bytes: &mut &'a [u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let first = word(0)?;
        // The small form: the length in the upper half of the first word, up to 4 bytes in the second.
        let (kind, start, length) = match first >> 16 {
            0 => (first, 8usize, word(4)? as usize),
            length => (first & 0xffff, 4, length as usize),
        };
        let data = bytes.get(start..start.checked_add(length)?)?;
        let padded =
            if kind == Self::COMPRESSED { start + length } else { (start + length).next_multiple_of(8) };
        *bytes = bytes.get(padded..).unwrap_or_default();
        Some(Self { kind, data })
    }

    /// The one number, of whatever type MATLAB chose to store it in.
    fn number(&self) -> Option<usize> {
        let low = |n: usize| {
            self.data.get(..n).map(|b| b.iter().rev().fold(0, |sum, &b| sum << 8 | usize::from(b)))
        };
        match self.kind {
            1 | 2 => low(1),
            3 | 4 => low(2),
            5 | 6 => low(4),
            9 => Some(f64::from_le_bytes(self.data.get(..8)?.try_into().ok()?) as usize),
            _ => None,
        }
    }

    /// ASCII text, one or two bytes a character.
    fn text(&self) -> String {
        let step = if matches!(self.kind, 3 | 4 | 17) { 2 } else { 1 };
        self.data.iter().step_by(step).map(|&byte| char::from(byte)).collect()
    }
}

/// The content of a matrix element behind its flags, size and name: flags, number of items, rest.
fn matrix<'a>(element: &Element<'a>) -> Option<(u8, usize, &'a [u8])> {
    let mut rest = (element.kind == Element::MATRIX).then_some(element.data)?;
    let class = *Element::next(&mut rest)?.data.first()?;
    let sides = Element::next(&mut rest)?.data;
    let sides =
        sides.chunks_exact(4).map(|side| u32::from_le_bytes([side[0], side[1], side[2], side[3]]) as usize);
    let items = sides.fold(1, usize::saturating_mul);
    Element::next(&mut rest)?; // the variable's name
    Some((class, items, rest))
}

/// The table in a struct array with the two fields.
fn synsets(element: &Element) -> Option<Table> {
    const STRUCT: u8 = 2;
    let (class, items, mut rest) = matrix(element)?;
    let length = (class == STRUCT).then(|| Element::next(&mut rest)?.number())??.max(1);
    let names = Element::next(&mut rest)?.data.chunks_exact(length);
    let names: Vec<&[u8]> =
        names.map(|name| name.split(|&byte| byte == 0).next().unwrap_or_default()).collect();
    let id = names.iter().position(|name| *name == b"ILSVRC2012_ID")?;
    let wnid = names.iter().position(|name| *name == b"WNID")?;
    let mut table = Table::new();
    for _ in 0..items {
        let fields: Vec<Element> = names.iter().map_while(|_| Element::next(&mut rest)).collect();
        let content = |field: usize| Element::next(&mut matrix(fields.get(field)?)?.2);
        table.insert(content(id)?.number()?, content(wnid)?.text());
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, read::ZlibEncoder};

    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        if kind != Element::COMPRESSED {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes
    }

    fn matrix(class: u8, items: u32, name: &str, rest: &[u8]) -> Vec<u8> {
        let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
        let size = element(5, &[items.to_le_bytes(), 1u32.to_le_bytes()].concat());
        element(Element::MATRIX, &[flags, size, element(1, name.as_bytes()), rest.to_vec()].concat())
    }

    /// As MATLAB lays out `synsets`, with the small form for short content.
    fn file(compress: bool) -> Vec<u8> {
        let mut fields = [vec![5, 0, 4, 0], 16u32.to_le_bytes().to_vec()].concat();
        let names: Vec<u8> = ["ILSVRC2012_ID", "WNID", "words"]
            .iter()
            .flat_map(|n| {
                let mut name = n.as_bytes().to_vec();
                name.resize(16, 0);
                name
            })
            .collect();
        fields.extend(element(1, &names));
        for (number, wnid) in [(1u16, "n02119789"), (300, "n02100735")] {
            let small =
                [vec![if number < 256 { 2 } else { 4 }, 0, 2, 0], number.to_le_bytes().to_vec(), vec![0; 2]];
            fields.extend(matrix(6, 1, "", &small.concat()));
            let wide: Vec<u8> = wnid.encode_utf16().flat_map(u16::to_le_bytes).collect();
            fields.extend(matrix(4, wnid.len() as u32, "", &element(4, &wide)));
            fields.extend(matrix(4, 3, "", &element(1, b"fox")));
        }
        let synsets = matrix(2, 2, "synsets", &fields);
        let mut bytes = vec![b' '; 124];
        bytes.extend([0, 1, b'I', b'M']);
        bytes.extend(matrix(6, 1, "other", &element(9, &1.0f64.to_le_bytes())));
        if compress {
            let mut squeezed = Vec::new();
            ZlibEncoder::new(&synsets[..], Compression::default()).read_to_end(&mut squeezed).unwrap();
            bytes.extend(element(Element::COMPRESSED, &squeezed));
        } else {
            bytes.extend(synsets);
        }
        bytes
    }

    #[test]
    fn the_kits_table_is_read() {
        for compress in [false, true] {
            let table = meta(&file(compress)).unwrap();
            assert_eq!(table.len(), 2);
            assert_eq!((table[&1].as_str(), table[&300].as_str()), ("n02119789", "n02100735"));
        }
        assert!(meta(b"no MATLAB file").is_err());
    }

    #[test]
    fn a_cut_or_damaged_table_is_refused_or_read_and_nothing_else() {
        let whole = file(false);
        for length in 0..whole.len() {
            assert!(meta(&whole[..length]).is_err(), "{length}");
        }
        for at in 128..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let _ = meta(&bytes);
        }
    }

    #[test]
    fn the_later_kits_table_is_read() {
        let table = map(&b"n02119789 1 kit_fox\nn02100735 2 English_setter\n\n"[..]).unwrap();
        assert_eq!((table[&1].as_str(), table[&2].as_str()), ("n02119789", "n02100735"));
        assert!(map(&b"kit fox"[..]).is_err());
    }
}
