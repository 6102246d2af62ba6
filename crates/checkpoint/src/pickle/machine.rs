//! The stack machine that runs a pickle.

use super::{Id, Object, unknown_opcode};
use std::collections::HashMap;

pub(super) struct Machine<'a> {
    /// What has not been read yet.
    pub(super) rest: &'a [u8],
    pub(super) objects: Vec<Object>,
    stack: Vec<Id>,
    /// Heights of the stack at each open mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, objects: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() }
    }

    /// Until the pickle's end; gives the object that it stands for.
    pub(super) fn run(&mut self) -> Result<Id, String> {
        loop {
            let opcode = self.byte()?;
            match opcode {
                b'.' => return self.pop(),
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_mark()?),
                b'2' => self.stack.push(self.top()?),
                b'N' => self.push(Object::None),
                0x88 => self.push(Object::Bool(true)),
                0x89 => self.push(Object::Bool(false)),
                b'K' => self.integer(1, false)?,
                b'M' => self.integer(2, false)?,
                b'J' => self.integer(4, true)?,
                0x8a => {
                    let len = self.byte()?.into();
                    self.integer(len, true)?
                }
                0x8b => {
                    let len = self.unsigned(4)?;
                    self.integer(usize::try_from(len).unwrap_or(usize::MAX), true)?
                }
                b'G' => {
                    self.take(8)?;
                    self.push(Object::Float)
                }
                b'X' => self.text(4)?,
                0x8c => self.text(1)?,
                0x8d => self.text(8)?,
                // Python 2's strings; only their being there matters, unless they are names.
                b'U' => self.text(1)?,
                b'T' => self.text(4)?,
                b'C' => self.bytes(1)?,
                b'B' => self.bytes(4)?,
                0x8e | 0x96 => self.bytes(8)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Object::Global(format!("{module}.{name}")))
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    match (&self.objects[module], &self.objects[name]) {
                        (Object::Text(module), Object::Text(name)) => {
                            let global = format!("{module}.{name}");
                            self.push(Object::Global(global))
                        }
                        _ => return Err("its pickle names a class by something that is not text".into()),
                    }
                }
                b')' | b']' | 0x8f => self.push(Object::Sequence(Vec::new())),
                b't' | b'l' | 0x91 => {
                    let items = self.pop_mark()?;
                    self.push(Object::Sequence(items))
                }
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b'}' => self.push(Object::Dict(Vec::new())),
                b'd' => {
                    let items = self.pop_mark()?;
                    let items = pairs(items)?;
                    self.push(Object::Dict(items))
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?
                }
                b'e' | 0x90 => {
                    let items = self.pop_mark()?;
                    self.append(items)?
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(vec![(key, value)])?
                }
                b'u' => {
                    let items = self.pop_mark()?;
                    self.set(pairs(items)?)?
                }
                b'R' | 0x81 => self.call()?,
                0x92 => {
                    // Named arguments: no tensor is built with any.
                    self.pop()?;
                    self.call()?
                }
                // An object's state (a state dict's `_metadata`): nothing a weight depends on.
                b'b' => drop(self.pop()?),
                b'Q' => {
                    let id = self.pop()?;
                    self.push(Object::Persistent(id))
                }
                b'q' => {
                    let slot = self.byte()?.into();
                    self.memoize(slot)?
                }
                b'r' => {
                    let slot = self.unsigned(4)? as u32;
                    self.memoize(slot)?
                }
                0x94 => self.memoize(self.memo.len() as u32)?,
                b'h' => {
                    let slot = self.byte()?.into();
                    self.recall(slot)?
                }
                b'j' => {
                    let slot = self.unsigned(4)? as u32;
                    self.recall(slot)?
                }
                other => return Err(unknown_opcode(other)),
            }
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("its pickle ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn unsigned(&mut self, len: usize) -> Result<u64, String> {
        Ok(self.take(len)?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// A little-endian integer of `len` bytes.
    fn integer(&mut self, len: usize, signed: bool) -> Result<(), String> {
        if len > 8 {
            self.take(len)?;
            self.push(Object::LongInt);
            return Ok(());
        }
        let value = self.unsigned(len)?;
        let unused = 64 - 8 * len as u32;
        let value = if signed && len > 0 { ((value << unused) as i64) >> unused } else { value as i64 };
        self.push(Object::Int(value));
        Ok(())
    }

    /// Bytes behind a length of `len` bytes.
    fn counted(&mut self, len: usize) -> Result<&'a [u8], String> {
        let count = self.unsigned(len)?;
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn text(&mut self, len: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.counted(len)?).into_owned();
        self.push(Object::Text(text));
        Ok(())
    }

    fn bytes(&mut self, len: usize) -> Result<(), String> {
        self.counted(len)?;
        self.push(Object::Bytes);
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|&b| b == b'\n').ok_or("its pickle ends too early")?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).map_err(|_| "its pickle names a class that is not text".into())
    }

    fn push(&mut self, object: Object) {
        self.stack.push(self.objects.len());
        self.objects.push(object);
    }

    /// The lowest height the stack may have: what lies under an open mark is out of reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, String> {
        if self.stack.len() <= self.floor() {
            return Err("its pickle takes more objects than it made".into());
        }
        self.stack.pop().ok_or_else(|| "its pickle takes more objects than it made".into())
    }

    fn top(&self) -> Result<Id, String> {
        let last = self.stack.last().filter(|_| self.stack.len() > self.floor());
        last.copied().ok_or_else(|| "its pickle takes more objects than it made".into())
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let height = self.marks.pop().ok_or("its pickle closes a group that it never opened")?;
        Ok(self.stack.split_off(height))
    }

    fn tuple(&mut self, len: usize) -> Result<(), String> {
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Object::Sequence(items));
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), String> {
        let list = self.top()?;
        match &mut self.objects[list] {
            Object::Sequence(list) => list.extend(items),
            // A subclass of list: its items are of no interest.
            Object::Call { .. } => {}
            _ => return Err("its pickle appends to something that is not a list".into()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(Id, Id)>) -> Result<(), String> {
        let dict = self.top()?;
        match &mut self.objects[dict] {
            Object::Dict(dict) => dict.extend(items),
            Object::Call { .. } => {}
            _ => return Err("its pickle sets an item of something that is not a dict".into()),
        }
        Ok(())
    }

    fn call(&mut self) -> Result<(), String> {
        let (args, callable) = (self.pop()?, self.pop()?);
        let object = match &self.objects[callable] {
            Object::Global(name) if name == "collections.OrderedDict" => Object::Dict(self.take_pairs(args)),
            Object::Global(name) if name == "collections.defaultdict" => Object::Dict(Vec::new()),
            _ => Object::Call { callable, args },
        };
        self.push(object);
        Ok(())
    }

    /// What an `OrderedDict` is made from: nothing, or as Python 2 wrote it, a list of its pairs. The list is
    /// emptied, not copied: many dicts of one long list must not take more memory than the pickle.
    fn take_pairs(&mut self, args: Id) -> Vec<(Id, Id)> {
        let Object::Sequence(args) = &self.objects[args] else { return Vec::new() };
        let Some(&list) = args.first() else { return Vec::new() };
        let Object::Sequence(list) = &mut self.objects[list] else { return Vec::new() };
        let list = std::mem::take(list);
        let pair = |&pair: &Id| match &self.objects[pair] {
            Object::Sequence(items) => items.first_chunk::<2>().map(|&[key, value]| (key, value)),
            _ => None,
        };
        list.iter().filter_map(pair).collect()
    }

    fn memoize(&mut self, slot: u32) -> Result<(), String> {
        let id = self.top()?;
        self.memo.insert(slot, id);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Result<(), String> {
        let id = self.memo.get(&slot).ok_or("its pickle recalls an object that it never stored")?;
        self.stack.push(*id);
        Ok(())
    }
}

fn pairs(items: Vec<Id>) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    if rest.is_empty() {
        return Ok(pairs.iter().map(|&[key, value]| (key, value)).collect());
    }
    Err("its pickle has a key without a value".into())
}
