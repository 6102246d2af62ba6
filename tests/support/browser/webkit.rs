//! WebKit as GTK's library has it, driven over WebDriver by WebKitWebDriver. Its windows need a screen, which is an X
//! server without a monitor.

use super::{Client, Result, START, Setup};
use fantoccini::ClientBuilder;
use fantoccini::wd::Capabilities;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::sleep;

/// The folder of the libraries' programs, one in each architecture's folder below.
const LIBRARIES: &str = "/usr/lib";
const PROGRAM: &str = "webkit2gtk-4.1/MiniBrowser";

/// A process that ends with this value.
struct Running(Child);

/// An X server and a driver, which has a browser as soon as [`Processes::connect`] asks for one. The browser ends with
/// its screen.
struct Processes {
    _driver: Running,
    _screen: Running,
    port: u16,
    /// Its settings, and what it saves.
    profile: TempDir,
}

/// A browser's processes and its session.
pub struct Session {
    pub client: fantoccini::Client,
    processes: Processes,
}

impl Session {
    pub async fn start(setup: Setup) -> Result<Self> {
        assert!(!setup.webgpu, "this test is for Chromium alone: no WebGPU here");
        let processes = Processes::start(setup)?;
        let client = processes.connect(setup).await?;
        Ok(Self { client, processes })
    }

    /// Where it saves files: a link, once [`save_into`] has made it.
    pub fn downloads(&self) -> PathBuf {
        downloads(self.processes.profile.path())
    }
}

fn downloads(profile: &Path) -> PathBuf {
    profile.join("downloads")
}

/// Lets a browser with this link for downloads save into a folder.
pub fn save_into(downloads: &Path, folder: &Path) -> Result<()> {
    std::os::unix::fs::symlink(folder, downloads).map_err(super::told)
}

impl Processes {
    fn start(setup: Setup) -> Result<Self> {
        let profile = TempDir::new().unwrap();
        // GTK's file of the user's folders.
        let folders = format!("XDG_DOWNLOAD_DIR=\"{}\"\n", downloads(profile.path()).display());
        fs::write(profile.path().join("user-dirs.dirs"), folders).unwrap();
        let (screen, display) = start_screen()?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap().port();
        let mut driver = Command::new("WebKitWebDriver");
        driver
            .args([&format!("--port={port}"), "--host=127.0.0.1"])
            .env("DISPLAY", display)
            .env("GDK_BACKEND", "x11")
            .env("XDG_CONFIG_HOME", profile.path())
            .env("XDG_DATA_HOME", profile.path())
            // No bridge to screen readers, which would look for a bus.
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if setup.shared_memory {
            driver.env("JSC_useSharedArrayBuffer", "1");
        }
        Ok(Self { _driver: spawn(&mut driver), _screen: screen, port, profile })
    }

    async fn connect(&self, setup: Setup) -> Result<fantoccini::Client> {
        let address = format!("http://127.0.0.1:{}", self.port);
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client =
            builder.capabilities(capabilities(setup)).connect(&address).await.map_err(super::told)?;
        resize(&client, setup.window).await?;
        Ok(client)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An X server on a number that is free, and its name.
fn start_screen() -> Result<(Running, String)> {
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-screen", "0", "4096x2400x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut screen = spawn(&mut command);
    let told = screen.0.stdout.take().expect("it is piped");
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut number = String::new();
        // An error leaves it empty.
        BufReader::new(told).read_line(&mut number).ok();
        send.send(number).ok();
    });
    let number = receive.recv_timeout(START).unwrap_or_default();
    match number.trim() {
        "" => Err("Xvfb has not told its screen's number".into()),
        number => Ok((screen, format!(":{number}"))),
    }
}

fn spawn(command: &mut Command) -> Running {
    let name = command.get_program().to_string_lossy().into_owned();
    let process = command.spawn();
    Running(
        process.unwrap_or_else(|e| panic!("{name}: {e}. Run `cargo xtask test webkit`, which installs it.")),
    )
}

fn capabilities(setup: Setup) -> Capabilities {
    let mut arguments = vec!["--automation"];
    if setup.dark {
        arguments.push("--dark-mode");
    }
    if setup.camera {
        arguments.extend(["--enable-media-stream=true", "--enable-mock-capture-devices=true"]);
    }
    let capabilities = json!({
        "webkitgtk:browserOptions": { "binary": mini_browser(), "args": arguments },
        // Milliseconds.
        "timeouts": { "script": setup.script.as_millis() as u64, "pageLoad": 60_000 },
    });
    let Value::Object(capabilities) = capabilities else { unreachable!("written as an object") };
    capabilities
}

/// The small browser that Debian's driver brings along.
fn mini_browser() -> PathBuf {
    let folders = fs::read_dir(LIBRARIES).into_iter().flatten().flatten();
    let mut programs = folders.map(|folder| folder.path().join(PROGRAM)).filter(|program| program.is_file());
    programs
        .next()
        .unwrap_or_else(|| panic!("no {LIBRARIES}/*/{PROGRAM}: `cargo xtask test webkit` installs it"))
}

/// Gives the page itself this size, without the window's bars.
async fn resize(client: &fantoccini::Client, (width, height): (u32, u32)) -> Result<()> {
    client.set_window_rect(0, 0, width, height).await.map_err(super::told)?;
    let bars = client.execute("return outerHeight - innerHeight", vec![]).await.map_err(super::told)?;
    let bars = bars.as_u64().unwrap_or_default() as u32;
    client.set_window_rect(0, 0, width, height + bars).await.map_err(super::told)
}

/// Keeps what goes wrong in the page from now on. The driver tells nothing of the console, and no script runs before
/// a page's own: what is reported while it loads is missing.
pub const LISTEN: &str = "if (window.reported) return;
    window.reported = [];
    const keep = (...words) => { window.reported.push(words.map(String).join(' ')); };
    addEventListener('error', (event) => keep(event.message ?? `not loaded: ${event.target.outerHTML}`), true);
    addEventListener('unhandledrejection', (event) => keep(event.reason));
    addEventListener('securitypolicyviolation', (event) => keep(event.effectiveDirective, event.blockedURI));
    const { error } = console;
    console.error = (...words) => { keep(...words); error.apply(console, words); };";

/// What [`LISTEN`] has kept.
pub async fn console_errors(client: &Client) -> Vec<String> {
    let told =
        client.execute("return window.reported?.splice(0) ?? null", vec![]).await.expect("the script runs");
    let told = told.as_array().expect("the page has loaded itself anew, and nobody has listened since");
    told.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
}

/// Hands files to a drop zone as if they were dragged from the desktop.
pub async fn drop_files(client: &Client, selector: &str, paths: &[String]) -> Result<()> {
    let picker = "const input = document.createElement('input');
        input.type = 'file';
        input.multiple = true;
        input.id = 'dropped';
        document.body.append(input);";
    client.execute(picker, vec![]).await?;
    for picker in client.find_all("#dropped").await? {
        picker.send_keys(&paths.join("\n")).await?;
    }
    let drop = "const picker = document.querySelector('#dropped');
        const dataTransfer = new DataTransfer();
        for (const file of picker.files) dataTransfer.items.add(file);
        picker.remove();
        const target = document.querySelector(arguments[0]);
        for (const step of ['dragenter', 'dragover', 'drop'])
            target.dispatchEvent(new DragEvent(step, { dataTransfer, bubbles: true, cancelable: true }));";
    client.execute(drop, vec![selector.into()]).await?;
    Ok(())
}
