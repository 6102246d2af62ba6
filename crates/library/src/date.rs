//! When a photo was taken.

use exif::{Exif, In, Tag, Value};
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use time::{Date, Month, PrimitiveDateTime, Time};

/// Seconds from 1970-01-01 00:00:00 to a time, both on the camera's clock, whatever its zone: what people mean by a day is
/// that of the place where the photo was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalTime(pub i64);

impl LocalTime {
    /// The beginning of a day `YYYY-MM-DD`, of a month `YYYY-MM` or of a year `YYYY`. `None` if it is none.
    pub fn beginning_of(text: &str) -> Option<Self> {
        span(text).map(|(first, _)| Self::midnight(first))
    }

    /// The beginning of what follows this day, month or year.
    pub fn end_of(text: &str) -> Option<Self> {
        span(text).map(|(_, next)| Self::midnight(next))
    }

    /// `YYYY-MM-DDThh:mm:ss`; nothing for a time beyond the calendar's years.
    pub fn text(self) -> Option<String> {
        let time = time::OffsetDateTime::from_unix_timestamp(self.0).ok()?;
        let (date, clock) = (time.date(), time.time());
        Some(format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second()
        ))
    }

    fn midnight(date: Date) -> Self {
        Self(PrimitiveDateTime::new(date, Time::MIDNIGHT).assume_utc().unix_timestamp())
    }
}

/// The first day, and the first day after.
fn span(text: &str) -> Option<(Date, Date)> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())?
    };
    let year = i32::from(number(parts.first()?, 4)?);
    let month = |part: &str| Month::try_from(u8::try_from(number(part, 2)?).ok()?).ok();
    let date = |year, month, day| Date::from_calendar_date(year, month, day).ok();
    match parts[1..] {
        [] => Some((date(year, Month::January, 1)?, date(year + 1, Month::January, 1)?)),
        [m] => {
            let first = date(year, month(m)?, 1)?;
            let next = if first.month() == Month::December { year + 1 } else { year };
            Some((first, date(next, first.month().next(), 1)?))
        }
        [m, d] => {
            let day = date(year, month(m)?, u8::try_from(number(d, 2)?).ok()?)?;
            Some((day, day.next_day()?))
        }
        _ => None,
    }
}

/// When a photo was taken, by its EXIF data: in JPEG, TIFF, raw photos that are TIFF inside, PNG, WebP, HEIC and AVIF. Nothing where it has none, or
/// no time that makes sense.
pub fn capture_time(file: &[u8]) -> Option<LocalTime> {
    let exif = match exif::Reader::new().continue_on_error(true).read_from_container(&mut Cursor::new(file)) {
        Ok(exif) => Some(exif),
        Err(exif::Error::PartialResult(partial)) => Some(partial.into_inner().0),
        Err(_) => None,
    }?;
    // The last is when the file was changed, and is used for what was scanned.
    [Tag::DateTimeOriginal, Tag::DateTimeDigitized, Tag::DateTime].iter().find_map(|&tag| of_tag(&exif, tag))
}

fn of_tag(exif: &Exif, tag: Tag) -> Option<LocalTime> {
    let Value::Ascii(texts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let stated = exif::DateTime::from_ascii(texts.first()?).ok()?;
    let date = Date::from_calendar_date(stated.year.into(), Month::try_from(stated.month).ok()?, stated.day);
    let clock = Time::from_hms(stated.hour, stated.minute, stated.second.min(59));
    // A camera whose clock was never set says the year 0.
    let date = date.ok().filter(|date| date.year() > 0)?;
    Some(LocalTime(PrimitiveDateTime::new(date, clock.ok()?).assume_utc().unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A TIFF whose EXIF directory has `DateTimeOriginal`, and whose first one has `DateTime`.
    fn tiff(original: &[u8; 20], changed: &[u8; 20]) -> Vec<u8> {
        let entry = |tag: u16, kind: u16, count: u32, value: u32| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        let (exif_at, texts_at) = (8 + 2 + 24 + 4, 8 + 2 + 24 + 4 + 2 + 12 + 4);
        [
            &b"II*\0\x08\0\0\0\x02\0"[..],
            &entry(0x0132, 2, 20, texts_at + 20),
            &entry(0x8769, 4, 1, exif_at),
            &[0; 4],
            &[1, 0],
            &entry(0x9003, 2, 20, texts_at),
            &[0; 4],
            original,
            changed,
        ]
        .concat()
    }

    #[test]
    fn the_capture_time_comes_first_and_nonsense_is_none() {
        let of = |original, changed| capture_time(&tiff(original, changed)).and_then(LocalTime::text);
        let (summer, later) = (b"2024:06:01 12:30:59\0", b"2025:01:01 00:00:00\0");
        assert_eq!(of(summer, later).as_deref(), Some("2024-06-01T12:30:59"));
        assert_eq!(of(b"0000:00:00 00:00:00\0", later).as_deref(), Some("2025-01-01T00:00:00"));
        assert_eq!(of(b"    :  :     :  :  \0", b"2024:13:01 00:00:00\0"), None);
        for file in [&b""[..], b"no photo", b"II*\0\xff\xff\xff\xff", &tiff(summer, later)[..50]] {
            assert_eq!(capture_time(file), None);
        }
        let exif = [b"Exif\0\0".to_vec(), tiff(summer, later)].concat();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let jpeg = [&[0xff, 0xd8, 0xff, 0xe1][..], &length, &exif, &[0xff, 0xd9]].concat();
        assert_eq!(capture_time(&jpeg).and_then(LocalTime::text).as_deref(), Some("2024-06-01T12:30:59"));
    }

    #[test]
    fn days_months_and_years_have_ends() {
        let day = |time: Option<LocalTime>| time.and_then(LocalTime::text).map(|text| text[..10].to_owned());
        let ends = |text| day(LocalTime::beginning_of(text)).zip(day(LocalTime::end_of(text)));
        let is = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(ends("2024"), is("2024-01-01", "2025-01-01"));
        assert_eq!(ends("2024-02"), is("2024-02-01", "2024-03-01"));
        assert_eq!(ends("2024-12"), is("2024-12-01", "2025-01-01"));
        assert_eq!(ends("2024-02-29"), is("2024-02-29", "2024-03-01"));
        for none in ["", "24", "2023-02-29", "2024-13", "2024-1-1", "2024-01-01-01", "+024", "2024-00"] {
            assert_eq!(ends(none), None, "{none}");
        }
    }
}
