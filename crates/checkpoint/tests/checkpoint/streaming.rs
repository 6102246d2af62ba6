//! Conversion of a stream: the same files as `convert`'s, however the bytes come, and little memory.

use crate::support::streams::{
    FILE, converted, file_of, in_order, seeded_tensors, settings, streamed, tensors_of, written,
};
use crate::support::{Tensors, TestTensor, golden, tensors};
use beit::classes::Classes;
use beit::config::Config;
use checkpoint::convert;
use checkpoint::dialects::Dialect;
use checkpoint::labels::imagenet_22k;
use checkpoint::{CheckpointError, Options, Quantization, Settings, StreamingConversion};
use safetensors::Dtype;
use std::fs;
use std::path::Path;

#[test]
fn any_pieces_give_the_files_of_convert() {
    let golden = |network| fs::read(golden(network)).unwrap();
    let sources = [golden("tiny-relative"), golden("tiny-absolute"), file_of(&seeded_tensors().1)];
    for bytes in &sources {
        for quantization in Quantization::ALL {
            let settings = settings(quantization);
            let expected = converted(bytes, &settings);
            assert!(expected.len() > 5, "several shards");
            for piece in [1, 7, 4096, bytes.len()] {
                let model = streamed(bytes, piece, settings.clone()).unwrap();
                let (manifest, files) = written(&model);
                assert!(files == expected, "{quantization}, pieces of {piece}");
                assert_eq!(manifest.source.unwrap().sha256, model.sha256());
                assert_eq!(model.sha256(), beit::weights::sha256(bytes));
            }
        }
    }
}

#[test]
fn dialects_and_types_give_the_files_of_convert() {
    let source = tensors(&golden("tiny-absolute"));
    for dialect in Dialect::ALL {
        for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64] {
            let mut tensors = crate::support::renamed(&source, dialect);
            tensors.values_mut().for_each(|tensor| tensor.dtype = dtype);
            // Skipped: one of pre-training, one beside the network, an index of integers.
            let one = TestTensor { dtype: Dtype::I64, shape: vec![3], values: vec![1.0; 3] };
            let ours = dialect.theirs("cls_token")[0].replace("cls_token", "mask_token");
            tensors.insert(ours, one.clone());
            tensors.insert(format!("{}.relative_position_index", dialect.theirs("head.weight")[0]), one);
            let bytes = file_of(&tensors);
            // 4 bits take the longest to round.
            let rounded = if dtype == Dtype::F32 { Quantization::Q4_0 } else { Quantization::Q8_0 };
            let settings = settings(rounded);
            let model = streamed(&bytes, 1000, settings.clone()).unwrap();
            assert_eq!(model.dialect(), dialect);
            assert!(!model.notes().is_empty());
            assert!(written(&model).1 == converted(&bytes, &settings), "{dialect} as {dtype:?}");
        }
    }
}

#[test]
fn the_order_of_tensors_does_not_matter() {
    let tensors = crate::support::renamed(&seeded_tensors().1, Dialect::Transformers5);
    let sorted: Vec<&String> = tensors.keys().collect();
    let reversed: Vec<&String> = sorted.iter().rev().copied().collect();
    let (odd, even): (Vec<_>, Vec<_>) = sorted.iter().enumerate().partition(|(i, _)| i % 2 == 1);
    let mixed: Vec<&String> = odd.into_iter().chain(even).map(|(_, name)| *name).collect();
    for order in [sorted, reversed, mixed] {
        let bytes = in_order(&tensors, &order);
        let settings = settings(Quantization::Q8_0);
        let model = streamed(&bytes, 999, settings.clone()).unwrap();
        assert!(written(&model).1 == converted(&bytes, &settings), "{order:?}");
    }
}

#[test]
fn settings_and_labels_are_those_of_convert() {
    let bytes = fs::read(golden("tiny-relative")).unwrap();
    let settings = Settings {
        name: Some("tiny".into()),
        license: Some("MIT".into()),
        short_side: Some(300),
        mean: Some([0.5; 3]),
        std: Some([0.25; 3]),
        ..settings(Quantization::F16)
    };
    let model = streamed(&bytes, 4096, settings.clone()).unwrap();
    assert_eq!(model.config().preprocessing.short_side, 300);
    assert!(written(&model).1 == converted(&bytes, &settings));

    let labels = checkpoint::labels::read(Path::new("x"), b"cat\ndog\n".to_vec()).unwrap();
    let mut conversion = StreamingConversion::new(FILE, settings.clone(), Some(labels)).unwrap();
    let error = conversion.push(&bytes).unwrap_err().to_string();
    assert!(error.contains("one for each row of the head, got 2"), "{error}");
    let wrong = Settings { shard_bytes: 0, ..settings };
    assert!(matches!(StreamingConversion::new(FILE, wrong, None), Err(CheckpointError::Option { .. })));
}

/// Tensors are rounded as they come: what is held is the quantised network and two of the largest tensors, not the
/// checkpoint.
#[test]
fn the_checkpoint_is_never_held() {
    let (config, tensors) = seeded_tensors();
    let deep = Config { depth: 12, ..config };
    let mut all = tensors.clone();
    for block in 2..deep.depth {
        let first = tensors.iter().filter(|(name, _)| name.starts_with("blocks.0."));
        all.extend(
            first.map(|(name, t)| (name.replace("blocks.0.", &format!("blocks.{block}.")), t.clone())),
        );
    }
    let largest = deep.tensors().iter().map(|spec| 4 * spec.values()).max().unwrap();
    for dialect in Dialect::ALL {
        let bytes = file_of(&crate::support::renamed(&all, dialect));
        for quantization in Quantization::ALL {
            let model = streamed(&bytes, 1000, settings(quantization)).unwrap();
            let (manifest, _) = written(&model);
            let (held, most) = (model.peak_bytes(), manifest.bytes + 2 * largest);
            println!("{dialect} {quantization}: {held} of {most} bytes, a checkpoint of {}", bytes.len());
            assert!(held <= most, "{dialect} {quantization}: {held} > {most}");
            if matches!(quantization, Quantization::Q8_0 | Quantization::Q4_0) {
                assert!(2 * held < bytes.len() as u64, "{dialect} {quantization}: {held}");
            }
        }
    }
}

