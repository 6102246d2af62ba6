//! The files a checkpoint comes in: compressed, of old PyTorch, split over several, and what is given for one and is
//! none.

use crate::support::pytorch::{Pickler, archive, archive_by, legacy, pth, storages};
use crate::support::{
    Tensors, bytes_of, golden, shard_of, shard_of_bytes, shard_of_tensors, tensors, write_safetensors,
};
use checkpoint::{CheckpointError, Options, Quantization, convert};
use safetensors::Dtype;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use zip::CompressionMethod;

static TINY: LazyLock<Tensors> = LazyLock::new(|| tensors(&golden("tiny-relative")));
/// What a conversion of it is.
static EXPECTED: LazyLock<Vec<u8>> = LazyLock::new(|| shard_of(&golden("tiny-relative")).unwrap().0);

/// Converts to what the plain network does; gives the notes.
fn same(what: &str, result: Result<(Vec<u8>, Vec<String>), CheckpointError>) -> Vec<String> {
    let (shard, notes) = result.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(shard == *EXPECTED, "{what}: other weights");
    notes
}

fn refused(what: &str, result: Result<(Vec<u8>, Vec<String>), CheckpointError>, part: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{what}: converted"));
    assert!(matches!(error, CheckpointError::Format { .. }), "{what}: {error}");
    assert!(error.to_string().contains(part), "{what}: {part}: {error}");
}

/// A pickle of the tiny network's state dict.
fn state_dict() -> Vec<u8> {
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02").state_dict(&TINY, 0).op(b".");
    pickle.0
}

#[test]
fn sixty_four_bits_are_narrowed_and_that_is_told() {
    let mut wide = TINY.clone();
    for name in ["head.weight", "head.bias"] {
        wide.get_mut(name).unwrap().dtype = Dtype::F64;
    }
    for (container, result) in [
        ("safetensors", shard_of_tensors(&wide)),
        ("PyTorch", shard_of_bytes("x.pth", &pth(&wide, b"", b""))),
    ] {
        let notes = same(container, result);
        assert_eq!(notes, ["narrowed from 64 bits (F64) to 32: head.bias, head.weight"]);
    }
    wide.values_mut().for_each(|tensor| tensor.dtype = Dtype::F64);
    same("all", shard_of_tensors(&wide));
}

#[test]
fn compressed_members_are_inflated() {
    same(
        "deflate",
        shard_of_bytes("x.pth", &archive_by(CompressionMethod::Deflated, &state_dict(), &storages(&TINY, 0))),
    );
}

/// The length in front of a safetensors header may have the bytes that other files begin with.
#[test]
fn a_header_of_any_length_is_a_header() {
    let file = fs::read(golden("tiny-relative")).unwrap();
    let header = u64::from_le_bytes(*file.first_chunk().unwrap()) as usize;
    // A pickle of two protocols, gzip, JSON, markup.
    for len in [0x1_0280, 0x1_0580, 0x08_8B1F, 0x1_007B, 0x1_003C] {
        let mut padded = (len as u64).to_le_bytes().to_vec();
        padded.extend(&file[8..8 + header]);
        padded.resize(8 + len, b' ');
        padded.extend(&file[8 + header..]);
        same(&format!("{len:#x}"), shard_of_bytes("x.safetensors", &padded));
    }
}

/// `file` with the bytes at every place where `from` stands replaced, as often as it is there.
fn replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut at = 0;
    while let Some(found) = file[at..].windows(from.len()).position(|window| window == from) {
        file[at + found..at + found + to.len()].copy_from_slice(to);
        at += found + from.len();
    }
    file
}

