//! PyTorch checkpoints: the layouts that training scripts leave, and pickles that mean harm.

use crate::support::pytorch::{Pickler, archive, dict_key, pth, rest_of_training};
use crate::support::{TestTensor, bytes_of, convert_to, files, golden, tensors};
use checkpoint::{CheckpointError, Options, Quantization, convert};
use safetensors::Dtype;
use std::fs;
use std::io::Cursor;
use zip::write::SimpleFileOptions;

fn converted(bytes: &[u8]) -> Result<std::collections::BTreeMap<String, Vec<u8>>, CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    // The same name as the golden file, so that the metadata agrees but for the hash.
    let file = folder.path().join("x.pth");
    fs::write(&file, bytes).unwrap();
    let options = Options {
        name: Some("x".into()),
        ..Options::new(&file, folder.path().join("out"), Quantization::F32)
    };
    let conversion = convert(&options, &|_| ())?;
    assert!(conversion.tensors.iter().all(|t| t.relative_rms_error == 0.0));
    Ok(files(&options.out))
}

/// The tensors' part of a one-shard F32 conversion.
fn tensor_bytes(folder: &std::collections::BTreeMap<String, Vec<u8>>) -> &[u8] {
    let shard = folder.iter().find(|(name, _)| name.contains(".gguf-")).unwrap().1;
    let numbers: usize = tensors(&golden("tiny-relative")).values().map(|t| t.values.len()).sum();
    // Every tensor of the tiny network is a multiple of 32 bytes long or padded to one.
    &shard[shard.len() - 4 * numbers..]
}

