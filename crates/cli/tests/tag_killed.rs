//! `beitscope tag`, killed while it writes.

mod support;
#[path = "../../keywords/tests/support/mod.rs"]
mod xmp;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;
use support::tagging::{LOW, Setup};

/// Killed at any moment, each photo is as it was or as it becomes, and the journals bring back all of them.
#[test]
fn a_killed_run_loses_nothing() {
    let setup = Setup::new();
    for number in 0..12 {
        setup.add(&format!("{number}.jpg"), &xmp::photo("baseline.jpg"));
        setup.add(&format!("{number}.webp"), &xmp::photo("lossy.webp"));
        setup.add(&format!("{number}.tiff"), &xmp::photo("photo.tiff"));
    }
    let bytes = |setup: &Setup| -> BTreeMap<String, Vec<u8>> {
        let files = setup.files().into_iter().map(|(name, (bytes, _))| (name, bytes));
        files.filter(|(name, _)| !name.starts_with(".beitscope-")).collect()
    };
    let old = bytes(&setup);
    let arguments = ["--threshold", LOW, "--threads", "1", "photos"];
    let begun = SystemTime::now();
    assert_eq!(setup.tag(&arguments).code, 0);
    let whole = begun.elapsed().unwrap();
    let new = bytes(&setup);
    assert_eq!(new.len(), old.len() + 12);
    assert_eq!(setup.tag(&["--undo", "beitscope-tag-1.jsonl"]).code, 0);
    assert!(bytes(&setup) == old);

    let (mut state, mut partly) = (0x9e37_79b9_u64, 0);
    for round in 0..12 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let delay = whole.mul_f64((state >> 33) as f64 / (1u64 << 31) as f64);
        let mut child = setup
            .command(&arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
        let now = bytes(&setup);
        for (name, bytes) in &now {
            assert!(old.get(name) == Some(bytes) || new.get(name) == Some(bytes), "round {round}: {name}");
        }
        assert!(old.keys().all(|name| now.contains_key(name)));
        partly += u64::from(now != old && now != new);
        let mut journals: Vec<PathBuf> = fs::read_dir(setup.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
            .collect();
        journals.sort();
        // Undone now, or only after more runs have been killed.
        if round % 3 == 2 {
            journals.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
            for journal in journals.iter().rev() {
                // A run that was killed before the end of the journal's first line changed nothing.
                if fs::read(journal).unwrap().contains(&b'\n') {
                    let run = setup.tag(&["--undo", journal.to_str().unwrap()]);
                    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
                }
                fs::remove_file(journal).unwrap();
            }
            assert!(bytes(&setup) == old, "round {round}");
        }
    }
    assert!(partly > 0, "no run was killed in the middle");
}
