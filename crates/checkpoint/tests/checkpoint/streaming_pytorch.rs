//! PyTorch checkpoints that are converted while they arrive: the same files as `convert`'s.

use crate::support::pytorch::{
    Pickler, archive, archive_by, dict_key, legacy, pth, rest_of_training, storages, torch_archive,
};
use crate::support::streams::{FILE, converted, seeded_tensors, settings, streamed, written};
use crate::support::{Tensors, TestTensor, bytes_of, golden, renamed, tensors};
use checkpoint::dialects::Dialect;
use checkpoint::{Quantization, StreamingConversion};
use safetensors::Dtype;
use splitmix64::SplitMix64;
use zip::CompressionMethod;

fn small() -> Tensors {
    tensors(&golden("tiny-relative"))
}

/// A state dict under `model`, with what training leaves beside it.
fn training(state_dict: &Tensors) -> Vec<u8> {
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02").op(&dict_key("model")).state_dict(state_dict, 0).op(&rest_of_training()).op(b".");
    pickle.0
}

/// The same checkpoint in every container.
fn containers(state_dict: &Tensors) -> Vec<(&'static str, Vec<u8>)> {
    let (pickle, all) = (training(state_dict), storages(state_dict, 0));
    let mut scattered = all.clone();
    scattered.reverse();
    let (odd, even): (Vec<_>, Vec<_>) = all.iter().cloned().enumerate().partition(|(i, _)| i % 2 == 1);
    let mixed: Vec<_> = even.into_iter().chain(odd).map(|(_, storage)| storage).collect();
    let keys: Vec<String> = (0..state_dict.len()).map(|key| key.to_string()).collect();
    let following: Vec<_> = keys
        .iter()
        .zip(state_dict.values())
        .map(|(key, t)| (key.as_str(), bytes_of(t).len() / t.values.len(), bytes_of(t)))
        .collect();
    vec![
        ("lengths before", archive(&pickle, &all)),
        ("lengths behind", torch_archive(&pickle, &all, false)),
        ("long lengths behind", torch_archive(&pickle, &all, true)),
        ("reversed", torch_archive(&pickle, &scattered, false)),
        ("mixed", torch_archive(&pickle, &mixed, false)),
        ("before 1.6", legacy(&pickle, true, &following)),
    ]
}

#[test]
fn any_parts_give_the_files_of_convert() {
    for (container, bytes) in containers(&small()) {
        for quantization in [Quantization::Q4_0, Quantization::F32] {
            let settings = settings(quantization);
            let expected = converted(&bytes, &settings);
            // 4 bits take the longest to round.
            let pieces =
                if quantization == Quantization::Q4_0 { &[7, bytes.len()][..] } else { &[1, 7, 4096] };
            for &piece in pieces {
                let model = streamed(&bytes, piece, settings.clone());
                let model = model.unwrap_or_else(|e| panic!("{container}, {piece}: {e}"));
                assert!(written(&model).1 == expected, "{container}, {quantization}, parts of {piece}");
                assert_eq!(model.sha256(), beit::weights::sha256(&bytes));
            }
        }
    }
}

#[test]
fn dialects_and_types_give_the_files_of_convert() {
    let source = tensors(&golden("tiny-absolute"));
    let dtypes = [Dtype::F64, Dtype::F16, Dtype::BF16, Dtype::F16, Dtype::F64];
    for (dialect, dtype) in Dialect::ALL.into_iter().zip(dtypes) {
        for dtype in [dtype, Dtype::F32] {
            let mut tensors = renamed(&source, dialect);
            tensors.values_mut().for_each(|tensor| tensor.dtype = dtype);
            let one = TestTensor { dtype: Dtype::I64, shape: vec![3], values: vec![1.0; 3] };
            tensors.insert(format!("{}.relative_position_index", dialect.theirs("head.weight")[0]), one);
            let all = containers(&tensors);
            for (container, bytes) in [&all[1], &all[5]] {
                let settings = settings(Quantization::Q8_0);
                let model = streamed(bytes, 1000, settings.clone()).unwrap();
                assert_eq!(model.dialect(), dialect);
                assert!(
                    written(&model).1 == converted(bytes, &settings),
                    "{container}, {dialect}, {dtype:?}"
                );
            }
        }
    }
}

