//! What a JPEG's segments tell before it is decoded. Format: ITU-T T.81.

const START_OF_SCAN: u8 = 0xda;

/// Where a block's coefficients are, row by row, in the order of the code.
pub(super) const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A component of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub id: u8,
    /// Sampling factors, 1 to 4.
    pub horizontal: u8,
    pub vertical: u8,
    /// The number of its quantization table.
    pub table: u8,
}

impl Component {
    pub fn has_valid_factors(&self) -> bool {
        (1..=4).contains(&self.horizontal) && (1..=4).contains(&self.vertical)
    }
}

/// A scan: its header, and where its coded data begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Components by their id, with the numbers of their DC and AC tables.
    pub components: Vec<(u8, u8, u8)>,
    /// Of a progressive frame the first and last coefficient that it tells of; of a lossless one the predictor, and 0.
    pub first: u8,
    pub last: u8,
    /// Of a progressive frame: whether the scan adds a bit to what came before, and which is its lowest bit.
    pub refines: bool,
    pub lowest_bit: u8,
    pub data: usize,
}

impl Scan {
    /// Of a progressive frame: it has the means of the blocks, and nothing else.
    pub fn is_of_means(&self) -> bool {
        (self.first, self.last) == (0, 0)
    }
}

/// The first frame's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The low half of the marker: 0 and 1 sequential, 2 progressive, 3 lossless, 9 to 11 the same in the arithmetic code;
    /// others are hierarchical.
    pub process: u8,
    /// Bits a sample.
    pub precision: u8,
    pub width: u16,
    pub height: u16,
    pub components: Vec<Component>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Structure {
    pub frame: Option<Frame>,
    pub scans: Vec<Scan>,
    /// Where the end-of-image marker is, if the segments lead to one.
    pub end: Option<usize>,
    /// It defines tables of Huffman's code.
    pub defines_codes: bool,
    /// It is a JFIF file: three components are YCbCr.
    pub is_jfif: bool,
    /// Where Adobe's segment tells the colour transform.
    pub adobe_transform: Option<usize>,
}

/// A segment with a length: its marker and where its content is.
pub(super) struct Segment<'a> {
    pub marker: u8,
    pub at: usize,
    pub content: &'a [u8],
}

/// The segments that have a length, up to the end-of-image marker or the end of the bytes. Garbage between segments is
/// skipped, as decoders do. The data that follows a scan's header is too: in it, every 0xff is followed by 0 or is a
/// restart marker.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    pub ended: bool,
}

impl<'a> Segments<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        // Past the start-of-image marker.
        Self { bytes, at: 2, ended: false }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        const END_OF_IMAGE: u8 = 0xd9;
        while !self.ended {
            match next_marker(self.bytes, &mut self.at)? {
                END_OF_IMAGE => self.ended = true,
                0x01 | 0xd0..=0xd8 => {} // markers that stand alone
                marker => {
                    let &[high, low] = self.bytes.get(self.at..self.at + 2)? else { return None };
                    let length = usize::from(u16::from_be_bytes([high, low])).max(2);
                    let at = self.at + 2;
                    self.at += length;
                    let end = self.at.min(self.bytes.len());
                    return Some(Segment {
                        marker,
                        at,
                        content: self.bytes.get(at..end).unwrap_or_default(),
                    });
                }
            }
        }
        None
    }
}

/// Moves `at` past the next marker and returns its code: a byte neither 0 nor 0xff that follows 0xff.
pub(super) fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let start = *at + bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        let code = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
        *at = code + 1;
        if bytes[code] != 0 {
            return Some(bytes[code]);
        }
    }
}

/// The frame's header, if it comes within so many segments.
pub(crate) fn first_frame(bytes: &[u8], segments: usize) -> Option<Frame> {
    Segments::new(bytes).take(segments).take_while(|segment| segment.marker != START_OF_SCAN).find_map(
        |segment| {
            begins_frame(segment.marker).then(|| frame(segment.marker & 0x0f, segment.content)).flatten()
        },
    )
}

/// Whether the marker begins a frame: all of these but the tables.
fn begins_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

pub(crate) fn structure(bytes: &[u8]) -> Structure {
    let mut found = Structure::default();
    let mut segments = Segments::new(bytes);
    for Segment { marker, at, content } in &mut segments {
        match marker {
            _ if begins_frame(marker) && found.frame.is_none() => {
                found.frame = frame(marker & 0x0f, content);
            }
            START_OF_SCAN => found.scans.extend(scan(content, at + content.len())),
            0xc4 => found.defines_codes = true,
            0xe0 if content.starts_with(b"JFIF\0") => found.is_jfif = true,
            0xee if content.starts_with(b"Adobe") && content.len() >= 12 => {
                found.adobe_transform = Some(at + 11)
            }
            _ => {}
        }
    }
    found.end = segments.ended.then(|| segments.at - 2);
    found
}

