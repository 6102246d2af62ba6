//! A machine in memory, which fails on demand: one [`World`] (time, network, storage, locks) and in it [`Tab`]s with
//! devices of their own.

pub mod backend;
pub mod checkpoint;
pub mod clock;
pub mod codecs;
pub mod devices;
pub mod locks;
pub mod model;
pub mod network;
pub mod storage;

use beit::decode::{DecodeError, Rgb};
use clock::FakeClock;
use codecs::FakeCodecs;
use devices::FakeDevices;
use engine::platform::{Bytes, Photo, Platform};
use engine::{Message, Session};
use network::FakeNetwork;
use protocol::{Device, Kept, Reply, Request};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use storage::FakeStorage;

/// What all tabs share.
pub struct World {
    pub clock: FakeClock,
    pub network: FakeNetwork,
    pub storage: FakeStorage,
}

impl World {
    pub fn new() -> Rc<Self> {
        let clock = FakeClock::default();
        let network = FakeNetwork::default();
        let storage = FakeStorage::new(clock.clone());
        Rc::new(Self { clock, network, storage })
    }
}

thread_local! {
    /// Bytes that were copied out of [`FakeBytes`]. Each test has a thread of its own.
    pub static COPIED: Cell<u64> = const { Cell::new(0) };
}

/// Bytes in memory.
#[derive(Clone)]
pub struct FakeBytes(pub Vec<u8>);

impl Bytes for FakeBytes {
    fn zeroed(length: u64) -> Self {
        Self(vec![0; length as usize])
    }

    fn from_slice(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn copy_to(&self, at: u64, to: &mut [u8]) {
        COPIED.set(COPIED.get() + to.len() as u64);
        to.copy_from_slice(&self.0[at as usize..at as usize + to.len()]);
    }

    fn put(&mut self, at: u64, part: &Self) {
        self.0[at as usize..at as usize + part.0.len()].copy_from_slice(&part.0);
    }

    fn truncated(mut self, length: u64) -> Self {
        self.0.truncate(length as usize);
        self
    }

    async fn sha256(&self) -> String {
        beit::weights::sha256(&self.0)
    }
}

/// The machine's own decoders read files with this in them.
pub const KNOWN_TO_THE_MACHINE: &[u8] = b"as the machine likes it";

/// A file that may have gone away.
#[derive(Clone)]
pub struct FakePhoto(pub Option<Vec<u8>>);

impl Photo for FakePhoto {
    type Bytes = FakeBytes;

    fn length(&self) -> u64 {
        self.0.as_ref().map_or(0, |bytes| bytes.len() as u64)
    }

    async fn read(&self) -> Option<FakeBytes> {
        self.0.clone().map(FakeBytes)
    }

    async fn read_part(&self, from: u64, length: u64) -> Option<FakeBytes> {
        let bytes = self.0.as_ref()?;
        Some(FakeBytes(bytes.get(from as usize..(from + length) as usize)?.to_vec()))
    }

    async fn decode(&self) -> Option<Result<Rgb, DecodeError>> {
        Self::decode_bytes(self.0.as_ref()?).await
    }

    async fn decode_bytes(bytes: &[u8]) -> Option<Result<Rgb, DecodeError>> {
        let knows = bytes.windows(KNOWN_TO_THE_MACHINE.len()).any(|part| part == KNOWN_TO_THE_MACHINE);
        knows.then(|| Ok(Rgb { width: 4, height: 2, pixels: vec![50; 4 * 2 * 3] }))
    }
}

/// A page with its worker.
pub struct Machine {
    pub world: Rc<World>,
    pub devices: FakeDevices,
    pub posted: RefCell<Vec<Reply>>,
    pub warnings: RefCell<Vec<String>>,
}

/// The session's end of it.
#[derive(Clone)]
pub struct OfMachine(Rc<Machine>);

impl Platform for OfMachine {
    type Bytes = FakeBytes;
    type Network = FakeNetwork;
    type Storage = FakeStorage;
    type Clock = FakeClock;
    type Devices = FakeDevices;
    type Photo = FakePhoto;
    type Codecs = FakeCodecs;

