//! A headless Chromium of one's own, driven over WebDriver.

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use futures_util::FutureExt;
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

/// What Chromium is started with, beside the size of its window.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--hide-scrollbars",
];

/// How the browser is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The window's width and height in CSS pixels.
    pub window: (u32, u32),
    pub dark: bool,
    /// It has a camera, whose picture Chromium draws itself, and whoever asks may use it.
    pub camera: bool,
    /// Offers WebGPU, on a GPU that is imitated on the processor.
    pub webgpu: bool,
}

impl Setup {
    pub const DEFAULT: Self = Self { window: (1280, 900), dark: false, camera: false, webgpu: false };
}

impl Default for Setup {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Runs `test` in a fresh browser, and closes the browser whatever becomes of the test.
pub fn browse(setup: Setup, test: impl AsyncFnOnce(&Client)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let driver = Driver::start();
        let client = driver.connect(setup).await;
        let outcome = AssertUnwindSafe(test(&client)).catch_unwind().await;
        client.close().await.expect("the browser closes");
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    });
}

/// A chromedriver process; ends with this value.
struct Driver {
    process: Child,
    port: u16,
    /// The browser's profile: empty at the start, removed at the end.
    profile: TempDir,
}

impl Driver {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap().port();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver: {e}. Run `cargo xtask test`, which installs it."));
        Self { process, port, profile: TempDir::new().unwrap() }
    }

    async fn connect(&self, setup: Setup) -> Client {
        let capabilities = self.capabilities(setup);
        let address = format!("http://127.0.0.1:{}", self.port);
        let mut tries = 0;
        loop {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            match builder.capabilities(capabilities.clone()).connect(&address).await {
                Ok(client) => return client,
                // It takes a moment until chromedriver listens.
                Err(error) if tries == 100 => panic!("no browser: {error}"),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn capabilities(&self, setup: Setup) -> Capabilities {
        let (width, height) = setup.window;
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--window-size={width},{height}"));
        if setup.webgpu {
            arguments.push("--enable-unsafe-webgpu".into());
        }
        if setup.camera {
            let flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
            arguments.extend(flags.map(str::to_owned));
        }
        arguments.push(format!("--user-data-dir={}", self.profile.path().display()));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("written as an object") };
        capabilities
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A command of the Chrome DevTools Protocol, for what WebDriver has no word for.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

/// Sends a command of the Chrome DevTools Protocol.
pub async fn devtools(client: &Client, command: &'static str, parameters: Value) -> Value {
    client.issue_cmd(DevTools { command, parameters }).await.unwrap_or_else(|e| panic!("{command}: {e}"))
}

/// The lines of the browser's console that report an error.
pub async fn console_errors(client: &Client) -> Vec<String> {
    let lines = log(client, "browser").await;
    let errors = lines.iter().filter(|line| line["level"] == "SEVERE");
    errors.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Every request that the page has made since the last call, as the DevTools protocol tells it. Those of its
/// workers are in the server's own record.
pub async fn requests(client: &Client) -> Vec<Value> {
    let lines = log(client, "performance").await;
    let event = |line: &Value| serde_json::from_str::<Value>(line["message"].as_str()?).ok();
    let events = lines.iter().filter_map(event);
    let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
    sent.map(|event| event["message"]["params"]["request"].clone()).collect()
}

/// One of chromedriver's logs, and empties it.
async fn log(client: &Client, kind: &'static str) -> Vec<Value> {
    #[derive(Debug)]
    struct Log(&'static str);
    impl WebDriverCompatibleCommand for Log {
        fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
            base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
        }
        fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
            (Method::POST, Some(json!({ "type": self.0 }).to_string()))
        }
    }
    let log = client.issue_cmd(Log(kind)).await.expect("the browser's log");
    log.as_array().expect("a list of lines").clone()
}
