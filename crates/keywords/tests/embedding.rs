//! Keywords written into JPEG, PNG and WebP: what is there afterwards, and what is as it was.

mod support;

use beit::decode::decode_photo;
use keywords::xmp::listed;
use keywords::{EmbedError, Keywords, embed, packet};
use support::*;

const WANTED: [&str; 2] = ["animal|cat|tabby", "动物|猫|虎斑猫"];

/// Embeds, checks what is read back, the pixels, and that nothing changes a second time.
fn tagged(name: &str, file: &[u8], subjects: &[&str]) -> Vec<u8> {
    let wanted = keywords(&WANTED);
    let change = embed(file, &wanted).unwrap_or_else(|error| panic!("{name}: {error}")).unwrap();
    let new = changed(file, &change);
    let listed = listed(&packet(&new).unwrap().unwrap()).unwrap();
    for subject in subjects.iter().chain(&["tabby", "虎斑猫"]) {
        assert!(listed.all.subjects.contains(&(*subject).to_owned()), "{name}: {subject}");
    }
    assert_eq!(listed.all.paths, wanted.paths, "{name}");
    assert_eq!(embed(&new, &wanted), Ok(None), "{name}");
    assert_eq!(decode_photo(&new).unwrap().rgb, decode_photo(file).unwrap().rgb, "{name}");
    new
}

#[test]
fn every_container_takes_keywords_beside_every_spelling_of_xmp() {
    let (jpeg, png) = (photo("baseline.jpg"), photo("transparent.png"));
    let extended = tagged("WebP", &photo("lossless.webp"), &[]);
    let extended =
        webp(&chunks(&extended).into_iter().filter(|chunk| &chunk[..4] != b"XMP ").collect::<Vec<_>>());
    for Variant { name, xmp, subjects } in variants() {
        tagged(name, &jpeg_with(&jpeg, &[xmp_segment(&xmp)]), subjects);
        tagged(name, &png_with(&png, &xmp_chunk(&xmp, false)), subjects);
        tagged(name, &png_with(&png, &xmp_chunk(&xmp, true)), subjects);
        tagged(name, &webp_with(&extended, &xmp), subjects);
    }
}

#[test]
fn photos_of_every_kind_take_keywords() {
    for name in [
        "baseline.jpg",
        "progressive.jpg",
        "cmyk.jpg",
        "grey.jpg",
        "motion-photo.jpg",
        "ycck.jpg",
        "grey-alpha.png",
        "one-pixel.png",
        "palette-transparent.png",
        "sixteen-bit.png",
        "transparent.png",
        "lossy.webp",
        "lossless.webp",
        "animated.webp",
        "animated-transparent.webp",
    ] {
        tagged(name, &photo(name), &[]);
    }
}

/// The file without its XMP is the file that it was.
#[test]
fn every_other_byte_is_as_it_was() {
    let jpeg = photo("progressive.jpg");
    let new = tagged("JPEG", &jpeg, &[]);
    let at = find(&new, b"http://ns.adobe.com/xap/1.0/\0") - 4;
    let length = usize::from(u16::from_be_bytes([new[at + 2], new[at + 3]]));
    assert_eq!([&new[..at], &new[at + 2 + length..]].concat(), jpeg);

    let png = [photo("transparent.png"), b"behind the end".to_vec()].concat();
    let new = tagged("PNG", &png, &[]);
    let at = find(&new, b"iTXtXML:com.adobe.xmp\0") - 4;
    let length = u32::from_be_bytes(new[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!([&new[..at], &new[at + 12 + length..]].concat(), png);

    for name in ["lossy.webp", "lossless.webp", "animated.webp"] {
        let webp = [photo(name), b"behind the end".to_vec()].concat();
        let new = tagged(name, &webp, &[]);
        let old_chunks: Vec<_> = chunks(&webp).into_iter().filter(|chunk| &chunk[..4] != b"VP8X").collect();
        let new_chunks = chunks(&new);
        let media: Vec<_> =
            new_chunks.iter().filter(|chunk| !matches!(&chunk[..4], b"VP8X" | b"XMP ")).cloned().collect();
        assert_eq!(media, old_chunks, "{name}");
        assert_eq!(&new_chunks.last().unwrap()[..4], b"XMP ", "{name}");
        assert!(new.ends_with(b"behind the end"));
    }
}

fn find(file: &[u8], word: &[u8]) -> usize {
    file.windows(word.len()).position(|at| at == word).unwrap()
}

/// A WebP's chunks with what fills them up.
fn chunks(webp: &[u8]) -> Vec<Vec<u8>> {
    let number = |at: usize| u32::from_le_bytes(webp[at..at + 4].try_into().unwrap()) as usize;
    let (end, mut at, mut found) = (number(4) + 8, 12, Vec::new());
    while at < end {
        let next = at + 8 + number(at + 4).next_multiple_of(2);
        found.push(webp[at..next].to_vec());
        at = next;
    }
    assert_eq!(at, end);
    found
}

#[test]
fn a_simple_webp_becomes_an_extended_one_of_its_size() {
    for name in ["lossy.webp", "lossless.webp"] {
        let head = chunks(&tagged(name, &photo(name), &[])).swap_remove(0);
        let side = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]) + 1;
        let rgb = decode_photo(&photo(name)).unwrap().rgb;
        assert_eq!((&head[..4], side(12), side(15)), (&b"VP8X"[..], rgb.width, rgb.height), "{name}");
        assert_eq!(head[8], 0x04, "{name}");
    }
    // The lossless header's 29th bit says that there are transparent pixels.
    let mut transparent = photo("lossless.webp");
    transparent[24] |= 0x10;
    let change = embed(&transparent, &keywords(&WANTED)).unwrap().unwrap();
    assert_eq!(chunks(&changed(&transparent, &change))[0][8], 0x14);
}