#[test]
fn compressed_members_that_lie_are_refused() {
    let (name, bias) = ("archive/data/0", 200_000usize);
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02}").text("blocks.0.norm1.weight");
    pickle.tensor("FloatStorage", "0", bias / 4, 0, &[64], &[1]);
    pickle.op(b"s.");
    let noise: Vec<u8> = (0..bias as u32)
        .map(|i| (u64::from(i).pow(3).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect();
    let good = archive_by(CompressionMethod::Deflated, &pickle.0, &[("data/0".into(), noise.clone())]);
    let error = shard_of_bytes("x.pth", &good).unwrap_err();
    assert!(
        matches!(error, CheckpointError::Tensors(_)),
        "one tensor is no network, but it is read: {error}"
    );

    // Inflates to more than it says.
    let (size, less) = ((bias as u32).to_le_bytes(), 4096u32.to_le_bytes());
    refused(
        "too long",
        shard_of_bytes("x.pth", &replaced(&good, &size, &less)),
        "longer than the 4096 bytes",
    );
    let more = (bias as u32 + 4096).to_le_bytes();
    refused("too short", shard_of_bytes("x.pth", &replaced(&good, &size, &more)), "damaged");
    // Says what it is, and is no weights.
    let bomb = archive_by(CompressionMethod::Deflated, &pickle.0, &[("data/0".into(), vec![0; 8_000_000])]);
    assert!(bomb.len() < 20_000);
    refused("a bomb", shard_of_bytes("x.pth", &bomb), "100 times as many");
    // Bits of the packed numbers, past the local header.
    let mut damaged = good.clone();
    let start = good.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    damaged[start + name.len() + 5000] ^= 0x10;
    refused("damage", shard_of_bytes("x.pth", &damaged), "damaged");
    // Method 93 (zstd), in the local header and in the directory; the size tells them from other places.
    let mut other = good.clone();
    for (magic, method) in [(&b"PK\x03\x04"[..], 8), (b"PK\x01\x02", 10)] {
        let at: Vec<usize> = (0..other.len() - 4).filter(|&at| &other[at..at + 4] == magic).collect();
        for at in at.into_iter().skip(2).take(1) {
            other[at + method] = 93;
        }
    }
    refused("zstd", shard_of_bytes("x.pth", &other), "archive without compression");
    let mut all_other = good.clone();
    for (magic, method) in [(&b"PK\x03\x04"[..], 8), (b"PK\x01\x02", 10)] {
        for at in 0..good.len() - method {
            if good[at..].starts_with(magic) {
                all_other[at + method] = 12;
            }
        }
    }
    refused("bzip2", shard_of_bytes("x.pth", &all_other), "archive without compression");
}

/// The tiny network as PyTorch before 1.6 saved it.
fn old(objects: &[u8]) -> Vec<u8> {
    let keys: Vec<String> = (0..TINY.len()).map(|i| i.to_string()).collect();
    let storages: Vec<_> =
        TINY.values().enumerate().map(|(i, tensor)| (keys[i].as_str(), 4, bytes_of(tensor))).collect();
    legacy(objects, true, &storages)
}

#[test]
fn checkpoints_of_pytorch_before_1_6_are_read() {
    same("plain", shard_of_bytes("x.pth", &old(&state_dict())));
    let mut nested = Pickler::default();
    nested.op(b"\x80\x02}").text("model").state_dict(&TINY, 0).op(b"s.");
    same("nested", shard_of_bytes("x.pth", &old(&nested.0)));
    // The six-part id, without a view and with one: the last storage starts seven numbers into another.
    let (name, last) = TINY.last_key_value().unwrap();
    for (view, front) in [(None, 0), (Some(7), 7)] {
        let mut rest = TINY.clone();
        rest.remove(name);
        let mut pickle = Pickler::default();
        pickle.op(b"\x80\x02").state_dict(&rest, 0).text(name);
        pickle.op(b"ctorch._utils\n_rebuild_tensor\n((").text("storage").op(b"ctorch\nFloatStorage\n");
        pickle.text("root").text("cuda:0").int(front + last.values.len());
        match view {
            Some(offset) => pickle.op(b"(").text("view").int(offset).int(last.values.len()).op(b"t"),
            None => pickle.op(b"N"),
        };
        pickle.op(b"tQ").int(0).ints(&last.shape).ints(&strides(&last.shape)).op(b"tRs.");
        let keys: Vec<String> = (0..rest.len()).map(|i| i.to_string()).collect();
        let mut storages: Vec<_> =
            rest.values().enumerate().map(|(i, tensor)| (keys[i].as_str(), 4, bytes_of(tensor))).collect();
        storages.push(("root", 4, [vec![0xAA; 4 * front], bytes_of(last)].concat()));
        same("a view", shard_of_bytes("x.pth", &legacy(&pickle.0, true, &storages)));
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect()
}

/// `OrderedDict([[name, tensor], …])` with strings of Python 2.
#[test]
fn dicts_of_python_2_are_read() {
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02ccollections\nOrderedDict\n](");
    for (i, (name, t)) in TINY.iter().enumerate() {
        pickle.op(b"](U").op(&[name.len() as u8]).op(name.as_bytes());
        pickle.tensor("FloatStorage", &i.to_string(), t.values.len(), 0, &t.shape, &strides(&t.shape));
        pickle.op(b"e");
    }
    pickle.op(b"e\x85R.");
    same("old", shard_of_bytes("x.pth", &old(&pickle.0)));
    same("new", shard_of_bytes("x.pth", &archive(&pickle.0, &storages(&TINY, 0))));
}

#[test]
fn damaged_old_checkpoints_are_refused() {
    let good = old(&state_dict());
    for len in [2, 16, 20, 100, 5000, good.len() / 2, good.len() - 1] {
        refused(&len.to_string(), shard_of_bytes("x.pth", &good[..len]), "");
    }
    let one = |class: &str, count: u64, view: &[u8]| {
        let mut pickle = Pickler::default();
        pickle.op(b"\x80\x02}").text("blocks.0.norm1.weight");
        pickle.op(b"ctorch._utils\n_rebuild_tensor_v2\n((").text("storage");
        pickle.op(format!("ctorch\n{class}\n").as_bytes()).text("0").text("cpu").int(64).op(view).op(b"tQ");
        pickle.int(0).ints(&[64]).ints(&[1]).op(b"\x89NtRs.");
        let mut file = legacy(&pickle.0, true, &[("0", 4, vec![0; 256])]);
        let at = file.len() - 264;
        file[at..at + 8].copy_from_slice(&count.to_le_bytes());
        file
    };
    let view = |offset: usize, count: usize| {
        let mut view = Pickler::default();
        view.op(b"(").text("v").int(offset).int(count).op(b"t");
        view.0
    };
    for (what, file, part) in [
        ("a count beyond the file", one("FloatStorage", 65, b"N"), "cut short"),
        ("a huge count", one("FloatStorage", u64::MAX, b"N"), "cut short"),
        ("a count that overflows", one("FloatStorage", 1 << 62, b"N"), "cut short"),
        ("too few numbers", one("FloatStorage", 63, b"N"), "does not fit"),
        ("an unknown kind", one("QInt8Storage", 64, b"N"), "not known"),
        ("a view outside", one("FloatStorage", 64, &view(1, 64)), "outside"),
        ("a huge view", one("FloatStorage", 64, &view(i32::MAX as usize, i32::MAX as usize)), "outside"),
        ("big-endian", legacy(&state_dict(), false, &[]), "big-endian"),
        ("no storages", legacy(&state_dict(), true, &[]), "not in the file"),
        ("another pickle", b"\x80\x04}.".to_vec(), "torch.save did not write"),
    ] {
        refused(what, shard_of_bytes("x.pth", &file), part);
    }
}

/// The tiny network over two files and an index; `write` writes a part.
fn split(folder: &Path, ending: &str, write: impl Fn(&Path, &Tensors)) -> String {
    let stem = if ending == "bin" { "pytorch_model" } else { "model" };
    let mut map = serde_json::Map::new();
    let mut parts = [Tensors::new(), Tensors::new()];
    let names = [1, 2].map(|i| format!("{stem}-0000{i}-of-00002.{ending}"));
    for (i, (name, tensor)) in TINY.iter().enumerate() {
        parts[i % 2].insert(name.clone(), tensor.clone());
        map.insert(name.clone(), names[i % 2].clone().into());
    }
    for (name, part) in names.iter().zip(&parts) {
        write(&folder.join(name), part);
    }
    let index = format!("{stem}.{ending}.index.json");
    let json = serde_json::json!({ "metadata": { "total_size": 1 }, "weight_map": map });
    fs::write(folder.join(&index), json.to_string()).unwrap();
    index
}

#[test]
fn split_checkpoints_are_read_by_their_index() {
    let write_pth = |path: &Path, part: &Tensors| fs::write(path, pth(part, b"", b"")).unwrap();
    type Write<'a> = &'a dyn Fn(&Path, &Tensors);
    for (ending, write) in [("safetensors", &write_safetensors as Write), ("bin", &write_pth)] {
        let folder = tempfile::tempdir().unwrap();
        let index = split(folder.path(), ending, write);
        same(ending, shard_of(folder.path()));
        same(ending, shard_of(&folder.path().join(&index)));
        let part = index.replace(&format!(".{ending}.index.json"), &format!("-00002-of-00002.{ending}"));
        same(ending, shard_of(&folder.path().join(part)));
    }
}

#[test]
fn a_split_checkpoint_has_the_hash_of_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (parts, out) = (folder.path().join("birds"), folder.path().join("out"));
    fs::create_dir(&parts).unwrap();
    split(&parts, "safetensors", write_safetensors);
    let manifest = convert(&Options::new(&parts, &out, Quantization::Q8_0), &|_| ()).unwrap().manifest;
    let source = manifest.source.unwrap();
    let mut hasher = Sha256::new();
    for i in 1..=2 {
        hasher.update(fs::read(parts.join(format!("model-0000{i}-of-00002.safetensors"))).unwrap());
    }
    let hash: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((source.file.as_str(), source.sha256), ("model.safetensors.index.json", hash));
    assert_eq!(manifest.name, "birds");
}

#[test]
fn split_checkpoints_with_something_missing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join(split(folder.path(), "safetensors", write_safetensors));
    let json = fs::read_to_string(&index).unwrap();
    let part = folder.path().join("model-00002-of-00002.safetensors");
    let whole = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();
    let error = shard_of(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("model-00002-of-00002"), "{error}");
    fs::write(&part, "version https://git-lfs.github.com/spec/v1\nsize 5\n").unwrap();
    refused("a pointer", shard_of(folder.path()), "Git LFS pointer");
    fs::write(&part, &whole).unwrap();
    fs::write(&index, json.replacen("\"cls_token\"", "\"cls_taken\"", 1)).unwrap();
    refused("another name", shard_of(folder.path()), "which has no such tensor");
    fs::write(&index, json.replace("model-00002", "../model-00002")).unwrap();
    refused("outside", shard_of(folder.path()), "must lie beside it");
    fs::write(&index, &json[..json.len() / 2]).unwrap();
    refused("half an index", shard_of(folder.path()), "no index of a split checkpoint");
    fs::remove_file(&index).unwrap();
    refused("no index", shard_of(folder.path()), "index");
    refused("a part alone", shard_of(&part), "index");
}

