//! Other runtimes on the same network (`tools/bench-peers`), in the same browser.

use crate::check::{Agreement, Arithmetic, Reference};
use crate::provider::Provider;
use serde_json::{Value, json};
use server::{Disturbance, Options, Server};
use std::path::Path;
// Not the module of tests below.
use ::tests::browser::Client;

const PAGE: &str = "/peer.html";

/// What the page is made of, beside what the folder has.
const FILES: [(&str, &str, &str); 6] = [
    (PAGE, "text/html", include_str!("peer/page.html")),
    ("/peer/run.js", "text/javascript", include_str!("peer/run.js")),
    ("/peer/onnxruntime.js", "text/javascript", include_str!("peer/onnxruntime.js")),
    ("/peer/transformers.js", "text/javascript", include_str!("peer/transformers.js")),
    ("/peer/litert.js", "text/javascript", include_str!("peer/litert.js")),
    ("/peer/rten.js", "text/javascript", include_str!("peer/rten.js")),
];

/// A runtime with one form of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peer {
    /// As `--peers` has it.
    pub name: &'static str,
    /// The runtime as the table has it.
    title: &'static str,
    /// The script in `peer/`.
    script: &'static str,
    /// The file in the folder.
    pub model: &'static str,
    pub arithmetic: Arithmetic,
    on: On,
}

/// Where a runtime has this form of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Wasm,
    OneThread,
    WebGpu,
    Both,
}

const fn ort(name: &'static str, model: &'static str, arithmetic: Arithmetic, on: On) -> Peer {
    Peer { name, title: "onnxruntime-web", script: "onnxruntime", model, arithmetic, on }
}

const fn rten(name: &'static str, model: &'static str, arithmetic: Arithmetic) -> Peer {
    Peer { name, title: "rten", script: "rten", model, arithmetic, on: On::OneThread }
}

const fn transformers(name: &'static str, model: &'static str, arithmetic: Arithmetic, on: On) -> Peer {
    Peer { name, title: "transformers.js", script: "transformers", model, arithmetic, on }
}

const F32: &str = "beitv2_large_f32.onnx";
const F16: &str = "beitv2_large_f16.onnx";
const INT8: &str = "beitv2_large_int8.onnx";
const EIGHT_BITS: &str = "beitv2_large_q8.onnx";
const FOUR_BITS: &str = "beitv2_large_q4.onnx";

/// All there are.
pub const PEERS: [Peer; 11] = [
    ort("ort-int8", INT8, Arithmetic::Int8, On::Wasm),
    ort("ort-q8", EIGHT_BITS, Arithmetic::EightBits, On::Both),
    ort("ort-q4", FOUR_BITS, Arithmetic::FourBits, On::Both),
    ort("ort-f16", F16, Arithmetic::F16, On::Both),
    ort("ort-f32", F32, Arithmetic::F32, On::Both),
    // What its pipeline takes unless it is told otherwise.
    transformers(
        "transformers",
        "transformers/beitv2-large/onnx/model_quantized.onnx",
        Arithmetic::Int8,
        On::Wasm,
    ),
    transformers(
        "transformers-gpu",
        "transformers/beitv2-large/onnx/model.onnx",
        Arithmetic::F32,
        On::WebGpu,
    ),
    Peer {
        name: "litert",
        title: "LiteRT.js",
        script: "litert",
        model: "beitv2_large.tflite",
        arithmetic: Arithmetic::F32,
        on: On::Both,
    },
    rten("rten-int8", INT8, Arithmetic::Int8),
    rten("rten-q4", FOUR_BITS, Arithmetic::FourBits),
    rten("rten-f32", F32, Arithmetic::F32),
];

/// A peer's answers and times in one turn.
#[derive(Debug, PartialEq)]
pub struct Turn {
    /// Seconds from fetching the runtime and the weights to the first answer.
    pub first: f64,
    /// Milliseconds of each further one.
    pub steady: Vec<f64>,
    pub agreement: Agreement,
    /// What it ran on, if the turn was to tell.
    pub ran: Option<String>,
}

impl Peer {
    /// Whether it can be asked to run there: what has one thread, on one alone.
    pub fn runs_on(&self, provider: Provider) -> bool {
        match (self.on, provider) {
            (On::Both, _) | (On::Wasm, Provider::Wasm { .. }) | (On::WebGpu, Provider::WebGpu) => true,
            (On::OneThread, Provider::Wasm { threads }) => threads == 1,
            _ => false,
        }
    }

