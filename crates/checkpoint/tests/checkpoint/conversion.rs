//! Conversions of the tiny golden networks: what is written reads back, the same bytes every time,
//! from every dialect and container.

use crate::support::{convert_to, files, golden, tensors, write_safetensors};
use beit::kinds::most_specific;
use beit::weights::TensorData;
use candle_core::Device;
use candle_core::quantized::gguf_file::Content;
use checkpoint::dialects::Dialect;
use checkpoint::labels::Origin;
use checkpoint::{MANIFEST, ModelFolder, Options, Quantization, convert};
use std::fs;
use std::io::Cursor;

#[test]
fn every_quantisation_reads_back() {
    for network in ["tiny-relative", "tiny-absolute"] {
        let source = tensors(&golden(network));
        for quantization in Quantization::ALL {
            let folder = tempfile::tempdir().unwrap();
            let conversion = convert_to(&golden(network), folder.path(), quantization);
            let mut seen = 0;
            let header = ModelFolder::open(folder.path()).unwrap().read(|_, tensor| {
                let exact = &source[&tensor.spec.name].values;
                if let (TensorData::Dense(values), Quantization::F32) = (&tensor.data, quantization) {
                    assert_eq!(values, exact, "{}", tensor.spec.name);
                }
                seen += 1;
                Ok(())
            });
            let header = header.unwrap();
            assert_eq!(seen, source.len());
            assert_eq!((header.config.depth, header.config.heads, header.config.width), (3, 2, 128));
            assert_eq!(header.config.preprocessing.short_side * 224, header.config.image_size * 256);
            assert_eq!(header.labels[49].en, "class 49");
            let worst = conversion.tensors.iter().map(|t| t.relative_rms_error).fold(0.0, f64::max);
            let expected = match quantization {
                Quantization::F32 => 0.0..=0.0,
                Quantization::F16 => 1e-5..=5e-4,
                Quantization::Q8_0 => 5e-3..=1e-2,
                Quantization::Q4_0 => 6e-2..=9e-2,
            };
            assert!(expected.contains(&worst), "{network} {quantization}: {worst}");
            println!("{network} {quantization}: cosines {:?}", conversion.logits_cosine);
            assert_eq!(conversion.logits_cosine.len(), 4);
            let expected = match quantization {
                Quantization::F32 => 1.0 - 1e-12..=1.0 + 1e-12,
                Quantization::F16 => 0.999_99..=0.999_999_999,
                Quantization::Q8_0 => 0.999..=0.999_99,
                Quantization::Q4_0 => 0.98..=0.999,
            };
            for cosine in conversion.logits_cosine {
                assert!(expected.contains(&cosine), "{network} {quantization}: cosine {cosine}");
            }
        }
    }
}

#[test]
fn the_same_checkpoint_gives_the_same_bytes() {
    for quantization in Quantization::ALL {
        let folder = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for run in ["one", "two"] {
            let out = folder.path().join(run);
            convert_to(&golden("tiny-relative"), &out, quantization);
            all.push(files(&out));
        }
        assert_eq!(all[0], all[1], "{quantization}");
    }
}

#[test]
fn shards_are_cut_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        shard_bytes: 100_000,
        ..Options::new(golden("tiny-absolute"), folder.path().join("out"), Quantization::Q8_0)
    };
    let manifest = convert(&options, &|_| ()).unwrap().manifest;
    assert!(manifest.shards.len() > 5);
    let (last, full) = manifest.shards.split_last().unwrap();
    assert!(full.iter().all(|shard| shard.bytes == 100_000) && last.bytes <= 100_000);
    let n = manifest.shards.len();
    assert_eq!(last.name, format!("tiny-absolute.weights-q8_0.gguf-{n:05}-of-{n:05}"));
    assert_eq!(files(&options.out).len(), n + 1);
}

