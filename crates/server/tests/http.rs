//! The server as a client sees it, over real sockets.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use server::{Disturbance, Error, Options, Server};

/// A folder of its own for each test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &[u8])]) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("server-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        for (path, bytes) in files {
            let path = root.join("site").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Folder(root)
    }

    fn site(&self) -> PathBuf {
        self.0.join("site")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
    /// The body is shorter than its `Content-Length`.
    cut_off: bool,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client(BufReader::new(stream))
    }

    fn ask(&mut self, method: &str, target: &str, headers: &str) -> Answer {
        write!(self.0.get_mut(), "{method} {target} HTTP/1.1\r\nHost: test\r\n{headers}\r\n").unwrap();
        self.read(method == "HEAD")
    }

    fn read(&mut self, head_only: bool) -> Answer {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("status in {line:?}")).parse().unwrap();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length: u64 = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = Vec::new();
        if !head_only {
            // A connection that was reset counts as ended, as in a browser.
            let _ = self.0.by_ref().take(length).read_to_end(&mut body);
        }
        let cut_off = !head_only && (body.len() as u64) < length;
        Answer { status, headers, body, cut_off }
    }
}

fn get(server: &Server, target: &str) -> Answer {
    Client::new(server.address()).ask("GET", target, "")
}

fn start(root: &Path) -> Server {
    Server::start(Options { record: true, ..Options::new(root) }).unwrap()
}

#[test]
fn files_come_with_type_length_and_isolation() {
    let folder = Folder::new(&[("index.html", b"<p>"), ("w/worker.wasm", b"\0asm"), ("a b.json", b"{}")]);
    let server = start(&folder.site());
    assert!(server.address().ip().is_loopback());
    for (target, content_type, body) in [
        ("/", "text/html; charset=utf-8", &b"<p>"[..]),
        ("/index.html?v=1#top", "text/html; charset=utf-8", b"<p>"),
        ("/w/worker.wasm", "application/wasm", b"\0asm"),
        ("/a%20b.json", "application/json", b"{}"),
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{target}");
        assert_eq!(answer.header("content-length"), Some(body.len().to_string().as_str()), "{target}");
        assert_eq!(answer.body, body, "{target}");
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-embedder-policy"), Some("require-corp"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn isolation_and_cross_origin_are_options() {
    let folder = Folder::new(&[("a.txt", b"a")]);
    let server = Server::start(Options { isolation: false, ..Options::new(folder.site()) }).unwrap();
    let plain = get(&server, "/a.txt");
    for name in ["opener", "embedder", "resource"] {
        assert_eq!(plain.header(&format!("cross-origin-{name}-policy")), None, "{name}");
    }
    let server = Server::start(Options { cross_origin: true, ..Options::new(folder.site()) }).unwrap();
    let open = get(&server, "/a.txt");
    assert_eq!(open.header("access-control-allow-origin"), Some("*"));
    assert_eq!(open.header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(open.header("cross-origin-embedder-policy"), Some("require-corp"));
}

#[test]
fn one_connection_carries_many_requests() {
    let folder = Folder::new(&[("a.txt", b"first"), ("b.txt", b"second")]);
    let server = start(&folder.site());
    let mut client = Client::new(server.address());
    assert_eq!(client.ask("GET", "/a.txt", "").body, b"first");
    let head = client.ask("HEAD", "/b.txt", "");
    assert_eq!((head.status, head.header("content-length")), (200, Some("6")));
    assert_eq!(client.ask("GET", "/none.txt", "").status, 404);
    assert_eq!(client.ask("GET", "/b.txt", "").body, b"second");
    let last = client.ask("GET", "/b.txt", "Connection: close\r\n");
    assert_eq!(last.header("connection"), Some("close"));
    assert_eq!(client.0.read(&mut [0]).unwrap(), 0);

    let asked: Vec<_> =
        server.requests().into_iter().map(|r| (r.method, r.target, r.status, r.length)).collect();
    assert_eq!(asked[1], ("HEAD".into(), "/b.txt".into(), 200, 6));
    assert_eq!(asked[2].2, 404);
    assert_eq!(asked.len(), 5);
    server.forget_requests();
    assert!(server.requests().is_empty());
}

#[test]
fn parts_of_a_file() {
    let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    let folder = Folder::new(&[("w.gguf-00001-of-00002", &bytes)]);
    let server = start(&folder.site());
    let mut client = Client::new(server.address());
    let target = "/w.gguf-00001-of-00002";
    let whole = client.ask("GET", target, "");
    assert_eq!(whole.body, bytes);
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));

    let middle = client.ask("GET", target, "Range: bytes=70000-139999\r\n");
    assert_eq!((middle.status, &middle.body[..]), (206, &bytes[70_000..140_000]));
    assert_eq!(middle.header("content-range"), Some("bytes 70000-139999/200000"));
    let end = client.ask("GET", target, "Range: bytes=-5\r\n");
    assert_eq!((end.status, &end.body[..]), (206, &bytes[199_995..]));
    let beyond = client.ask("GET", target, "Range: bytes=200000-\r\n");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */200000")));

    let tag = whole.header("etag").unwrap();
    let same = client.ask("GET", target, &format!("Range: bytes=0-1\r\nIf-Range: {tag}\r\n"));
    assert_eq!((same.status, same.body.len()), (206, 2));
    let changed = client.ask("GET", target, "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n");
    assert_eq!((changed.status, changed.body.len()), (200, 200_000));
    assert_eq!(server.requests()[1].range.as_deref(), Some("bytes=70000-139999"));
}

