use super::list::crc32;
use super::*;
use crate::{ArchiveFault, Reason};
use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use std::io::{Cursor, Write};

fn archive(large: bool) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(large);
    writer.add_directory("holiday", options).unwrap();
    writer.start_file("holiday/cat.jpg", options).unwrap();
    writer.write_all(b"a cat").unwrap();
    writer.start_file("猫.jpg", options).unwrap();
    writer.write_all(b"another cat").unwrap();
    writer.set_comment("made for a test").unwrap();
    writer.finish().unwrap().into_inner()
}

/// A file for [`built`].
#[derive(Clone, Default)]
struct Made<'a> {
    name: &'a [u8],
    data: &'a [u8],
    flags: u16,
    method: u16,
    extra: Vec<u8>,
}

/// An archive byte by byte, for what no writer makes.
fn built(files: &[Made]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let offset = bytes.len() as u32;
        let mut common = Vec::new();
        common.extend(20u16.to_le_bytes());
        common.extend(file.flags.to_le_bytes());
        common.extend(file.method.to_le_bytes());
        common.extend([0; 8]);
        common.extend((file.data.len() as u32).to_le_bytes());
        common.extend((file.data.len() as u32).to_le_bytes());
        common.extend((file.name.len() as u16).to_le_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend([0; 2]);
        bytes.extend(file.name);
        bytes.extend(file.data);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend((file.extra.len() as u16).to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(file.name);
        directory.extend(&file.extra);
    }
    let (offset, size, count) = (bytes.len() as u32, directory.len() as u32, files.len() as u16);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn file<'a>(name: &'a [u8], data: &'a [u8]) -> Made<'a> {
    Made { name, data, ..Made::default() }
}

fn listed(archive: &[u8]) -> Result<Listing, ArchiveFault> {
    let tail = &archive[archive.len().saturating_sub(TAIL as usize)..];
    let places = directories(tail, archive.len() as u64)?;
    let read =
        |place: &Directory| list(&archive[place.range.start as usize..place.range.end as usize], place);
    places.iter().find_map(|place| read(place).ok()).ok_or(ArchiveFault::Damaged)
}

fn content<'a>(archive: &'a [u8], entry: &Entry) -> &'a [u8] {
    let header = entry.header();
    let data = entry.data(&archive[header.start as usize..header.end as usize]).unwrap();
    &archive[data.start as usize..data.end as usize]
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn files_are_found_by_the_directory_at_the_end() {
    for large in [false, true] {
        let bytes = archive(large);
        let listing = listed(&bytes).unwrap();
        assert_eq!(names(&listing), ["holiday/cat.jpg", "猫.jpg"]);
        assert_eq!((listing.entries[0].file_name(), listing.entries[0].size), ("cat.jpg", 5));
        assert_eq!(content(&bytes, &listing.entries[1]), b"another cat");
        assert_eq!(listing.unreadable, 0);
    }
}

#[test]
fn bytes_before_and_behind_an_archive_do_no_harm() {
    let long = vec![b'x'; 1 << 20];
    for large in [false, true] {
        let bytes = archive(large);
        for before in [&b""[..], b"MZ, a program that unpacks itself", &long] {
            for behind in [&b""[..], b"\r\n", b"<html>Scanned by a mail gateway</html>", &long[..1 << 19]] {
                let whole = [before, &bytes, behind].concat();
                let listing = listed(&whole).unwrap();
                let (before, behind) = (before.len(), behind.len());
                assert_eq!(names(&listing), ["holiday/cat.jpg", "猫.jpg"], "{large} {before} {behind}");
                assert_eq!(content(&whole, &listing.entries[0]), b"a cat", "{large} {before} {behind}");
            }
        }
    }
}

/// Programs that unpack themselves may have offsets from the file's beginning.
#[test]
fn offsets_that_count_what_stands_before_are_taken_as_they_are() {
    let stub = file(b"stub", b"anything before the archive");
    let mut bytes = built(&[stub, file(b"cat.jpg", b"a cat")]);
    // The first file's header is no longer one.
    bytes[..4].copy_from_slice(b"MZ\0\0");
    let listing = listed(&bytes).unwrap();
    assert_eq!(content(&bytes, &listing.entries[1]), b"a cat");
}

#[test]
fn the_mark_of_the_end_in_a_comment_is_not_the_end() {
    let mut bytes = built(&[file(b"a.jpg", b"a")]);
    let comment = b"PK\x05\x06 and then some words of a comment";
    let at = bytes.len() - 2;
    bytes[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    assert_eq!(names(&listed(&bytes).unwrap()), ["a.jpg"]);
}

#[test]
fn an_archive_inside_is_not_taken_for_the_outer_one() {
    let inner = built(&[file(b"inner.jpg", b"i")]);
    let bytes = built(&[file(b"a.jpg", b"a"), file(b"inner.zip", &inner)]);
    assert_eq!(names(&listed(&bytes).unwrap()), ["a.jpg", "inner.zip"]);
    let behind = [&bytes[..], b"\n"].concat();
    let listing = listed(&behind).unwrap();
    assert_eq!(names(&listing), ["a.jpg", "inner.zip"]);
    assert_eq!(names(&listed(content(&behind, &listing.entries[1])).unwrap()), ["inner.jpg"]);
}

/// 表, ソ and 能 end in the byte of a backslash, in the set of Japanese Windows.
#[test]
fn a_backslash_inside_a_letter_separates_no_folders() {
    let names: [&[u8]; 4] = [b"\x95\\.jpg", b"\x83\\.jpg", b"\x97\\\x92\xe8/\x94\\.jpg", b"\x94L.jpg"];
    let listing = listed(&built(&names.map(|name| file(name, b"x")))).unwrap();
    let read: Vec<_> = listing.entries.iter().map(Entry::file_name).collect();
    assert_eq!(read, ["表.jpg", "ソ.jpg", "能.jpg", "猫.jpg"]);
}

#[test]
fn names_are_read_as_the_archive_declares_them() {
    let path = |of: &[u8], name: &str, version: u8| {
        let crc = crc32(of).to_le_bytes();
        let data = [&[version][..], &crc, name.as_bytes()].concat();
        [&0x7075u16.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), &data].concat()
    };
    let flagged = Made { flags: 1 << 11, ..file("täglich.jpg".as_bytes(), b"") };
    let extra = Made { extra: path(b"?.jpg", "猫.jpg", 1), ..file(b"?.jpg", b"") };
    let renamed = Made { extra: path(b"?.jpg", "猫.jpg", 1), ..file(b"dog.jpg", b"") };
    let newer = Made { extra: path(b"!.jpg", "猫.jpg", 2), ..file(b"!.jpg", b"") };
    let other_first =
        Made { extra: [b"UT\x01\0\0".to_vec(), path(b"b", "犬.jpg", 1)].concat(), ..file(b"b", b"") };
    let plain = file(b"gr\x94\xe1er.jpg", b"");
    let listing = listed(&built(&[flagged, extra, renamed, newer, other_first, plain])).unwrap();
    assert_eq!(names(&listing), ["täglich.jpg", "猫.jpg", "dog.jpg", "!.jpg", "犬.jpg", "größer.jpg"]);
}

#[test]
fn what_cannot_be_unpacked_is_listed_with_the_reason() {
    let encrypted = Made { flags: 9, method: 99, ..file(b"a.jpg", b"x") };
    let packed = |name, method| Made { method, ..file(name, b"x") };
    let files =
        [encrypted, packed(b"b.jpg", 9), packed(b"c.jpg", 14), packed(b"d.jpg", 8), packed(b"e.jpg", 77)];
    let listing = listed(&built(&files)).unwrap();
    let told: Vec<_> = listing.entries.iter().map(|entry| (entry.obstacle(), entry.method.name())).collect();
    let method = Some(Reason::Method);
    let expected = [
        (Some(Reason::Encrypted), "AES"),
        (method, "Deflate64"),
        (method, "LZMA"),
        (None, "Deflate"),
        (method, "method 77"),
    ];
    assert_eq!(told, expected.map(|(reason, name)| (reason, name.to_owned())));
}

#[test]
fn entries_that_are_announced_and_missing_are_counted() {
    let mut bytes = built(&[file(b"a.jpg", b"x"), file(b"b.jpg", b"x"), file(b"c.jpg", b"x")]);
    let third = bytes.windows(4).rposition(|mark| mark == b"PK\x01\x02").unwrap();
    bytes[third] = b'?';
    let listing = listed(&bytes).unwrap();
    assert_eq!((listing.entries.len(), listing.unreadable), (2, 1));
}

#[test]
fn a_part_of_an_archive_is_told_from_a_damaged_one() {
    let mut bytes = built(&[file(b"a.jpg", b"x")]);
    let disk = bytes.len() - 18;
    bytes[disk] = 2;
    assert_eq!(listed(&bytes), Err(ArchiveFault::Split));
    assert_eq!(listed(b"no archive at all, but long enough for a record"), Err(ArchiveFault::Damaged));
    assert_eq!(listed(b""), Err(ArchiveFault::Damaged));
}

#[test]
fn an_empty_archive_is_one() {
    assert_eq!(listed(&built(&[])), Ok(Listing::default()));
}

#[test]
fn an_archive_cut_anywhere_is_refused_without_a_panic() {
    let bytes = archive(true);
    let end = bytes.windows(4).rposition(|mark| mark == b"PK\x05\x06").unwrap();
    for cut in 0..end + 22 {
        assert!(listed(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    // Only the comment is missing.
    assert_eq!(names(&listed(&bytes[..end + 22]).unwrap()), ["holiday/cat.jpg", "猫.jpg"]);
}

#[test]
fn a_directory_beyond_reason_is_refused_before_it_is_read() {
    let mut bytes = archive(false);
    let end = bytes.len() - "made for a test".len() - 22;
    bytes[end + 12..end + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(listed(&bytes), Err(ArchiveFault::TooManyFiles));
}

fn look_at_all(bytes: &[u8]) {
    for entry in listed(bytes).unwrap_or_default().entries {
        let header = usize::try_from(entry.header().start).ok().and_then(|start| bytes.get(start..));
        // What it says is checked against the file's length when the bytes are taken.
        let _ = entry.data(header.unwrap_or_default());
    }
}

#[test]
fn no_byte_turned_over_makes_a_panic() {
    for bytes in [archive(true), archive(false)] {
        for at in 0..bytes.len() {
            for flip in [0xff, 1, 0x80] {
                let mut bent = bytes.clone();
                bent[at] ^= flip;
                look_at_all(&bent);
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_panic(
        places in proptest::collection::vec((0usize..600, 0u8..), 0..12),
        before in proptest::collection::vec(0u8.., 0..40),
        behind in proptest::collection::vec(0u8.., 0..40),
    ) {
        let mut bytes = [before, archive(true), behind].concat();
        for (at, value) in places {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        look_at_all(&bytes);
    }

    #[test]
    fn every_file_of_an_archive_is_listed_with_its_bytes(
        files in proptest::collection::vec(("[a-z猫é]{1,12}", proptest::collection::vec(0u8.., 0..30)), 0..20),
        before in proptest::collection::vec(0u8.., 0..200),
    ) {
        let made: Vec<_> = files
            .iter()
            .map(|(name, data)| Made { flags: 1 << 11, ..file(name.as_bytes(), data) })
            .collect();
        let bytes = [before, built(&made)].concat();
        let listing = listed(&bytes).unwrap();
        assert_eq!(listing.entries.len(), files.len());
        for (entry, (name, data)) in listing.entries.iter().zip(&files) {
            assert_eq!(&entry.name, name);
            assert_eq!(content(&bytes, entry), data);
        }
    }
}