fn frame(process: u8, content: &[u8]) -> Option<Frame> {
    let [precision, y1, y2, x1, x2, count, components @ ..] = content else { return None };
    let components = components.as_chunks::<3>().0.iter().take(usize::from(*count));
    let components = components.map(|&[id, factors, table]| Component {
        id,
        horizontal: factors >> 4,
        vertical: factors & 15,
        table,
    });
    Some(Frame {
        process,
        precision: *precision,
        width: u16::from_be_bytes([*x1, *x2]),
        height: u16::from_be_bytes([*y1, *y2]),
        components: components.collect(),
    })
}

pub(super) fn scan(content: &[u8], data: usize) -> Option<Scan> {
    let (&count, rest) = content.split_first()?;
    let (components, rest) = rest.split_at_checked(2 * usize::from(count))?;
    let components =
        components.as_chunks::<2>().0.iter().map(|&[id, tables]| (id, tables >> 4, tables & 15)).collect();
    let [first, last, bits] = rest.first_chunk().copied().unwrap_or_default();
    Some(Scan { components, first, last, refines: bits >> 4 > 0, lowest_bit: bits & 15, data })
}

impl Frame {
    pub fn is_sequential(&self) -> bool {
        matches!(self.process, 0 | 1 | 9)
    }

    pub fn is_progressive(&self) -> bool {
        matches!(self.process, 2 | 10)
    }

    pub fn is_lossless(&self) -> bool {
        matches!(self.process, 3 | 11)
    }

    pub fn is_arithmetic(&self) -> bool {
        self.process >= 9
    }

    /// Samples that a coded unit of one component has across and down.
    pub fn unit(&self) -> u64 {
        if self.is_lossless() { 1 } else { 8 }
    }

    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Which components a scan has; none where one is unknown or comes twice.
    pub fn numbers(&self, scan: &Scan) -> Option<Vec<usize>> {
        let mut numbers = Vec::new();
        for (id, ..) in &scan.components {
            let number = self.components.iter().position(|component| component.id == *id)?;
            (!numbers.contains(&number)).then(|| numbers.push(number))?;
        }
        (!numbers.is_empty()).then_some(numbers)
    }

    /// How many units a scan has across and down: of one component its blocks, else groups of all components' blocks. Of a
    /// lossless frame a block is a sample.
    pub fn units(&self, scan: &Scan) -> (u64, u64) {
        let (finest, unit) = (self.finest(), self.unit());
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        let only = match scan.components[..] {
            [(id, ..)] => self.components.iter().find(|component| component.id == id),
            _ => None,
        };
        match only {
            Some(only) => (
                (width * u64::from(only.horizontal)).div_ceil(u64::from(finest.0)).div_ceil(unit),
                (height * u64::from(only.vertical)).div_ceil(u64::from(finest.1)).div_ceil(unit),
            ),
            None => (width.div_ceil(unit * u64::from(finest.0)), height.div_ceil(unit * u64::from(finest.1))),
        }
    }

    /// The largest sampling factors.
    pub fn finest(&self) -> (u8, u8) {
        let largest =
            |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1).max(1);
        (largest(|component| component.horizontal), largest(|component| component.vertical))
    }
}

#[cfg(test)]
mod tests {
    use super::structure;

    #[test]
    fn finds_the_end_or_its_absence() {
        let ended = |bytes: &[u8]| structure(bytes).end.is_some();
        let scan = b"\xff\xd8\xff\xe0\x00\x04\xff\xd9\xff\xda\x00\x03\x01\x12\xff\x00\xff\xd0\x34";
        let with = |tail: &[u8]| [scan, tail].concat();
        assert!(ended(&with(b"\xff\xd9")));
        assert!(ended(&with(b"\xff\xff\xff\xd9after the picture")));
        assert!(ended(&with(b"\xff\xda\x00\x02\x55\xff\xd9"))); // a second scan
        // The 0xffd9 inside the first segment is data; without the real one every cut is a cut.
        for length in 2..scan.len() {
            assert!(!ended(&scan[..length]), "{length} bytes");
        }
        assert!(!ended(&with(b"\xff")));
    }

    #[test]
    fn tells_frame_and_scans() {
        let file = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x07\x21\x00\xff\xda\x00\x08\x01\x07\x10\x00\x3f\x00\x12\xff\xd9";
        let structure = structure(file);
        let frame = structure.frame.unwrap();
        assert_eq!((frame.width, frame.height, frame.finest()), (32, 16, (2, 1)));
        assert_eq!(structure.scans[0].components, [(7, 1, 0)]);
        assert_eq!(file[structure.scans[0].data], 0x12);
    }
}
