//! The records of a pax header: `length key=value` and a line's end, length included.

/// What a pax header says of the file that follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pax {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    /// The file is stored with holes, which only GNU's tar reads.
    pub sparse: bool,
}

impl Pax {
    /// Takes in all records up to one that is none.
    pub fn read(&mut self, mut bytes: &[u8]) {
        while let Some((record, rest)) = next(bytes) {
            bytes = rest;
            let Some(at) = record.iter().position(|byte| *byte == b'=') else { continue };
            let (key, value) = (&record[..at], &record[at + 1..]);
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
                key if key.starts_with(b"GNU.sparse.") => {
                    self.sparse = true;
                    // The path beside it is made up.
                    if key == b"GNU.sparse.name" {
                        self.path = Some(value.to_vec());
                    }
                }
                _ => {}
            }
        }
    }
}

/// A record's key and value, and what follows it.
fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    Some((record, &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Pax {
        let mut pax = Pax::default();
        pax.read(bytes);
        pax
    }

    #[test]
    fn records_are_read_by_their_lengths() {
        let pax = read("13 path=a=b\n\n12 size=1234\n".replace("12 size", "13 size").as_bytes());
        assert_eq!(pax.path.as_deref(), Some(&b"a=b\n"[..]));
        assert_eq!(pax.size, Some(1234));
    }

    #[test]
    fn what_is_no_record_ends_them() {
        for bytes in [&b""[..], b"5", b"99999999999999999999 a=b\n", b"3 a=b\n", b"0 \n", b"x path=a\n"] {
            assert_eq!(read(bytes), Pax::default(), "{bytes:?}");
        }
    }
}
