//! A browser of one's own: Chromium, or Firefox or WebKit where `BEITSCOPE_BROWSER` says so. Tests drive all by the
//! same words ([`Client`], [`Element`]); what only Chromium can do is [`devtools`].

mod bidi;
mod chromium;
mod firefox;
mod webkit;

pub use chromium::devtools;

use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use futures_util::FutureExt;
use serde_json::Value;
use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::time::Duration;

/// Which browser the tests run in: `chromium`, the default, `firefox` or `webkit`.
const VARIABLE: &str = "BEITSCOPE_BROWSER";

/// Names a file that gets a line for each browser that had to be started anew.
const RETRIES: &str = "BEITSCOPE_RETRIES";

/// A start takes a second or two, and several on a busy machine.
const START: Duration = Duration::from_secs(20);
const STARTS: usize = 3;

/// A browser closes within this, or is ended.
const CLOSING: Duration = Duration::from_secs(20);

/// How the browser is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The window's width and height in CSS pixels.
    pub window: (u32, u32),
    pub dark: bool,
    /// It has a camera, whose picture the browser draws itself, and whoever asks may use it.
    pub camera: bool,
    /// Offers WebGPU, on a GPU that is imitated on the processor. Chromium alone.
    pub webgpu: bool,
    /// V8 makes one 256-bit instruction of a pair of 128-bit ones where it can. Chromium alone.
    pub revectorize: bool,
    /// Isolated pages have shared memory. Chromium and Firefox always give it; WebKit as GTK has it does not unless it
    /// is told to, Safari does.
    pub shared_memory: bool,
    /// How long a script may take.
    pub script: Duration,
}

impl Setup {
    pub const DEFAULT: Self = Self {
        window: (1280, 900),
        dark: false,
        camera: false,
        webgpu: false,
        revectorize: false,
        shared_memory: false,
        script: Duration::from_secs(60),
    };

    /// With threads in every browser.
    pub const THREADS: Self = Self { shared_memory: true, ..Self::DEFAULT };
}

impl Default for Setup {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why the browser did not do something, in its own words.
pub type Result<T> = std::result::Result<T, String>;

/// A browser, looking at one of its tabs.
pub enum Client {
    WebDriver(fantoccini::Client, Engine),
    Firefox(firefox::Firefox),
}

/// A browser that is driven over WebDriver.
pub enum Engine {
    Chromium,
    WebKit { downloads: PathBuf },
}

/// An element of a page.
pub enum Element {
    WebDriver(fantoccini::elements::Element),
    Firefox(firefox::Node),
}

/// A tab of a browser.
pub enum Tab {
    WebDriver(fantoccini::wd::WindowHandle),
    Firefox(String),
}

/// A request that a page made.
#[derive(Debug)]
pub struct Request {
    pub url: String,
    pub method: String,
    /// It has a body.
    pub carries: bool,
}

/// Runs `test` in a fresh browser, and closes the browser whatever becomes of the test.
pub fn browse(setup: Setup, test: impl AsyncFnOnce(&Client)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("chromium") => {
                let session = start("Chromium", async || chromium::Session::start(setup).await).await;
                run(Client::WebDriver(session.client.clone(), Engine::Chromium), test).await;
            }
            Ok("firefox") => {
                let session = start("Firefox", async || firefox::Session::start(setup).await).await;
                run(Client::Firefox(session.firefox.clone()), test).await;
            }
            Ok("webkit") => {
                let session = start("WebKit", async || webkit::Session::start(setup).await).await;
                let engine = Engine::WebKit { downloads: session.downloads() };
                run(Client::WebDriver(session.client.clone(), engine), test).await;
            }
            Ok(other) => panic!("{VARIABLE} is {other:?}: it must be `chromium`, `firefox` or `webkit`"),
        }
    });
}

/// Whether the tests run in WebKit.
pub fn is_webkit() -> bool {
    std::env::var(VARIABLE).as_deref() == Ok("webkit")
}

async fn run(client: Client, test: impl AsyncFnOnce(&Client)) {
    let outcome = AssertUnwindSafe(test(&client)).catch_unwind().await;
    let close = async {
        match client {
            Client::WebDriver(client, _) => client.close().await.map_err(told),
            Client::Firefox(firefox) => firefox.close().await,
        }
    };
    let closed = tokio::time::timeout(CLOSING, close).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    closed.expect("the browser closes in time").expect("the browser closes");
}