/// Where a JPEG's marker segments stand.
fn markers(jpeg: &[u8]) -> Vec<u8> {
    let (mut at, mut found) = (2, Vec::new());
    while jpeg[at + 1] != 0xda {
        found.push(jpeg[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    found
}

#[test]
fn xmp_stands_behind_jfif_and_exif() {
    let jpeg = photo("baseline.jpg");
    assert_eq!(markers(&jpeg)[0], 0xe0);
    let exif = segment(0xe1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0");
    let jfif = jpeg[2..20].to_vec();
    let bare = [&jpeg[..2], &jpeg[20..]].concat();
    let icc = segment(0xe2, b"ICC_PROFILE\0\x01\x01");
    for (before, is_xmp) in [
        (vec![], 0),
        (vec![jfif.clone()], 1),
        (vec![exif.clone()], 1),
        (vec![jfif.clone(), exif.clone()], 2),
        (vec![exif.clone(), jfif.clone()], 1),
        (vec![jfif.clone(), icc.clone(), exif.clone()], 3),
        (vec![icc, jfif], 0),
    ] {
        let old = jpeg_with(&bare, &before);
        let mut expected = markers(&old);
        expected.insert(is_xmp, 0xe1);
        assert_eq!(markers(&tagged("order", &old, &[])), expected);
    }
}

#[test]
fn what_is_odd_in_a_jpeg_stays() {
    let jpeg = photo("baseline.jpg");
    // Fill bytes before a marker, a comment, an extended packet, data behind the end.
    let filled = [&jpeg[..2], &[0xff, 0xff], &jpeg[2..]].concat();
    tagged("fill bytes", &filled, &[]);
    let extended =
        segment(0xe1, &[&b"http://ns.adobe.com/xmp/extension/\0"[..], &[b'A'; 40], b"<x/>"].concat());
    let old = jpeg_with(&jpeg, &[segment(0xfe, b"comment"), extended.clone()]);
    let old = [&old[..], b"trailer of a motion photo"].concat();
    let new = tagged("extended", &old, &[]);
    assert!(new.ends_with(b"trailer of a motion photo"));
    find(&new, &extended);
    let with_keywords = segment(
        0xe1,
        &[
            &b"http://ns.adobe.com/xmp/extension/\0"[..],
            &[b'A'; 40],
            b"xmlns:dc='http://purl.org/dc/elements/1.1/' <dc:subject>",
        ]
        .concat(),
    );
    assert_eq!(embed(&jpeg_with(&jpeg, &[with_keywords]), &keywords(&WANTED)), Err(EmbedError::Extended));
}

/// A list of two images (CIPA DC-007), the second at this offset from the list.
fn image_list(is_big: bool, first_size: u32, second_offset: u32) -> Vec<u8> {
    let u16 = |n: u16| if is_big { n.to_be_bytes() } else { n.to_le_bytes() };
    let u32 = |n: u32| if is_big { n.to_be_bytes() } else { n.to_le_bytes() };
    let entry = |size, offset| [u32(0x030000), u32(size), u32(offset), u32(0)].concat();
    let directory = [&u16(1)[..], &u16(0xb002), &u16(7), &u32(32), &u32(26), &u32(0)].concat();
    let order: &[u8] = if is_big { b"MM\0*" } else { b"II*\0" };
    segment(
        0xe2,
        &[&b"MPF\0"[..], order, &u32(8), &directory, &entry(first_size, 0), &entry(77, second_offset)]
            .concat(),
    )
}

const SECOND: &[u8] = b"\xff\xd8 the second image";

#[test]
fn further_images_of_a_jpeg_are_found_where_the_list_says() {
    let jpeg = photo("baseline.jpg");
    let theirs = variants().swap_remove(0).xmp;
    for is_big in [true, false] {
        let xmp = xmp_segment(&theirs);
        for segments in [0, 1, 2] {
            let build = |size, offset| {
                let list = image_list(is_big, size, offset);
                // Without XMP, with it before the list, and behind it.
                jpeg_with(
                    &jpeg,
                    &[vec![list.clone()], vec![xmp.clone(), list.clone()], vec![list, xmp.clone()]][segments],
                )
            };
            let list_at = |file: &[u8]| find(file, b"MPF\0") + 4;
            let first = build(0, 0);
            let first = build(first.len() as u32, (first.len() - list_at(&first)) as u32);
            let old = [&first[..], SECOND].concat();
            let new = tagged("list", &old, &[]);
            let at = list_at(&new);
            let number = |at: usize| {
                let bytes = new[at..at + 4].try_into().unwrap();
                (if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }) as usize
            };
            assert_eq!(&new[at + number(at + 26 + 16 + 8)..], SECOND);
            assert_eq!(number(at + 26 + 4), new.len() - SECOND.len());
        }
    }
}

#[test]
fn an_image_that_could_be_lost_keeps_the_file_as_it_is() {
    let exif = segment(0xe1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0");
    let jpeg = jpeg_with(&photo("baseline.jpg"), &[exif]);
    let preview = [&jpeg[..], b"\xff\xd8 a preview whose offset is in EXIF"].concat();
    assert_eq!(embed(&preview, &keywords(&WANTED)), Err(EmbedError::Offsets));
    let list = segment(0xe2, b"MPF\0something else");
    let unknown = [&jpeg_with(&jpeg, &[list])[..], b"rest"].concat();
    assert_eq!(embed(&unknown, &keywords(&WANTED)), Err(EmbedError::Offsets));
    // In a packet with padding nothing moves.
    let padded = variants().into_iter().find(|variant| variant.name == "packet-padded").unwrap().xmp;
    let preview = jpeg_with(&preview, &[xmp_segment(&padded)]);
    assert_eq!(tagged("padded", &preview, &[]).len(), preview.len());
}

#[test]
fn a_jpeg_segment_takes_what_it_can() {
    let jpeg = photo("baseline.jpg");
    let padded = |padding: usize| {
        let text = String::from_utf8(variants().into_iter().find(|v| v.name == "packet-padded").unwrap().xmp)
            .unwrap();
        let text = text.replace(&" ".repeat(2000), &" ".repeat(padding));
        let filler = "y".repeat(62_500 - text.len());
        text.replace("Z &amp; ü", &filler).into_bytes()
    };
    // Too little padding to take up the keywords, and too much to leave room for them: it is dropped.
    let tight = padded(3000);
    let long: Vec<String> = (0..40).map(|number| format!("keyword {number} {}", "x".repeat(10))).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let change = embed(&jpeg_with(&jpeg, &[xmp_segment(&tight)]), &keywords(&long[..20])).unwrap();
    assert!(change.is_some());
    let error = embed(&jpeg_with(&jpeg, &[xmp_segment(&tight)]), &keywords(&long)).unwrap_err();
    let EmbedError::NoRoom { bytes, most } = error else { panic!("{error}") };
    assert!(bytes > most && most == 65_504, "{bytes} {most}");
}

#[test]
fn what_keywords_would_harm_is_left_alone() {
    let wanted = keywords(&WANTED);
    let (jpeg, png) = (photo("baseline.jpg"), photo("transparent.png"));
    let xmp = variants().swap_remove(0).xmp;
    let signed = segment(0xeb, b"JP\0\0\0\0\0\0jumb c2pa");
    assert_eq!(embed(&jpeg_with(&jpeg, &[signed]), &wanted), Err(EmbedError::ContentCredentials));
    assert_eq!(
        embed(&png_with(&png, &png_chunk(b"caBX", b"x")), &wanted),
        Err(EmbedError::ContentCredentials)
    );
    let twice = jpeg_with(&jpeg, &[xmp_segment(&xmp), xmp_segment(&xmp)]);
    assert_eq!(embed(&twice, &wanted), Err(EmbedError::SeveralPackets));
    let chunk = xmp_chunk(&xmp, false);
    assert_eq!(embed(&png_with(&png_with(&png, &chunk), &chunk), &wanted), Err(EmbedError::SeveralPackets));
    let raw = png_chunk(b"zTXt", b"Raw profile type xmp\0\0x");
    assert_eq!(embed(&png_with(&png, &raw), &wanted), Err(EmbedError::RawProfile));
    let mut damaged = chunk;
    let end = damaged.len() - 1;
    damaged[end] ^= 1;
    assert!(matches!(embed(&png_with(&png, &damaged), &wanted), Err(EmbedError::Damaged(_))));
    assert_eq!(embed(&photo("photo.tiff"), &wanted), Err(EmbedError::Format));
    assert_eq!(embed(b"", &Keywords::default()), Err(EmbedError::Format));
}