#[test]
fn every_dialect_gives_the_same_file() {
    for network in ["tiny-relative", "tiny-absolute"] {
        let source = tensors(&golden(network));
        let folder = tempfile::tempdir().unwrap();
        let mut expected = None;
        for dialect in Dialect::ALL {
            let file = folder.path().join(format!("{dialect:?}.safetensors"));
            write_safetensors(&file, &crate::support::renamed(&source, dialect));
            let out = folder.path().join(format!("{dialect:?}"));
            let options =
                Options { name: Some("tiny".into()), ..Options::new(&file, &out, Quantization::Q4_0) };
            let conversion = convert(&options, &|_| ()).unwrap();
            assert_eq!(conversion.dialect, dialect);
            let mut written = files(&out);
            written.remove(MANIFEST);
            assert!(*expected.get_or_insert_with(|| written.clone()) == written, "{network} as {dialect}");
        }
    }
}

#[test]
fn sixteen_bit_checkpoints_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, dtype) in [("half", safetensors::Dtype::F16), ("bfloat", safetensors::Dtype::BF16)] {
        let mut source = tensors(&golden("tiny-absolute"));
        for tensor in source.values_mut() {
            tensor.dtype = dtype;
            tensor.values = tensor.values.iter().map(|&v| crate::support::rounded(v, dtype)).collect();
        }
        let file = folder.path().join(format!("{name}.safetensors"));
        write_safetensors(&file, &source);
        let out = folder.path().join(name);
        convert_to(&file, &out, Quantization::F32);
        let read = ModelFolder::open(&out).unwrap().read(|_, tensor| {
            let TensorData::Dense(values) = tensor.data else { panic!("{} is not F32", tensor.spec.name) };
            assert_eq!(values, source[&tensor.spec.name].values, "{}", tensor.spec.name);
            Ok(())
        });
        read.unwrap();
    }
}