#[test]
fn what_is_no_checkpoint_is_named() {
    let mut tar = vec![0; 1024];
    tar[..8].copy_from_slice(b"sys_info");
    tar[257..265].copy_from_slice(b"ustar\x0000");
    let npz = {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file(
            "w.npy",
            zip::write::SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
        )
        .unwrap();
        zip.finish().unwrap().into_inner()
    };
    for (name, bytes, parts) in [
        (
            "model.safetensors",
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1217553480\n"[..],
            &["Git LFS pointer", "1217553480", "git lfs pull"][..],
        ),
        ("pytorch_model.bin", b"<!DOCTYPE html><html><body>Log in</body></html>", &["web page", "download"]),
        ("x.pth", b"\n\n  <HTML>", &["web page"]),
        ("x.pth", &tar, &["tar archive", "PyTorch 0.1", "save"]),
        ("x.pth", b"\x1f\x8b\x08\x00", &["gzip", "unpack"]),
        ("x.pth", &npz, &["numpy"]),
        ("x.pth", b"", &["empty"]),
        ("x.bin", br#"{"error":"Repository not found"}"#, &["JSON text"]),
        ("x.pth", b"GGUF\x03\x00\x00\x00", &["GGUF"]),
        ("x.safetensors", b"just some words", &["neither a safetensors file nor a PyTorch checkpoint"]),
        ("x.safetensors", &[&40u64.to_le_bytes()[..], b"{\"a\":"].concat(), &["damaged safetensors file"]),
    ] {
        let error = shard_of_bytes(name, bytes).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}: {error}");
        assert!(!error.contains("header too large") && !error.contains("HeaderTooLarge"), "{error}");
    }
}
