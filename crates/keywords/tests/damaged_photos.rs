//! Damaged and hostile files: an error, or a change that leaves the rest as it is.

mod support;

use keywords::{Container, embed, sidecar};
use proptest::prelude::*;
use support::*;

fn small() -> Vec<Vec<u8>> {
    let xmp = variants().into_iter().find(|variant| variant.name == "packet-little-padding").unwrap().xmp;
    let jpeg = jpeg_with(&photo("baseline.jpg"), &[xmp_segment(&xmp)]);
    let png = png_with(&photo("one-pixel.png"), &xmp_chunk(&xmp, true));
    let plain = png_with(&photo("one-pixel.png"), &xmp_chunk(&xmp, false));
    let lossy = riff_chunk(b"VP8 ", &[0, 0, 0, 0x9d, 0x01, 0x2a, 9, 0, 7, 0, 1, 2, 3]);
    let extended = webp(&[
        riff_chunk(b"VP8X", &[4, 0, 0, 0, 8, 0, 0, 6, 0, 0]),
        lossy.clone(),
        riff_chunk(b"XMP ", &xmp),
    ]);
    vec![jpeg, png, plain, webp(&[lossy]), extended]
}

/// A file that is cut short is refused at every length, but where only what follows its end is missing.
#[test]
fn files_that_are_cut_short_are_refused() {
    for file in small() {
        let container = Container::of(&file).unwrap();
        for length in 0..file.len() {
            let result = embed(&file[..length], &keywords(&["a|b"]));
            assert!(result.is_err(), "{container:?} of {length} of {} bytes: {result:?}", file.len());
        }
    }
    for name in ["truncated.jpg", "truncated-progressive.jpg", "truncated.png", "truncated.webp"] {
        assert!(embed(&photo(name), &keywords(&["a"])).is_err(), "{name}");
    }
}

#[test]
fn lengths_beyond_the_file_are_refused() {
    let mut png = photo("one-pixel.png");
    png[33..37].copy_from_slice(&[0xff; 4]);
    assert!(embed(&png, &keywords(&["a"])).is_err());
    let mut webp = small().remove(3);
    webp[16..20].copy_from_slice(&[0xff; 4]);
    assert!(embed(&webp, &keywords(&["a"])).is_err());
    let bomb = xmp_chunk(&vec![b' '; 40 << 20], true);
    let error = embed(&png_with(&photo("one-pixel.png"), &bomb), &keywords(&["a"])).unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
    let deep = "<a>".repeat(200_000);
    assert!(sidecar(Some(deep.as_bytes()), &keywords(&["a"])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever byte is damaged: no panic, and a change that is given can be undone.
    #[test]
    fn damage_never_panics(which in 0usize..5, at in any::<prop::sample::Index>(), value: u8, more: u8) {
        let mut file = small().swap_remove(which);
        let length = file.len();
        file[at.index(length)] = value;
        file[(at.index(length) + usize::from(more)) % length] ^= more;
        if let Ok(Some(change)) = embed(&file, &keywords(&["animal|cat", "b"])) {
            let new = changed(&file, &change);
            prop_assert_eq!(embed(&new, &keywords(&["animal|cat", "b"])), Ok(None));
        }
    }

    #[test]
    fn damaged_xmp_never_panics(which in 0usize..20, at in any::<prop::sample::Index>(), value: u8, cut: bool) {
        let all = variants();
        let mut xmp = all[which % all.len()].xmp.clone();
        let index = at.index(xmp.len());
        xmp[index] = value;
        if cut {
            xmp.truncate(index);
        }
        if let Ok(Some(change)) = sidecar(Some(&xmp), &keywords(&["animal|cat", "b"])) {
            let new = changed(&xmp, &change);
            prop_assert_eq!(sidecar(Some(&new), &keywords(&["animal|cat", "b"])), Ok(None));
        }
    }

    /// Random changes of the answer: what others wrote is there after each, and what is wanted too.
    #[test]
    fn others_keywords_survive_every_sequence(
        which in 0usize..20,
        answers in prop::collection::vec(prop::collection::vec("[a-z<&|猫\"']{1,6}", 0..4), 1..6),
    ) {
        let all = variants();
        let variant = &all[which % all.len()];
        let mut xmp = variant.xmp.clone();
        let clean = |words: Vec<String>| -> Vec<String> {
            let mut clean: Vec<String> = words.into_iter().map(|word| word.trim_matches('|').to_owned()).collect();
            clean.retain(|word| !word.is_empty());
            clean.sort();
            clean.dedup();
            clean
        };
        for answer in answers {
            let words = clean(answer);
            let wanted = keywords(&words.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(change) = sidecar(Some(&xmp), &wanted).unwrap() {
                xmp = changed(&xmp, &change);
            }
            let listed = keywords::xmp::listed(&xmp);
            let subjects = listed.map(|listed| listed.all.subjects).unwrap_or_default();
            for word in variant.subjects.iter().copied().chain(wanted.subjects.iter().map(String::as_str)) {
                prop_assert!(subjects.iter().any(|subject| subject == word), "{} {word:?} {subjects:?}", variant.name);
            }
        }
    }
}