#[test]
fn known_files_are_not_sent_again() {
    let folder = Folder::new(&[("a.js", b"let a;")]);
    let server = start(&folder.site());
    let mut client = Client::new(server.address());
    let first = client.ask("GET", "/a.js", "");
    let tag = first.header("etag").unwrap().to_owned();
    let again = client.ask("GET", "/a.js", &format!("If-None-Match: \"x\", W/{tag}, {tag}\r\n"));
    assert_eq!((again.status, again.body.len(), again.header("content-length")), (304, 0, None));
    assert_eq!(client.ask("GET", "/a.js", "If-None-Match: \"x\"\r\n").status, 200);
    fs::write(folder.site().join("a.js"), b"let other;").unwrap();
    let changed = client.ask("GET", "/a.js", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((changed.status, &changed.body[..]), (200, &b"let other;"[..]));
}

#[test]
fn nothing_outside_the_root() {
    let folder = Folder::new(&[("index.html", b"home"), ("sub/a.txt", b"a"), ("empty/x/y.txt", b"y")]);
    fs::write(folder.0.join("secret.txt"), b"secret").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.0.join("secret.txt"), folder.site().join("link.txt")).unwrap();
        std::os::unix::fs::symlink(&folder.0, folder.site().join("up")).unwrap();
    }
    let server = start(&folder.site());
    for target in [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/sub//a.txt",
        "/link.txt",
        "/up/secret.txt",
        "/up",
        "/index.html/",
        "/index.html%00.txt",
        "/%",
        "/empty/",
        "/missing",
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 404, "{target}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{target}");
    }
    assert_eq!(get(&server, "/sub/a.txt").status, 200);
}

#[test]
fn a_site_under_a_sub_path() {
    let folder = Folder::new(&[("index.html", b"home"), ("docs/index.html", b"docs")]);
    let options = Options { prefix: "/any/path/".into(), ..Options::new(folder.site()) };
    let server = Server::start(options).unwrap();
    assert!(server.url().ends_with("/any/path/"));
    assert_eq!(get(&server, "/any/path/").body, b"home");
    assert_eq!(get(&server, "/any/path/docs/").body, b"docs");
    for (target, location) in [("/any/path", "/any/path/"), ("/any/path/docs?x=1", "/any/path/docs/?x=1")] {
        let answer = get(&server, target);
        assert_eq!((answer.status, answer.header("location")), (301, Some(location)), "{target}");
    }
    let outside = get(&server, "/index.html");
    assert_eq!(outside.status, 404);
    assert!(String::from_utf8_lossy(&outside.body).contains("/any/path/"));
}

#[test]
fn a_bad_network_can_be_played() {
    let bytes = vec![7u8; 100_000];
    let folder = Folder::new(&[("w.bin", &bytes)]);
    let options = Options {
        disturb: Some(Box::new(|request| match request.target.as_str() {
            "/w.bin?cut" => Disturbance::HangUpAfter(70_001),
            "/w.bin?corrupt" => Disturbance::Corrupt(65_536),
            "/w.bin?slow" => Disturbance::Throttle(1_000_000),
            "/w.bin?late" => Disturbance::Delay(Duration::from_millis(1)),
            "/w.bin?gone" => Disturbance::Answer {
                status: 503,
                content_type: "text/plain",
                headers: vec![("Retry-After", "7".into())],
                body: b"busy".into(),
            },
            _ => Disturbance::None,
        })),
        ..Options::new(folder.site())
    };
    let server = Server::start(options).unwrap();
    let cut = get(&server, "/w.bin?cut");
    assert_eq!((cut.status, cut.body.len(), cut.cut_off), (200, 70_001, true));
    let corrupt = get(&server, "/w.bin?corrupt").body;
    let wrong: Vec<_> = (0..bytes.len()).filter(|&i| corrupt[i] != bytes[i]).collect();
    assert_eq!((corrupt.len(), wrong), (bytes.len(), vec![65_536]));
    let gone = get(&server, "/w.bin?gone");
    assert_eq!((gone.status, &gone.body[..]), (503, &b"busy"[..]));
    assert_eq!(gone.header("retry-after"), Some("7"));
    for target in ["/w.bin", "/w.bin?slow", "/w.bin?late"] {
        assert_eq!(get(&server, target).body, bytes, "{target}");
    }
}