#[test]
fn an_earlier_conversion_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model");
    let options =
        Options { shard_bytes: 100_000, ..Options::new(golden("tiny-absolute"), &out, Quantization::F32) };
    convert(&options, &|_| ()).unwrap();
    let before = files(&out).len();
    convert_to(&golden("tiny-absolute"), &out, Quantization::Q4_0);
    assert!(before > 10);
    assert_eq!(files(&out).len(), 2, "one shard and the manifest");
    fs::write(out.join("notes.txt"), "mine").unwrap();
    assert!(convert(&options, &|_| ()).is_err());
    assert_eq!(files(&out).len(), 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn cards_and_labels_travel() {
    let folder = tempfile::tempdir().unwrap();
    let (card, names) = (folder.path().join("CARD.md"), folder.path().join("names.txt"));
    fs::write(&card, "# A card").unwrap();
    fs::write(&names, (0..50).map(|i| format!("thing {i}\n")).collect::<String>()).unwrap();
    let options = Options {
        name: Some("tiny".into()),
        labels: Some(names),
        card: Some(card),
        license: Some("MIT".into()),
        short_side: Some(150),
        mean: Some([0.5; 3]),
        std: Some([0.25; 3]),
        ..Options::new(golden("tiny-absolute"), folder.path().join("out"), Quantization::Q8_0)
    };
    convert(&options, &|_| ()).unwrap();
    let model = ModelFolder::open(&options.out.join(MANIFEST)).unwrap();
    assert_eq!(model.manifest().card.as_deref(), Some("README.md"));
    assert_eq!(fs::read_to_string(options.out.join("README.md")).unwrap(), "# A card");
    let header = model.read(|_, _| Ok(())).unwrap();
    assert_eq!(header.labels[7].en, "thing 7");
    assert_eq!(header.config.name, "tiny");
    let p = &header.config.preprocessing;
    assert_eq!((p.short_side, p.crop, p.mean, p.std), (150, 112, [0.5; 3], [0.25; 3]));
    let text = |key: &str| header.metadata[key].as_str().unwrap().to_owned();
    assert_eq!(text("general.license"), "MIT");
    let source = model.manifest().source.as_ref().unwrap();
    assert_eq!(source.file, "tiny-absolute.weights.safetensors");
    assert_eq!(source.sha256, beit::weights::sha256(&fs::read(golden("tiny-absolute")).unwrap()));
}

/// timm's `beitv2_*.in1k_ft_in22k` have a row for each of ImageNet-22k's classes, and no names.
#[test]
fn a_head_of_imagenet_22k_gets_names_and_kinds() {
    let mut network = tensors(&golden("tiny-relative"));
    for name in ["head.weight", "head.bias"] {
        let tensor = network.get_mut(name).unwrap();
        let row = tensor.values.len() / tensor.shape[0];
        tensor.shape[0] = 21_841;
        tensor.values = tensor.values.iter().copied().cycle().take(21_841 * row).collect();
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("x.safetensors"), folder.path().join("out"));
    write_safetensors(&source, &network);
    let conversion = convert_to(&source, &out, Quantization::Q8_0);
    assert_eq!((conversion.config.classes, conversion.labels_origin), (21_841, Origin::Imagenet22k));
    let header = ModelFolder::open(&out).unwrap().read(|_, _| Ok(())).unwrap();
    let tench = &header.labels[359];
    assert_eq!((tench.wnid.as_str(), tench.en.as_str(), tench.zh.as_str()), ("n01440764", "tench", "丁鱥"));
    let mut probabilities = vec![0.0; 21_841];
    // Tench and goldfish.
    probabilities[359] = 0.5;
    probabilities[368] = 0.48;
    let (kind, held) = most_specific(&header.labels, &header.kinds, &probabilities).unwrap();
    assert_eq!((kind.label.en.as_str(), held), ("cyprinid", 0.98));
    let bytes: u64 =
        files(&out).iter().filter(|(name, _)| name.contains(".gguf-")).map(|(_, b)| b.len() as u64).sum();
    let tensors: u64 = header.tensors.iter().map(|(_, _, bytes)| bytes).sum();
    assert!(bytes - tensors < 2 << 20, "names and kinds take {} bytes", bytes - tensors);
}

/// candle reads GGUF files of every kind: what it finds is what was written.
#[test]
fn other_programs_read_what_is_written() {
    for quantization in Quantization::ALL {
        let folder = tempfile::tempdir().unwrap();
        convert_to(&golden("tiny-relative"), folder.path(), quantization);
        let shards = files(folder.path());
        let file: Vec<u8> = shards
            .iter()
            .filter(|(name, _)| name.contains(".gguf-"))
            .flat_map(|(_, bytes)| bytes.clone())
            .collect();
        let mut reader = Cursor::new(&file);
        let content = Content::read(&mut reader).unwrap();
        let text = |key: &str| content.metadata[key].to_string().unwrap().clone();
        assert_eq!((text("general.architecture").as_str(), text("beit.pooling").as_str()), ("beit", "mean"));
        assert_eq!(content.metadata["beit.embedding_length"].to_u32().unwrap(), 128);
        assert_eq!(content.metadata["beit.labels.en"].to_vec().unwrap().len(), 50);
        ModelFolder::open(folder.path())
            .unwrap()
            .read(|_, tensor| {
                let spec = &tensor.spec;
                let theirs = content.tensor(&mut reader, &spec.name, &Device::Cpu).unwrap();
                assert_eq!(theirs.shape().dims(), spec.shape);
                match &tensor.data {
                    TensorData::Dense(values) => {
                        let all = theirs.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap();
                        assert_eq!(&all.to_vec1::<f32>().unwrap(), values, "{}", spec.name);
                    }
                    TensorData::Blocks { bytes, .. } => {
                        assert_eq!(theirs.data().unwrap().as_ref(), bytes, "{}", spec.name);
                    }
                }
                Ok(())
            })
            .unwrap();
    }
}
