//! Checkpoints and converted models with something wrong: each fault is named, all of them at once,
//! and nothing panics or is left behind.

use crate::support::{Tensors, TestTensor, convert_to, golden, tensors, write_safetensors};
use checkpoint::{CheckpointError, ModelFolder, Options, Quantization, convert};
use safetensors::Dtype;
use std::fs;
use std::path::Path;

fn error_of(change: impl FnOnce(&mut Tensors)) -> CheckpointError {
    let folder = tempfile::tempdir().unwrap();
    let mut all = tensors(&golden("tiny-relative"));
    change(&mut all);
    let file = folder.path().join("changed.safetensors");
    write_safetensors(&file, &all);
    let error =
        convert(&Options::new(&file, folder.path().join("out"), Quantization::Q8_0), &|_| ()).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left behind after: {error}");
    error
}

fn zeros(shape: &[usize], dtype: Dtype) -> TestTensor {
    TestTensor { dtype, shape: shape.to_vec(), values: vec![0.0; shape.iter().product()] }
}

#[test]
fn all_faults_are_named_at_once() {
    let error = error_of(|all| {
        all.remove("blocks.1.mlp.fc1.bias");
        all.insert("tokenizer.weight".into(), zeros(&[1, 1, 128], Dtype::F32));
        all.insert("blocks.7.norm1.weight".into(), zeros(&[128], Dtype::F32));
        all.insert("blocks.0.gamma_1".into(), zeros(&[127], Dtype::F32));
        all.insert("head.bias".into(), zeros(&[50], Dtype::I64));
        all.get_mut("blocks.2.attn.qkv.weight").unwrap().values[5] = f32::NAN;
        all.get_mut("fc_norm.weight").unwrap().values[0] = f32::INFINITY;
    });
    let CheckpointError::Tensors(faults) = error else { panic!("{error}") };
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let expected = [
        "blocks.0.gamma_1: expected [128], got [127]",
        "blocks.1.mlp.fc1.bias: expected [512], got nothing",
        "blocks.2.attn.qkv.weight: expected finite values, got 1 of 49152 not finite",
        "blocks.7.norm1.weight: expected no such tensor, got [128]",
        "fc_norm.weight: expected finite values, got 1 of 128 not finite",
        "head.bias: expected F64, F32, F16 or BF16, got I64",
        "tokenizer.weight: expected no such tensor, got [1, 1, 128]",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn what_decides_the_shape_is_named_too() {
    type Change = fn(&mut Tensors);
    let table: [(&str, Change); 6] = [
        ("patch_embed.proj.weight: expected [128, 3, 16, 16], got nothing", |t| {
            drop(t.remove("patch_embed.proj.weight"))
        }),
        ("patch_embed.proj.weight: expected [128, 3, 16, 16], got [128, 3, 8, 16]", |t| {
            drop(t.insert("patch_embed.proj.weight".into(), zeros(&[128, 3, 8, 16], Dtype::F32)))
        }),
        ("head.weight: expected [50, 128], got nothing", |t| drop(t.remove("head.weight"))),
        ("cls_token: expected [1, 1, 128], got []", |t| {
            drop(t.insert("cls_token".into(), zeros(&[], Dtype::F32)))
        }),
        ("blocks.1.attn.relative_position_bias_table: expected [732, 2], got [733, 2]", |t| {
            drop(t.insert("blocks.1.attn.relative_position_bias_table".into(), zeros(&[733, 2], Dtype::F32)))
        }),
        ("blocks.1.attn.relative_position_bias_table: expected [732, 2], got [0, 0]", |t| {
            for i in 0..3 {
                t.insert(format!("blocks.{i}.attn.relative_position_bias_table"), zeros(&[0, 0], Dtype::F32));
            }
        }),
    ];
    for (sentence, change) in table {
        let error = error_of(change).to_string();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
}

#[test]
fn index_buffers_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = tensors(&golden("tiny-relative"));
    all.insert("blocks.0.attn.relative_position_index".into(), zeros(&[197, 197], Dtype::I64));
    let file = folder.path().join("unilm.safetensors");
    write_safetensors(&file, &all);
    convert_to(&file, &folder.path().join("out"), Quantization::F32);
}

#[test]
fn shapes_that_cannot_be_a_network_are_refused() {
    // Heads that do not divide the width: every table agrees, so only the network itself is at fault.
    let error = error_of(|all| {
        for i in 0..3 {
            all.insert(format!("blocks.{i}.attn.relative_position_bias_table"), zeros(&[732, 3], Dtype::F32));
        }
    });
    assert!(error.to_string().contains("a divisor of the width, got 3"), "{error}");
}

#[test]
fn other_networks_and_other_files_are_refused() {
    let error = error_of(|all| {
        *all = std::mem::take(all).into_iter().map(|(n, t)| (n.replace("blocks", "stages"), t)).collect()
    });
    assert!(matches!(&error, CheckpointError::Dialect { .. }), "{error}");
    assert!(error.to_string().contains("got cls_token, fc_norm.bias"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8]); 6] = [
        ("empty.safetensors", b""),
        ("short.safetensors", b"\x01\x02"),
        ("text.pth", b"hello, this is not a checkpoint"),
        ("zip.pth", b"PK\x03\x04 and nothing more"),
        ("old.pth", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."),
        ("huge-header.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}"),
    ];
    for (name, bytes) in cases {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error =
            convert(&Options::new(&file, folder.path().join("out"), Quantization::F32), &|_| ()).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Format { .. } | CheckpointError::Io { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
    let missing =
        convert(&Options::new("nowhere.pth", folder.path().join("out"), Quantization::F32), &|_| ());
    assert!(missing.unwrap_err().to_string().contains("cannot open nowhere.pth"));
}

#[test]
fn a_folder_with_one_checkpoint_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        convert(&Options::new(folder.path(), folder.path().join(name), Quantization::Q4_0), &|_| ())
    };
    assert!(open("none").unwrap_err().to_string().contains("holds no .safetensors"));
    fs::copy(golden("tiny-relative"), folder.path().join("b.safetensors")).unwrap();
    open("one").unwrap();
    fs::copy(golden("tiny-relative"), folder.path().join("a.safetensors")).unwrap();
    let error = open("two").unwrap_err().to_string();
    assert!(error.contains("a.safetensors, b.safetensors"), "{error}");
    fs::copy(golden("tiny-absolute"), folder.path().join("model.safetensors")).unwrap();
    assert_eq!(open("usual").unwrap().manifest.image_size, 112);
}

#[test]
fn truncated_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(golden("tiny-absolute")).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for len in [0, 1, 7, 8, 9, header / 2, header - 1, header, header + 1, bytes.len() / 2, bytes.len() - 1] {
        let file = folder.path().join("cut.safetensors");
        fs::write(&file, &bytes[..len]).unwrap();
        let options = Options::new(&file, folder.path().join("out"), Quantization::F32);
        let error = convert(&options, &|_| ()).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Format { .. } | CheckpointError::Io { .. }),
            "{len}: {error}"
        );
    }
}