#[test]
fn several_disturbances_meet_in_one_answer() {
    let bytes = vec![7u8; 100_000];
    let folder = Folder::new(&[("w.bin", &bytes)]);
    let options = Options {
        cross_origin: true,
        record: true,
        disturb: Some(Box::new(|_| {
            Disturbance::All(vec![
                Disturbance::IgnoreRange,
                Disturbance::Headers(vec![("access-control-allow-origin", "http://one".into())]),
                Disturbance::Corrupt(3),
                Disturbance::HangUpAfter(70_001),
            ])
        })),
        ..Options::new(folder.site())
    };
    let server = Server::start(options).unwrap();
    let answer =
        Client::new(server.address()).ask("GET", "/w.bin", "Range: bytes=9-\r\nIf-Range: \"tag\"\r\n");
    assert_eq!((answer.status, answer.header("accept-ranges")), (200, Some("none")));
    assert_eq!((answer.body.len(), answer.body[3], answer.cut_off), (70_001, !7, true));
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://one"));
    let asked = &server.requests()[0];
    assert_eq!((asked.range.as_deref(), asked.if_range.as_deref()), (Some("bytes=9-"), Some("\"tag\"")));
}

/// A server that stalls ends a connection when the client does, and all of them when it stops.
#[test]
fn stalled_answers_never_end_by_themselves() {
    let bytes = vec![7u8; 100_000];
    let folder = Folder::new(&[("w.bin", &bytes)]);
    let options = Options {
        disturb: Some(Box::new(|request| match request.target.as_str() {
            "/w.bin?half" => Disturbance::StallAfter(70_001),
            "/w.bin?none" => Disturbance::Silence,
            _ => Disturbance::None,
        })),
        ..Options::new(folder.site())
    };
    let server = Server::start(options).unwrap();
    let (mut half, mut none) = (Client::new(server.address()), Client::new(server.address()));
    for (client, target) in [(&mut half, "/w.bin?half"), (&mut none, "/w.bin?none")] {
        write!(client.0.get_mut(), "GET {target} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        client.0.get_mut().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    }
    // All that comes until nothing more does.
    let received = |client: &mut Client| {
        let mut all = Vec::new();
        let end = client.0.read_to_end(&mut all).map_err(|error| error.kind());
        (all, end)
    };
    let (head_and_part, end) = received(&mut half);
    assert!(matches!(end, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{end:?}");
    assert!(head_and_part.starts_with(b"HTTP/1.1 200 OK") && head_and_part.ends_with(&bytes[..70_001]));
    let (nothing, end) = received(&mut none);
    assert!(matches!(end, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{end:?}");
    assert!(nothing.is_empty());
    assert_eq!(get(&server, "/w.bin").body, bytes, "others are answered meanwhile");
    drop(server);
    for client in [&mut half, &mut none] {
        assert!(
            matches!(received(client), (rest, Ok(_) | Err(ErrorKind::ConnectionReset)) if rest.is_empty())
        );
    }
}

#[test]
fn other_methods_and_broken_requests() {
    let folder = Folder::new(&[("index.html", b"home")]);
    let server = start(&folder.site());
    let mut client = Client::new(server.address());
    let post = client.ask("POST", "/", "Content-Length: 3\r\n");
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
    let mut client = Client::new(server.address());
    client.0.get_mut().write_all(b"\x16\x03\x01\x02\0\x01\n\r\n").unwrap();
    assert_eq!(client.read(false).status, 400);
}

#[test]
fn unusable_options_are_named() {
    let folder = Folder::new(&[("index.html", b"home")]);
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let busy = Server::start(Options { port, ..Options::new(folder.site()) }).err().unwrap();
    assert!(matches!(busy, Error::PortInUse { .. }), "{busy:?}");
    assert!(busy.to_string().contains(&port.to_string()), "{busy}");
    assert!(busy.to_string().contains("--port"), "{busy}");

    let missing = Server::start(Options::new(folder.site().join("none"))).err().unwrap();
    assert!(matches!(missing, Error::Root { .. }), "{missing:?}");
    let file = Server::start(Options::new(folder.site().join("index.html"))).err().unwrap();
    assert!(matches!(file, Error::Root { .. }), "{file:?}");
    let prefix =
        Server::start(Options { prefix: "sub".into(), ..Options::new(folder.site()) }).err().unwrap();
    assert!(matches!(prefix, Error::Prefix { .. }), "{prefix:?}");
}

#[test]
fn a_dropped_server_closes_its_port_and_connections() {
    let folder = Folder::new(&[("index.html", b"home")]);
    let server = start(&folder.site());
    let address = server.address();
    let mut client = Client::new(address);
    assert_eq!(client.ask("GET", "/", "").status, 200);
    drop(server);
    assert_eq!(client.0.read(&mut [0]).unwrap_or(0), 0);
    // The port is free again.
    let options = Options { port: address.port(), ..Options::new(folder.site()) };
    assert_eq!(get(&Server::start(options).unwrap(), "/").body, b"home");
}
