//! WebDriver BiDi: commands and their answers, and what the browser tells by itself, over one web socket.

use super::{Result, told};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// No command takes longer, not even a page that loads on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a browser. One command at a time: the next is sent when the last is answered.
pub struct Bidi {
    socket: RefCell<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    last_id: Cell<u64>,
    /// What the browser told by itself and nobody has asked for yet.
    events: RefCell<Vec<Value>>,
}

impl Bidi {
    pub async fn connect(address: &str) -> Result<Self> {
        let (socket, _) = connect_async_with_config(address, None, false).await.map_err(told)?;
        Ok(Self { socket: RefCell::new(socket), last_id: Cell::new(0), events: RefCell::default() })
    }

    /// Sends a command and waits for its result.
    ///
    /// # Errors
    /// In the browser's words, which begin with the kind of the error.
    pub async fn command(&self, method: &str, parameters: Value) -> Result<Value> {
        let answer = tokio::time::timeout(PATIENCE, self.exchange(method, parameters)).await;
        answer.unwrap_or_else(|_| Err(format!("{method}: the browser does not answer")))
    }

    // The socket is borrowed while the answer is awaited, and nobody else may: commands come one at a time.
    #[allow(clippy::await_holding_refcell_ref)]
    async fn exchange(&self, method: &str, parameters: Value) -> Result<Value> {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        let mut socket = self.socket.borrow_mut();
        let command = json!({ "id": id, "method": method, "params": parameters });
        socket.send(Message::text(command.to_string())).await.map_err(told)?;
        loop {
            let message = socket.next().await.ok_or(format!("{method}: the browser is gone"))?;
            let Message::Text(text) = message.map_err(told)? else { continue };
            let mut message: Value = serde_json::from_str(&text).map_err(told)?;
            if message["type"] == "event" {
                self.events.borrow_mut().push(message);
            } else if message["id"] == id {
                return match message["type"].as_str() {
                    Some("success") => Ok(message["result"].take()),
                    _ => Err(format!("{method}: {}: {}", message["error"], message["message"])),
                };
            }
        }
    }

    /// The events of this name that came since the last call, oldest first: their parameters.
    pub fn take_events(&self, name: &str) -> Vec<Value> {
        let is_named = |event: &mut Value| event["method"] == name;
        self.events.borrow_mut().extract_if(.., is_named).map(|mut event| event["params"].take()).collect()
    }
}