/// Tensors that share a storage, begin inside one, or are stored column by column.
#[test]
fn shared_storages_are_followed() {
    let all = small();
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02}(");
    let (mut shared, mut columns) = (vec![7.0f32; 5], vec![0.0f32; 3]);
    let total: usize = all.values().filter(|t| t.shape.len() != 2).map(|t| t.values.len()).sum();
    let wide: usize = all.values().filter(|t| t.shape.len() == 2).map(|t| t.values.len()).sum();
    for (name, tensor) in &all {
        pickle.text(name);
        if let [rows, across] = tensor.shape[..] {
            pickle.tensor("FloatStorage", "b", wide + 3, columns.len(), &[rows, across], &[1, rows]);
            columns.extend((0..rows * across).map(|i| tensor.values[i % rows * across + i / rows]));
        } else {
            let strides: Vec<usize> =
                (0..tensor.shape.len()).map(|i| tensor.shape[i + 1..].iter().product()).collect();
            pickle.tensor("FloatStorage", "a", total + 5, shared.len(), &tensor.shape, &strides);
            shared.extend(&tensor.values);
        }
    }
    pickle.op(b"u.");
    let bytes_of = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let storages = [("data/a".to_owned(), bytes_of(&shared)), ("data/b".to_owned(), bytes_of(&columns))];
    let settings = settings(Quantization::Q8_0);
    for bytes in [
        torch_archive(&pickle.0, &storages, false),
        archive(&pickle.0, &storages),
        legacy(&pickle.0, true, &[("b", 4, bytes_of(&columns)), ("a", 4, bytes_of(&shared))]),
    ] {
        let model = streamed(&bytes, 777, settings.clone()).unwrap();
        let (manifest, files) = written(&model);
        assert!(files == converted(&bytes, &settings));
        assert_eq!(manifest.parameters, all.values().map(|t| t.values.len() as u64).sum::<u64>());
    }
}

#[test]
fn an_archive_is_resumed_behind_any_byte() {
    let settings = settings(Quantization::Q8_0);
    for (container, bytes) in containers(&renamed(&small(), Dialect::Transformers5)) {
        let expected = converted(&bytes, &settings);
        let mut random = SplitMix64(9);
        let mut below = |bound: usize| (random.next_u64() % bound as u64) as usize;
        for seed in 0..12 {
            let mut conversion = StreamingConversion::new(FILE, settings.clone(), None).unwrap();
            let mut pieces = Vec::new();
            for _ in 0..seed {
                let at = conversion.received_bytes() as usize;
                let end = at + below(bytes.len() - at + 1);
                bytes[at..end].chunks(1 + below(5000)).for_each(|part| conversion.push(part).unwrap());
                pieces.extend(conversion.save());
                if below(2) == 0 {
                    conversion = StreamingConversion::resume(FILE, settings.clone(), pieces.clone()).unwrap();
                }
            }
            let rest = &bytes[conversion.received_bytes() as usize..];
            conversion.push(rest).unwrap();
            let model = conversion.finish(Some(&beit::weights::sha256(&bytes))).unwrap();
            assert!(written(&model).1 == expected, "{container}, {seed}");
        }
    }
}

/// Only the rounded network and its largest tensors are held, not the checkpoint.
#[test]
fn the_checkpoint_is_never_held() {
    let (config, tensors) = seeded_tensors();
    let largest = config.tensors().iter().map(|spec| 4 * spec.values()).max().unwrap();
    for (container, bytes) in containers(&tensors) {
        let model = streamed(&bytes, 1000, settings(Quantization::Q8_0)).unwrap();
        let most = written(&model).0.bytes + 2 * largest;
        assert!(model.peak_bytes() <= most, "{container}: {} > {most}", model.peak_bytes());
    }
}

