//! Firefox, driven over WebDriver BiDi.

use super::bidi::Bidi;
use super::{Request, Result, Setup, told};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use url::Url;

/// Debian's name first.
const PROGRAMS: [&str; 2] = ["firefox-esr", "firefox"];

/// What Firefox is told before it starts, in its own settings' names.
const SETTINGS: &str = "\
user_pref('browser.shell.checkDefaultBrowser', false);
user_pref('browser.startup.page', 0);
user_pref('datareporting.policy.dataSubmissionEnabled', false);
user_pref('toolkit.telemetry.reportingpolicy.firstRun', false);
user_pref('app.update.disabledForTesting', true);
user_pref('network.captive-portal-service.enabled', false);
user_pref('network.connectivity-service.enabled', false);
user_pref('dom.serviceWorkers.testing.enabled', false);
";

/// In the browser's own window: ends its watch over workers. While the remote agent has it, a worker that starts another
/// now and then never goes on (`new Worker` does not return); without an agent, as visitors have it, none does.
const UNWATCH_WORKERS: &str = "ChromeUtils.importESModule('chrome://remote/content/shared/js-process-actors/\
WebDriverWorkerListenerActor.sys.mjs').unregisterWebDriverWorkerListenerActor()";

/// A browser, and the process that ends with this value.
pub struct Session {
    pub firefox: Firefox,
    _process: Process,
}

impl Session {
    pub async fn start(setup: Setup) -> Result<Self> {
        let process = Process::start(setup);
        Ok(Self { firefox: process.connect().await?, _process: process })
    }
}

/// A Firefox process; ends with this value.
struct Process {
    process: Child,
    /// The browser's profile: new at the start, removed at the end.
    profile: TempDir,
}

