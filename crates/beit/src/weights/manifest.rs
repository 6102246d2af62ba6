//! `manifest.json`: what a model consists of, so that every byte can be checked before it is used.

use super::{ManifestError, ShardError};
use crate::calibration::Calibration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The only value of [`Manifest::format`] so far.
pub const MANIFEST_FORMAT: &str = "beitscope-manifest-1";

/// Above this a shard is refused before it is fetched. The converter cuts at 20 MiB (Cloudflare
/// Pages takes files up to 25 MiB, GitHub up to 100 MB); other hosts may like larger ones.
const MAX_SHARD_BYTES: u64 = 256 << 20;
/// BEiTv2-large in F32 is 1.2 GB; wasm32 can address 4 GiB.
const MAX_TOTAL_BYTES: u64 = 4 << 30;

/// One model: its name, its size, and its shards in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: String,
    /// The model's own name, such as `beitv2_large_patch16_224`.
    pub name: String,
    /// How the linear weights are stored: `q8_0`, `q4_0`, `f16` or `f32`.
    pub quantization: String,
    /// Values of all tensors.
    pub parameters: u64,
    /// Rows of the head.
    pub classes: usize,
    /// Side of the square input in pixels.
    pub image_size: usize,
    /// The checkpoint it was converted from. Here and not in the GGUF, whose bytes are thus the same
    /// whichever container and naming scheme the same weights came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Checkpoint>,
    /// The model card, relative to the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// What makes its confidence honest, where that was measured. Not in the GGUF: it is measured after the weights are
    /// written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Bytes of the GGUF, all shards together.
    pub bytes: u64,
    /// SHA-256 of the GGUF, lower-case hexadecimal: for whoever puts the shards together. Readers of shards go by
    /// [`Manifest::identity`].
    pub sha256: String,
    /// The GGUF's pieces, in order.
    pub shards: Vec<Shard>,
}

/// A checkpoint file, for whoever wants to know where weights come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// File name, without its folder.
    pub file: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// One file: the unit of fetch, verify, cache, resume and retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// File name, beside the manifest.
    pub name: String,
    /// Length of the file.
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Parses and checks: a manifest may come from anywhere, so nothing in it is believed before
    /// it is plausible (names without a path, sizes that add up, hashes of the right form).
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The text of `manifest.json`.
    pub fn to_json(&self) -> String {
        // What is written here can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// What the model is known by: the SHA-256 of its shards' hashes, in order, a line each. Each shard's bytes are checked
    /// against its hash before they are used, so two models with the same identity are the same bytes. The claimed
    /// [`Manifest::sha256`] is not: only who has the whole file in one piece can check it.
    pub fn identity(&self) -> String {
        let lines: String = self.shards.iter().map(|shard| format!("{}\n", shard.sha256)).collect();
        sha256(lines.as_bytes())
    }

    fn check(&self) -> Result<(), ManifestError> {
        expect("format", self.format == MANIFEST_FORMAT, MANIFEST_FORMAT, &self.format)?;
        expect("shards", !self.shards.is_empty(), "at least one", "none")?;
        expect("sha256", is_sha256(&self.sha256), "64 hexadecimal digits", &self.sha256)?;
        if let Some(card) = &self.card {
            expect("card", is_plain_name(card), "a file name beside the manifest", card)?;
        }
        let mut total = 0u64;
        for shard in &self.shards {
            let name = &shard.name;
            expect("shards.name", is_plain_name(name), "a file name beside the manifest", name)?;
            let size = (1..=MAX_SHARD_BYTES).contains(&shard.bytes);
            let sizes = format!("1 to {MAX_SHARD_BYTES} bytes in {name}");
            expect("shards.bytes", size, &sizes, &shard.bytes.to_string())?;
            let digits = format!("64 hexadecimal digits for {name}");
            expect("shards.sha256", is_sha256(&shard.sha256), &digits, &shard.sha256)?;
            total = total.saturating_add(shard.bytes);
        }
        let sum = format!("{total}, the sum of the shards");
        expect("bytes", self.bytes == total, &sum, &self.bytes.to_string())?;
        let most = format!("at most {MAX_TOTAL_BYTES}");
        expect("bytes", total <= MAX_TOTAL_BYTES, &most, &total.to_string())?;
        // The identity of the shards says something only once they are well formed.
        let Some(calibration) = &self.calibration else { return Ok(()) };
        calibration.check(&self.identity()).map_err(|(field, expected, got)| ManifestError::Field {
            field,
            expected,
            got: got.chars().take(80).collect(),
        })
    }
}

