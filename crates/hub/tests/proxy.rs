//! Requests through a proxy.

mod support;

use server::Disturbance;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use support::{HuggingFace, download};

/// A proxy that tunnels (`CONNECT`) every connection to `to`, whatever was asked for, and keeps each request's head.
fn proxy(to: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (to, log) = (to.clone(), Arc::clone(&log));
            thread::spawn(move || tunnel(&client, &to, &log).unwrap());
        }
    });
    (address, heads)
}

fn tunnel(client: &TcpStream, to: &str, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    log.lock().unwrap().push(head);
    let upstream = TcpStream::connect(to)?;
    let mut client_end = client;
    client_end.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    thread::scope(|scope| {
        scope.spawn(|| {
            // Either side may hang up at any time.
            let _ = io::copy(&mut &upstream, &mut &*client);
            let _ = client.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut reader, &mut &upstream);
        let _ = upstream.shutdown(Shutdown::Both);
    });
    Ok(())
}

#[test]
fn a_proxy_is_gone_through_except_to_the_hosts_that_are_left_out() {
    let hub = HuggingFace::start(|_| Disturbance::None);
    let (address, heads) = proxy(hub.hub.url().replace("http://", ""));
    let cache = tempfile::tempdir().unwrap();
    let mut settings = hub.settings(cache.path());
    // A name that only the proxy can know.
    settings.hugging_face.endpoint = "http://hub.invalid".into();
    settings.proxies.http = Some(format!("http://user:secret@{address}"));
    settings.proxies.none = vec!["localhost".into()];
    assert_eq!(download("hf:timm/tiny", &settings).0.unwrap().transferred, 300_000);
    let heads = heads.lock().unwrap();
    assert!(
        !heads.is_empty() && heads.iter().all(|head| head.starts_with("CONNECT hub.invalid:80 ")),
        "{heads:?}"
    );
    assert!(heads[0].to_ascii_lowercase().contains("proxy-authorization: basic"), "{heads:?}");
    assert_eq!(hub.storage.asked().len(), 1, "reached directly, by its name localhost");
}

#[test]
fn a_proxy_that_is_not_there_is_named_without_its_password() {
    let hub = HuggingFace::start(|_| Disturbance::None);
    let cache = tempfile::tempdir().unwrap();
    let mut settings = hub.settings(cache.path());
    settings.proxies.http = Some("http://user:secret@127.0.0.1:1".into());
    let sentence = download("hf:timm/tiny", &settings).0.unwrap_err().to_string();
    assert!(sentence.contains("through the proxy 127.0.0.1:1") && !sentence.contains("secret"), "{sentence}");
    settings.proxies.http = Some("nonsense://x".into());
    let sentence = download("hf:timm/tiny", &settings).0.unwrap_err().to_string();
    assert!(sentence.contains("HTTPS_PROXY"), "{sentence}");
}