impl Process {
    fn start(setup: Setup) -> Self {
        assert!(!setup.webgpu, "this test is for Chromium alone: no WebGPU here");
        let profile = TempDir::new().unwrap();
        let mut settings = SETTINGS.to_owned();
        // 0 is dark, 1 is light.
        let scheme = i32::from(!setup.dark);
        settings += &format!("user_pref('layout.css.prefers-color-scheme.content-override', {scheme});\n");
        if setup.camera {
            settings += "user_pref('media.navigator.streams.fake', true);\n";
            settings += "user_pref('media.navigator.permission.disabled', true);\n";
        }
        std::fs::write(profile.path().join("user.js"), settings).unwrap();
        let (width, height) = setup.window;
        let start = |program: &str| {
            Command::new(program)
                .args(["--headless", "--no-remote", "--remote-debugging-port", "0"])
                .args(["--remote-allow-system-access", "--profile"])
                .arg(profile.path())
                .args(["--width", &width.to_string(), "--height", &height.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        let started = PROGRAMS.into_iter().find_map(|program| start(program).ok());
        let process = started.unwrap_or_else(|| {
            panic!("there is no Firefox: run `cargo xtask test firefox`, which installs it")
        });
        Self { process, profile }
    }

    async fn connect(&self) -> Result<Firefox> {
        Firefox::begin(Bidi::connect(&self.address().await).await?).await
    }

    /// Where it listens, once it has written that into its profile.
    async fn address(&self) -> String {
        loop {
            let written = std::fs::read(self.profile.path().join("WebDriverBiDiServer.json"));
            let server: Option<Value> = written.ok().and_then(|json| serde_json::from_slice(&json).ok());
            if let Some(server) = server {
                let host = server["ws_host"].as_str().expect("ws_host");
                return format!("ws://{host}:{}/session", server["ws_port"]);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A Firefox, looking at one of its tabs.
#[derive(Clone)]
pub struct Firefox {
    bidi: Rc<Bidi>,
    tab: Rc<RefCell<String>>,
}

/// An element of a page in Firefox.
pub struct Node {
    firefox: Firefox,
    reference: Value,
}

impl Firefox {
    async fn begin(bidi: Bidi) -> Result<Self> {
        bidi.command("session.new", json!({ "capabilities": {} })).await?;
        let windows = bidi.command("browsingContext.getTree", json!({ "moz:scope": "chrome" })).await?;
        let target = json!({ "context": windows["contexts"][0]["context"] });
        let unwatch = json!({ "expression": UNWATCH_WORKERS, "target": target, "awaitPromise": false });
        let done = bidi.command("script.evaluate", unwatch).await?;
        if done["type"] != "success" {
            return Err(format!("Firefox does not stop watching workers: {done}"));
        }
        let events = json!({ "events": ["log.entryAdded", "network.beforeRequestSent"] });
        bidi.command("session.subscribe", events).await?;
        let tabs = bidi.command("browsingContext.getTree", json!({})).await?;
        let tab = text(&tabs["contexts"][0]["context"]);
        Ok(Self { bidi: Rc::new(bidi), tab: Rc::new(RefCell::new(tab)) })
    }

    pub async fn close(self) -> Result<()> {
        self.bidi.command("browser.close", json!({})).await?;
        Ok(())
    }

    pub fn tab(&self) -> String {
        self.tab.borrow().clone()
    }

    pub async fn open_tab(&self) -> Result<String> {
        let opened = self.bidi.command("browsingContext.create", json!({ "type": "tab" })).await?;
        Ok(text(&opened["context"]))
    }

    pub async fn look_at(&self, tab: &str) -> Result<()> {
        self.bidi.command("browsingContext.activate", json!({ "context": tab })).await?;
        tab.clone_into(&mut self.tab.borrow_mut());
        Ok(())
    }

    pub async fn goto(&self, url: &str) -> Result<()> {
        self.load("browsingContext.navigate", json!({ "url": url })).await
    }

    pub async fn refresh(&self) -> Result<()> {
        self.load("browsingContext.reload", json!({})).await
    }

    async fn load(&self, method: &str, mut parameters: Value) -> Result<()> {
        parameters["context"] = self.tab().into();
        parameters["wait"] = "complete".into();
        match self.bidi.command(method, parameters).await {
            // A page that loads itself anew at once takes the place of the load that was asked for.
            Err(refusal) if !refusal.contains("NS_BINDING_ABORTED") => Err(refusal),
            _ => Ok(()),
        }
    }

    pub async fn current_url(&self) -> Result<Url> {
        let address = self.execute("return location.href", &[]).await?;
        Url::parse(&text(&address)).map_err(told)
    }

    /// Values cross as JSON text, so that they need no taking apart here.
    pub async fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        let returned = self.call(&json_function(script), None, arguments).await?;
        serde_json::from_str(&text(&returned["value"])).map_err(told)
    }

    /// Calls a function in the page with the arguments as JSON text.
    async fn call(&self, function: &str, this: Option<&Value>, arguments: &[Value]) -> Result<Value> {
        let arguments = Value::from(arguments).to_string();
        let mut parameters = json!({
            "functionDeclaration": function,
            "target": { "context": self.tab() },
            "arguments": [{ "type": "string", "value": arguments }],
            "awaitPromise": true,
            "userActivation": true,
        });
        if let Some(this) = this {
            parameters["this"] = this.clone();
        }
        let begun = Instant::now();
        loop {
            let mut called = match self.bidi.command("script.callFunction", parameters.clone()).await {
                Ok(called) => called,
                // The page was left in the middle: the next one is asked, as WebDriver does.
                Err(error) if is_of_a_page_that_left(&error) && begun.elapsed() < Duration::from_secs(30) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            return match called["type"].as_str() {
                Some("success") => Ok(called["result"].take()),
                _ => Err(text(&called["exceptionDetails"]["text"])),
            };
        }
    }

    pub async fn find_all(&self, selector: &str) -> Result<Vec<Node>> {
        let parameters = json!({ "context": self.tab(), "locator": { "type": "css", "value": selector } });
        let found = self.bidi.command("browsingContext.locateNodes", parameters).await?;
        let node =
            |node: &Value| Node { firefox: self.clone(), reference: json!({ "sharedId": node["sharedId"] }) };
        Ok(found["nodes"].as_array().into_iter().flatten().map(node).collect())
    }

    /// Types where the focus is.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        let press = |key: char| {
            let key = key.to_string();
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let actions: Vec<_> = text.chars().flat_map(press).collect();
        self.act(json!({ "type": "key", "id": "keyboard", "actions": actions })).await
    }

    async fn act(&self, source: Value) -> Result<()> {
        let parameters = json!({ "context": self.tab(), "actions": [source] });
        self.bidi.command("input.performActions", parameters).await?;
        Ok(())
    }

    /// Hands files to a drop zone as if they were dragged from the desktop.
    pub async fn drop_files(&self, selector: &str, paths: &[String]) -> Result<()> {
        let picker = "async function () {
            const input = document.createElement('input');
            input.type = 'file';
            input.multiple = true;
            return input;
        }";
        let picker = self.call(picker, None, &[]).await?;
        let picker = Node { firefox: self.clone(), reference: json!({ "sharedId": picker["sharedId"] }) };
        picker.pick(paths).await?;
        let drop = "async function (json) {
            const target = document.querySelector(JSON.parse(json)[0]);
            const dataTransfer = new DataTransfer();
            for (const file of this.files) dataTransfer.items.add(file);
            for (const step of ['dragenter', 'dragover', 'drop'])
                target.dispatchEvent(new DragEvent(step, { dataTransfer, bubbles: true, cancelable: true }));
        }";
        self.call(drop, Some(&picker.reference), &[selector.into()]).await?;
        Ok(())
    }

    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        let parameters = json!({ "context": self.tab() });
        let picture = self.bidi.command("browsingContext.captureScreenshot", parameters).await?;
        STANDARD.decode(text(&picture["data"])).map_err(told)
    }

    pub async fn save_into(&self, folder: &Path) -> Result<()> {
        let behaviour = json!({ "type": "allowed", "destinationFolder": folder });
        self.bidi.command("browser.setDownloadBehavior", json!({ "downloadBehavior": behaviour })).await?;
        Ok(())
    }

    pub async fn console_errors(&self) -> Vec<String> {
        self.catch_up().await;
        let lines = self.bidi.take_events("log.entryAdded");
        // Of a request that ended with its page Firefox says this, with no address.
        let left_behind = |text: &String| text.starts_with("Failed to load ‘’. A ServiceWorker intercepted");
        let errors = lines.iter().filter(|line| line["level"] == "error").map(|line| text(&line["text"]));
        errors.filter(|text| !left_behind(text)).collect()
    }

    pub async fn requests(&self) -> Vec<Request> {
        self.catch_up().await;
        let request = |event: &Value| {
            let request = &event["request"];
            let carries = request["bodySize"].as_u64().is_some_and(|bytes| bytes > 0);
            Request { url: text(&request["url"]), method: text(&request["method"]), carries }
        };
        self.bidi.take_events("network.beforeRequestSent").iter().map(request).collect()
    }

    /// Events come in front of a later command's answer.
    async fn catch_up(&self) {
        self.bidi.command("session.status", json!({})).await.expect("the browser answers");
    }
}

impl Node {
    /// Runs a function's body on the element, `this` in it.
    async fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        let function = json_function(script);
        let returned = self.firefox.call(&function, Some(&self.reference), arguments).await?;
        serde_json::from_str(&text(&returned["value"])).map_err(told)
    }

    pub async fn text(&self) -> Result<String> {
        Ok(text(&self.execute("return this.innerText.trim()", &[]).await?))
    }

    pub async fn attr(&self, name: &str) -> Result<Option<String>> {
        let value = self.execute("return this.getAttribute(arguments[0])", &[name.into()]).await?;
        Ok(value.as_str().map(str::to_owned))
    }

    pub async fn click(&self) -> Result<()> {
        let shown = "this.scrollIntoView({ behavior: 'instant', block: 'nearest' });
            const { width, height } = this.getBoundingClientRect();
            return width > 0 && height > 0";
        if self.execute(shown, &[]).await? != json!(true) {
            return Err("the element takes no place on the page".into());
        }
        let origin = json!({ "type": "element", "element": self.reference });
        let actions = json!([
            { "type": "pointerMove", "x": 0, "y": 0, "origin": origin },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]);
        self.firefox.act(json!({ "type": "pointer", "id": "mouse", "actions": actions })).await
    }

    pub async fn send_keys(&self, text: &str) -> Result<()> {
        if self.execute("return this.type === 'file'", &[]).await? == json!(true) {
            return self.pick(&text.lines().map(str::to_owned).collect::<Vec<_>>()).await;
        }
        self.execute("this.focus()", &[]).await?;
        self.firefox.type_text(text).await
    }

    /// Hands files to a file picker.
    async fn pick(&self, paths: &[String]) -> Result<()> {
        let parameters = json!({ "context": self.firefox.tab(), "element": self.reference, "files": paths });
        self.firefox.bidi.command("input.setFiles", parameters).await?;
        Ok(())
    }

    pub async fn select_by_value(&self, value: &str) -> Result<()> {
        let choose = "this.value = arguments[0];
            for (const name of ['input', 'change']) this.dispatchEvent(new Event(name, { bubbles: true }));
            return this.value === arguments[0]";
        match self.execute(choose, &[value.into()]).await? == json!(true) {
            true => Ok(()),
            false => Err("it is not in the list".into()),
        }
    }
}

/// A function that takes its arguments as JSON text and returns what `script` does as JSON text.
fn json_function(script: &str) -> String {
    format!(
        "async function (json) {{
            const value = await (function () {{ {script}
            }}).apply(this, JSON.parse(json));
            return JSON.stringify(value ?? null);
        }}"
    )
}

fn is_of_a_page_that_left(error: &str) -> bool {
    ["AbortError", "no such frame", "no such realm", "DiscardedBrowsingContextError", "destroyed"]
        .iter()
        .any(|sign| error.contains(sign))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
