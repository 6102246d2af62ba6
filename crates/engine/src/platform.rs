//! What the engine needs of the machine it runs on. In a browser these are fetch, the Cache API, timers, WebGPU and
//! threads (`crates/worker`); in tests they are in memory, and fail on demand.
//!
//! Futures are polled on one thread. Dropping one gives its work up: a dropped download is cancelled, a dropped lock is
//! free again.
#![allow(async_fn_in_trait)]

use beit::backend::{Backend, GpuBackend};
use beit::config::Config;
use beit::decode::{DecodeError, Foreign, Rgb};
use kernels::{Isa, WeightFormat};
use protocol::Reply;
use protocol::fault::Reason;

/// The machine: one of each, and the line to whoever asked.
pub trait Platform {
    type Bytes: Bytes;
    type Network: Network<Bytes = Self::Bytes>;
    type Storage: Storage<Bytes = Self::Bytes>;
    type Clock: Clock;
    type Devices: Devices;
    type Photo: Photo<Bytes = Self::Bytes>;
    type Codecs: Codecs<Bytes = Self::Bytes>;

    fn network(&self) -> &Self::Network;
    fn storage(&self) -> &Self::Storage;
    fn clock(&self) -> &Self::Clock;
    fn devices(&self) -> &Self::Devices;
    fn codecs(&self) -> &Self::Codecs;

    /// Sends a reply to the page.
    fn post(&self, reply: &Reply);

    /// Sends a reply with pixels beside it.
    fn post_with(&self, reply: &Reply, rgba: &[u8]);

    /// Writes a line where whoever looks into a fault finds it.
    fn warn(&self, line: &str);
}

/// Bytes that may lie outside the program's own memory: a WebAssembly program's memory never shrinks again, so what only
/// passes through is kept out of it.
pub trait Bytes: Sized {
    /// So many zeros.
    fn zeroed(length: u64) -> Self;

    fn from_slice(bytes: &[u8]) -> Self;

    fn length(&self) -> u64;

    /// Copies `to.len()` bytes from `at` on. They are within the length.
    fn copy_to(&self, at: u64, to: &mut [u8]);

    /// Puts all of `part` at `at`. It is within the length.
    fn put(&mut self, at: u64, part: &Self);

    /// The first `length` bytes.
    fn truncated(self, length: u64) -> Self;

    /// SHA-256 in lower-case hexadecimal.
    async fn sha256(&self) -> String;

    /// Gives the memory back now, where the machine would wait for its garbage collector.
    fn free(self) {}

    fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length() as usize];
        self.copy_to(0, &mut bytes);
        bytes
    }
}

/// What may be answered from the machine's own cache of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// Whatever the response's headers allow.
    Usual,
    /// Only what the server confirms.
    Confirmed,
    /// Nothing: what is there may be damaged.
    Nothing,
}

/// A GET.
#[derive(Clone, Copy, Debug)]
pub struct Get<'a> {
    pub url: &'a str,
    /// Asks for the body from this byte on.
    pub from: u64,
    pub caching: Caching,
}

/// What comes back before the body.
pub struct Response<B> {
    pub status: u16,
    /// Where in the file the body begins: other than 0 only with status 206.
    pub from: u64,
    /// The media type, such as `text/html`, without parameters.
    pub media_type: Option<String>,
    pub body: B,
}

pub trait Network {
    type Bytes: Bytes;
    type Body: Body<Bytes = Self::Bytes>;

    /// Resolves once the head of the response is here.
    ///
    /// # Errors
    /// The machine's own word where there is no response.
    async fn get(&self, get: Get<'_>) -> Result<Response<Self::Body>, String>;

    /// `name` as an address relative to `base`.
    fn resolve(&self, name: &str, base: &str) -> Option<String>;

    /// The part of an address that says who serves it, such as `weights.example:8080`.
    fn host(&self, url: &str) -> Option<String>;
}

pub trait Body {
    type Bytes: Bytes;

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// The machine's own word where the connection broke.
    async fn next(&mut self) -> Result<Option<Self::Bytes>, String>;
}

/// Why storage did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// There is no room for it.
    NoRoom,
    /// There is no storage, or it is broken, for this reason.
    Failed(String),
}

