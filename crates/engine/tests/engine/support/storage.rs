//! The browser's storage: as large, as broken and as forgetful as a test wants it.

use super::FakeBytes;
use super::clock::FakeClock;
use super::locks::{FakeLock, Locks};
use engine::platform::{Entry, Storage, StorageError};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;

/// An entry's bytes and checksum.
pub type Stored = (Vec<u8>, Option<String>);

pub struct FakeStorage {
    pub entries: RefCell<BTreeMap<String, Stored>>,
    /// There is none, as in some private windows.
    pub is_private: Cell<bool>,
    /// The most bytes it takes.
    pub room: Cell<u64>,
    /// What it tells of its room in place of the truth, as Chromium does.
    pub told_room: Cell<Option<u64>>,
    /// It never answers.
    pub hangs: Cell<bool>,
    pub locks: Locks,
    _clock: FakeClock,
}

impl FakeStorage {
    pub fn new(clock: FakeClock) -> Self {
        Self {
            entries: RefCell::default(),
            is_private: Cell::new(false),
            room: Cell::new(u64::MAX),
            told_room: Cell::new(None),
            hangs: Cell::new(false),
            locks: Locks::default(),
            _clock: clock,
        }
    }

    pub fn used(&self) -> u64 {
        self.entries.borrow().values().map(|(bytes, _)| bytes.len() as u64).sum()
    }

    pub fn clear(&self) {
        self.entries.borrow_mut().clear();
    }

    pub fn keys_with(&self, part: &str) -> Vec<String> {
        self.entries.borrow().keys().filter(|key| key.contains(part)).cloned().collect()
    }

    async fn answers(&self) -> Result<(), StorageError> {
        if self.hangs.get() {
            pending::<()>().await;
        }
        match self.is_private.get() {
            true => Err(StorageError::Failed("The operation is insecure.".into())),
            false => Ok(()),
        }
    }
}

impl Storage for FakeStorage {
    type Bytes = FakeBytes;
    type Lock = FakeLock;

    async fn is_available(&self) -> bool {
        self.answers().await.is_ok()
    }

    async fn keys(&self) -> Result<Vec<String>, StorageError> {
        self.answers().await?;
        Ok(self.entries.borrow().keys().cloned().collect())
    }

    async fn has(&self, key: &str) -> bool {
        self.answers().await.is_ok() && self.entries.borrow().contains_key(key)
    }

    async fn read(&self, key: &str) -> Result<Option<Entry<FakeBytes>>, StorageError> {
        self.answers().await?;
        let entries = self.entries.borrow();
        let entry = entries.get(key).cloned();
        Ok(entry.map(|(bytes, checksum)| Entry { bytes: FakeBytes(bytes), checksum }))
    }

    async fn write(&self, key: &str, bytes: &FakeBytes, checksum: Option<&str>) -> Result<(), StorageError> {
        self.answers().await?;
        let replaced = self.entries.borrow().get(key).map_or(0, |(bytes, _)| bytes.len() as u64);
        if self.used() - replaced + bytes.0.len() as u64 > self.room.get() {
            return Err(StorageError::NoRoom);
        }
        let entry = (bytes.0.clone(), checksum.map(str::to_owned));
        self.entries.borrow_mut().insert(key.into(), entry);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.answers().await?;
        self.entries.borrow_mut().remove(key);
        Ok(())
    }

    async fn room(&self) -> Option<u64> {
        self.answers().await.ok()?;
        if self.told_room.get().is_some() {
            return self.told_room.get();
        }
        (self.room.get() != u64::MAX).then(|| self.room.get().saturating_sub(self.used()))
    }

    async fn lock(&self, name: &str) -> Option<FakeLock> {
        Some(self.locks.wait(name).await)
    }
}