    fn network(&self) -> &FakeNetwork {
        &self.0.world.network
    }

    fn storage(&self) -> &FakeStorage {
        &self.0.world.storage
    }

    fn clock(&self) -> &FakeClock {
        &self.0.world.clock
    }

    fn devices(&self) -> &FakeDevices {
        &self.0.devices
    }

    fn codecs(&self) -> &FakeCodecs {
        &FakeCodecs
    }

    fn post(&self, reply: &Reply) {
        self.0.posted.borrow_mut().push(reply.clone());
    }

    fn post_with(&self, reply: &Reply, _: &[u8]) {
        self.post(reply);
    }

    fn warn(&self, line: &str) {
        self.0.warnings.borrow_mut().push(line.into());
    }
}

/// A tab: requests in, replies out.
pub struct Tab {
    pub machine: Rc<Machine>,
    pub session: Session<OfMachine>,
}

impl Tab {
    pub fn new(world: &Rc<World>, devices: FakeDevices) -> Self {
        let machine = Machine {
            world: world.clone(),
            devices,
            posted: RefCell::default(),
            warnings: RefCell::default(),
        };
        let machine = Rc::new(machine);
        Self { session: Session::new(OfMachine(machine.clone()), None), machine }
    }

    pub async fn send(&mut self, request: Request, files: Vec<FakePhoto>) {
        self.session.handle(Message { request, files }).await;
    }

    pub async fn load(&mut self, manifest: &str, device: Device) {
        let request = Request::Load { manifest: manifest.into(), device, threads: 2, agreed: true };
        self.send(request, vec![]).await;
    }

    pub async fn classify(&mut self, ids: &[u64]) {
        let files = ids.iter().map(|&id| FakePhoto(Some(model::photo(id)))).collect();
        self.send(Request::Classify { ids: ids.to_vec(), top_k: 3 }, files).await;
    }

    pub fn posted(&self) -> Vec<Reply> {
        self.machine.posted.borrow().clone()
    }

    /// The replies that end a state of the page.
    pub fn milestones(&self) -> Vec<String> {
        let milestone = |reply: Reply| match reply {
            Reply::Ready { backend, .. } => Some(format!("ready on {}", backend.kind)),
            Reply::LoadFailed { .. } => Some("load failed".to_owned()),
            Reply::AskFirst { .. } => Some("ask first".to_owned()),
            Reply::Done { id, .. } => Some(format!("done {id}")),
            Reply::Failed { id, .. } => Some(format!("failed {id}")),
            _ => None,
        };
        self.posted().into_iter().filter_map(milestone).collect()
    }

    /// The last that was said of the model's whereabouts.
    pub fn ready(&self) -> Option<(protocol::ModelInfo, protocol::BackendInfo, Kept)> {
        self.posted().into_iter().rev().find_map(|reply| match reply {
            Reply::Ready { model, backend, kept } => Some((model, backend, kept)),
            _ => None,
        })
    }

    /// The last fault of loading.
    pub fn load_fault(&self) -> Option<protocol::fault::LoadFault> {
        self.posted().into_iter().rev().find_map(|reply| match reply {
            Reply::LoadFailed { fault, .. } => Some(fault),
            _ => None,
        })
    }

    /// Whether the page was left with a bar that nothing ends.
    pub fn is_left_loading(&self) -> bool {
        let last = self.posted().into_iter().rev().find_map(|reply| match reply {
            Reply::Loading(_) => Some(true),
            Reply::Ready { .. } | Reply::LoadFailed { .. } => Some(false),
            _ => None,
        });
        last == Some(true)
    }

    /// The outcome of each photo: its predictions' rows of the head, or none where it failed.
    pub fn answers(&self) -> Vec<(u64, Option<Vec<usize>>)> {
        let answer = |reply: Reply| match reply {
            Reply::Done { id, answer } => {
                Some((id, Some(answer.predictions.iter().map(|prediction| prediction.index).collect())))
            }
            Reply::Failed { id, .. } => Some((id, None)),
            _ => None,
        };
        self.posted().into_iter().filter_map(answer).collect()
    }
}
