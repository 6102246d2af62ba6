//! Conversions of a stream that is cut off: another conversion goes on from what was saved, to the same files.

use crate::support::streams::{FILE, converted, file_of, in_order, seeded_tensors, settings, written};
use crate::support::{golden, renamed, tensors};
use checkpoint::dialects::Dialect;
use checkpoint::{CheckpointError, Quantization, Settings, StreamingConversion};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use splitmix64::SplitMix64;
use std::fs;

/// Random sizes and positions.
struct Random(SplitMix64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(SplitMix64(seed))
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }
}

/// Pushes the bytes from where the conversion is to `end`, in parts of random sizes.
fn push_to(conversion: &mut StreamingConversion, bytes: &[u8], end: usize, random: &mut Random) {
    while (conversion.received_bytes() as usize) < end {
        let at = conversion.received_bytes() as usize;
        let len = (1 + random.below(3000)).min(end - at);
        conversion.push(&bytes[at..at + len]).unwrap();
    }
}

fn start(settings: &Settings) -> StreamingConversion {
    StreamingConversion::new(FILE, settings.clone(), None).unwrap()
}

fn resume(settings: &Settings, pieces: &[Vec<u8>]) -> Result<StreamingConversion, CheckpointError> {
    StreamingConversion::resume(FILE, settings.clone(), pieces.to_vec())
}

/// Where each tensor ends in a safetensors file.
fn tensor_ends(bytes: &[u8]) -> Vec<usize> {
    let (header, metadata) = SafeTensors::read_metadata(bytes).unwrap();
    let mut ends: Vec<_> = metadata.tensors().values().map(|info| 8 + header + info.data_offsets.1).collect();
    ends.sort_unstable();
    ends
}

#[test]
fn every_tensor_may_be_the_last_before_a_cut() {
    let source = tensors(&golden("tiny-absolute"));
    for (seed, dialect) in (0..).zip(Dialect::ALL) {
        let bytes = file_of(&renamed(&source, dialect));
        for quantization in Quantization::ALL {
            let (settings, mut random) = (settings(quantization), Random::new(seed));
            let mut conversion = start(&settings);
            let mut pieces: Vec<Vec<u8>> = Vec::new();
            for end in tensor_ends(&bytes) {
                // Cut off some bytes into the next tensor.
                push_to(&mut conversion, &bytes, (end + random.below(100)).min(bytes.len()), &mut random);
                let unsaved = conversion.unsaved_bytes();
                let piece = conversion.save();
                assert_eq!(piece.is_some(), unsaved > 0);
                assert!(piece.as_ref().is_none_or(|piece| piece.len() as u64 > unsaved));
                assert_eq!((conversion.save(), conversion.unsaved_bytes()), (None, 0));
                pieces.extend(piece);
                conversion = resume(&settings, &pieces).unwrap();
                assert!(conversion.received_bytes() as usize <= end + 100);
            }
            push_to(&mut conversion, &bytes, bytes.len(), &mut random);
            let model = conversion.finish(Some(&beit::weights::sha256(&bytes))).unwrap();
            assert!(pieces.len() > 10, "{}", pieces.len());
            assert!(written(&model).1 == converted(&bytes, &settings), "{dialect} {quantization}");
        }
    }
}

#[test]
fn any_byte_may_be_the_last_before_a_cut() {
    let tensors = renamed(&seeded_tensors().1, Dialect::Transformers4);
    let names: Vec<&String> = tensors.keys().collect();
    let reversed: Vec<&String> = names.iter().rev().copied().collect();
    for order in [names, reversed] {
        let bytes = in_order(&tensors, &order);
        let settings = settings(Quantization::Q8_0);
        let expected = converted(&bytes, &settings);
        for seed in 0..40 {
            let mut random = Random::new(seed);
            let (mut conversion, mut pieces) = (start(&settings), Vec::new());
            for _ in 0..1 + random.below(3) {
                let saves = random.below(4);
                for _ in 0..saves {
                    let at = conversion.received_bytes() as usize;
                    push_to(&mut conversion, &bytes, at + random.below(bytes.len() - at + 1), &mut random);
                    pieces.extend(conversion.save());
                }
                // What comes after the last piece is lost.
                let at = conversion.received_bytes() as usize;
                push_to(&mut conversion, &bytes, at + random.below(bytes.len() - at + 1), &mut random);
                conversion = resume(&settings, &pieces).unwrap();
            }
            push_to(&mut conversion, &bytes, bytes.len(), &mut random);
            let model = conversion.finish(Some(&beit::weights::sha256(&bytes))).unwrap();
            assert!(written(&model).1 == expected, "seed {seed}");
        }
    }
}

