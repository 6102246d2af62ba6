//! Writes the first inputs of every target into `corpus/`: the smallest whole network, in every dialect,
//! container and quantisation, and labels in every form.

use beit::config::{Config, Position};
use beit::preprocess::Preprocessing;
use beit::weights::schema::Role;
use checkpoint::dialects::Dialect;
use checkpoint::source::Source;
use checkpoint::{MANIFEST, Options, Quantization, convert, seeded};
use safetensors::tensor::{Dtype, TensorView};
use std::fs;
use std::path::Path;

#[path = "archive.rs"]
mod archive;

/// One tensor of a checkpoint: name, shape, F32 bytes.
type Parts = Vec<(String, Vec<usize>, Vec<u8>)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in ["manifest", "weights", "checkpoint", "pickle", "labels", "photo", "archives", "keywords"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    for (folder, target) in [
        ("photos", "photo"),
        ("photos", "keywords"),
        ("odd-photos", "photo"),
        ("jpeg", "photo"),
        ("modern-photos", "photo"),
        ("archives", "archives"),
    ] {
        small_files(&data.join(folder), &corpus.join(target))?;
    }
    let work = corpus.join("work");
    fs::create_dir_all(&work)?;
    for position in [Position::AbsoluteEmbedding, Position::RelativeBias] {
        let config = config(position);
        for dialect in Dialect::ALL {
            let name = format!("{position:?}-{dialect:?}");
            let parts = parts(&config, dialect);
            let (pickle, storages) = pickled(&parts);
            let storages: Vec<_> = storages.iter().map(|(key, bytes)| (key.as_str(), *bytes)).collect();
            let pth = archive::pytorch(&pickle, &storages);
            Source::from_bytes(Path::new(&name), pth.clone())?;
            let small: Parts = parts.iter().map(|(name, shape, _)| small(name, shape)).collect();
            fs::write(corpus.join("pickle").join(&name), pickled(&small).0)?;
            fs::write(corpus.join("checkpoint").join(format!("{name}.pth")), pth)?;
            let views = parts
                .iter()
                .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
            let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
            let file = corpus.join("checkpoint").join(format!("{name}.safetensors"));
            fs::write(&file, safetensors::serialize(views, None)?)?;
            for quantization in Quantization::ALL {
                let out = work.join("model");
                let conversion = convert(&Options::new(&file, &out, quantization), &|_| ())?;
                let name = format!("{name}-{quantization}");
                let gguf = fs::read(out.join(&conversion.manifest.shards[0].name))?;
                fs::write(corpus.join("weights").join(&name), [&[9, 0][..], &gguf].concat())?;
                fs::copy(out.join(MANIFEST), corpus.join("manifest").join(&name))?;
            }
        }
    }
    fs::remove_dir_all(work)?;
    let labels = [
        ("names", "cat\ndog\n"),
        ("wnids", "n02123045\nn01514668\n"),
        ("columns", "n02123045\ttabby\t虎斑猫\nn01514668\tcock\t公鸡\n"),
        ("list.json", r#"["cat", "dog"]"#),
        ("objects.json", r#"[{"imagenet_index": 281, "wnid": "n02123045"}, {"en": "dog", "zh": "狗"}]"#),
    ];
    for (name, text) in labels {
        fs::write(corpus.join("labels").join(name), text)?;
    }
    Ok(())
}

/// The smallest network with blocks of 32: one block, one patch, two classes.
fn config(position: Position) -> Config {
    let (image_size, patch_size) = (2, 2);
    Config {
        name: "seed".into(),
        image_size,
        patch_size,
        width: 32,
        depth: 1,
        heads: 1,
        mlp_width: 32,
        classes: 2,
        position,
        layer_norm_eps: 1e-6,
        preprocessing: Preprocessing { short_side: 2, crop: 2, mean: [0.5; 3], std: [0.5; 3] },
    }
}

fn parts(config: &Config, dialect: Dialect) -> Parts {
    let mut all = Vec::new();
    for spec in config.tensors() {
        let bytes: Vec<u8> = seeded::tensor(config, &spec).iter().flat_map(|v| v.to_le_bytes()).collect();
        // PyTorch's shapes, where they differ from ours.
        let shape = match (spec.role, spec.name.as_str()) {
            (Role::PatchEmbedding, _) => vec![config.width, 3, config.patch_size, config.patch_size],
            (_, "cls_token") => vec![1, 1, config.width],
            (_, "pos_embed") => vec![1, config.tokens(), config.width],
            _ => spec.shape.clone(),
        };
        let theirs = dialect.theirs(&spec.name);
        let (rows, len) = (shape[0] / theirs.len(), bytes.len() / theirs.len());
        for (name, bytes) in theirs.into_iter().zip(bytes.chunks(len)) {
            all.push((name, [&[rows], &shape[1..]].concat(), bytes.to_vec()));
        }
    }
    all
}

/// A tensor of the same rank that fits into the storages of the target `pickle`.
fn small(name: &str, shape: &[usize]) -> (String, Vec<usize>, Vec<u8>) {
    let shape: Vec<usize> = shape.iter().map(|&len| len.min(2)).collect();
    let bytes = vec![0; 4 * shape.iter().product::<usize>()];
    (name.to_owned(), shape, bytes)
}

/// A state dict's pickle (protocol 2), and its storages.
fn pickled(parts: &Parts) -> (Vec<u8>, Vec<(String, &[u8])>) {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let int = |value: usize| [b"J", &(value as i32).to_le_bytes()[..]].concat();
    let ints = |values: &[usize]| {
        let items: Vec<u8> = values.iter().flat_map(|&value| int(value)).collect();
        [b"(", items.as_slice(), b"t"].concat()
    };
    let mut pickle =
        [b"\x80\x02}q\x00", text("model").as_slice(), b"ccollections\nOrderedDict\n)Rq\x01("].concat();
    let mut storages = Vec::new();
    for (i, (name, shape, bytes)) in parts.iter().enumerate() {
        let strides: Vec<usize> = (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect();
        pickle.extend(text(name));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend([text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text(&i.to_string())].concat());
        pickle.extend([text("cpu"), int(bytes.len() / 4), b"tQ".to_vec()].concat());
        pickle.extend([int(0), ints(shape), ints(&strides)].concat());
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
        storages.push((i.to_string(), bytes.as_slice()));
    }
    pickle.extend(b"us.");
    (pickle, storages)
}

/// Copies a folder's files that are as short as the fuzzer's inputs.
fn small_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.metadata()?.len() < 65_536 {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