/// Every class of damage to a converted model's folder.
#[test]
fn damaged_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model");
    let options =
        Options { shard_bytes: 50_000, ..Options::new(golden("tiny-absolute"), &out, Quantization::Q8_0) };
    let manifest = convert(&options, &|_| ()).unwrap().manifest;
    let read = || ModelFolder::open(&out).and_then(|model| model.read(|_, _| Ok(())).map(drop));
    read().unwrap();
    let refused = |expected: &str| {
        let error = read().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let n = manifest.shards.len();
    for i in [0, 1, n - 1] {
        let shard = &manifest.shards[i];
        let path = out.join(&shard.name);
        let good = fs::read(&path).unwrap();
        for len in [0, 1, good.len() / 2, good.len() - 1] {
            fs::write(&path, &good[..len]).unwrap();
            refused(&format!("expected {} bytes, got {len}", good.len()));
        }
        fs::write(&path, [good.as_slice(), b"x"].concat()).unwrap();
        refused(&format!("expected {} bytes, got {}", good.len(), good.len() + 1));
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut flipped = good.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).unwrap();
            refused(&format!("{}: expected SHA-256 {}", shard.name, shard.sha256));
        }
        fs::remove_file(&path).unwrap();
        refused(&shard.name);
        fs::write(&path, good).unwrap();
    }
    read().unwrap();
}

