//! Which character set of several bytes names are in, if any.

use super::charset::{MultiByte, decoded};
use super::{cp437, everyday};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// So much of what is not ASCII has to be in everyday use in the language of a set.
const LEAST: f64 = 0.4;

/// The set of several bytes that all these names are in: not one of them is ASCII or all of them UTF-8.
pub fn legacy(names: &[&[u8]]) -> Option<MultiByte> {
    let fits = |set: &MultiByte| names.iter().all(|name| decoded(name, *set).is_some());
    let fitting: Vec<_> = MultiByte::ALL.into_iter().filter(fits).collect();
    if fitting.is_empty() || names.iter().all(|name| is_western(name)) {
        return None;
    }
    let mut rated: Vec<_> = fitting.into_iter().map(|set| (rating(names, set), set)).collect();
    // Stable: of equals, the first of all sets.
    rated.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let &(best, first) = rated.first()?;
    if best < LEAST {
        return None;
    }
    let mut close: Vec<_> =
        rated.iter().filter(|(rating, _)| *rating > best - 0.3).map(|&(_, set)| set).collect();
    let usual = |set: MultiByte| {
        let names: Vec<_> = names.iter().filter_map(|name| decoded(name, set)).collect();
        everyday::share(&names, set)
    };
    if [MultiByte::Gbk, MultiByte::EucKr].iter().all(|set| close.contains(set)) {
        let (gbk, korean) = (usual(MultiByte::Gbk), usual(MultiByte::EucKr));
        close.retain(|set| match set {
            MultiByte::Gbk => gbk >= korean,
            MultiByte::EucKr => korean >= gbk,
            MultiByte::Big5 | MultiByte::ShiftJis => true,
        });
    }
    // The detector knows how often which letters occur beside one another.
    let detected = detect(names);
    let first = close.first().copied().unwrap_or(first);
    Some(close.into_iter().find(|set| Some(*set) == detected).unwrap_or(first))
}

fn detect(names: &[&[u8]]) -> Option<MultiByte> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for name in names {
        detector.feed(name, false);
        detector.feed(b"\n", false);
    }
    detector.feed(b"", true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    MultiByte::ALL.into_iter().find(|set| set.encoding() == guess)
}

/// What share of the letters outside ASCII are in everyday use, less those that hardly ever occur.
fn rating(names: &[&[u8]], set: MultiByte) -> f64 {
    let (mut sum, mut letters) = (0.0, 0.0);
    for name in names {
        let mut bytes = *name;
        while let Some((&lead, rest)) = bytes.split_first() {
            let alone = lead < 0x80 || set == MultiByte::ShiftJis && matches!(lead, 0xa1..=0xdf);
            let trail = rest.first().copied().filter(|_| !alone);
            bytes = if trail.is_some() { &rest[1..] } else { rest };
            if lead >= 0x80 {
                sum += weight(set, lead, trail.unwrap_or_default());
                letters += 1.0;
            }
        }
    }
    if letters > 0.0 { sum / letters } else { 0.0 }
}

/// How usual a letter is, by the plane of the standard that it is in: 1 in everyday use, less than 0 rare.
fn weight(set: MultiByte, lead: u8, trail: u8) -> f64 {
    let both = u16::from_be_bytes([lead, trail]);
    match set {
        // GB 2312: symbols, level 1 and level 2; the rest is GBK's own.
        MultiByte::Gbk => match (lead, trail) {
            (0xb0..=0xd7, 0xa1..) => 1.0,
            (0xd8..=0xf7, 0xa1..) => 0.1,
            (0xa1..=0xa3, 0xa1..) => 0.4,
            _ => -0.4,
        },
        // Symbols, level 1 and level 2.
        MultiByte::Big5 => match both {
            0xa440..=0xc67e => 1.0,
            0xc940..=0xf9d5 => 0.0,
            0xa140..=0xa3bf => 0.4,
            _ => -1.0,
        },
        // Kana of full width, level 1 and level 2; kana of half width are one byte.
        MultiByte::ShiftJis => match both {
            0x829f..=0x82f1 | 0x8340..=0x8396 | 0x889f..=0x9872 => 1.0,
            0x8140..=0x81fc => 0.6,
            0x824f..=0x829a => 0.5,
            0xa100..=0xdf00 => -0.1,
            0x989f..=0xeaa4 => 0.0,
            _ => -1.0,
        },
        // KS X 1001: Hangul and Hanja; the rest is the code page's own.
        MultiByte::EucKr => match (lead, trail) {
            (0xb0..=0xc8, 0xa1..) => 1.0,
            (0xa1..=0xac, 0xa1..) => 0.2,
            (0xca..=0xfd, 0xa1..) => -0.2,
            _ => -0.5,
        },
    }
}

/// Whether the name reads as western words in code page 437: single accented letters, or two, inside words.
fn is_western(name: &[u8]) -> bool {
    let letter = |at: usize| name.get(at).is_some_and(u8::is_ascii_alphabetic);
    let mut at = 0;
    while at < name.len() {
        if name[at] < 0x80 {
            at += 1;
            continue;
        }
        let run = name[at..].iter().take_while(|byte| **byte >= 0x80).count();
        let after = name[at + run..].iter().take_while(|byte| byte.is_ascii_alphabetic());
        let (after, shouted) = (after.clone().count(), after.clone().all(u8::is_ascii_uppercase));
        let inside = at > 0 && letter(at - 1);
        let accented = name[at..at + run].iter().all(|byte| cp437::is_letter(*byte));
        let capital = matches!(name[at], 0x80 | 0x8e..=0x90 | 0x92 | 0x99 | 0x9a | 0xa5);
        let cased = after == 0 || !shouted || capital;
        if !accented || run > 2 || !(inside || run == 1 && after >= 2) || !cased {
            return false;
        }
        at += run;
    }
    true
}