    pub fn title(&self, provider: Provider) -> String {
        let file = self.model.rsplit('/').next().unwrap_or(self.model);
        format!("{} {file}, {}", self.title, provider.words())
    }

    /// Why the peer can't run with what the folder has.
    pub fn lacks(&self, folder: &Path) -> Option<String> {
        let is_there = folder.join(self.model).is_file();
        (!is_there).then(|| format!("the folder has no {} (tools/bench-peers/README.md)", self.model))
    }

    /// One turn. If it is to `tell` what it ran on, its log is verbose, and the times are not to be used.
    pub async fn turn(
        &self,
        client: &Client,
        server: &str,
        provider: Provider,
        photos: usize,
        tell: bool,
        reference: &Reference,
    ) -> Result<Turn, String> {
        client.goto(&format!("{}{PAGE}", server.trim_end_matches('/'))).await?;
        let threads = if let Provider::Wasm { threads } = provider { threads } else { 1 };
        let given = json!({
            "runtime": self.script, "model": self.model, "provider": provider.name(), "threads": threads,
            "photos": photos, "tell": tell,
        });
        let script = "const [given, done] = arguments;
            import('/peer/run.js').then(({ run }) => run(given)).then(done, (error) => {
                done({ failed: String(error?.message ?? error) });
            });";
        let result = client.execute_async(script, vec![given]).await?;
        let mut turn = self.judge(&result, reference)?;
        turn.ran = if tell { Some(self.ran(&result, provider)?) } else { None };
        Ok(turn)
    }

    /// Reads the page's result and compares every answer with timm's.
    fn judge(&self, result: &Value, reference: &Reference) -> Result<Turn, String> {
        if let Some(why) = result["failed"].as_str() {
            return Err(format!("it failed: {why}"));
        }
        let numbers = |value: &Value| -> Vec<f64> {
            // JSON has no NaN and gives null, which is no number here either.
            value.as_array().into_iter().flatten().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
        };
        let mut agreement: Option<Agreement> = None;
        for answer in result["answers"].as_array().into_iter().flatten() {
            let input = answer["input"].as_u64().and_then(|input| usize::try_from(input).ok());
            let input = input.ok_or("an answer does not say for which input")?;
            let one = reference.compare(input, &numbers(&answer["logits"]), self.arithmetic)?;
            agreement = Some(match agreement {
                Some(so_far) => so_far.and(one),
                None => one,
            });
        }
        Ok(Turn {
            first: result["first"].as_f64().ok_or("it gave no time")?,
            steady: numbers(&result["steady"]),
            agreement: agreement.ok_or("it gave no answer")?,
            ran: None,
        })
    }

    /// What it ran on, by its own word or its log, or why that is not what was asked for.
    fn ran(&self, result: &Value, provider: Provider) -> Result<String, String> {
        let lines = result["lines"].as_array().into_iter().flatten();
        let lines: Vec<String> = lines.filter_map(|line| Some(line.as_str()?.to_owned())).collect();
        if let Some(line) =
            lines.iter().find(|line| line.contains("alling back") || line.contains("artially"))
        {
            return Err(format!("{} was asked for, but it says: {line}", provider.name()));
        }
        let ran = match result["ran"].as_str() {
            Some(ran) => ran.to_owned(),
            None => provider.placed(&lines)?,
        };
        let Provider::Wasm { threads } = provider else { return Ok(ran) };
        match result["threads"].as_u64() {
            Some(used) if used == threads as u64 => Ok(format!("{ran}, {}", provider.words())),
            used => Err(format!("it was to use {}, but used {}", provider.words(), used.unwrap_or(0))),
        }
    }
}

