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

/// The machine: one of each, and the channel to the page.
pub trait Platform {
    /// What downloads, storage and files consist of.
    type Bytes: Bytes;
    /// How files are downloaded.
    type Network: Network<Bytes = Self::Bytes>;
    /// What is kept between visits.
    type Storage: Storage<Bytes = Self::Bytes>;
    /// Times and timers.
    type Clock: Clock;
    /// What the network can run on.
    type Devices: Devices;
    /// What the page sends.
    type Photo: Photo<Bytes = Self::Bytes>;
    /// Decoders that are fetched when needed.
    type Codecs: Codecs<Bytes = Self::Bytes>;

    /// See [`Network`].
    fn network(&self) -> &Self::Network;
    /// See [`Storage`].
    fn storage(&self) -> &Self::Storage;
    /// See [`Clock`].
    fn clock(&self) -> &Self::Clock;
    /// See [`Devices`].
    fn devices(&self) -> &Self::Devices;
    /// See [`Codecs`].
    fn codecs(&self) -> &Self::Codecs;

    /// Sends a reply to the page.
    fn post(&self, reply: &Reply);

    /// Sends a reply with pixels beside it.
    fn post_with(&self, reply: &Reply, rgba: &[u8]);

    /// Writes a line to the developer's console.
    fn warn(&self, line: &str);
}

/// Bytes that may lie outside the program's own memory: a WebAssembly program's memory never shrinks again, so what only
/// passes through is kept out of it.
pub trait Bytes: Sized {
    /// So many zeros.
    fn zeroed(length: u64) -> Self;

    /// A copy.
    fn from_slice(bytes: &[u8]) -> Self;

    /// In bytes.
    fn length(&self) -> u64;

    /// Copies `to.len()` bytes from `at` on. They are within the length.
    fn copy_to(&self, at: u64, to: &mut [u8]);

    /// Puts all of `part` at `at`. It is within the length.
    fn put(&mut self, at: u64, part: &Self);

    /// The first `length` bytes.
    fn truncated(self, length: u64) -> Self;

    /// SHA-256 in lower-case hexadecimal.
    async fn sha256(&self) -> String;

    /// Lets the memory be used again, where the machine would leave it to a garbage collector.
    fn free(self) {}

    /// A copy in the program's own memory.
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
    /// Nothing, and what comes is not kept there either: a large file that is used once.
    NotKept,
}

/// A GET.
#[derive(Clone, Copy, Debug)]
pub struct Get<'a> {
    /// Absolute.
    pub url: &'a str,
    /// Asks for the body from this byte on.
    pub from: u64,
    /// Asks for so many bytes of it at most; for all that follow without it.
    pub length: Option<u64>,
    /// Which cached responses will do.
    pub caching: Caching,
}

/// What comes back before the body.
pub struct Response<B> {
    /// The HTTP status.
    pub status: u16,
    /// Where in the file the body begins: other than 0 only with status 206.
    pub from: u64,
    /// The whole file's length in bytes, where the response tells it.
    pub length: Option<u64>,
    /// The file's entity tag, quotes included, where the response tells it.
    pub etag: Option<String>,
    /// Seconds that the server asks to wait.
    pub retry_after: Option<u64>,
    /// The address that answered in the end, after redirects.
    pub url: Option<String>,
    /// The media type, such as `text/html`, without parameters.
    pub media_type: Option<String>,
    /// Received while it is read.
    pub body: B,
}

/// Downloads.
pub trait Network {
    /// As the platform's.
    type Bytes: Bytes;
    /// The body of a response.
    type Body: Body<Bytes = Self::Bytes>;

