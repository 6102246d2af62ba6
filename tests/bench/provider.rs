//! What a network ran on, by the words of the runtime's log.

/// What a contender shall compute with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Provider {
    Wasm { threads: usize },
    WebGpu,
}

impl Provider {
    /// The runtimes' name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm { .. } => "wasm",
            Self::WebGpu => "webgpu",
        }
    }

    /// What is asked for in a contender's name.
    pub fn words(self) -> String {
        match self {
            Self::Wasm { threads: 1 } => "1 thread".into(),
            Self::Wasm { threads } => format!("{threads} threads"),
            Self::WebGpu => "WebGPU".into(),
        }
    }

    /// What ONNX Runtime's log says about where it has placed the network's nodes, or why that is not what was asked for.
    /// On a GPU some nodes stay on the processor, but most must not.
    pub fn placed(self, lines: &[String]) -> Result<String, String> {
        let places = places(lines);
        if places.is_empty() {
            return Err("its log does not say which execution provider has the network's nodes".into());
        }
        let all: u64 = places.iter().map(|(_, nodes)| nodes).sum();
        let on_gpu: u64 =
            places.iter().filter(|(name, _)| GPU.contains(&name.as_str())).map(|(_, nodes)| nodes).sum();
        let words: Vec<_> = places.iter().map(|(name, nodes)| format!("{name} {nodes}")).collect();
        let words = format!("{} nodes", words.join(", "));
        let is_right = match self {
            Self::Wasm { .. } => on_gpu == 0,
            Self::WebGpu => 2 * on_gpu > all,
        };
        if is_right {
            Ok(words)
        } else {
            Err(format!("{} was asked for, but it ran on {words}", self.name()))
        }
    }

    /// What Beitscope's page says that it computes with, or that this is not what was asked for.
    pub fn page_says(self, backend: &str) -> Result<String, String> {
        // After a dot comes what a photo takes.
        let backend = backend.split('·').next().unwrap_or_default().trim();
        let is_right = match self {
            // A space before the number: "12 threads" are not 2.
            Self::Wasm { threads } => format!(" {backend}").contains(&format!(" {threads} thread")),
            Self::WebGpu => backend.contains("GPU"),
        };
        match is_right {
            true => Ok(backend.to_owned()),
            false => Err(format!("{} was asked for, but the page says: {backend}", self.words())),
        }
    }
}

/// Names of onnxruntime-web's providers on a GPU.
const GPU: [&str; 2] = ["WebGpuExecutionProvider", "JsExecutionProvider"];

/// Providers and their nodes, by lines such as `All nodes placed on [CPUExecutionProvider]. Number of nodes: 533` and
/// `Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 500`.
fn places(lines: &[String]) -> Vec<(String, u64)> {
    let mut places: Vec<(String, u64)> = Vec::new();
    for line in lines {
        let place = || {
            let (name, rest) = line.split_once("placed on [")?.1.split_once(']')?;
            let digits = rest.split_once("Number of nodes: ")?.1;
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            Some((name.to_owned(), digits[..end].parse().ok()?))
        };
        // A runtime may write a line twice.
        if let Some(place) = place().filter(|place| !places.contains(place)) {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    const CPU: &str = "\u{1b}[0;37m2026 [V:onnxruntime:, session_state.cc:1280 VerifyEachNodeIsAssignedToAnEp]  All \
        nodes placed on [CPUExecutionProvider]. Number of nodes: 533\u{1b}[m";

    #[test]
    fn all_nodes_on_the_processor() {
        let placed = Provider::Wasm { threads: 2 }.placed(&lines(&["Node placements", CPU, CPU]));
        assert_eq!(placed.unwrap(), "CPUExecutionProvider 533 nodes");
    }

    #[test]
    fn a_network_that_was_asked_for_on_a_gpu_and_ran_on_the_processor_is_refused() {
        let why = Provider::WebGpu.placed(&lines(&[CPU])).unwrap_err();
        assert_eq!(why, "webgpu was asked for, but it ran on CPUExecutionProvider 533 nodes");
    }

    #[test]
    fn a_few_nodes_of_a_gpus_network_may_stay_on_the_processor() {
        let line = |name, nodes| format!(" Node(s) placed on [{name}]. Number of nodes: {nodes}");
        let gpu = "WebGpuExecutionProvider";
        let placed = Provider::WebGpu.placed(&[line(gpu, 500), line("CPUExecutionProvider", 33)]);
        assert_eq!(placed.unwrap(), "WebGpuExecutionProvider 500, CPUExecutionProvider 33 nodes");
        assert!(Provider::WebGpu.placed(&[line(gpu, 33), line("CPUExecutionProvider", 500)]).is_err());
        assert!(Provider::Wasm { threads: 1 }.placed(&[line(gpu, 500)]).is_err());
    }

    #[test]
    fn the_page_is_held_to_what_was_asked_for() {
        let two = Provider::Wasm { threads: 2 };
        assert_eq!(two.page_says("Processor, 2 threads · 1,206 ms a photo").unwrap(), "Processor, 2 threads");
        assert!(Provider::Wasm { threads: 1 }.page_says("Processor, 1 thread").is_ok());
        let why = Provider::WebGpu.page_says("Processor, 2 threads").unwrap_err();
        assert_eq!(why, "WebGPU was asked for, but the page says: Processor, 2 threads");
        assert!(two.page_says("Processor, 12 threads").is_err());
        assert!(two.page_says("WebGPU").is_err() && Provider::WebGpu.page_says("GPU (WebGPU)").is_ok());
    }

    #[test]
    fn a_log_that_says_nothing_is_no_proof() {
        for found in [&[][..], &["placed on [", "placed on [X] Number of nodes: none"]] {
            assert!(
                Provider::Wasm { threads: 1 }.placed(&lines(found)).unwrap_err().contains("does not say")
            );
        }
    }
}
