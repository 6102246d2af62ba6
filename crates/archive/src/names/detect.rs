//! Detects the multi-byte character set that names are in, if any.

use super::charset::{MultiByte, decoded};
use super::{common_letters, cp437, is_between_ascii};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// So much of what is not ASCII has to be in everyday use in the language of a set.
const LEAST: f64 = 0.4;

/// The set of several bytes that these names are in, none of which is ASCII.
pub fn legacy(names: &[&[u8]]) -> Option<MultiByte> {
    // Where a backslash stands before a dot, it is a letter's second byte: no folder holds a file of only an ending.
    let whole = |text: String| !text.contains("\\.");
    // Among many names a few may be cut or in another set.
    let utf8 = names.iter().filter(|name| std::str::from_utf8(name).is_ok()).count();
    let few = if utf8 * 2 < names.len() { names.len() / 8 } else { 0 };
    let unfit = |set: MultiByte| names.iter().filter(|name| !decoded(name, set).is_some_and(whole)).count();
    let fits = |set: &MultiByte| unfit(*set) <= few;
    let cut = names.iter().any(|name| name.windows(3).any(|three| three[0] >= 0x80 && &three[1..] == b"\\."));
    let least = if cut { -1.0 } else { LEAST };
    let fitting: Vec<_> = MultiByte::ALL.into_iter().filter(fits).collect();
    if fitting.is_empty() || names.iter().all(|name| is_western(name)) {
        return None;
    }
    let texts = |set: MultiByte| names.iter().filter_map(|name| decoded(name, set)).collect::<Vec<_>>();
    let mut rated: Vec<_> = fitting
        .into_iter()
        .map(|set| (rating(names, set), set, common_letters::share(&texts(set), set)))
        .filter(|(rating, ..)| *rating >= least)
        // Single rare letters inside words of ASCII are other words' accents.
        .filter(|(_, set, usual)| {
            *usual != Some(0.0) || !texts(*set).iter().all(|name| is_between_ascii(name))
        })
        .collect();
    // Stable: of equals, the first of all sets.
    rated.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    let &(best, ..) = rated.first()?;
    rated.retain(|(rating, ..)| *rating > best - 0.3);
    let most = rated.iter().filter_map(|(.., usual)| *usual).fold(0.0, f64::max);
    rated.retain(|(.., usual)| usual.is_none_or(|usual| usual > most - 0.2));
    // The detector knows how often which letters occur beside one another.
    let detected = detect(names);
    let chosen = rated.iter().find(|(_, set, _)| Some(*set) == detected).or(rated.first())?;
    Some(chosen.1)
}

/// Whether names that are valid UTF-8 are in it for sure. Two bytes that make a letter there may be one of another set.
pub fn is_surely_utf8(names: &[&[u8]]) -> bool {
    let texts: Vec<_> = names.iter().filter_map(|name| std::str::from_utf8(name).ok()).collect();
    if super::is_surely_utf8(&texts) {
        return true;
    }
    let doubtful = |set: &MultiByte| {
        let texts: Vec<_> = names.iter().filter_map(|name| decoded(name, *set)).collect();
        texts.len() == names.len() && common_letters::share(&texts, *set).is_some_and(|share| share >= 0.5)
    };
    !MultiByte::ALL.iter().any(doubtful)
}

/// Whether names read as Russian in code page 866: words of its letters alone.
pub fn is_cp866(names: &[&[u8]]) -> bool {
    let letter = |byte: u8| matches!(byte, 0x80..=0xaf | 0xe0..=0xf1);
    let word = |word: &[u8]| {
        let upper = word.iter().filter(|byte| **byte >= 0x80).count();
        upper == 0 || upper == word.len() && word.iter().all(|byte| letter(*byte))
    };
    let words =
        || names.iter().flat_map(|name| name.split(|byte| !byte.is_ascii_alphabetic() && *byte < 0x80));
    words().all(word) && words().filter(|word| !word.is_ascii()).any(|word| word.len() >= 3)
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