    /// Resolves once the head of the response is here.
    ///
    /// # Errors
    /// The machine's message where there is no response.
    async fn get(&self, get: Get<'_>) -> Result<Response<Self::Body>, String>;

    /// `name` as an address relative to `base`.
    fn resolve(&self, name: &str, base: &str) -> Option<String>;

    /// A body of more bytes than this may fill the memory before it is read, since some machines receive as fast as the
    /// server sends, however slowly the program reads: larger files are requested in parts of this length.
    fn part_bytes(&self) -> u64;

    /// The part of an address that says who serves it, such as `weights.example:8080`.
    fn host(&self, url: &str) -> Option<String>;

    /// The address of a file of the site itself, by its path from the site's root.
    fn site_address(&self, path: &str) -> Option<String>;
}

/// The body of a response, received in parts.
pub trait Body {
    /// As the platform's.
    type Bytes: Bytes;

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// The machine's message where the connection broke.
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
    /// The content.
    pub bytes: B,
    /// What it was stored with.
    pub checksum: Option<String>,
}

/// Entries under their keys, kept between visits, the same for all tabs. Others may remove any of them at any time.
pub trait Storage {
    /// As the platform's.
    type Bytes: Bytes;
    /// A lock that is held; free again when dropped.
    type Lock;

    /// Whether anything can be kept here: not in every private window.
    async fn is_available(&self) -> bool;

    /// Every entry's key.
    async fn keys(&self) -> Result<Vec<String>, StorageError>;

    /// Whether there is an entry.
    async fn has(&self, key: &str) -> bool;

    /// The entry, if there is one.
    async fn read(&self, key: &str) -> Result<Option<Entry<Self::Bytes>>, StorageError>;

    /// Stores or replaces an entry, whole or not at all.
    async fn write(&self, key: &str, bytes: &Self::Bytes, checksum: Option<&str>)
    -> Result<(), StorageError>;

    /// An entry that is not there is no error.
    async fn remove(&self, key: &str) -> Result<(), StorageError>;

    /// How many bytes more it takes, about; none where the machine does not tell.
    async fn room(&self) -> Option<u64>;

    /// Waits for the lock of this name, which one tab has at a time. None where the machine has no locks.
    async fn lock(&self, name: &str) -> Option<Self::Lock>;

    /// Many entries have been read; no more will be for a while.
    fn reads_done(&self) {}
}

/// Times and timers.
pub trait Clock {
    /// Milliseconds since any moment, never less than before.
    fn now(&self) -> f64;

    /// Milliseconds since 1970.
    fn today(&self) -> u64;

    /// Resolves after so many milliseconds.
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
    /// A backend on the processor.
    type Cpu: Backend + 'static;
    /// A backend on a GPU.
    type Gpu: GpuBackend + 'static;

    /// A backend with these instructions.
    fn cpu(&self, isa: Isa) -> Self::Cpu;

    /// The fastest instructions, and how many times as long the next take: measured, where there are several.
    fn fastest_isa(&self, format: WeightFormat) -> (Isa, f64);

    /// Measured milliseconds of one product of the MLP's shape ([`Config::mlp_multiply_accumulates`]).
    fn product_ms(&self, config: &Config, isa: Isa, format: WeightFormat) -> f64;

    /// Starts helpers until the network runs on `threads` threads. Called once.
    async fn start_threads(&self, threads: usize) -> Threads;

    /// Requests a GPU; a software implementation on the processor only with `allow_software`.
    ///
    /// # Errors
    /// Why there is none.
    async fn gpu(&self, allow_software: bool) -> Result<Self::Gpu, Reason>;

    /// Names the browser or whatever else drives the devices, and its version.
    fn driver(&self) -> String;
}

/// A file of the visitor's: a photo, or a checkpoint.
pub trait Photo: Clone {
    /// As the platform's.
    type Bytes: Bytes;

    /// In bytes.
    fn length(&self) -> u64;

    /// None where the file can't be read any more.
    async fn read(&self) -> Option<Self::Bytes>;

    /// So many bytes from `from` on, which lie within its length; none where the file can't be read any more.
    async fn read_part(&self, from: u64, length: u64) -> Option<Self::Bytes>;

    /// Decodes it with the machine's own decoders; none where they know no such format.
    async fn decode(&self) -> Option<Result<Rgb, DecodeError>>;

    /// The same with a file's bytes.
    async fn decode_bytes(bytes: &[u8]) -> Option<Result<Rgb, DecodeError>>;
}

/// Runs programs that decode photos (`crates/codec-module`).
pub trait Codecs {
    /// As the platform's.
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
