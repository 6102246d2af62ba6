//! A photo's record.

use crate::date::LocalTime;
use crate::feature::Feature;
use crate::header::Header;

/// Most answers that are kept of a photo.
pub const MOST_ANSWERS: usize = 5;

/// The SHA-256 of a file.
pub type Sha256 = [u8; 32];

/// A class and its probability, 0 to 1, at the model's temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The row of the model's head.
    pub class: u32,
    /// Softmax probability.
    pub probability: f32,
}

/// What is known of a photo, but for its feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Below the indexed folder, with `/` between folders.
    pub path: String,
    /// Bytes of the file.
    pub size: u64,
    /// When the file was changed last, in nanoseconds since 1970 in UTC.
    pub modified: i64,
    /// Of the file.
    pub sha256: Sha256,
    /// Of the picture, upright, in pixels, as it was decoded.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// When it was taken, where EXIF says so.
    pub taken: Option<LocalTime>,
    /// Whether it most likely shows none of the classes; `false` where the model has no threshold for that.
    pub none_of_these: bool,
    /// The likeliest classes, best first, at most [`MOST_ANSWERS`].
    pub answers: Vec<Answer>,
}

impl Photo {
    /// When it was taken; without EXIF, when the file was changed last, in UTC.
    pub fn when(&self) -> LocalTime {
        self.taken.unwrap_or(LocalTime(self.modified.div_euclid(1_000_000_000)))
    }

    /// Pixels of the picture.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Photo(Photo, Feature),
    /// The photo at this path is gone.
    Removed(String),
}

const PHOTO: u8 = 1;
const REMOVED: u8 = 2;

/// # Errors
/// Why no index with this header can have it.
pub(crate) fn check(photo: &Photo, feature: &Feature, header: &Header) -> Result<(), String> {
    check_path(&photo.path)?;
    if feature.values.len() as u64 != header.width {
        return Err(format!("its feature has {} values, expected {}", feature.values.len(), header.width));
    }
    if !(feature.scale.is_finite() && feature.scale >= 0.0) || feature.values.contains(&i8::MIN) {
        return Err("its feature has values out of range".into());
    }
    if photo.answers.len() > MOST_ANSWERS {
        return Err(format!("it has {} answers, expected at most {MOST_ANSWERS}", photo.answers.len()));
    }
    let sound =
        |a: &Answer| u64::from(a.class) < header.class_count() && (0.0..=1.0).contains(&a.probability);
    if !photo.answers.iter().all(sound) {
        return Err("it has an answer of no class, or of a probability that is none".into());
    }
    Ok(())
}

/// # Errors
/// Why it is no path below a folder.
fn check_path(path: &str) -> Result<(), String> {
    let bad = |part: &str| matches!(part, "" | "." | "..");
    if path.split('/').any(bad) || path.contains('\0') || path.len() > 1 << 16 {
        return Err(format!("expected a path below the folder, got {path:.200}"));
    }
    Ok(())
}

impl Record {
    pub fn of_photo(photo: &Photo, feature: &Feature) -> Vec<u8> {
        let Photo { path, size, modified, sha256, width, height, taken, none_of_these, answers } = photo;
        let mut bytes = vec![PHOTO];
        bytes.extend((path.len() as u32).to_le_bytes());
        bytes.extend(path.as_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend(modified.to_le_bytes());
        bytes.extend(sha256);
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.push(taken.is_some().into());
        bytes.extend(taken.map_or(0, |time| time.0).to_le_bytes());
        bytes.push((*none_of_these).into());
        bytes.push(answers.len() as u8);
        for answer in answers {
            bytes.extend(answer.class.to_le_bytes());
            bytes.extend(answer.probability.to_le_bytes());
        }
        bytes.extend(feature.scale.to_le_bytes());
        bytes.extend(feature.values.iter().map(|&value| value as u8));
        bytes
    }

    pub fn of_removal(path: &str) -> Vec<u8> {
        [&[REMOVED], path.as_bytes()].concat()
    }

    /// A frame's content. `None` if it is none that [`check`] lets through.
    pub fn parse(content: &[u8], header: &Header) -> Option<Self> {
        let (kind, rest) = content.split_first()?;
        if *kind == REMOVED {
            let path = std::str::from_utf8(rest).ok()?;
            return check_path(path).is_ok().then(|| Self::Removed(path.to_owned()));
        }
        let mut rest = Fields(rest);
        let length = u32::from_le_bytes(rest.take()?);
        let path = std::str::from_utf8(rest.bytes(usize::try_from(length).ok()?)?).ok()?.to_owned();
        let (size, modified) = (u64::from_le_bytes(rest.take()?), i64::from_le_bytes(rest.take()?));
        let sha256 = rest.take()?;
        let (width, height) = (u32::from_le_bytes(rest.take()?), u32::from_le_bytes(rest.take()?));
        let is_known = rest.flag()?;
        let taken = LocalTime(i64::from_le_bytes(rest.take()?));
        let taken = is_known.then_some(taken);
        let none_of_these = rest.flag()?;
        let [count] = rest.take::<1>()?;
        let mut answer = || {
            let (class, probability) = (u32::from_le_bytes(rest.take()?), f32::from_le_bytes(rest.take()?));
            Some(Answer { class, probability })
        };
        let answers = (0..count).map(|_| answer()).collect::<Option<_>>()?;
        let scale = f32::from_le_bytes(rest.take()?);
        let values = rest.0.iter().map(|&byte| byte as i8).collect();
        let photo = Photo { path, size, modified, sha256, width, height, taken, none_of_these, answers };
        let feature = Feature { scale, values };
        (*kind == PHOTO && check(&photo, &feature, header).is_ok()).then_some(Self::Photo(photo, feature))
    }
}

/// What is left of a record.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take::<1>()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}
