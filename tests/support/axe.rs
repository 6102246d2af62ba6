//! axe-core, which finds what keeps people from using a page.

use crate::browser::Client;
use serde_json::Value;

/// What axe-core finds on the page as it stands: a line for each rule that is broken.
pub async fn violations(client: &Client, state: &str) -> Vec<String> {
    let path =
        std::env::var("BEITSCOPE_AXE").expect("axe-core: run `cargo xtask test browser`, which installs it");
    let script = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    client.execute(&format!("if (!window.axe) {{ {script} }}"), vec![]).await.unwrap();
    let run = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
            .then(r => done(r.violations.map(v => ({ id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200) + ' ' + (n.failureSummary ?? '')) }))),
                  e => done([{ id: 'error', help: String(e), nodes: [] }]));";
    let found = client.execute_async(run, vec![]).await.unwrap();
    let line = |v: &Value| format!("{state}: {} ({}): {}", v["id"], v["help"], v["nodes"]);
    found.as_array().unwrap().iter().map(line).collect()
}
