//! Chromium, driven over WebDriver by chromedriver.

use super::{Client, Engine, Request, Result, Setup, told};
use fantoccini::ClientBuilder;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;
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

/// A browser, and the driver that ends it with this value.
pub struct Session {
    pub client: fantoccini::Client,
    _driver: Driver,
}

impl Session {
    pub async fn start(setup: Setup) -> Result<Self> {
        let driver = Driver::start();
        Ok(Self { client: driver.connect(setup).await?, _driver: driver })
    }
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

    async fn connect(&self, setup: Setup) -> Result<fantoccini::Client> {
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let address = format!("http://127.0.0.1:{}", self.port);
        builder.capabilities(self.capabilities(setup)).connect(&address).await.map_err(told)
    }

    fn capabilities(&self, setup: Setup) -> Capabilities {
        let (width, height) = setup.window;
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--window-size={width},{height}"));
        if setup.webgpu {
            arguments.push("--enable-unsafe-webgpu".into());
        }
        if setup.revectorize {
            arguments.push("--js-flags=--experimental-wasm-revectorize".into());
        }
        if setup.camera {
            let flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
            arguments.extend(flags.map(str::to_owned));
        }
        arguments.push(format!("--user-data-dir={}", self.profile.path().display()));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            // Milliseconds.
            "timeouts": { "script": setup.script.as_millis() as u64, "pageLoad": 60_000 },
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
    fn endpoint(&self, base: &Url, session: Option<&str>) -> std::result::Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

/// Sends a command of the Chrome DevTools Protocol.
///
/// # Panics
/// In any other browser: tests that need it are in a module `chromium` of their file.
pub async fn devtools(client: &Client, command: &'static str, parameters: Value) -> Value {
    let sent = chromium(client).issue_cmd(DevTools { command, parameters }).await;
    sent.unwrap_or_else(|e| panic!("{command}: {e}"))
}

fn chromium(client: &Client) -> &fantoccini::Client {
    match client {
        Client::WebDriver(client, Engine::Chromium) => client,
        _ => panic!("this test is for Chromium alone"),
    }
}

/// Drags files to an element's upper edge and lets go.
pub async fn drop_files(client: &Client, selector: &str, paths: &[String]) -> Result<()> {
    let place = "const zone = document.querySelector(arguments[0]).getBoundingClientRect();
        return [zone.left + zone.width / 2, zone.top + 12]";
    let place = client.execute(place, vec![selector.into()]).await?;
    let (x, y) = (&place[0], &place[1]);
    for step in ["dragEnter", "dragOver", "drop"] {
        let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
        let event = json!({ "type": step, "x": x, "y": y, "data": data });
        devtools(client, "Input.dispatchDragEvent", event).await;
    }
    Ok(())
}

pub async fn save_into(client: &Client, folder: &Path) -> Result<()> {
    let parameters = json!({ "behavior": "allow", "downloadPath": folder.display().to_string() });
    let command = DevTools { command: "Browser.setDownloadBehavior", parameters };
    chromium(client).issue_cmd(command).await.map_err(told)?;
    Ok(())
}

pub async fn console_errors(client: &Client) -> Vec<String> {
    let lines = log(client, "browser").await;
    let errors = lines.iter().filter(|line| line["level"] == "SEVERE");
    errors.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

pub async fn requests(client: &Client) -> Vec<Request> {
    let lines = log(client, "performance").await;
    let event = |line: &Value| serde_json::from_str::<Value>(line["message"].as_str()?).ok();
    let events = lines.iter().filter_map(event);
    let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
    let request = |event: Value| {
        let request = &event["message"]["params"]["request"];
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        Request { url: text("url"), method: text("method"), carries: request["hasPostData"] == json!(true) }
    };
    sent.map(request).collect()
}

/// One of chromedriver's logs, and empties it.
async fn log(client: &Client, kind: &'static str) -> Vec<Value> {
    #[derive(Debug)]
    struct Log(&'static str);
    impl WebDriverCompatibleCommand for Log {
        fn endpoint(&self, base: &Url, session: Option<&str>) -> std::result::Result<Url, url::ParseError> {
            base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
        }
        fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
            (Method::POST, Some(json!({ "type": self.0 }).to_string()))
        }
    }
    let log = chromium(client).issue_cmd(Log(kind)).await.expect("the browser's log");
    log.as_array().expect("a list of lines").clone()
}
