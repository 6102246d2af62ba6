//! `beitscope inspect`: verify a converted model and say what it is.

use crate::compare;
use crate::failure::Failure;
use crate::fetch::fetch;
use crate::output::{json, say, size, wants_json};
use beit::config::Position;
use beit::weights::{Header, Manifest};
use checkpoint::{ModelFolder, find_photos};
use clap::Args;
use serde_json::{Value, json as object};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
    /// Folder of a converted model, or its manifest.json
    #[arg(value_name = "DIR")]
    model: PathBuf,
    /// The checkpoint that it was converted from, as `convert` takes it: to compare both networks' answers to PHOTOs
    #[arg(long, value_name = "SOURCE", requires = "photos")]
    against: Option<PathBuf>,
    /// Photos, or folders of photos, to compare on
    #[arg(value_name = "PHOTO", requires = "against")]
    photos: Vec<PathBuf>,
    /// Photos to use of those, spread evenly over them
    #[arg(long = "photos", value_name = "N", default_value = "200", requires = "against")]
    limit: NonZeroUsize,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let photos = find_photos("PHOTO", &arguments.photos, arguments.limit.get())?;
    let folder = ModelFolder::open(&arguments.model)?;
    let manifest = folder.manifest();
    // Every bad shard is named, not just the first.
    let faults: Vec<String> =
        manifest.shards.iter().filter_map(|s| folder.shard(s).err()).map(|e| e.to_string()).collect();
    if !faults.is_empty() {
        return Err(Failure::Data(faults.join("\n")));
    }
    let header = folder.read(|_, _| Ok(()))?;
    let mut description = describe(manifest, &header);
    let as_json = wants_json(arguments.json);
    if !as_json {
        print(&description);
    }
    if let Some(source) = &arguments.against {
        let fetched = fetch(source)?;
        let source = fetched.as_ref().map_or(source, |fetched| &fetched.path);
        description["verification"] = object!(compare::run(source, folder.path(), &photos)?);
    }
    if as_json { json(&description) } else { Ok(()) }
}

/// Number of tensors and bytes by GGUF type.
fn by_type(header: &Header) -> BTreeMap<&'static str, (usize, u64)> {
    let mut types = BTreeMap::new();
    for (_, name, bytes) in &header.tensors {
        let (count, sum): &mut (usize, u64) = types.entry(*name).or_default();
        *count += 1;
        *sum += bytes;
    }
    types
}

/// An F32 number in its own few digits, which JSON's F64 would otherwise spell out.
fn number(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

fn describe(manifest: &Manifest, header: &Header) -> Value {
    let c = &header.config;
    let p = &c.preprocessing;
    let metadata = |key: &str| header.metadata.get(key).and_then(|value| value.as_str());
    let tensors: Vec<Value> = by_type(header)
        .into_iter()
        .map(|(name, (count, bytes))| object!({"type": name, "tensors": count, "bytes": bytes}))
        .collect();
    object!({
        "name": manifest.name,
        "quantization": manifest.quantization,
        "parameters": c.parameters(),
        "image_size": c.image_size,
        "patch_size": c.patch_size,
        "width": c.width,
        "depth": c.depth,
        "heads": c.heads,
        "mlp_width": c.mlp_width,
        "classes": c.classes,
        "position": match c.position {
            Position::RelativeBias => "relative_bias",
            Position::AbsoluteEmbedding => "absolute_embedding",
        },
        "layer_norm_eps": number(c.layer_norm_eps),
        "preprocessing": {
            "short_side": p.short_side,
            "crop": p.crop,
            "interpolation": "bicubic",
            "mean": p.mean.map(number),
            "std": p.std.map(number),
        },
        "labels": {
            "count": header.labels.len(),
            "with_wnid": header.labels.iter().filter(|l| !l.wnid.is_empty()).count(),
            "with_zh": header.labels.iter().filter(|l| !l.zh.is_empty()).count(),
        },
        "tensors": tensors,
        "bytes": manifest.bytes,
        "sha256": manifest.sha256,
        "identity": manifest.identity(),
        "shards": manifest.shards.iter().map(|s| object!({"name": s.name, "bytes": s.bytes})).collect::<Vec<_>>(),
        "card": manifest.card,
        "calibration": manifest.calibration.as_ref().map(|calibration| object!({
            "temperature": calibration.temperature,
            "none_of_these": calibration.none_of_these,
        })),
        "source": {
            "file": manifest.source.as_ref().map(|source| &source.file),
            "sha256": manifest.source.as_ref().map(|source| &source.sha256),
            "license": metadata("general.license"),
            "converted_by": metadata("general.quantized_by"),
        },
    })
}

/// The same for a person.
fn print(d: &Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |name: &str, value: String| say(&format!("{name:<14}{value}"));
    line("model", format!("{}, {}", text(&d["name"]), text(&d["quantization"])));
    line("parameters", d["parameters"].to_string());
    let network = [
        format!("{} blocks of width {}", d["depth"], d["width"]),
        format!("{} heads", d["heads"]),
        format!("MLP {}", d["mlp_width"]),
        format!("patch {}", d["patch_size"]),
        format!("{} px", d["image_size"]),
        text(&d["position"]).replace('_', " "),
    ];
    line("network", network.join(", "));
    let p = &d["preprocessing"];
    line(
        "preprocessing",
        format!(
            "short side {} bicubic, crop {}, mean {}, std {}",
            p["short_side"], p["crop"], p["mean"], p["std"]
        ),
    );
    let l = &d["labels"];
    line(
        "classes",
        format!(
            "{}; {} with a WordNet id, {} with a Chinese name",
            d["classes"], l["with_wnid"], l["with_zh"]
        ),
    );
    for t in d["tensors"].as_array().into_iter().flatten() {
        let bytes = size(t["bytes"].as_u64().unwrap_or_default());
        line(&text(&t["type"]), format!("{:>4} tensors {bytes:>10}", t["tensors"]));
    }
    let shards = d["shards"].as_array().map_or(0, Vec::len);
    line(
        "total",
        format!("{} in {shards} shards, all verified", size(d["bytes"].as_u64().unwrap_or_default())),
    );
    let c = &d["calibration"];
    if c.is_object() {
        let none = match &c["none_of_these"] {
            Value::Null => "no threshold for photos of none of the classes".to_owned(),
            none => {
                format!("none of the classes below a score ({}) of {}", text(&none["score"]), none["below"])
            }
        };
        line("calibration", format!("temperature {}; {none}", c["temperature"]));
    }
    for (name, key) in
        [("source", "file"), ("", "sha256"), ("licence", "license"), ("converted by", "converted_by")]
    {
        if let Some(value) = d["source"][key].as_str() {
            line(name, value.to_owned());
        }
    }
}
