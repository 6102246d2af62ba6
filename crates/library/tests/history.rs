//! Random histories of a folder: photos come, change, move and go, runs are killed at any byte, shards are merged. After
//! a run that ends, the index says of every photo what the folder says; nothing known was computed again.

mod support;

use library::{
    Changes, Decision, Index, LibraryError, beginning, merge, photo_record, read, removal_record, whole,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{feature, photo, small_header as header};

/// Path → content and modification time.
type Folder = BTreeMap<String, (u64, i64)>;

#[derive(Clone, Debug)]
enum Step {
    Write {
        path: u8,
        content: u8,
    },
    Move {
        from: u8,
        to: u8,
    },
    Touch {
        path: u8,
    },
    Delete {
        path: u8,
    },
    /// A run that ends.
    Run,
    /// A run that is killed when it has written this part of its bytes.
    Killed(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = 0u8..8;
    let step = prop_oneof![
        4 => (path.clone(), 0u8..12).prop_map(|(path, content)| Step::Write { path, content }),
        2 => (path.clone(), path.clone()).prop_map(|(from, to)| Step::Move { from, to }),
        1 => path.clone().prop_map(|path| Step::Touch { path }),
        2 => path.prop_map(|path| Step::Delete { path }),
        2 => Just(Step::Run),
        3 => any::<prop::sample::Index>().prop_map(Step::Killed),
    ];
    prop::collection::vec(step, 1..40)
}

fn name(path: u8) -> String {
    format!("{}/{path}.jpg", ["旅行", "a", "b c"][usize::from(path % 3)])
}

/// What a run does with an index file: the new file, and the contents that the model had to look at.
fn run(file: &[u8], folder: &Folder) -> (Vec<u8>, Vec<u64>) {
    let (mut index, mut bytes) = match read(file) {
        Ok(opened) => (opened.index, file[..opened.whole_bytes as usize].to_vec()),
        Err(LibraryError::HeaderCutShort) => (Index::new(header()), beginning(&header()).unwrap()),
        Err(error) => panic!("{error}"),
    };
    let (mut changes, mut computed) = (Changes::new(), Vec::new());
    for (path, &(content, modified)) in folder {
        let made = library::Photo { modified, ..photo(path, content) };
        if changes.decide(&index, path, made.size, modified) == Decision::Unchanged {
            continue;
        }
        let known = Changes::known(&index, path, made.size, modified, &made.sha256);
        let (record, feature) = match known {
            Some(known) => known,
            None => {
                computed.push(content);
                (made, feature(content))
            }
        };
        bytes.extend(photo_record(&record, &feature, index.header()).unwrap());
        index.put(record, &feature).unwrap();
    }
    for path in changes.gone(&index) {
        bytes.extend(removal_record(&path));
        index.remove(&path);
    }
    (bytes, computed)
}

/// The contents that need not be computed again.
fn contents(file: &[u8]) -> Vec<u64> {
    let Ok(opened) = read(file) else { return Vec::new() };
    let is_known = |content: &u64| opened.index.with_content(&photo("x", *content).sha256).is_some();
    (0..12).filter(is_known).collect()
}

fn check(file: &[u8], folder: &Folder) {
    let opened = read(file).unwrap();
    assert!(opened.tail.is_none() && opened.whole_bytes == file.len() as u64);
    let index = &opened.index;
    assert_eq!(index.photos().len(), folder.len());
    for (path, &(content, modified)) in folder {
        let number = index.by_path(path).unwrap();
        assert_eq!(index.photos()[number], library::Photo { modified, ..photo(path, content) });
        assert_eq!(index.feature(number), feature(content));
        assert!(index.by_hash(&photo(path, content).sha256).contains(&number));
    }
    // Written anew it says the same, with nothing superfluous.
    let again = whole(index).unwrap();
    let compact = read(&again).unwrap();
    assert_eq!((whole(&compact.index).unwrap(), compact.superseded_bytes), (again.clone(), 0));
    assert_eq!(opened.superseded_bytes, (file.len() - again.len()) as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_run_that_ends_knows_the_folder_and_nothing_is_computed_twice(steps in steps()) {
        let (mut folder, mut file, mut clock) = (Folder::new(), Vec::new(), 0);
        for step in steps.into_iter().chain([Step::Run]) {
            clock += 1;
            match step {
                Step::Write { path, content } => {
                    folder.insert(name(path), (content.into(), clock));
                }
                Step::Move { from, to } => {
                    if let Some(moved) = folder.remove(&name(from)) {
                        folder.insert(name(to), moved);
                    }
                }
                Step::Touch { path } => {
                    folder.entry(name(path)).and_modify(|of| of.1 = clock);
                }
                Step::Delete { path } => {
                    folder.remove(&name(path));
                }
                Step::Run => {
                    let known = contents(&file);
                    let (new, computed) = run(&file, &folder);
                    prop_assert!(computed.iter().all(|content| !known.contains(content)));
                    file = new;
                    check(&file, &folder);
                    prop_assert_eq!(run(&file, &folder), (file.clone(), vec![]), "a second run has nothing to do");
                }
                Step::Killed(at) => {
                    let (new, _) = run(&file, &folder);
                    let begun = read(&file).map_or(0, |opened| opened.whole_bytes as usize);
                    let length = begun + at.index(new.len() - begun + 1);
                    let known = contents(&file);
                    file = new[..length].to_vec();
                    let now = contents(&file);
                    prop_assert!(known.iter().all(|content| now.contains(content)), "{known:?}, then {now:?}");
                }
            }
        }
    }

    /// Two processes that share a folder, in either order.
    #[test]
    fn merged_shards_are_the_index_of_one_run(
        photos in prop::collection::btree_map(0u8..40, (0u8..12, any::<bool>(), 0i64..4), 0..20),
    ) {
        let folder: Folder =
            photos.iter().map(|(path, (content, _, at))| (name(*path), (u64::from(*content), *at))).collect();
        let shard = |second: bool| -> Folder {
            let of = photos.iter().filter(|(_, (_, part, _))| *part == second);
            of.map(|(path, (content, _, at))| (name(*path), (u64::from(*content), *at))).collect()
        };
        let open = |folder: &Folder| read(&run(&[], folder).0).unwrap().index;
        let (one, two, all) = (open(&shard(false)), open(&shard(true)), open(&folder));
        for (first, second) in [(&one, &two), (&two, &one)] {
            let mut merged = first.clone();
            merge(&mut merged, second).unwrap();
            prop_assert_eq!(whole(&merged).unwrap(), whole(&all).unwrap());
            merge(&mut merged, second).unwrap();
            prop_assert_eq!(whole(&merged).unwrap(), whole(&all).unwrap());
        }
    }

    /// Whatever byte is damaged: no panic, and what is read is what was written before it.
    #[test]
    fn damage_is_cut_off(contents in prop::collection::vec(0u64..50, 1..12), at in any::<prop::sample::Index>(), flip in 1u8..=255) {
        let folder: Folder = contents.iter().enumerate().map(|(i, c)| (format!("{i:03}.jpg"), (*c, 1))).collect();
        let (file, _) = run(&[], &folder);
        let start = beginning(&header()).unwrap().len();
        let mut damaged = file.clone();
        let at = at.index(file.len());
        damaged[at] ^= flip;
        match read(&damaged) {
            Err(_) => prop_assert!(at < start),
            Ok(opened) => {
                prop_assert!(at >= start);
                let tail = opened.tail.unwrap();
                prop_assert!(opened.whole_bytes <= at as u64);
                prop_assert_eq!(opened.whole_bytes + tail.bytes, file.len() as u64);
                let rest = &file[..opened.whole_bytes as usize];
                prop_assert_eq!(whole(&opened.index).unwrap(), rest);
                // The next run has the same index in the end.
                let (mended, _) = run(&damaged, &folder);
                prop_assert_eq!(&mended, &file);
            }
        }
    }
}

#[test]
fn every_length_of_a_file_is_read_up_to_its_last_whole_record() {
    let folder: Folder = (0..3).map(|i| (name(i), (u64::from(i), 1))).collect();
    let (file, _) = run(&[], &folder);
    let start = beginning(&header()).unwrap().len();
    let record = (file.len() - start) / 3;
    for length in (0..start).step_by(97).chain(start..=file.len()) {
        match read(&file[..length]) {
            Err(error) => {
                assert!(length < start && error == LibraryError::HeaderCutShort, "{length}: {error}")
            }
            Ok(opened) => {
                let whole = (length - start) / record;
                assert!(
                    opened.index.photos().len() >= whole.saturating_sub(1) && length >= start,
                    "{length}"
                );
                let sentence = opened.tail.map(|tail| tail.to_string());
                assert_eq!(sentence.is_some(), opened.whole_bytes != length as u64);
                assert!(sentence.is_none_or(|sentence| sentence.contains("cut off while it was written")));
            }
        }
    }
}

#[test]
fn other_files_and_versions_are_refused_in_a_sentence() {
    let file = beginning(&header()).unwrap();
    let refused = |bytes: &[u8]| read(bytes).err().unwrap().to_string();
    for bytes in [&b"my precious notes"[..], b"beitlib!", b"{", b"PK\x03\x04"] {
        assert!(refused(bytes).contains("no index of photos"), "{bytes:?}");
    }
    let mut later = file.clone();
    later[8] = 2;
    assert!(refused(&later).contains("version 2") && refused(&later).contains("newer program"));
    let mut damaged = file.clone();
    damaged[60] ^= 1;
    assert!(refused(&damaged).contains("index the folder again"), "{}", refused(&damaged));
}

#[test]
fn a_record_that_no_index_can_have_is_refused() {
    let header = header();
    let sound = photo("a/b.jpg", 1);
    let refused = |photo: &library::Photo, of: &library::Feature| {
        let error = photo_record(photo, of, &header).unwrap_err();
        assert_eq!(Index::new(header.clone()).put(photo.clone(), of).unwrap_err(), error);
        error.to_string()
    };
    for path in ["", "/etc/passwd", "a//b.jpg", "../b.jpg", "a/../../b.jpg", "a/./b", "a\0b", "a/"] {
        let error = refused(&library::Photo { path: path.into(), ..sound.clone() }, &feature(1));
        assert!(error.contains("expected a path below the folder"), "{error}");
    }
    let wrong = library::Feature::new(&[1.0; 8]).unwrap();
    assert!(refused(&sound, &wrong).contains("8 values, expected 32"));
    let answer = |class, probability| library::Answer { class, probability };
    for answers in
        [vec![answer(8, 0.5)], vec![answer(0, f32::NAN)], vec![answer(0, 1.5)], vec![answer(0, 0.1); 6]]
    {
        assert!(refused(&library::Photo { answers, ..sound.clone() }, &feature(1)).contains("answer"));
    }
}
