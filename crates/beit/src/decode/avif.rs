//! An AVIF that is left to the browser's decoder, changed such that the decoder gives the colours as they are stored: not
//! every browser follows the container's properties `irot` and `imir` (HEIF, ISO/IEC 23008-12), so the picture is turned
//! here; and pixels that come out of a canvas have lost the colour under what is transparent, so alpha is left out.

use image::metadata::Orientation;

use super::{DecodeError, Rgb, upright};

/// A file with the same picture as it is stored: neither turned nor mirrored by a decoder, and without alpha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPicture {
    pub file: Vec<u8>,
    orientation: Orientation,
}

impl StoredPicture {
    /// None for a file whose picture is decoded as it is stored anyway, or that is no AVIF.
    #[must_use]
    pub fn of(file: &[u8]) -> Option<Self> {
        let meta = child(file, 0..file.len(), *b"meta")?;
        let children = meta.start + FULL_BOX..meta.end;
        let primary = primary_item(file, children.clone())?;
        let properties = child(file, children, *b"iprp")?;
        let container = child(file, properties.clone(), *b"ipco")?;
        let properties_of_items: Vec<_> = boxes(file, container).collect();
        let mut stored = file.to_vec();
        for (_, body) in properties_of_items.iter().filter(|(kind, _)| kind == b"auxC") {
            // A picture of another kind than alpha is no part of the photo.
            if let Some(start) = body.end.checked_sub(ALPHA.len()).filter(|&start| start >= body.start)
                && &file[start..body.end] == ALPHA
            {
                stored[start..body.end].copy_from_slice(OTHER);
            }
        }
        let mut turns = Turns::default();
        for (_, body) in boxes(file, properties).filter(|(kind, _)| kind == b"ipma") {
            for association in associations(file, body)?.into_iter().filter(|found| found.item == primary) {
                let Some(at) = association.property.checked_sub(1) else { continue };
                let Some((kind, body)) = properties_of_items.get(at) else { continue };
                let value = file.get(body.start).copied().unwrap_or(0);
                match kind {
                    b"irot" => turns.rotate_counterclockwise(value & 3),
                    // The axis: 0 exchanges top and bottom, 1 left and right.
                    b"imir" => turns.mirror(value & 1 == 0),
                    _ => continue,
                }
                // Property 0 is none.
                stored[association.place].fill(0);
            }
        }
        let orientation = turns.orientation();
        (stored != file).then_some(Self { file: stored, orientation })
    }

    /// Whether the original says to turn or mirror it.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.orientation != Orientation::NoTransforms
    }

    /// What was decoded from [`file`](Self::file), turned and mirrored as the original says.
    ///
    /// # Errors
    /// [`DecodeError::OutOfMemory`].
    pub fn upright(&self, stored: Rgb) -> Result<Rgb, DecodeError> {
        upright(stored, self.orientation)
    }
}

/// How the kind of an auxiliary picture ends that is alpha (`urn:mpeg:mpegB:cicp:systems:auxiliary:alpha`), and how that
/// of none that is known ends.
const ALPHA: &[u8; 7] = b":alpha\0";
const OTHER: &[u8; 7] = b":other\0";

/// Version and flags.
const FULL_BOX: usize = 4;

type Range = std::ops::Range<usize>;

/// Kind and body of each box in this part of the file; ends at the first that is damaged.
fn boxes(file: &[u8], within: Range) -> impl Iterator<Item = ([u8; 4], Range)> {
    let mut at = within.start;
    std::iter::from_fn(move || {
        let length = number(file, at, 4)?;
        let kind = *file.get(at + 4..within.end)?.first_chunk()?;
        let (header, length) = match length {
            // To the end of the file.
            0 => (8, within.end - at),
            1 => (16, number(file, at + 8, 8)?),
            length => (8, length),
        };
        let end = at.checked_add(length).filter(|&end| end <= within.end)?;
        let body = at + header..end;
        at = end;
        (body.start <= body.end).then_some((kind, body))
    })
}

fn child(file: &[u8], within: Range, kind: [u8; 4]) -> Option<Range> {
    boxes(file, within).find(|(found, _)| *found == kind).map(|(_, body)| body)
}

fn primary_item(file: &[u8], meta: Range) -> Option<usize> {
    let body = child(file, meta, *b"pitm")?;
    number(file, body.start + FULL_BOX, if file[body.start] == 0 { 2 } else { 4 })
}

/// A property of an item.
struct Association {
    item: usize,
    /// Counted from 1 in `ipco`; 0 is none.
    property: usize,
    /// Where in the file that is written.
    place: Range,
}

/// What the box `ipma` says.
fn associations(file: &[u8], body: Range) -> Option<Vec<Association>> {
    let wide_items = *file.get(body.start)? > 0;
    let wide_properties = file.get(body.start + 3)? & 1 == 1;
    let (item_width, width) = (if wide_items { 4 } else { 2 }, if wide_properties { 2 } else { 1 });
    let items = number(file, body.start + FULL_BOX, 4)?;
    let mut at = body.start + FULL_BOX + 4;
    let mut associations = Vec::new();
    for _ in 0..items {
        let item = number(file, at, item_width)?;
        let count = number(file, at + item_width, 1)?;
        at += item_width + 1;
        for _ in 0..count {
            let place = at..at + width;
            // The highest bit says whether a reader has to know the property.
            let property = number(file, at, width)? & ((1 << (8 * width - 1)) - 1);
            associations.push(Association { item, property, place });
            at += width;
        }
        if at > body.end {
            return None;
        }
    }
    Some(associations)
}

/// A number of one to eight bytes, the highest first.
fn number(file: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let bytes = file.get(at..at.checked_add(bytes)?)?;
    usize::try_from(bytes.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte))).ok()
}

