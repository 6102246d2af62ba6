use super::*;
use beit::calibration::Score;
use beit::weights::sha256;
use serde_json::Value;

/// What scikit-learn and SciPy compute: `tests/data/calibration/make.py`.
const EXPECTED: &str = include_str!("../../../../tests/data/calibration/scikit-learn.json");

struct Data {
    known: Vec<PhotoLogits>,
    outliers: Vec<PhotoLogits>,
    expected: Value,
}

fn data() -> Data {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let photos = |logits: &Value, classes: Option<&Value>, kind: &str| {
        let photo = |(at, logits): (usize, &Value)| PhotoLogits {
            sha256: sha256(format!("{kind} {at}").as_bytes()),
            class: classes.map_or(0, |classes| classes[at].as_u64().unwrap() as u32),
            logits: logits.as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap() as f32).collect(),
        };
        logits.as_array().unwrap().iter().enumerate().map(photo).collect::<Vec<_>>()
    };
    let (known, outliers) = (&expected["known"], &expected["outliers"]);
    let known = photos(&known["logits"], Some(&known["classes"]), "known");
    Data { known, outliers: photos(outliers, None, "outlier"), expected }
}

fn near(got: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() < 1e-5, "{what}: {got}, expected {expected}");
}

#[test]
fn every_measure_is_scikit_learns() {
    let Data { known, outliers, expected } = data();
    let (known, outliers): (Vec<_>, Vec<_>) = (known.iter().collect(), outliers.iter().collect());
    let temperature = fit_temperature(&known).unwrap();
    near(temperature, &expected["temperature"], "temperature");
    for (at, t) in [1.0, temperature].into_iter().enumerate() {
        let loss = negative_log_likelihood(&known, t);
        near(loss, &expected["negative_log_likelihood"][at], "negative log-likelihood");
        let error = expected_calibration_error(&bins(&known, t));
        near(error, &expected["expected_calibration_error"][at], "expected calibration error");
    }
    for score in Score::ALL {
        let of = |photos: &[&PhotoLogits]| -> Vec<f64> {
            photos.iter().map(|photo| score.of(&photo.logits, temperature)).collect()
        };
        let (known, outliers, expected) = (of(&known), of(&outliers), &expected["scores"][score.name()]);
        near(ranking::auroc(&known, &outliers).unwrap(), &expected["auroc"], score.name());
        near(ranking::fpr_at_95(&known, &outliers).unwrap(), &expected["fpr_at_95"], score.name());
    }
}

#[test]
fn what_is_reported_was_not_fitted_on() {
    let Data { mut known, outliers, .. } = data();
    let report = calibrate(&known, Some(&outliers)).unwrap();
    assert_eq!(report.known, HalfSizes { fitting: 80, reporting: 80 });
    assert_eq!(report.outliers.as_ref().unwrap().photos, HalfSizes { fitting: 45, reporting: 45 });
    known.reverse();
    assert_eq!(calibrate(&known, Some(&outliers)).unwrap(), report, "the order does not matter");

    // Other right classes in the half that is reported change what is measured, and nothing that is fitted.
    let reporting: Vec<String> =
        Halves::of(&known, "", 2).unwrap().reporting.iter().map(|photo| photo.sha256.clone()).collect();
    let mut wrong = known.clone();
    wrong.iter_mut().filter(|p| reporting.contains(&p.sha256)).for_each(|p| p.class = (p.class + 1) % 7);
    let worse = calibrate(&wrong, Some(&outliers)).unwrap();
    assert_eq!((worse.temperature, worse.none_of_these), (report.temperature, report.none_of_these));
    assert!(worse.after.expected_calibration_error > report.after.expected_calibration_error + 0.1);
    let error = worse.calibration("ab".into()).map(drop);
    // 1/7 is right by chance, so that a lower confidence is better even there.
    assert!(error.is_ok());
}

#[test]
fn the_threshold_keeps_95_percent_of_the_fitting_half() {
    let Data { known, outliers, .. } = data();
    let report = calibrate(&known, Some(&outliers)).unwrap();
    let measured = report.outliers.as_ref().unwrap();
    let none = report.none_of_these.unwrap();
    let best = measured.scores.iter().map(|score| score.auroc_fitting).fold(0.0, f64::max);
    let chosen = measured.scores.iter().find(|score| score.score == none.score).unwrap();
    assert_eq!(chosen.auroc_fitting, best);
    let calibration = report.calibration("ab".into()).unwrap();
    let halves = Halves::of(&known, "", 2).unwrap();
    let missed = halves.fitting.iter().filter(|photo| calibration.is_none_of_these(&photo.logits)).count();
    assert!(missed <= 4, "{missed} of 80");
    let json = serde_json::to_vec(&calibration).unwrap();
    assert_eq!(serde_json::from_slice::<Calibration>(&json).unwrap(), calibration, "exactly as fitted");
}

#[test]
fn without_outliers_there_is_no_threshold() {
    let Data { known, .. } = data();
    let report = calibrate(&known, None).unwrap();
    assert_eq!((report.none_of_these, report.outliers), (None, None));
}

#[test]
fn what_can_not_be_fitted_is_said() {
    let Data { known, outliers, .. } = data();
    let refused = |known: &[PhotoLogits], outliers: &[PhotoLogits], sentence: &str| {
        let error = calibrate(known, Some(outliers)).unwrap_err().to_string();
        assert!(error.contains(sentence), "{sentence}: {error}");
    };
    refused(&known[..39], &outliers, "at least 40 photos of the model's classes in DATASET");
    refused(&known, &outliers[..19], "at least 20 photos in --outliers");
    let both = [&outliers[..], &known[3..5]].concat();
    refused(&known, &both, "both in DATASET and in --outliers (2 of them)");
    let mut right = known.clone();
    right.iter_mut().for_each(|photo| photo.logits[photo.class as usize] = 99.0);
    refused(&right, &outliers, "no temperature");
}

#[test]
fn a_threshold_that_is_no_better_than_chance_is_not_for_the_manifest() {
    let Data { known, outliers, .. } = data();
    let mut report = calibrate(&known, Some(&outliers)).unwrap();
    assert!(report.calibration("ab".into()).unwrap().none_of_these.is_some());
    report.outliers.iter_mut().flat_map(|outliers| &mut outliers.scores).for_each(|score| score.auroc = 0.5);
    let error = report.calibration("ab".into()).unwrap_err().to_string();
    assert!(error.contains("no better than chance (AUROC 0.5000)"), "{error}");
}

#[test]
fn a_temperature_that_does_harm_is_not_for_the_manifest() {
    let Data { known, .. } = data();
    let report = calibrate(&known, None).unwrap();
    let confidence = Confidence { negative_log_likelihood: 9.0, ..report.after.clone() };
    let error = CalibrationReport { after: confidence, ..report }.calibration("ab".into()).unwrap_err();
    assert!(error.to_string().contains("less likely"), "{error}");
}