#[test]
fn without_pieces_a_conversion_begins_anew() {
    let conversion = resume(&settings(Quantization::Q8_0), &[]).unwrap();
    assert_eq!((conversion.received_bytes(), conversion.unsaved_bytes()), (0, 0));
    assert!(conversion.config().is_none() && conversion.model_bytes().is_none());
}

#[test]
fn the_models_length_is_known_early() {
    let bytes = fs::read(golden("tiny-relative")).unwrap();
    for quantization in Quantization::ALL {
        let settings = settings(quantization);
        let mut conversion = start(&settings);
        conversion.push(&bytes[..bytes.len() / 2]).unwrap();
        let expected = conversion.model_bytes().unwrap() as f64;
        conversion.push(&bytes[bytes.len() / 2..]).unwrap();
        let got = written(&conversion.finish(None).unwrap()).0.bytes as f64;
        // Such a small file is half header.
        assert!((0.7..=1.1).contains(&(expected / got)), "{quantization}: {expected} of {got}");
    }
}

/// The pieces of a conversion that came some three quarters.
fn pieces(bytes: &[u8], settings: &Settings) -> Vec<Vec<u8>> {
    let mut conversion = start(settings);
    let part = bytes.len() / 4;
    let save = |end| {
        push_to(&mut conversion, bytes, end, &mut Random::new(1));
        conversion.save().unwrap()
    };
    [part, 2 * part, 3 * part].map(save).into()
}

#[test]
fn other_pieces_are_refused() {
    let bytes = fs::read(golden("tiny-relative")).unwrap();
    let q8_0 = settings(Quantization::Q8_0);
    let good = pieces(&bytes, &q8_0);
    let refused = |settings: &Settings, pieces: &[Vec<u8>]| match resume(settings, pieces) {
        Err(CheckpointError::Piece { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("taken"),
    };
    assert!(resume(&q8_0, &good).is_ok());
    assert!(refused(&settings(Quantization::Q4_0), &good).contains("other settings"));
    assert!(refused(&Settings { mean: Some([0.5; 3]), ..q8_0.clone() }, &good).contains("other settings"));
    assert!(StreamingConversion::resume("other.safetensors", q8_0.clone(), good.clone()).is_err());
    assert!(refused(&q8_0, &good[1..]).contains("missing"));
    assert!(refused(&q8_0, &[good[0].clone(), good[2].clone()]).contains("missing"));
    assert!(refused(&q8_0, &[good[0].clone(), good[0].clone()]).contains("missing"));
    assert!(refused(&q8_0, &[Vec::new()]).contains("damaged"));
    assert!(refused(&q8_0, &[b"BEITPCE1".repeat(20)]).contains("version"));
    let mut random = Random::new(5);
    for _ in 0..400 {
        let mut pieces = good.clone();
        let piece = random.below(pieces.len());
        if random.below(4) == 0 {
            let len = random.below(pieces[piece].len());
            pieces[piece].truncate(len);
        } else {
            let at = random.below(pieces[piece].len());
            pieces[piece][at] ^= 1 << random.below(8);
        }
        refused(&q8_0, &pieces);
    }
}

/// Pieces whose checksum is right though their content is not: nothing panics, whatever comes of them.
#[test]
fn forged_pieces_do_no_harm() {
    let bytes = fs::read(golden("tiny-relative")).unwrap();
    let settings = settings(Quantization::Q8_0);
    let good = pieces(&bytes, &settings);
    let mut random = Random::new(6);
    let mut refused = 0;
    for _ in 0..400 {
        let mut piece = good[0].clone();
        let content = piece.len() - 32;
        for _ in 0..1 + random.below(3) {
            // The description and the file's beginning are the first 8 KB.
            let at = 40 + random.below(8000.min(content - 40));
            piece[at] =
                if random.below(2) == 0 { b'0' + random.below(10) as u8 } else { random.below(256) as u8 };
        }
        let checksum = Sha256::digest(&piece[..content]);
        piece[content..].copy_from_slice(&checksum);
        let Ok(mut conversion) = resume(&settings, &[piece]) else {
            refused += 1;
            continue;
        };
        let at = (conversion.received_bytes() as usize).min(bytes.len());
        if conversion.push(&bytes[at..]).is_ok() {
            drop(conversion.finish(None));
        }
    }
    assert!(refused > 200, "{refused}");
}
