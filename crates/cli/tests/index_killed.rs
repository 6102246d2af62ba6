//! `beitscope index`, killed while it writes.

mod support;

use std::fs;
use std::process::Stdio;
use std::time::SystemTime;
use support::data;
use support::tagging::Setup;

/// Killed at any moment, the index has every photo that was finished, and the next run goes on from there.
#[test]
fn a_killed_run_loses_at_most_the_photo_in_hand() {
    let setup = Setup::new();
    let jpeg = fs::read(data("photos/baseline.jpg")).unwrap();
    let photos = 40;
    for number in 0..photos {
        setup.add_distinct(&format!("{number}.jpg"), &jpeg, &format!("photo {number}"));
    }
    let arguments = ["--threads", "1", "photos"];
    let begun = SystemTime::now();
    assert_eq!(setup.with_model("index", &arguments).code, 0);
    let whole = begun.elapsed().unwrap();
    let file = setup.photos().join(".beitscope-index");
    let expected = library::whole(&library::read(&fs::read(&file).unwrap()).unwrap().index).unwrap();
    let known = || match fs::read(&file) {
        Ok(bytes) => library::read(&bytes).map_or(0, |opened| opened.index.photos().len() as u64),
        Err(_) => 0,
    };
    let (mut state, mut partly) = (0x51_7cc1_b727_u64, 0);
    for round in 0..8 {
        fs::remove_file(&file).unwrap();
        let mut before = 0;
        // Killed twice, then let go on.
        for _ in 0..2 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let delay = whole.mul_f64((state >> 33) as f64 / (1u64 << 31) as f64);
            let mut command = setup.command_with_model("index", &arguments);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(delay);
            child.kill().unwrap();
            child.wait().unwrap();
            let now = known();
            assert!(now >= before, "round {round}: {before}, then {now}");
            before = now;
            partly += u64::from(0 < now && now < photos);
        }
        let run = setup.with_model("index", &arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let summary = run.json().pop().unwrap();
        assert_eq!(
            (summary["unchanged"].as_u64(), summary["computed"].as_u64()),
            (Some(before), Some(photos - before))
        );
        let opened = library::read(&fs::read(&file).unwrap()).unwrap();
        assert!(opened.tail.is_none() && library::whole(&opened.index).unwrap() == expected, "round {round}");
    }
    assert!(partly > 0, "no run was killed in the middle");
}