/// The folder with the models and `node_modules`, and the page that uses them.
pub fn serve(folder: &Path) -> Server {
    let disturb = |request: &server::Request| match FILES.iter().find(|(path, ..)| request.path() == *path) {
        Some((_, content_type, text)) => {
            Disturbance::Answer { status: 200, content_type, headers: vec![], body: text.as_bytes().to_vec() }
        }
        None => Disturbance::None,
    };
    let options = Options { disturb: Some(Box::new(disturb)), ..Options::new(folder) };
    Server::start(options).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Peer {
        *PEERS.iter().find(|peer| peer.name == name).expect("a peer of this name")
    }

    fn logits() -> Vec<f64> {
        (0..1000_u32).map(|at| f64::from(at * 7919 % 1000) / 100.0).collect()
    }

    fn reference() -> (tempfile::TempDir, Reference) {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = logits().iter().flat_map(|logit| (*logit as f32).to_le_bytes()).collect();
        std::fs::write(folder.path().join("logits.f32"), bytes).unwrap();
        let reference = Reference::read(folder.path()).unwrap();
        (folder, reference)
    }

    #[test]
    fn each_peer_has_a_name_and_a_script() {
        for (at, peer) in PEERS.iter().enumerate() {
            assert!(PEERS[..at].iter().all(|other| other.name != peer.name), "{} twice", peer.name);
            let script = format!("/peer/{}.js", peer.script);
            assert!(FILES.iter().any(|(path, ..)| *path == script), "{script}");
        }
    }

    #[test]
    fn what_has_one_thread_is_asked_for_no_more() {
        let on = |name: &str, provider| peer(name).runs_on(provider);
        assert!(
            on("rten-f32", Provider::Wasm { threads: 1 }) && !on("rten-f32", Provider::Wasm { threads: 2 })
        );
        assert!(on("ort-q4", Provider::WebGpu) && on("ort-q4", Provider::Wasm { threads: 2 }));
        assert!(!on("ort-int8", Provider::WebGpu) && !on("transformers-gpu", Provider::Wasm { threads: 1 }));
    }

    #[test]
    fn every_answer_counts_before_a_time_does() {
        let (_folder, reference) = reference();
        let answer = |logits: Vec<f64>| json!({ "input": 0, "logits": logits });
        let well =
            json!({ "first": 2.5, "steady": [900.0], "answers": [answer(logits()), answer(logits())] });
        let turn = peer("ort-f32").judge(&well, &reference).unwrap();
        assert_eq!((turn.first, &turn.steady[..], turn.ran), (2.5, &[900.0][..], None));
        let mut reversed = logits();
        reversed.reverse();
        for (result, words) in [
            (
                json!({ "first": 2.5, "steady": [9.0], "answers": [answer(logits()), answer(reversed)] }),
                "cosine",
            ),
            (json!({ "first": 2.5, "steady": [9.0], "answers": [] }), "no answer"),
            (json!({ "first": 2.5, "steady": [9.0], "answers": [answer(vec![])] }), "0 logits"),
            (
                json!({ "first": 2.5, "steady": [9.0], "answers": [{ "input": 0, "logits": vec![Value::Null; 1000] }] }),
                "finite",
            ),
            (json!({ "failed": "no available backend found" }), "no available backend"),
        ] {
            let why = peer("ort-q4").judge(&result, &reference).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn a_runtime_that_says_it_went_elsewhere_is_refused() {
        let line = "[LiteRT] Model not fully compiled for webgpu. Falling back to WASM execution.";
        let result = json!({ "ran": "LiteRT.js, webgpu", "lines": [line] });
        assert!(peer("litert").ran(&result, Provider::WebGpu).unwrap_err().contains(line));
        let result = json!({ "ran": "LiteRT.js, webgpu", "lines": [] });
        assert_eq!(peer("litert").ran(&result, Provider::WebGpu).unwrap(), "LiteRT.js, webgpu");
        let result = json!({ "ran": null, "lines": [] });
        assert!(peer("ort-q4").ran(&result, Provider::WebGpu).is_err());
    }

    #[test]
    fn one_thread_where_two_were_asked_for_is_refused() {
        let line = "All nodes placed on [CPUExecutionProvider]. Number of nodes: 58";
        let ran = |threads: Value| {
            let result = json!({ "ran": null, "lines": [line], "threads": threads });
            peer("ort-int8").ran(&result, Provider::Wasm { threads: 2 })
        };
        assert_eq!(ran(json!(2)).unwrap(), "CPUExecutionProvider 58 nodes, 2 threads");
        assert!(ran(json!(1)).unwrap_err().contains("2 threads, but used 1"));
        assert!(ran(Value::Null).is_err());
    }

    #[test]
    fn a_form_that_the_folder_has_not_is_named() {
        let (folder, _) = reference();
        assert!(peer("litert").lacks(folder.path()).unwrap().contains("beitv2_large.tflite"));
        std::fs::write(folder.path().join("beitv2_large.tflite"), b"").unwrap();
        assert_eq!(peer("litert").lacks(folder.path()), None);
    }
}
