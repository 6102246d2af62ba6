//! Reads a pickle as plain data. Nothing is imported, called or allocated on the pickle's word:
//! a class or a call becomes a node that only says its name, so a hostile pickle can do nothing
//! but be refused.
//!
//! candle-core has a pickle reader too; this one exists because that one panics on short argument
//! tuples, copies shared objects (a few hundred bytes can ask for all memory) and skips tensors
//! it cannot read. Here objects live in one arena and are shared by number, so memory is at most
//! proportional to the pickle, and there is no recursion.
//!
//! Opcodes: Python's `pickletools.py`; protocols 2 to 5, as far as PyTorch uses them.

mod extent;
mod machine;

pub(crate) use extent::PickleEnd;
use machine::Machine;

/// A real checkpoint's pickle has some 50 KB; 21,841 class names add 2 MB.
pub(crate) const MAX_PICKLE_BYTES: u64 = 16 << 20;

/// Number of an object in [`Pickle`].
pub(crate) type Id = usize;

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Object {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, such as a seed.
    LongInt,
    Float,
    Text(String),
    Bytes,
    /// `module.name`
    Global(String),
    /// A tuple, list or set.
    Sequence(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// What calling `callable` with `args` would have made.
    Call {
        callable: Id,
        args: Id,
    },
    /// A reference to a storage outside the pickle.
    Persistent(Id),
}

/// Every object of a pickle; [`Pickle::root`] is the one it stands for.
#[derive(Debug)]
pub(crate) struct Pickle {
    objects: Vec<Object>,
    pub(crate) root: Id,
}

impl Pickle {
    /// # Errors
    /// A sentence, when the pickle is damaged or uses what no checkpoint uses.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        Self::read_first(bytes).map(|(pickle, _)| pickle)
    }

    /// The pickle at the beginning of `bytes`, and its length.
    ///
    /// # Errors
    /// As for [`Pickle::read`].
    pub(crate) fn read_first(bytes: &[u8]) -> Result<(Self, usize), String> {
        let limit = usize::try_from(MAX_PICKLE_BYTES).unwrap_or(usize::MAX).min(bytes.len());
        let mut machine = Machine::new(&bytes[..limit]);
        let root = machine.run()?;
        let len = limit - machine.rest.len();
        Ok((Self { objects: machine.objects, root }, len))
    }

    /// Every object, also those that the root does not lead to.
    pub(crate) fn objects(&self) -> &[Object] {
        &self.objects
    }

    pub(crate) fn get(&self, id: Id) -> &Object {
        &self.objects[id]
    }

    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn sequence(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Object::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Object::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    pub(crate) fn sizes(&self, id: Id) -> Option<Vec<usize>> {
        self.sequence(id)?.iter().map(|&item| self.size(item)).collect()
    }

    pub(crate) fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Object::Dict(items) => Some(items),
            _ => None,
        }
    }

    /// The value under a text key of a dict.
    pub(crate) fn item(&self, dict: Id, key: &str) -> Option<Id> {
        let items = self.dict(dict)?;
        items.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|&(_, value)| value)
    }

    /// The name and arguments of a call.
    pub(crate) fn call(&self, id: Id) -> Option<(&str, &[Id])> {
        match self.get(id) {
            Object::Call { callable, args } => Some((self.global(*callable)?, self.sequence(*args)?)),
            _ => None,
        }
    }

    /// The name of a class or function.
    pub(crate) fn global(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Object::Global(name) => Some(name),
            _ => None,
        }
    }
}

fn unknown_opcode(opcode: u8) -> String {
    format!("its pickle uses opcode 0x{opcode:02x}, which no checkpoint needs")
}
