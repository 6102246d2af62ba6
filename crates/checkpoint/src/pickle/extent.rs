//! Where a pickle ends that is still coming: its opcodes' lengths alone, without running them.

use super::{MAX_PICKLE_BYTES, unknown_opcode};

/// How far a pickle has come.
pub(crate) struct PickleEnd {
    next: Next,
    len: u64,
}

/// What the next byte is.
#[derive(Clone, Copy)]
enum Next {
    Opcode,
    /// One of so many bytes of an argument's length, after some that make up `value`.
    Length {
        bytes: u32,
        taken: u32,
        value: u64,
    },
    /// One of so many bytes of an argument.
    Argument(u64),
    /// One of so many lines.
    Lines(u8),
}

impl PickleEnd {
    pub(crate) fn new() -> Self {
        Self { next: Next::Opcode, len: 0 }
    }

    /// How many of the next bytes belong to the pickle, and whether it ends with them.
    ///
    /// # Errors
    /// A sentence, when it uses what no checkpoint uses, or is too long.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(usize, bool), String> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            self.next = match self.next {
                Next::Opcode if byte == b'.' => return Ok((at, true)),
                Next::Opcode => argument(byte)?,
                Next::Length { bytes, taken, value } => {
                    let value = value | u64::from(byte) << (8 * taken);
                    let length = Next::Length { bytes, taken: taken + 1, value };
                    if taken + 1 == bytes { skip(value) } else { length }
                }
                Next::Argument(left) => {
                    let more = usize::try_from(left - 1).unwrap_or(usize::MAX).min(bytes.len() - at);
                    at += more;
                    skip(left - 1 - more as u64)
                }
                Next::Lines(left) if byte == b'\n' => {
                    if left == 1 {
                        Next::Opcode
                    } else {
                        Next::Lines(left - 1)
                    }
                }
                Next::Lines(left) => Next::Lines(left),
            };
        }
        self.len += bytes.len() as u64;
        if self.len > MAX_PICKLE_BYTES {
            return Err(format!("its pickle is larger than {MAX_PICKLE_BYTES} bytes"));
        }
        Ok((at, false))
    }
}

fn skip(len: u64) -> Next {
    if len == 0 { Next::Opcode } else { Next::Argument(len) }
}

/// What follows an opcode that [`super::machine`] knows.
fn argument(opcode: u8) -> Result<Next, String> {
    let length = |bytes| Next::Length { bytes, taken: 0, value: 0 };
    Ok(match opcode {
        b'('
        | b'0'
        | b'1'
        | b'2'
        | b'N'
        | 0x88
        | 0x89
        | 0x93
        | b')'
        | b']'
        | 0x8f
        | b't'
        | b'l'
        | 0x91
        | 0x85..=0x87
        | b'}'
        | b'd'
        | b'a'
        | b'e'
        | 0x90
        | b's'
        | b'u'
        | b'R'
        | 0x81
        | 0x92
        | b'b'
        | b'Q'
        | 0x94 => Next::Opcode,
        0x80 | b'K' | b'q' | b'h' => Next::Argument(1),
        b'M' => Next::Argument(2),
        b'J' | b'r' | b'j' => Next::Argument(4),
        0x95 | b'G' => Next::Argument(8),
        0x8a | 0x8c | b'U' | b'C' => length(1),
        0x8b | b'X' | b'T' | b'B' => length(4),
        0x8d | 0x8e | 0x96 => length(8),
        b'c' => Next::Lines(2),
        other => return Err(unknown_opcode(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle::machine::Machine;

    /// The end by running it, and by lengths, a byte at a time and at once.
    fn ends(bytes: &[u8]) -> (Option<usize>, Option<usize>, Option<usize>) {
        let mut machine = Machine::new(bytes);
        let run = machine.run().ok().map(|_| bytes.len() - machine.rest.len());
        let (mut end, mut slow) = (PickleEnd::new(), None);
        for (at, byte) in bytes.iter().enumerate() {
            match end.push(std::slice::from_ref(byte)) {
                Ok((1, false)) => {}
                Ok((1, true)) => {
                    slow = Some(at + 1);
                    break;
                }
                _ => break,
            }
        }
        let fast = PickleEnd::new().push(bytes).ok().and_then(|(len, ended)| ended.then_some(len));
        (run, slow, fast)
    }

    #[test]
    fn a_pickle_ends_where_running_it_ends() {
        let text = [b"X\x03\0\0\0a.b".to_vec(), b"\x8c\x01.".to_vec(), b"\x8d\x02\0\0\0\0\0\0\0..".to_vec()]
            .concat();
        let numbers = b"K.M..J....G........\x8a\x02..\x8b\x03\0\0\0...\x8a\x00";
        let bytes =
            [b"C\x01.B\x01\0\0\0.".to_vec(), b"\x8e\x01\0\0\0\0\0\0\0.U\x01.T\x01\0\0\0.".to_vec()].concat();
        let whole =
            [&b"\x80\x02\x95........("[..], &text, numbers, &bytes, b"c.a.\n.b\nN\x88\x89t."].concat();
        for tail in [&b""[..], b"more. of the file."] {
            let file = [&whole, tail].concat();
            let end = Some(whole.len());
            assert_eq!(ends(&file), (end, end, end));
        }
        for len in 0..whole.len() {
            assert_eq!(ends(&whole[..len]).1, None, "{len}");
        }
        assert!(PickleEnd::new().push(b"\xff").is_err());
        let long = vec![b'('; MAX_PICKLE_BYTES as usize + 1];
        assert!(PickleEnd::new().push(&long).is_err());
    }

    /// Whatever the machine can run has the end that lengths give, and each opcode that one knows the other does.
    #[test]
    fn every_opcode_has_its_length() {
        for opcode in 0..=u8::MAX {
            let known = argument(opcode).is_ok() || opcode == b'.';
            let error = Machine::new(&[opcode]).run().err();
            let refused = error.is_some_and(|error| error == unknown_opcode(opcode));
            assert_eq!(known, !refused, "{opcode:#x}");
        }
    }
}