/// Starts a browser; one that hangs or ends before it has opened a page is started anew.
async fn start<T>(browser: &str, attempt: impl AsyncFn() -> Result<T>) -> T {
    for tried in 1.. {
        let started = tokio::time::timeout(START, attempt()).await;
        match started.unwrap_or_else(|_| Err(format!("no answer within {} s", START.as_secs()))) {
            Ok(session) => return session,
            Err(why) if tried == STARTS => panic!("{browser} does not start: {why}"),
            Err(why) => note_retry(browser, &why),
        }
    }
    unreachable!("the last attempt has returned")
}

/// Writes down that a browser is started anew, which is the only thing that is tried twice.
fn note_retry(browser: &str, why: &str) {
    let Some(path) = std::env::var_os(RETRIES) else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let why = why.replace('\n', " ");
    let noted = file.and_then(|mut file| writeln!(file, "{browser} is started anew: {why}"));
    noted.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Client {
    /// Opens an address and waits until it is loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        match self {
            Self::WebDriver(client, _) => {
                client.goto(url).await.map_err(told)?;
                self.listen().await
            }
            Self::Firefox(firefox) => firefox.goto(url).await,
        }
    }

    pub async fn refresh(&self) -> Result<()> {
        match self {
            Self::WebDriver(client, _) => {
                client.refresh().await.map_err(told)?;
                self.listen().await
            }
            Self::Firefox(firefox) => firefox.refresh().await,
        }
    }

    /// Hears a page's errors from now on, for [`console_errors`]; needed by a test whose page has loaded itself anew.
    /// In WebKit they are heard in the page itself, since its driver tells none.
    pub async fn listen(&self) -> Result<()> {
        if matches!(self, Self::WebDriver(_, Engine::WebKit { .. })) {
            self.execute(webkit::LISTEN, vec![]).await?;
        }
        Ok(())
    }

    pub async fn current_url(&self) -> Result<url::Url> {
        match self {
            Self::WebDriver(client, _) => client.current_url().await.map_err(told),
            Self::Firefox(firefox) => firefox.current_url().await,
        }
    }

    /// Runs a function's body in the page, waits for what it promises, and gives what it returns.
    pub async fn execute(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        match self {
            Self::WebDriver(client, _) => client.execute(script, arguments).await.map_err(told),
            Self::Firefox(firefox) => firefox.execute(script, &arguments).await,
        }
    }

    /// Runs a function's body in the page, whose last argument is a function to be called with the outcome.
    pub async fn execute_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        match self {
            Self::WebDriver(client, _) => client.execute_async(script, arguments).await.map_err(told),
            Self::Firefox(firefox) => {
                let script = format!(
                    "return new Promise(done => (function () {{ {script}\n}}).apply(this, [...arguments, done]))"
                );
                firefox.execute(&script, &arguments).await
            }
        }
    }

    pub async fn find_all(&self, selector: &str) -> Result<Vec<Element>> {
        match self {
            Self::WebDriver(client, _) => {
                let found = client.find_all(Locator::Css(selector)).await.map_err(told)?;
                Ok(found.into_iter().map(Element::WebDriver).collect())
            }
            Self::Firefox(firefox) => {
                Ok(firefox.find_all(selector).await?.into_iter().map(Element::Firefox).collect())
            }
        }
    }

    /// Presses a key where the focus is: a letter, or a name of WebDriver's such as `\u{e007}` for Enter.
    pub async fn press(&self, key: &str) -> Result<()> {
        match self {
            Self::WebDriver(client, _) => {
                let focused = client.active_element().await.map_err(told)?;
                // Keys sent to a file picker are taken for a file's name.
                if focused.attr("type").await.map_err(told)?.as_deref() != Some("file") {
                    return focused.send_keys(key).await.map_err(told);
                }
                let strike = |keys: KeyActions, value| {
                    keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
                };
                let keys = key.chars().fold(KeyActions::new("keyboard".into()), strike);
                client.perform_actions(keys).await.map_err(told)
            }
            Self::Firefox(firefox) => firefox.type_text(key).await,
        }
    }

    /// The page as a PNG file, as far as the window shows it.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        match self {
            Self::WebDriver(client, _) => client.screenshot().await.map_err(told),
            Self::Firefox(firefox) => firefox.screenshot().await,
        }
    }

    /// The tab that the client looks at.
    pub async fn tab(&self) -> Result<Tab> {
        match self {
            Self::WebDriver(client, _) => client.window().await.map(Tab::WebDriver).map_err(told),
            Self::Firefox(firefox) => Ok(Tab::Firefox(firefox.tab())),
        }
    }

    /// Opens another tab and looks at it.
    pub async fn open_tab(&self) -> Result<Tab> {
        let tab = match self {
            Self::WebDriver(client, _) => Tab::WebDriver(client.new_window(true).await.map_err(told)?.handle),
            Self::Firefox(firefox) => Tab::Firefox(firefox.open_tab().await?),
        };
        self.look_at(&tab).await?;
        Ok(tab)
    }

    /// Looks at another tab from now on.
    pub async fn look_at(&self, tab: &Tab) -> Result<()> {
        match (self, tab) {
            (Self::WebDriver(client, _), Tab::WebDriver(handle)) => {
                client.switch_to_window(handle.clone()).await.map_err(told)
            }
            (Self::Firefox(firefox), Tab::Firefox(context)) => firefox.look_at(context).await,
            _ => panic!("the tab is another browser's"),
        }
    }

    /// Hands files to an element as if they were dragged from the desktop. Folders in Chromium alone.
    pub async fn drop_files(&self, selector: &str, paths: &[String]) -> Result<()> {
        match self {
            Self::WebDriver(_, Engine::Chromium) => chromium::drop_files(self, selector, paths).await,
            Self::WebDriver(_, Engine::WebKit { .. }) => webkit::drop_files(self, selector, paths).await,
            Self::Firefox(firefox) => firefox.drop_files(selector, paths).await,
        }
    }

    /// Lets the browser save files into a folder, without asking.
    pub async fn save_into(&self, folder: &std::path::Path) -> Result<()> {
        match self {
            Self::WebDriver(_, Engine::Chromium) => chromium::save_into(self, folder).await,
            Self::WebDriver(_, Engine::WebKit { downloads }) => webkit::save_into(downloads, folder),
            Self::Firefox(firefox) => firefox.save_into(folder).await,
        }
    }
}