impl Shard {
    /// Checks a shard's bytes against its size and hash.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), ShardError> {
        self.check_size(bytes.len() as u64)?;
        self.check_digest(sha256(bytes))
    }

    /// Checks a count of bytes against the shard's, before anything is spent on hashing them.
    pub fn check_size(&self, got: u64) -> Result<(), ShardError> {
        if got == self.bytes {
            return Ok(());
        }
        Err(ShardError::Size { name: self.name.clone(), expected: self.bytes, got })
    }

    /// Checks a SHA-256, lower-case hexadecimal, that somebody else took of the bytes.
    pub fn check_digest(&self, got: String) -> Result<(), ShardError> {
        if got == self.sha256 {
            return Ok(());
        }
        Err(ShardError::Hash { name: self.name.clone(), expected: self.sha256.clone(), got })
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal, the way a manifest writes hashes.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn expect(field: &'static str, ok: bool, expected: &str, got: &str) -> Result<(), ManifestError> {
    if ok {
        return Ok(());
    }
    // A hostile value must not flood the page with its own text.
    let got = got.chars().take(80).collect();
    Err(ManifestError::Field { field, expected: expected.into(), got })
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name that can only mean a file in the manifest's own folder.
fn is_plain_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{NoneOfThese, Score};

    fn good() -> Manifest {
        let shard = |i: u64| Shard {
            name: format!("demo.gguf-0000{i}-of-00002"),
            bytes: 10 * i,
            sha256: "a".repeat(64),
        };
        Manifest {
            format: MANIFEST_FORMAT.into(),
            name: "demo".into(),
            quantization: "q8_0".into(),
            parameters: 30,
            classes: 2,
            image_size: 112,
            source: Some(Checkpoint { file: "demo.pth".into(), sha256: "c".repeat(64) }),
            card: Some("README.md".into()),
            calibration: None,
            bytes: 30,
            sha256: "b".repeat(64),
            shards: vec![shard(1), shard(2)],
        }
    }

    #[test]
    fn a_good_manifest_survives_the_round_trip() {
        let json = serde_json::to_vec(&good()).unwrap();
        assert_eq!(Manifest::parse(&json).unwrap(), good());
    }

    /// Measured on these weights.
    fn calibrated() -> Manifest {
        let none_of_these = Some(NoneOfThese { score: Score::Energy, below: 4.5 });
        let calibration = Calibration { identity: good().identity(), temperature: 1.5, none_of_these };
        Manifest { calibration: Some(calibration), ..good() }
    }

    #[test]
    fn a_calibration_belongs_to_the_weights_it_was_measured_on() {
        let json = serde_json::to_vec(&calibrated()).unwrap();
        assert_eq!(Manifest::parse(&json).unwrap(), calibrated());
        type Fault = fn(&mut Manifest);
        let faults: [(&str, Fault); 4] = [
            ("calibration.identity", |m| m.shards[0].sha256 = "d".repeat(64)),
            ("calibration.temperature", |m| calibration(m).temperature = 0.0),
            ("calibration.temperature", |m| calibration(m).temperature = 1e9),
            ("calibration.none_of_these.below", |m| {
                calibration(m).none_of_these = Some(NoneOfThese { score: Score::MaxLogit, below: 1e300 });
            }),
        ];
        for (field, spoil) in faults {
            let mut manifest = calibrated();
            spoil(&mut manifest);
            let error = Manifest::parse(&serde_json::to_vec(&manifest).unwrap()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{field}`")), "{field}: {error}");
        }
        let unknown = String::from_utf8(json).unwrap().replace("energy", "horoscope");
        assert!(matches!(Manifest::parse(unknown.as_bytes()), Err(ManifestError::Json(_))));
    }

    fn calibration(manifest: &mut Manifest) -> &mut Calibration {
        manifest.calibration.as_mut().unwrap()
    }

    #[test]
    fn a_shard_is_known_by_size_and_hash() {
        // FIPS 180-2's example.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        let shard = Shard { name: "abc".into(), bytes: 3, sha256 };
        assert!(shard.verify(b"abc").is_ok());
        assert!(matches!(shard.verify(b"abd"), Err(ShardError::Hash { .. })));
        assert!(matches!(shard.verify(b"ab"), Err(ShardError::Size { expected: 3, got: 2, .. })));
    }

    #[test]
    fn the_identity_is_what_the_shards_say_and_not_what_is_claimed() {
        let identity = good().identity();
        // printf '%s\n%s\n' aa…a aa…a | sha256sum
        assert_eq!(identity, sha256(format!("{0}\n{0}\n", "a".repeat(64)).as_bytes()));
        let claims_another = Manifest { sha256: "d".repeat(64), name: "other".into(), ..good() };
        assert_eq!(claims_another.identity(), identity);
        let mut others_bytes = good();
        others_bytes.shards[1].sha256 = "e".repeat(64);
        assert_ne!(others_bytes.identity(), identity);
    }

    #[test]
    fn every_fault_is_named() {
        type Fault = fn(&mut Manifest);
        let faults: [(&str, Fault); 10] = [
            ("format", |m| m.format = "beitscope-manifest-9".into()),
            ("shards", |m| m.shards.clear()),
            ("sha256", |m| m.sha256 = "B".repeat(64)),
            ("card", |m| m.card = Some("../README.md".into())),
            ("shards.name", |m| m.shards[0].name = "../../etc/passwd".into()),
            ("shards.name", |m| m.shards[0].name = "https://evil/x".into()),
            ("shards.bytes", |m| m.shards[1].bytes = 0),
            ("shards.bytes", |m| m.shards[1].bytes = u64::MAX),
            ("shards.sha256", |m| m.shards[1].sha256.truncate(63)),
            ("bytes", |m| m.bytes = 31),
        ];
        for ((field, spoil), mut manifest) in faults.iter().flat_map(|f| [(f, good()), (f, calibrated())]) {
            spoil(&mut manifest);
            let json = serde_json::to_vec(&manifest).unwrap();
            let error = Manifest::parse(&json).unwrap_err().to_string();
            assert!(error.contains(&format!("`{field}`")), "{field}: {error}");
        }
        assert!(matches!(Manifest::parse(b"<!doctype html>"), Err(ManifestError::Json(_))));
    }
}