#[test]
fn nothing_is_handed_out_of_a_wrong_file() {
    let bytes = fs::read(golden("tiny-relative")).unwrap();
    let hash = beit::weights::sha256(&bytes);
    let after = |bytes: &[u8]| {
        let mut conversion = StreamingConversion::new(FILE, settings(Quantization::Q8_0), None).unwrap();
        conversion.push(bytes).map(|()| conversion)
    };
    assert!(after(&bytes).unwrap().finish(Some(&hash)).is_ok());
    let mut altered = bytes.clone();
    *altered.last_mut().unwrap() ^= 1;
    let error = after(&altered).unwrap().finish(Some(&hash)).err().unwrap();
    assert!(matches!(&error, CheckpointError::Hash { expected, .. } if *expected == hash), "{error}");
    for len in [0, 5, 8, 9, 100, bytes.len() / 2, bytes.len() - 1] {
        let error = after(&bytes[..len]).unwrap().finish(None).err().unwrap().to_string();
        assert!(error.contains(&format!("ends after {len}")), "{error}");
    }
    let mut long = after(&bytes).unwrap();
    assert_eq!(long.file_bytes(), Some(bytes.len() as u64));
    assert!(long.push(b"x").unwrap_err().to_string().contains("longer"));
    assert!(long.push(b"").is_ok() && long.push(b"x").is_err() && long.finish(None).is_err());
}

/// What `convert` refuses is refused with the same words, and what the header tells before any tensor has come.
#[test]
fn faults_are_those_of_convert() {
    let source = tensors(&golden("tiny-relative"));
    let header_of = |bytes: &[u8]| 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let refusal = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        fs::write(&file, bytes).unwrap();
        let options = Options::new(file, folder.path().join("out"), Quantization::Q8_0);
        convert(&options, &|_| ()).unwrap_err().to_string()
    };
    let shapes = |change: &dyn Fn(&mut Tensors)| {
        let mut tensors = source.clone();
        change(&mut tensors);
        file_of(&tensors)
    };
    let other = TestTensor { dtype: Dtype::F32, shape: vec![2], values: vec![0.0; 2] };
    for bytes in [
        shapes(&|tensors| drop(tensors.remove("blocks.1.attn.qkv.weight"))),
        shapes(&|tensors| drop(tensors.insert("blocks.0.attn.surprise".into(), other.clone()))),
        shapes(&|tensors| drop(tensors.insert("head.bias".into(), other.clone()))),
        shapes(&|tensors| tensors.get_mut("head.weight").unwrap().dtype = Dtype::I64),
    ] {
        let error = streamed(&bytes[..header_of(&bytes)], 64, settings(Quantization::Q8_0)).err().unwrap();
        assert!(matches!(error, CheckpointError::Tensors(_)), "{error}");
        assert_eq!(error.to_string(), refusal(&bytes));
    }
    let spoilt = shapes(&|tensors| tensors.get_mut("head.weight").unwrap().values[7] = f32::NAN);
    let error = streamed(&spoilt, 64, settings(Quantization::Q8_0)).err().unwrap().to_string();
    assert!(error.contains("head.weight: expected finite values, got 1 of"), "{error}");
    assert_eq!(error, refusal(&spoilt));

    let mut damaged = file_of(&source);
    damaged[9] = b'x';
    let mut huge = file_of(&source);
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    for (bytes, expected) in [
        (b"<!doctype html><html>".to_vec(), "web page"),
        (b"GGUF\x03\0\0\0\0".to_vec(), "GGUF"),
        ([b"\x1f\x8b\x08".to_vec(), vec![0; 4000]].concat(), "gzip"),
        (vec![1; 4000], "neither a safetensors file nor"),
        (damaged, "damaged"),
        (huge, "damaged"),
        (file_of(&Tensors::from([("a".into(), other.clone())])), "no BEiT classifier"),
    ] {
        for piece in [1, bytes.len()] {
            let error = streamed(&bytes, piece, settings(Quantization::Q8_0)).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

/// The tables that a site serves give the same file as those that are built in.
#[test]
fn classes_of_imagenet_22k_may_be_given() {
    let config = Config {
        image_size: 32,
        width: 32,
        depth: 1,
        heads: 1,
        mlp_width: 32,
        classes: imagenet_22k::CLASSES,
        ..Config::beitv2_large()
    };
    let bytes = file_of(&tensors_of(&config));
    let settings = Settings::new(Quantization::Q8_0);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let table = |name: &str| fs::read_to_string(data.join(name)).unwrap();
    let classes = imagenet_22k::parse(&table("imagenet-22k.tsv"), &table("imagenet-22k-kinds.tsv")).unwrap();
    let given = |classes| {
        let mut conversion = StreamingConversion::new(FILE, settings.clone(), None).unwrap();
        conversion.push(&bytes).unwrap();
        assert!(!conversion.wants_imagenet_22k(), "built in here");
        conversion.set_classes(classes);
        conversion.finish(None)
    };
    assert!(written(&given(classes.clone()).unwrap()).1 == converted(&bytes, &settings));
    let few = Classes { labels: classes.labels[..1000].to_vec(), kinds: classes.kinds };
    let error = given(few).err().unwrap().to_string();
    assert!(error.contains("expected 21841, one for each row of the head, got 1000"), "{error}");
}