/// Quarter turns clockwise, of a picture that was mirrored left to right before or was not.
#[derive(Default)]
struct Turns {
    is_mirrored: bool,
    quarters: u8,
}

impl Turns {
    fn rotate_counterclockwise(&mut self, quarters: u8) {
        self.quarters = (self.quarters + 4 - quarters) % 4;
    }

    /// Mirroring after turning is turning the other way after mirroring; top to bottom is left to right upside down.
    fn mirror(&mut self, top_to_bottom: bool) {
        let half = if top_to_bottom { 2 } else { 0 };
        self.quarters = (4 - self.quarters + half) % 4;
        self.is_mirrored = !self.is_mirrored;
    }

    fn orientation(&self) -> Orientation {
        match (self.is_mirrored, self.quarters) {
            (false, 1) => Orientation::Rotate90,
            (false, 2) => Orientation::Rotate180,
            (false, 3) => Orientation::Rotate270,
            (false, _) => Orientation::NoTransforms,
            (true, 0) => Orientation::FlipHorizontal,
            (true, 1) => Orientation::Rotate270FlipH,
            (true, 2) => Orientation::FlipVertical,
            (true, _) => Orientation::Rotate90FlipH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        [&u32::try_from(8 + body.len()).unwrap().to_be_bytes()[..], kind, &body].concat()
    }

    /// A container without a picture, whose item 1 has a size and these properties, and whose item 2 the first of them.
    fn container(properties: &[Vec<u8>]) -> Vec<u8> {
        let size = of(b"ispe", &[&[0; 12]]);
        let count = u8::try_from(properties.len()).unwrap();
        let indices: Vec<u8> = (0..=count).map(|at| 0x80 | (at + 1)).collect();
        let ipma = [&[0, 0, 0, 0, 0, 0, 0, 2, 0, 1, count + 1][..], &indices, &[0, 2, 1, 0x82]].concat();
        let ipco = of(b"ipco", &[&size, &properties.concat()]);
        let iprp = of(b"iprp", &[&ipco, &of(b"ipma", &[&ipma])]);
        let meta = of(b"meta", &[&[0; 4], &of(b"pitm", &[&[0, 0, 0, 0, 0, 1]]), &iprp]);
        [of(b"ftyp", &[b"avif\0\0\0\0"]), meta, of(b"mdat", &[b"picture"])].concat()
    }

    fn irot(quarters: u8) -> Vec<u8> {
        of(b"irot", &[&[quarters]])
    }

    fn imir(axis: u8) -> Vec<u8> {
        of(b"imir", &[&[axis]])
    }

    /// Turned and mirrored step by step.
    fn expected(steps: &[Vec<u8>]) -> Rgb {
        let pixels = b"abcdef".iter().flat_map(|&pixel| [pixel; 3]).collect();
        steps.iter().fold(Rgb { width: 3, height: 2, pixels }, |rgb, step| {
            let by = match (&step[4..8], step[8]) {
                (b"irot", 1) => Orientation::Rotate270,
                (b"irot", 2) => Orientation::Rotate180,
                (b"irot", 3) => Orientation::Rotate90,
                (b"imir", 0) => Orientation::FlipVertical,
                (b"imir", 1) => Orientation::FlipHorizontal,
                _ => Orientation::NoTransforms,
            };
            upright(rgb, by).unwrap()
        })
    }

    #[test]
    fn every_order_of_turning_and_mirroring() {
        let mut steps = vec![vec![imir(0)], vec![imir(1)]];
        for quarters in 0..4 {
            steps.push(vec![irot(quarters)]);
            for axis in 0..2 {
                steps.push(vec![irot(quarters), imir(axis)]);
                steps.push(vec![imir(axis), irot(quarters)]);
            }
        }
        for steps in steps {
            let file = container(&steps);
            let expected = expected(&steps);
            let stored = StoredPicture::of(&file).expect("something to change");
            assert_eq!(stored.is_turned(), expected != self::expected(&[]));
            assert_eq!(stored.upright(self::expected(&[])).unwrap(), expected, "{steps:?}");
            // Nothing is left to be turned twice, and no place has moved.
            assert_eq!(StoredPicture::of(&stored.file), None);
            assert_eq!(stored.file.len(), file.len());
            let changed = file.iter().zip(&stored.file).filter(|(before, after)| before != after);
            assert_eq!(changed.count(), steps.len());
        }
    }

    #[test]
    fn other_items_do_not_turn_the_picture() {
        let mut file = container(&[irot(1)]);
        assert!(StoredPicture::of(&file).is_some());
        let primary = file.windows(4).position(|word| word == b"pitm").unwrap() + 4 + FULL_BOX + 1;
        file[primary] = 3;
        assert_eq!(StoredPicture::of(&file), None);
    }

    #[test]
    fn alpha_is_left_out() {
        let kind = |name: &str| {
            let urn = format!("urn:mpeg:mpegB:cicp:systems:auxiliary:{name}\0");
            of(b"auxC", &[&[0; 4], urn.as_bytes()])
        };
        assert_eq!(StoredPicture::of(&container(&[kind("depth")])), None);
        let stored = StoredPicture::of(&container(&[kind("alpha")])).unwrap();
        assert!(!stored.is_turned());
        assert_eq!(stored.file, container(&[kind("other")]));
    }

    #[test]
    fn damaged_containers_are_left_alone() {
        let file = container(&[irot(1), imir(0)]);
        for length in 0..file.len() {
            let _ = StoredPicture::of(&file[..length]);
        }
        for at in 0..file.len() {
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut file = file.clone();
                file[at] = byte;
                let _ = StoredPicture::of(&file);
            }
        }
    }
}
