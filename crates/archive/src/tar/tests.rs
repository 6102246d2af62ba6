use super::*;
use crate::{ArchiveFault, Reason};
use ::tar::{Builder, EntryType, Header};

fn header(size: usize, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size as u64);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

fn append(builder: &mut Builder<Vec<u8>>, name: &str, data: &[u8]) {
    builder.append_data(&mut header(data.len(), EntryType::Regular), name, data).unwrap();
}

/// A file's name and content.
type File = (String, Result<Vec<u8>, Reason>);

/// All files, and how reading ended.
fn walked(bytes: &[u8]) -> (Vec<File>, Result<(), ArchiveFault>) {
    let mut walk = HeaderReader::new(bytes.len() as u64);
    let (mut members, mut end) = (Vec::new(), Ok(()));
    while let Some(range) = walk.wants() {
        match walk.give(&bytes[range.start as usize..range.end as usize]) {
            Ok(member) => members.extend(member),
            Err(fault) => end = Err(fault),
        }
    }
    let content = |member: &Member| {
        member.content.clone().map(|range| bytes[range.start as usize..range.end as usize].to_vec())
    };
    let contents: Vec<_> = members.iter().map(content).collect();
    (decode_names(&members).into_iter().zip(contents).collect(), end)
}

#[test]
fn files_are_listed_with_their_bytes_and_long_names() {
    let long = format!("{}/{}.jpg", "folder/".repeat(30), "a".repeat(120));
    let mut builder = Builder::new(Vec::new());
    builder.append_data(&mut header(0, EntryType::Directory), "holiday/", &b""[..]).unwrap();
    append(&mut builder, "holiday/cat.jpg", b"a cat");
    append(&mut builder, &long, &[7; 513]);
    builder.append_pax_extensions([("path", "猫/pax.jpg".as_bytes()), ("mtime", &b"1.5"[..])]).unwrap();
    append(&mut builder, "short.jpg", &[8; 512]);
    append(&mut builder, "last.jpg", b"");
    let bytes = builder.into_inner().unwrap();
    let (files, end) = walked(&bytes);
    let expected = [
        ("holiday/cat.jpg", b"a cat".to_vec()),
        (&long, vec![7; 513]),
        ("猫/pax.jpg", vec![8; 512]),
        ("last.jpg", vec![]),
    ];
    // The crate for writing squeezes doubled slashes in names.
    let files: Vec<_> =
        files.iter().map(|(name, content)| (name.as_str(), content.clone().unwrap())).collect();
    assert_eq!(end, Ok(()));
    assert_eq!(files.len(), expected.len());
    for (file, (name, content)) in files.iter().zip(&expected) {
        assert_eq!((file.0.replace("//", "/"), &file.1), (name.replace("//", "/"), content));
    }
}

#[test]
fn links_are_the_file_or_left_out() {
    let mut builder = Builder::new(Vec::new());
    append(&mut builder, "a.jpg", b"content");
    builder.append_link(&mut header(0, EntryType::Link), "same.jpg", "a.jpg").unwrap();
    builder.append_link(&mut header(0, EntryType::Link), "lost.jpg", "gone.jpg").unwrap();
    builder.append_link(&mut header(0, EntryType::Symlink), "soft.jpg", "a.jpg").unwrap();
    append(&mut builder, "b.jpg", b"more");
    let (files, end) = walked(&builder.into_inner().unwrap());
    let special = Err(Reason::Special);
    let expected = [
        ("a.jpg", Ok(b"content".to_vec())),
        ("same.jpg", Ok(b"content".to_vec())),
        ("lost.jpg", special.clone()),
        ("soft.jpg", special),
        ("b.jpg", Ok(b"more".to_vec())),
    ];
    assert_eq!(files, expected.map(|(name, content)| (name.to_owned(), content)));
    assert_eq!(end, Ok(()));
}

#[test]
fn what_comes_before_a_damaged_header_stands() {
    let mut builder = Builder::new(Vec::new());
    append(&mut builder, "a.jpg", b"content");
    append(&mut builder, "b.jpg", b"more");
    let mut bytes = builder.into_inner().unwrap();
    bytes[1024 + 3] ^= 1;
    let (files, end) = walked(&bytes);
    assert_eq!((files.len(), end), (1, Err(ArchiveFault::Damaged)));
}

#[test]
fn an_archive_cut_anywhere_tells_of_all_that_is_whole() {
    let mut builder = Builder::new(Vec::new());
    append(&mut builder, "a.jpg", &[1; 700]);
    append(&mut builder, "b.jpg", &[2; 300]);
    let bytes = builder.into_inner().unwrap();
    for cut in 0..bytes.len() {
        let (files, end) = walked(&bytes[..cut]);
        let whole = files.iter().filter(|(_, content)| content.is_ok()).count();
        let expected = usize::from(cut >= 512 + 700) + usize::from(cut >= 1536 + 512 + 300);
        assert_eq!(whole, expected, "cut at {cut}");
        let silent = end.is_ok();
        let between = [0, 1536, 2560].contains(&cut) || (1212..1536).contains(&cut) || cut >= 2348;
        assert_eq!(silent, between, "cut at {cut}: a loss is told");
    }
}

#[test]
fn sizes_beyond_reason_are_refused() {
    for kind in [EntryType::Regular, EntryType::GNULongName, EntryType::XHeader] {
        let mut huge = header(0, kind);
        huge.set_size(u64::MAX >> 1);
        huge.set_path("a.jpg").unwrap();
        huge.set_cksum();
        let bytes = [&huge.as_bytes()[..], &[0; 1024]].concat();
        let (files, end) = walked(&bytes);
        assert!(files.iter().all(|(_, content)| *content == Err(Reason::Unreadable)), "{files:?}");
        assert_eq!(end, Err(ArchiveFault::Damaged));
    }
}

/// Old Unix: no mark, and a type of zero.
#[test]
fn headers_of_old_unix_are_read() {
    let mut old = Header::new_old();
    old.set_size(3);
    old.set_entry_type(EntryType::new(0));
    old.set_path("old.jpg").unwrap();
    old.set_cksum();
    let mut bytes = old.as_bytes().to_vec();
    bytes.extend(b"old");
    let (files, end) = walked(&bytes);
    assert_eq!((files, end), (vec![("old.jpg".to_owned(), Ok(b"old".to_vec()))], Ok(())));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_panic_or_an_endless_loop(
        places in proptest::collection::vec((0usize..4096, 0u8..), 0..10),
        fix in proptest::bool::ANY,
    ) {
        let mut builder = Builder::new(Vec::new());
        builder.append_pax_extensions([("path", &b"pax.jpg"[..])]).unwrap();
        append(&mut builder, &"long".repeat(40), &[1; 600]);
        let mut bytes = builder.into_inner().unwrap();
        for (at, value) in places {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        if fix {
            let mut header = Header::from_byte_slice(&bytes[..512]).clone();
            header.set_cksum();
            bytes[..512].copy_from_slice(header.as_bytes());
        }
        let (files, _) = walked(&bytes);
        assert!(files.len() < 10);
    }
}
