//! The built site behind a real nginx, with the configuration that `cargo xtask build --host nginx` writes.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::browser::{Setup, browse};
use tests::{page, site};

/// A running nginx; ends with this value.
struct Nginx {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Nginx {
    /// Serves a copy of the built site, made ready by `cargo xtask host nginx`.
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let site = folder.path().join("site");
        site::copy(&site::dist(), &site);
        let xtask = site::root().join("target/debug/xtask");
        let made = Command::new(&xtask)
            .args(["host", "nginx", "--site"])
            .arg(&site)
            // As cargo sets it for `cargo xtask`; here it is this test's.
            .env("CARGO_MANIFEST_DIR", site::root().join("crates/xtask"))
            .output();
        let made = made.unwrap_or_else(|e| panic!("{}: {e}", xtask.display()));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let server = fs::read_to_string(folder.path().join("site.nginx.conf")).unwrap();

        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap().port();
        assert!(server.contains("listen 80;"), "{server}");
        let server = server.replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
        let run = folder.path().display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {run}/{name};\n"))
            .collect();
        // nginx's workers give up root's rights, and the folder is ours alone.
        let user = if running_as_root() { "user root;\n" } else { "" };
        let main = format!(
            "daemon off;\nmaster_process off;\n{user}pid {run}/pid;\nerror_log {run}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n"
        );
        let conf = folder.path().join("nginx.conf");
        fs::write(&conf, main).unwrap();
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&conf)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|e| panic!("nginx: {e}. Run `cargo xtask test`, which installs it."));
        let mut nginx = Self { process, port, folder };
        nginx.wait();
        nginx
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            assert!(self.process.try_wait().unwrap().is_none(), "nginx ended: {log}");
            assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not listen: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn running_as_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

#[test]
fn behind_nginx_the_page_is_isolated_and_answers() {
    let nginx = Nginx::start();
    browse(Setup::default(), async |client| {
        page::open(client, &format!("http://127.0.0.1:{}/", nginx.port)).await;
        assert_eq!(client.execute("return crossOriginIsolated", vec![]).await.unwrap(), true);
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
        let kept = "return (async () => {
            const page = await fetch('.');
            const scripts = performance.getEntriesByType('resource').map(r => r.name);
            const wasm = scripts.find(name => name.endsWith('_bg.wasm') && !name.includes('/workers/'));
            const program = await fetch(wasm);
            return [page, program].map(r => r.headers.get('cache-control')).concat(program.headers.get('content-type')); })()";
        let kept = client.execute(kept, vec![]).await.unwrap();
        let expected =
            serde_json::json!(["no-cache", "public, max-age=31536000, immutable", "application/wasm"]);
        assert_eq!(kept, expected);
    });
}
