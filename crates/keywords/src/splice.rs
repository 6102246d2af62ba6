//! Changes of a file that name the only bytes they touch.

/// Bytes of a file that are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Offset of the first byte.
    pub at: u64,
    /// How many bytes go.
    pub removed: u64,
    /// What comes in their place.
    pub inserted: Vec<u8>,
}

impl Splice {
    /// The bytes `range` of a file in memory replaced.
    pub(crate) fn new(range: std::ops::Range<usize>, inserted: Vec<u8>) -> Self {
        Self { at: range.start as u64, removed: range.len() as u64, inserted }
    }

    /// The bytes that go. `None` if the file has none such.
    fn range(&self) -> Option<std::ops::Range<usize>> {
        let end = self.at.checked_add(self.removed)?;
        Some(usize::try_from(self.at).ok()?..usize::try_from(end).ok()?)
    }
}

/// The changed file. `None` if the splices are not in order, touch the same bytes, or lie beyond the file's end.
pub fn apply(file: &[u8], splices: &[Splice]) -> Option<Vec<u8>> {
    let more: usize = splices.iter().map(|splice| splice.inserted.len()).sum();
    let mut changed = Vec::with_capacity(file.len() + more);
    let mut done = 0;
    for splice in splices {
        let range = splice.range()?;
        changed.extend_from_slice(file.get(done..range.start)?);
        changed.extend_from_slice(&splice.inserted);
        file.get(range.clone())?;
        done = range.end;
    }
    changed.extend_from_slice(file.get(done..)?);
    Some(changed)
}

/// What turns the changed file back into `file`. `None` where [`apply`] gives none.
pub fn inverse(file: &[u8], splices: &[Splice]) -> Option<Vec<Splice>> {
    let mut back = Vec::with_capacity(splices.len());
    let (mut done, mut place) = (0, 0u64);
    for splice in splices {
        let range = splice.range()?;
        place += file.get(done..range.start)?.len() as u64;
        let inserted = file.get(range.clone())?.to_vec();
        back.push(Splice { at: place, removed: splice.inserted.len() as u64, inserted });
        place += splice.inserted.len() as u64;
        done = range.end;
    }
    Some(back)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(at: u64, removed: u64, inserted: &str) -> Splice {
        Splice { at, removed, inserted: inserted.into() }
    }

    #[test]
    fn what_is_done_is_undone() {
        let file = b"0123456789";
        let splices = [splice(0, 0, "a"), splice(2, 3, "bc"), splice(5, 1, ""), splice(10, 0, "end")];
        let changed = apply(file, &splices).unwrap();
        assert_eq!(changed, b"a01bc6789end");
        assert_eq!(apply(&changed, &inverse(file, &splices).unwrap()).unwrap(), file);
    }

    #[test]
    fn splices_that_meet_or_lie_outside_are_refused() {
        for splices in [
            vec![splice(2, 3, ""), splice(4, 1, "")],
            vec![splice(4, 1, ""), splice(2, 1, "")],
            vec![splice(9, 2, "")],
            vec![splice(11, 0, "")],
            vec![splice(u64::MAX, 1, "")],
            vec![splice(1 << 32, 0, "")],
        ] {
            assert_eq!(apply(b"0123456789", &splices), None, "{splices:?}");
            assert_eq!(inverse(b"0123456789", &splices), None, "{splices:?}");
        }
    }
}
