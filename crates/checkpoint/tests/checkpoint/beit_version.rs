//! BEiT and BEiTv2, which only names tell apart: how photos are prepared, and the image sizes of either.

use crate::support::streams::{file_of, tensors_of};
use beit::config::{Config, Position};
use beit::preprocess::Preprocessing;
use checkpoint::{Note, Options, Quantization, Settings, StreamingConversion, convert};
use std::fs;

const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
const HALF: ([f32; 3], [f32; 3]) = ([0.5; 3], [0.5; 3]);

/// A checkpoint of a narrow network for photos of this size.
fn checkpoint(image_size: usize, position: Position) -> (Config, Vec<u8>) {
    let config = Config {
        image_size,
        width: 64,
        depth: 1,
        heads: 1,
        mlp_width: 64,
        classes: 5,
        position,
        ..Config::beitv2_large()
    };
    let file = file_of(&tensors_of(&config));
    (config, file)
}

#[test]
fn photos_are_prepared_as_the_name_says() {
    let table = [
        ("beitv2_large_patch16_224.safetensors", None, IMAGENET, None),
        ("beit_large_patch16_224.safetensors", None, HALF, Some(Note::PreparedAsBeit1)),
        ("model.safetensors", Some("beit-base-patch16-224"), HALF, Some(Note::PreparedAsBeit1)),
        ("model.safetensors", Some("beitv2_base"), IMAGENET, None),
        ("beitv2_x.safetensors", Some("beit_x"), IMAGENET, None),
        ("birds.safetensors", Some("birds"), IMAGENET, Some(Note::PreparedAsBeit2)),
    ];
    let (_, bytes) = checkpoint(64, Position::RelativeBias);
    for (file, name, (mean, std), note) in table {
        let settings = Settings { name: name.map(str::to_owned), ..Settings::new(Quantization::F16) };
        let mut conversion = StreamingConversion::new(file, settings, None).unwrap();
        conversion.push(&bytes).unwrap();
        let notes: Vec<Note> = note.into_iter().collect();
        let prepared = Preprocessing { short_side: 73, crop: 64, mean, std };
        assert_eq!(
            (&conversion.config().unwrap().preprocessing, conversion.notes()),
            (&prepared, &notes[..]),
            "{file}"
        );

        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(file), &bytes).unwrap();
        let options = Options {
            name: name.map(str::to_owned),
            ..Options::new(folder.path().join(file), folder.path().join("out"), Quantization::F16)
        };
        let converted = convert(&options, &|_| ()).unwrap();
        assert_eq!((converted.config.preprocessing, converted.notes), (prepared, notes), "{file}");
        assert_eq!(conversion.finish(None).unwrap().config().name, converted.manifest.name);
    }
}

#[test]
fn what_is_given_is_not_guessed() {
    let (_, bytes) = checkpoint(64, Position::AbsoluteEmbedding);
    let given = Settings { mean: Some([0.1; 3]), std: Some([0.2; 3]), ..Settings::new(Quantization::Q8_0) };
    for settings in [given.clone(), Settings { std: None, ..given }] {
        let std = settings.std;
        let mut conversion = StreamingConversion::new("beit_base.safetensors", settings, None).unwrap();
        conversion.push(&bytes).unwrap();
        let preprocessing = &conversion.config().unwrap().preprocessing;
        assert_eq!((preprocessing.mean, preprocessing.std), ([0.1; 3], std.unwrap_or([0.5; 3])));
        assert_eq!(conversion.notes().is_empty(), std.is_some());
    }
}

/// Grids of 24 and 32 patches a side: larger position tables, and nothing cut from the short side of a BEiT.
#[test]
fn larger_photos_are_of_the_family() {
    for (image_size, table_rows) in [(384, 47 * 47 + 3), (512, 63 * 63 + 3)] {
        for position in [Position::RelativeBias, Position::AbsoluteEmbedding] {
            let (config, bytes) = checkpoint(image_size, position);
            let table = tensors_of(&config).remove("blocks.0.attn.relative_position_bias_table");
            assert_eq!(
                table.is_some_and(|table| table.shape == [table_rows, 1]),
                position == Position::RelativeBias
            );
            for (file, short_side) in
                [("beit_x.safetensors", image_size), ("beitv2_x.safetensors", image_size * 256 / 224)]
            {
                let folder = tempfile::tempdir().unwrap();
                let (source, out) = (folder.path().join(file), folder.path().join("out"));
                fs::write(&source, &bytes).unwrap();
                let converted = convert(&Options::new(source, out, Quantization::F32), &|_| ()).unwrap();
                assert_eq!((converted.config.image_size, converted.config.position), (image_size, position));
                assert_eq!(converted.config.preprocessing.short_side, short_side, "{file}");
                // The network as written against its source, run apart from it.
                assert!(
                    converted.logits_cosine.iter().all(|&cosine| cosine > 0.9999),
                    "{:?}",
                    converted.logits_cosine
                );
            }
        }
    }
}
