//! A headless browser of one's own: Chromium, or Firefox where `BEITSCOPE_BROWSER` says so. Tests drive both by the
//! same words ([`Client`], [`Element`]); what only Chromium can do is [`devtools`].

mod bidi;
mod chromium;
mod firefox;

pub use chromium::devtools;

use fantoccini::Locator;
use futures_util::FutureExt;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, resume_unwind};

/// Which browser the tests run in: `chromium`, the default, or `firefox`.
const VARIABLE: &str = "BEITSCOPE_BROWSER";

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
}

impl Setup {
    pub const DEFAULT: Self = Self { window: (1280, 900), dark: false, camera: false, webgpu: false };
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
    Chromium(fantoccini::Client),
    Firefox(firefox::Firefox),
}

/// An element of a page.
pub enum Element {
    Chromium(fantoccini::elements::Element),
    Firefox(firefox::Node),
}

/// A tab of a browser.
pub enum Tab {
    Chromium(fantoccini::wd::WindowHandle),
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
                let driver = chromium::Driver::start();
                run(Client::Chromium(driver.connect(setup).await), test).await;
            }
            Ok("firefox") => {
                let process = firefox::Process::start(setup);
                run(Client::Firefox(process.connect().await), test).await;
            }
            Ok(other) => panic!("{VARIABLE} is {other:?}: it must be `chromium` or `firefox`"),
        }
    });
}

async fn run(client: Client, test: impl AsyncFnOnce(&Client)) {
    let outcome = AssertUnwindSafe(test(&client)).catch_unwind().await;
    let closed = match client {
        Client::Chromium(client) => client.close().await.map_err(told),
        Client::Firefox(firefox) => firefox.close().await,
    };
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    closed.expect("the browser closes");
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Client {
    /// Opens an address and waits until it is loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        match self {
            Self::Chromium(client) => client.goto(url).await.map_err(told),
            Self::Firefox(firefox) => firefox.goto(url).await,
        }
    }

    pub async fn refresh(&self) -> Result<()> {
        match self {
            Self::Chromium(client) => client.refresh().await.map_err(told),
            Self::Firefox(firefox) => firefox.refresh().await,
        }
    }

    pub async fn current_url(&self) -> Result<url::Url> {
        match self {
            Self::Chromium(client) => client.current_url().await.map_err(told),
            Self::Firefox(firefox) => firefox.current_url().await,
        }
    }

    /// Runs a function's body in the page, waits for what it promises, and gives what it returns.
    pub async fn execute(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        match self {
            Self::Chromium(client) => client.execute(script, arguments).await.map_err(told),
            Self::Firefox(firefox) => firefox.execute(script, &arguments).await,
        }
    }

    /// Runs a function's body in the page, whose last argument is a function to be called with the outcome.
    pub async fn execute_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        match self {
            Self::Chromium(client) => client.execute_async(script, arguments).await.map_err(told),
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
            Self::Chromium(client) => {
                let found = client.find_all(Locator::Css(selector)).await.map_err(told)?;
                Ok(found.into_iter().map(Element::Chromium).collect())
            }
            Self::Firefox(firefox) => {
                Ok(firefox.find_all(selector).await?.into_iter().map(Element::Firefox).collect())
            }
        }
    }

    /// Presses a key where the focus is: a letter, or a name of WebDriver's such as `\u{e007}` for Enter.
    pub async fn press(&self, key: &str) -> Result<()> {
        match self {
            Self::Chromium(client) => {
                client.active_element().await.map_err(told)?.send_keys(key).await.map_err(told)
            }
            Self::Firefox(firefox) => firefox.type_text(key).await,
        }
    }

    /// The page as a PNG file, as far as the window shows it.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        match self {
            Self::Chromium(client) => client.screenshot().await.map_err(told),
            Self::Firefox(firefox) => firefox.screenshot().await,
        }
    }

    /// The tab that the client looks at.
    pub async fn tab(&self) -> Result<Tab> {
        match self {
            Self::Chromium(client) => client.window().await.map(Tab::Chromium).map_err(told),
            Self::Firefox(firefox) => Ok(Tab::Firefox(firefox.tab())),
        }
    }

    /// Opens another tab and looks at it.
    pub async fn open_tab(&self) -> Result<Tab> {
        let tab = match self {
            Self::Chromium(client) => Tab::Chromium(client.new_window(true).await.map_err(told)?.handle),
            Self::Firefox(firefox) => Tab::Firefox(firefox.open_tab().await?),
        };
        self.look_at(&tab).await?;
        Ok(tab)
    }

    /// Looks at another tab from now on.
    pub async fn look_at(&self, tab: &Tab) -> Result<()> {
        match (self, tab) {
            (Self::Chromium(client), Tab::Chromium(handle)) => {
                client.switch_to_window(handle.clone()).await.map_err(told)
            }
            (Self::Firefox(firefox), Tab::Firefox(context)) => firefox.look_at(context).await,
            _ => panic!("the tab is another browser's"),
        }
    }

    /// Lets the browser save files into a folder, without asking.
    pub async fn save_into(&self, folder: &std::path::Path) -> Result<()> {
        match self {
            Self::Chromium(_) => chromium::save_into(self, folder).await,
            Self::Firefox(firefox) => firefox.save_into(folder).await,
        }
    }
}

impl Element {
    /// What is written in it, as far as it is drawn.
    pub async fn text(&self) -> Result<String> {
        match self {
            Self::Chromium(element) => element.text().await.map_err(told),
            Self::Firefox(node) => node.text().await,
        }
    }

    pub async fn attr(&self, name: &str) -> Result<Option<String>> {
        match self {
            Self::Chromium(element) => element.attr(name).await.map_err(told),
            Self::Firefox(node) => node.attr(name).await,
        }
    }

    /// Clicks into its middle.
    pub async fn click(&self) -> Result<()> {
        match self {
            Self::Chromium(element) => element.click().await.map_err(told),
            Self::Firefox(node) => node.click().await,
        }
    }

    /// Types into it; a file picker takes paths, one a line.
    pub async fn send_keys(&self, text: &str) -> Result<()> {
        match self {
            Self::Chromium(element) => element.send_keys(text).await.map_err(told),
            Self::Firefox(node) => node.send_keys(text).await,
        }
    }

    /// Chooses from a drop-down list.
    pub async fn select_by_value(&self, value: &str) -> Result<()> {
        match self {
            Self::Chromium(element) => element.select_by_value(value).await.map_err(told),
            Self::Firefox(node) => node.select_by_value(value).await,
        }
    }
}

/// The lines of the browser's console that report an error, since the last call.
pub async fn console_errors(client: &Client) -> Vec<String> {
    match client {
        Client::Chromium(_) => chromium::console_errors(client).await,
        Client::Firefox(firefox) => firefox.console_errors().await,
    }
}

/// Every request that the page has made since the last call, as the browser tells it. Those of its workers are in
/// the server's own record.
pub async fn requests(client: &Client) -> Vec<Request> {
    match client {
        Client::Chromium(_) => chromium::requests(client).await,
        Client::Firefox(firefox) => firefox.requests().await,
    }
}