#[test]
fn what_cannot_be_streamed_is_named() {
    let all = small();
    let (pickle, numbers) = (training(&all), storages(&all, 0));
    let good = torch_archive(&pickle, &numbers, false);
    let named = |from: &[u8], to: &[u8]| {
        let mut bytes = good.clone();
        let places: Vec<_> =
            (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|&at| bytes[at..at + to.len()].copy_from_slice(to));
        bytes
    };
    let mut encrypted = good.clone();
    encrypted[6] |= 1;
    let big: Vec<_> = numbers.iter().enumerate().map(|(i, t)| (i.to_string(), t.1.clone())).collect();
    let big: Vec<_> = big.iter().map(|(key, bytes)| (key.as_str(), 4, bytes.clone())).collect();
    let mut short = numbers.clone();
    short[3].1.truncate(8);
    let missing = &numbers[..numbers.len() - 1];
    let twice = [&numbers[..], &numbers[..1]].concat();
    let mut wrong_count = legacy(&pickle, true, &big);
    let last = numbers.last().unwrap().1.len();
    let at = wrong_count.len() - last - 8;
    wrong_count[at] ^= 1;
    let convert = "run `beitscope convert`";
    for (what, bytes, part) in [
        ("deflated", archive_by(CompressionMethod::Deflated, &pickle, &numbers), convert),
        ("another first member", named(b"archive/data.pkl", b"archive/data.txt"), convert),
        ("numpy", named(b"archive/data.pkl", b"archive/data.npy"), "numpy"),
        ("encrypted", encrypted, "encrypted"),
        ("TorchScript", torch_archive(&pickle, &[("constants.pkl".into(), vec![])], false), "TorchScript"),
        ("big-endian", named(b"little", b"bigger"), "big-endian"),
        ("big-endian, old", legacy(&pickle, false, &big), "big-endian"),
        ("a short storage", torch_archive(&pickle, &short, false), "damaged"),
        ("a short storage, told", archive(&pickle, &short), "that its pickle tells of"),
        ("a missing storage", torch_archive(&pickle, missing, false), "are not in it"),
        ("a storage twice", torch_archive(&pickle, &twice, false), "twice"),
        ("a wrong count", wrong_count, "where its pickle tells of"),
        ("a pickle", b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.more of something".to_vec(), "torch.save did not"),
        ("an opcode", b"\x80\x02\xffmore of something".to_vec(), "opcode 0xff"),
    ] {
        for piece in [1, 1000, bytes.len()] {
            let error = streamed(&bytes, piece, settings(Quantization::Q8_0)).err();
            let error = error.unwrap_or_else(|| panic!("{what}: taken")).to_string();
            assert!(error.contains(part), "{what}: {error}");
        }
    }
    for len in (0..good.len()).step_by(20_011).chain(good.len() - 30..good.len()) {
        let error = streamed(&good[..len], 5000, settings(Quantization::Q8_0)).err().unwrap().to_string();
        assert!(error.contains("ends after") || error.contains("it is empty"), "{len}: {error}");
    }
}

/// Whatever is changed: an error or a model, never a panic, and no more memory than the file could fill.
#[test]
fn damaged_archives_do_no_harm() {
    let all = small();
    let mut random = SplitMix64(11);
    let mut below = |bound: usize| (random.next_u64() % bound as u64) as usize;
    let mut refused = 0;
    for (_, good) in containers(&all) {
        for _ in 0..150 {
            let mut bytes = good.clone();
            for _ in 0..1 + below(4) {
                // Mostly in what describes the numbers.
                let most = if below(3) == 0 { bytes.len() } else { 12_000.min(bytes.len()) };
                let at = below(most);
                match below(4) {
                    0 => bytes[at] = below(256) as u8,
                    1 => bytes[at] ^= 1 << below(8),
                    2 => drop(bytes.drain(at..(at + 1 + below(40)).min(most))),
                    _ => drop(bytes.splice(at..at, vec![below(256) as u8; 1 + below(20)])),
                }
            }
            match streamed(&bytes, 1 + below(9000), settings(Quantization::Q8_0)) {
                Ok(model) => assert!(model.peak_bytes() < 4 * good.len() as u64),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 400, "{refused}");
}

#[test]
fn a_plain_state_dict_is_read() {
    let bytes = pth(&small(), b"", b"");
    let settings = settings(Quantization::F16);
    assert!(written(&streamed(&bytes, 100, settings.clone()).unwrap()).1 == converted(&bytes, &settings));
}