/// A manifest that vouches for a damaged GGUF: the file's own reader must see it.
#[test]
fn damage_under_a_valid_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model");
    let mut manifest = convert_to(&golden("tiny-absolute"), &out, Quantization::Q8_0).manifest;
    let good = fs::read(out.join(&manifest.shards[0].name)).unwrap();
    let mut try_bytes = |bytes: &[u8]| -> Result<(), CheckpointError> {
        manifest.bytes = bytes.len() as u64;
        manifest.sha256 = beit::weights::sha256(bytes);
        manifest.shards[0].bytes = manifest.bytes;
        manifest.shards[0].sha256.clone_from(&manifest.sha256);
        fs::write(out.join(&manifest.shards[0].name), bytes).unwrap();
        fs::write(out.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
        ModelFolder::open(&out)?.read(|_, _| Ok(())).map(drop)
    };
    try_bytes(&good).unwrap();
    for len in [1, 3, 4, 8, 23, 24, 25, 200, 1000, 5000, good.len() / 2, good.len() - 32] {
        let error = try_bytes(&good[..len]).unwrap_err();
        assert!(matches!(error, CheckpointError::Weights { .. }), "{len}: {error}");
    }
    let patched = |at: usize, bytes: &[u8]| {
        let mut all = good.clone();
        all[at..at + bytes.len()].copy_from_slice(bytes);
        all
    };
    let find = |needle: &[u8]| good.windows(needle.len()).position(|w| w == needle).unwrap();
    let dims = find(b"head.weight") + 11 + 4;
    let spoilt = [
        ("magic", patched(0, b"GGUG")),
        ("version", patched(4, &9u32.to_le_bytes())),
        ("tensor count", patched(8, &u64::MAX.to_le_bytes())),
        ("metadata count", patched(16, &u64::MAX.to_le_bytes())),
        ("first key's length", patched(24, &u64::MAX.to_le_bytes())),
        ("shape", patched(dims, &64u64.to_le_bytes())),
        ("huge shape", patched(dims, &u64::MAX.to_le_bytes())),
        ("rank", patched(dims - 4, &u32::MAX.to_le_bytes())),
        ("type", patched(dims + 16, &77u32.to_le_bytes())),
        ("offset", patched(dims + 20, &u64::MAX.to_le_bytes())),
        ("architecture", patched(find(b"beit"), b"llam")),
        // One more key before the first: an alignment of zero, by which nothing can be divided.
        ("alignment", {
            let key = [&17u64.to_le_bytes()[..], b"general.alignment", &4u32.to_le_bytes(), &[0; 4]].concat();
            [
                &good[..16],
                &(1 + u64::from_le_bytes(*good[16..].first_chunk().unwrap())).to_le_bytes(),
                &key,
                &good[24..],
            ]
            .concat()
        }),
    ];
    for (what, bytes) in spoilt {
        let error = try_bytes(&bytes).unwrap_err();
        assert!(matches!(error, CheckpointError::Weights { .. }), "{what}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{what}: a sentence, no backtrace: {error}");
    }
}

#[test]
fn options_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let good = Options::new(golden("tiny-absolute"), folder.path().join("out"), Quantization::F32);
    let table = [
        ("--name", Options { name: Some("../x".into()), ..good.clone() }),
        ("--name", Options { name: Some(String::new()), ..good.clone() }),
        ("--shard-size", Options { shard_bytes: 0, ..good.clone() }),
        ("--shard-size", Options { shard_bytes: 1 << 30, ..good.clone() }),
        ("--short-side", Options { short_side: Some(100), ..good.clone() }),
        ("--mean", Options { mean: Some([f32::NAN; 3]), ..good.clone() }),
        ("--std", Options { std: Some([0.0; 3]), ..good.clone() }),
        ("--out", Options { out: Path::new("/").into(), ..good.clone() }),
    ];
    for (name, options) in table {
        let error = convert(&options, &|_| ()).unwrap_err().to_string();
        assert!(error.contains(name), "{name}: {error}");
    }
    let gone = Options { labels: Some("gone.txt".into()), ..good };
    assert!(convert(&gone, &|_| ()).unwrap_err().to_string().contains("cannot read gone.txt"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