/// A stored entry.
pub struct Entry<B> {
    pub bytes: B,
    /// What it was stored with.
    pub checksum: Option<String>,
}

/// Entries under their keys, kept between visits, the same for all tabs. Others may remove any of them at any time.
pub trait Storage {
    type Bytes: Bytes;
    /// A lock that is held; free again when dropped.
    type Lock;

    /// Whether anything can be kept here: not in every private window.
    async fn is_available(&self) -> bool;

    /// Every entry's key.
    async fn keys(&self) -> Result<Vec<String>, StorageError>;

    async fn has(&self, key: &str) -> bool;

    async fn read(&self, key: &str) -> Result<Option<Entry<Self::Bytes>>, StorageError>;

    /// Stores or replaces an entry, whole or not at all.
    async fn write(&self, key: &str, bytes: &Self::Bytes, checksum: Option<&str>)
    -> Result<(), StorageError>;

    /// An entry that is not there is no error.
    async fn remove(&self, key: &str) -> Result<(), StorageError>;

    /// Waits for the lock of this name, which one tab has at a time. None where the machine has no locks.
    async fn lock(&self, name: &str) -> Option<Self::Lock>;

    /// Many entries have been read; no more will be for a while.
    fn reads_done(&self) {}
}

pub trait Clock {
    /// Milliseconds since any moment, never less than before.
    fn now(&self) -> f64;

    /// Milliseconds since 1970.
    fn today(&self) -> u64;

    async fn sleep(&self, ms: u32);
}

/// The threads that the network runs on.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    /// Beside the engine's own.
    pub helpers: usize,
    /// Why there are fewer than asked for.
    pub trouble: Option<String>,
}

/// The processor and the GPUs.
pub trait Devices {
    type Cpu: Backend + 'static;
    type Gpu: GpuBackend + 'static;

    fn cpu(&self, isa: Isa) -> Self::Cpu;

    /// The fastest instructions, and how many times as long the next take: measured, where there are several.
    fn fastest_isa(&self, format: WeightFormat) -> (Isa, f64);

    /// Measured milliseconds of one product of the MLP's shape ([`Config::mlp_multiply_accumulates`]).
    fn product_ms(&self, config: &Config, isa: Isa, format: WeightFormat) -> f64;

    /// Starts helpers until the network runs on `threads` threads. Called once.
    async fn start_threads(&self, threads: usize) -> Threads;

    /// Asks for a GPU; for one that is imitated on the processor only with `allow_software`.
    ///
    /// # Errors
    /// Why there is none.
    async fn gpu(&self, allow_software: bool) -> Result<Self::Gpu, Reason>;

    /// Names the browser or whatever else drives the devices, and its version.
    fn driver(&self) -> String;
}

/// A photo's file.
pub trait Photo: Clone {
    type Bytes: Bytes;

    fn length(&self) -> u64;

    /// None where the file can't be read any more.
    async fn read(&self) -> Option<Self::Bytes>;

    /// Decodes it with what the machine brings along; none where that knows no such format.
    async fn decode(&self) -> Option<Result<Rgb, DecodeError>>;

    /// The same with a file's bytes.
    async fn decode_bytes(bytes: &[u8]) -> Option<Result<Rgb, DecodeError>>;
}

/// Runs programs that decode photos (`crates/codec-module`).
pub trait Codecs {
    type Bytes: Bytes;
    /// A program that is ready to run.
    type Program: Clone;

    /// Where the program for a format lies; none for a format that has none.
    fn address(&self, format: Foreign) -> Option<String>;

    /// # Errors
    /// Why it is no program that runs here.
    async fn compile(&self, program: Self::Bytes) -> Result<Self::Program, String>;

    /// Decodes a photo in memory of its own, which goes afterwards.
    async fn decode(
        &self,
        program: &Self::Program,
        format: Foreign,
        photo: &Self::Bytes,
    ) -> Result<Rgb, DecodeError>;
}