impl Element {
    /// What is written in it, as far as it is drawn.
    pub async fn text(&self) -> Result<String> {
        match self {
            Self::WebDriver(element) => element.text().await.map_err(told),
            Self::Firefox(node) => node.text().await,
        }
    }

    pub async fn attr(&self, name: &str) -> Result<Option<String>> {
        match self {
            Self::WebDriver(element) => element.attr(name).await.map_err(told),
            Self::Firefox(node) => node.attr(name).await,
        }
    }

    /// Clicks into its middle.
    pub async fn click(&self) -> Result<()> {
        match self {
            Self::WebDriver(element) => element.click().await.map_err(told),
            Self::Firefox(node) => node.click().await,
        }
    }

    /// Types into it; a file picker takes paths, one a line.
    pub async fn send_keys(&self, text: &str) -> Result<()> {
        match self {
            Self::WebDriver(element) => element.send_keys(text).await.map_err(told),
            Self::Firefox(node) => node.send_keys(text).await,
        }
    }

    /// Chooses from a drop-down list.
    pub async fn select_by_value(&self, value: &str) -> Result<()> {
        match self {
            Self::WebDriver(element) => element.select_by_value(value).await.map_err(told),
            Self::Firefox(node) => node.select_by_value(value).await,
        }
    }
}

/// The lines of the browser's console that report an error, since the last call. In WebKit without those of the time
/// in which the page was loaded.
pub async fn console_errors(client: &Client) -> Vec<String> {
    match client {
        Client::WebDriver(_, Engine::Chromium) => chromium::console_errors(client).await,
        Client::WebDriver(_, Engine::WebKit { .. }) => webkit::console_errors(client).await,
        Client::Firefox(firefox) => firefox.console_errors().await,
    }
}

/// Every request that the page has made since the last call, as the browser tells it. Those of its workers are in
/// the server's own record.
///
/// # Panics
/// In WebKit, which doesn't tell: tests that need it are in a module `chromium_and_firefox` of their file.
pub async fn requests(client: &Client) -> Vec<Request> {
    match client {
        Client::WebDriver(..) => chromium::requests(client).await,
        Client::Firefox(firefox) => firefox.requests().await,
    }
}