#[test]
fn every_usual_layout_is_read() {
    let all = tensors(&golden("tiny-relative"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("expected");
    convert_to(&golden("tiny-relative"), &out, Quantization::F32);
    let expected = files(&out);
    let layouts = [
        ("bare", pth(&all, b"", b"")),
        ("model", pth(&all, &dict_key("model"), &rest_of_training())),
        ("module", pth(&all, &dict_key("module"), b"s")),
        ("state_dict", pth(&all, &dict_key("state_dict"), &rest_of_training())),
        ("model, then module", pth(&all, &[dict_key("model"), dict_key("module")].concat(), b"ss")),
    ];
    for (layout, bytes) in layouts {
        let got = converted(&bytes).unwrap_or_else(|e| panic!("{layout}: {e}"));
        assert!(tensor_bytes(&got) == tensor_bytes(&expected), "{layout}");
        let names_carried = layout == "model" || layout == "state_dict";
        let shard = got.iter().find(|(name, _)| name.contains(".gguf-")).unwrap().1;
        let found = shard.windows(10).any(|window| window == b"carried 49");
        assert_eq!(found, names_carried, "{layout}: class names");
    }
}

#[test]
fn sixteen_bits_and_index_buffers() {
    let mut all = tensors(&golden("tiny-relative"));
    for tensor in all.values_mut() {
        tensor.dtype = Dtype::BF16;
        tensor.values = tensor.values.iter().map(|&v| crate::support::rounded(v, Dtype::BF16)).collect();
    }
    let index = TestTensor { dtype: Dtype::I64, shape: vec![4, 4], values: vec![1.0; 16] };
    all.insert("blocks.0.attn.relative_position_index".into(), index);
    converted(&pth(&all, b"", b"")).unwrap();
}

#[test]
fn strides_and_offsets_are_followed() {
    let mut all = tensors(&golden("tiny-relative"));
    let weight = all.remove("head.weight").unwrap();
    let (rows, columns) = (weight.shape[0], weight.shape[1]);
    // The transpose of a [columns, rows] tensor that starts three numbers into its storage.
    let mut transposed = vec![0.0; 3 + rows * columns];
    for i in 0..rows {
        for j in 0..columns {
            transposed[3 + j * rows + i] = weight.values[i * columns + j];
        }
    }
    let plain = pth(&all, b"", b"");
    let mut archive_of = zip::ZipArchive::new(Cursor::new(plain)).unwrap();
    let mut pickle = Vec::new();
    std::io::Read::read_to_end(&mut archive_of.by_name("archive/data.pkl").unwrap(), &mut pickle).unwrap();
    // Put one more item before the state dict's `u`.
    let at = pickle.windows(2).rposition(|w| w == b"u}").unwrap();
    let mut item = Pickler::default();
    item.text("head.weight");
    item.tensor("FloatStorage", "head", transposed.len(), 3, &[rows, columns], &[1, rows]);
    pickle.splice(at..at, item.0);
    let mut storages: Vec<_> =
        all.values().enumerate().map(|(i, t)| (format!("data/{i}"), bytes_of(t))).collect();
    storages.push(("data/head".into(), transposed.iter().flat_map(|v| v.to_le_bytes()).collect()));
    let got = converted(&archive(&pickle, &storages)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("expected");
    convert_to(&golden("tiny-relative"), &out, Quantization::F32);
    assert!(tensor_bytes(&got) == tensor_bytes(&files(&out)));
}

/// Pickles that would run code, take all memory, or overflow a stack in a careless reader.
#[test]
fn hostile_pickles_are_refused() {
    let tensor = |numbers: usize, offset: usize, shape: &[usize], strides: &[usize]| {
        let mut pickle = Pickler::default();
        pickle.op(b"\x80\x02}").text("blocks.0.norm1.weight");
        pickle.tensor("FloatStorage", "0", numbers, offset, shape, strides);
        pickle.op(b"s.");
        pickle.0
    };
    let huge = i32::MAX as usize;
    let bomb = |depth: u8| {
        let mut pickle = b"\x80\x02)q\x00".to_vec();
        for i in 0..depth {
            pickle.extend([b'h', i, b'h', i, 0x86, b'q', i + 1]);
        }
        pickle.push(b'.');
        pickle
    };
    let pickles: Vec<(&str, Vec<u8>)> = vec![
        ("os.system", b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.".to_vec()),
        ("eval in a dict", b"\x80\x02}X\x01\x00\x00\x00acbuiltins\neval\nX\x01\x00\x00\x001\x85Rs.".to_vec()),
        ("doubling tuples", bomb(200)),
        ("deep nesting", [b"\x80\x02)".as_slice(), &[0x85; 1_000_000], b"."].concat()),
        ("deep calls", [b"\x80\x02ca\nb\n".as_slice(), &b")R".repeat(500_000), b"."].concat()),
        ("itself in itself", b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.".to_vec()),
        ("a long string", b"\x80\x02X\xff\xff\xff\xffa.".to_vec()),
        ("a longer string", b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.".to_vec()),
        ("a long integer", b"\x80\x02\x8a\xff12345.".to_vec()),
        ("an empty stack", b"\x80\x020.".to_vec()),
        ("a lone stop", b"\x80\x02.".to_vec()),
        ("no stop", b"\x80\x02}".to_vec()),
        ("an unknown opcode", b"\x80\x02\xfe.".to_vec()),
        ("items of a number", b"\x80\x02K\x01K\x02K\x03s.".to_vec()),
        ("half a pair", b"\x80\x02}(K\x01u.".to_vec()),
        ("a mark closed twice", b"\x80\x02(tt.".to_vec()),
        ("under the mark", b"\x80\x02K\x01(0.".to_vec()),
        ("an unknown memo", b"\x80\x02h\x07.".to_vec()),
        ("short arguments", b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n)Rs.".to_vec()),
        ("no arguments", b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_parameter\n)Rs.".to_vec()),
        ("a tensor beyond its storage", tensor(64, 0, &[65], &[1])),
        ("an offset beyond its storage", tensor(64, 65, &[1], &[1])),
        ("a stride beyond its storage", tensor(64, 0, &[2, 2], &[63, 1])),
        ("overflowing strides", tensor(64, 0, &[huge, huge, huge], &[huge, huge, huge])),
        ("an overflowing offset", tensor(64, huge, &[64], &[1])),
        ("a huge tensor of stride 0", tensor(64, 0, &[huge, huge], &[0, 0])),
        ("a storage that is not there", {
            let mut pickle = Pickler::default();
            pickle.op(b"\x80\x02}").text("blocks.0.norm1.weight");
            pickle.tensor("FloatStorage", "../../../etc/passwd", 4, 0, &[4], &[1]);
            pickle.op(b"s.");
            pickle.0
        }),
    ];
    for (what, pickle) in pickles {
        let error = converted(&archive(&pickle, &[("data/0".into(), vec![0; 256])])).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{what}: {error}");
    }
}

#[test]
fn damaged_archives_are_refused() {
    let all = tensors(&golden("tiny-absolute"));
    let good = pth(&all, b"", b"");
    converted(&good).unwrap();
    for len in [4, 30, 100, good.len() / 2, good.len() - 22, good.len() - 1] {
        let error = converted(&good[..len]).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{len}: {error}");
    }
    let no_pickle = {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(
            "photo.jpg",
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
        )
        .unwrap();
        zip.finish().unwrap().into_inner()
    };
    assert!(converted(&no_pickle).unwrap_err().to_string().contains("no data.pkl"));
    let other_keys = archive(&[&b"\x80\x02"[..], &dict_key("optimizer"), b"}s."].concat(), &[]);
    let error = converted(&other_keys).unwrap_err().to_string();
    assert!(error.contains("got keys optimizer"), "{error}");
}
