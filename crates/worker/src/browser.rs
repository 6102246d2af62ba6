//! The engine's platform in a browser.

use crate::bytes::JsBytes;
use crate::clock::BrowserClock;
use crate::codecs::BrowserCodecs;
use crate::devices::BrowserDevices;
use crate::network::BrowserNetwork;
use crate::photo::PhotoFile;
use crate::port;
use crate::storage::BrowserStorage;
use engine::platform::Platform;
use protocol::Reply;

#[derive(Default)]
pub struct Browser {
    network: BrowserNetwork,
    storage: BrowserStorage,
    clock: BrowserClock,
    devices: BrowserDevices,
    codecs: BrowserCodecs,
}

impl Platform for Browser {
    type Bytes = JsBytes;
    type Network = BrowserNetwork;
    type Storage = BrowserStorage;
    type Clock = BrowserClock;
    type Devices = BrowserDevices;
    type Photo = PhotoFile;
    type Codecs = BrowserCodecs;

    fn network(&self) -> &BrowserNetwork {
        &self.network
    }

    fn storage(&self) -> &BrowserStorage {
        &self.storage
    }

    fn clock(&self) -> &BrowserClock {
        &self.clock
    }

    fn devices(&self) -> &BrowserDevices {
        &self.devices
    }

    fn codecs(&self) -> &BrowserCodecs {
        &self.codecs
    }

    fn post(&self, reply: &Reply) {
        port::post(reply);
    }

    fn post_with(&self, reply: &Reply, rgba: &[u8]) {
        port::post_with(reply, rgba);
    }

    fn warn(&self, line: &str) {
        web_sys::console::warn_1(&line.into());
    }
}
