//! Files on a server, and how the way there fails.

use super::FakeBytes;
use engine::platform::{Body, Caching, Get, Network, Response};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::pending;

/// How a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Fine,
    /// No answer at all.
    Cut,
    /// Nothing ever comes.
    Stalled,
    /// This many bytes, then nothing.
    StallsAfter(usize),
    /// This many bytes, then the connection breaks.
    BreaksAfter(usize),
    Status(u16),
    /// Status 200 and a page of HTML.
    WebPage,
    /// Status 200 and half of the file.
    Truncated,
    /// Status 200 and one bit of the file is another.
    Altered,
    /// More than there is.
    Longer,
    /// The whole file, whatever part was asked for.
    WithoutRanges,
    /// No answer where a part is asked for, as after a preflight that failed.
    RefusesRange,
    /// The answer does not tell the entity tag.
    WithoutTag,
    /// 403 from another host, as when a signed address has run out.
    ExpiredAddress,
    /// 429, to try again after so many seconds.
    TooManyRequests(u64),
}

/// Bytes come in pieces of this many.
const PIECE: usize = 4_000;

pub struct FakeNetwork {
    pub files: RefCell<HashMap<String, Vec<u8>>>,
    /// How requests for addresses with this in them go: the first rule that fits.
    rules: RefCell<Vec<(String, Rule)>>,
    /// Entity tags, by address.
    pub etags: RefCell<HashMap<String, String>>,
    pub asked: RefCell<Vec<(String, u64, Caching)>>,
    /// How much was asked for, at the most, by each of them.
    pub lengths: RefCell<Vec<Option<u64>>>,
    /// What the server sent, in all.
    pub sent: RefCell<u64>,
    pub part_bytes: Cell<u64>,
    pub redirect: RefCell<Option<Redirect>>,
}

/// An address that leads to another one, which is signed anew each time.
#[derive(Default)]
pub struct Redirect {
    pub from: String,
    /// A signature is added to it.
    pub to: String,
    /// So many were signed.
    pub signed: u64,
    /// What part is asked for is lost on the way, as in WebKit.
    pub drops_range: bool,
}

impl Redirect {
    fn follow(&mut self) -> String {
        self.signed += 1;
        format!("{}?signature={}", self.to, self.signed)
    }
}

impl Default for FakeNetwork {
    fn default() -> Self {
        Self {
            files: RefCell::default(),
            rules: RefCell::default(),
            etags: RefCell::default(),
            asked: RefCell::default(),
            lengths: RefCell::default(),
            sent: RefCell::default(),
            part_bytes: Cell::new(u64::MAX),
            redirect: RefCell::default(),
        }
    }
}

enum Rule {
    Always(Way),
    /// One after another, then fine.
    Then(VecDeque<Way>),
}

impl FakeNetwork {
    pub fn serve(&self, url: &str, file: &[u8]) {
        self.files.borrow_mut().insert(url.into(), file.to_vec());
    }

    /// From now on.
    pub fn always(&self, part: &str, way: Way) {
        self.rules.borrow_mut().retain(|(other, _)| other != part);
        self.rules.borrow_mut().push((part.into(), Rule::Always(way)));
    }

    /// The next requests, one after another.
    pub fn then(&self, part: &str, ways: &[Way]) {
        self.rules.borrow_mut().push((part.into(), Rule::Then(ways.iter().copied().collect())));
    }

    pub fn heal(&self) {
        self.rules.borrow_mut().clear();
    }

    pub fn requests(&self, part: &str) -> usize {
        self.asked.borrow().iter().filter(|(url, ..)| url.contains(part)).count()
    }

    fn way(&self, url: &str) -> Way {
        let mut rules = self.rules.borrow_mut();
        for (part, rule) in rules.iter_mut() {
            if !url.contains(part.as_str()) {
                continue;
            }
            match rule {
                Rule::Always(way) => return *way,
                Rule::Then(ways) => match ways.pop_front() {
                    Some(way) => return way,
                    None => continue,
                },
            }
        }
        Way::Fine
    }
}

impl Network for FakeNetwork {
    type Bytes = FakeBytes;
    type Body = FakeBody;

    async fn get(&self, get: Get<'_>) -> Result<Response<FakeBody>, String> {
        let Get { url, mut from, length: most, caching } = get;
        self.asked.borrow_mut().push((url.into(), from, caching));
        self.lengths.borrow_mut().push(most);
        let way = self.way(url);
        match way {
            Way::Cut => return Err("Failed to fetch".into()),
            Way::Stalled => pending::<()>().await,
            Way::RefusesRange if from > 0 => return Err("Failed to fetch".into()),
            _ => {}
        }
        let mut answered = url.to_owned();
        if let Some(redirect) = self.redirect.borrow_mut().as_mut().filter(|redirect| redirect.from == url) {
            answered = redirect.follow();
            if redirect.drops_range {
                from = 0;
            }
        }
        let path = answered.split("?signature=").next().unwrap_or_default();
        let file = self.files.borrow().get(path).cloned();
        let is_there = file.is_some();
        let mut file = file.unwrap_or_default();
        let status = match way {
            Way::Status(status) => status,
            Way::ExpiredAddress => 403,
            Way::TooManyRequests(_) => 429,
            _ if !is_there => 404,
            _ => 200,
        };
        let page = || b"<!doctype html><title>Sign in</title>".to_vec();
        let mut end = End::Finished;
        let (mut media_type, mut body) = ("application/octet-stream", std::mem::take(&mut file));
        match way {
            _ if status != 200 => (media_type, body) = ("text/html", page()),
            Way::WebPage => (media_type, body) = ("text/html", page()),
            Way::Truncated => body.truncate(body.len() / 2),
            Way::Altered => {
                let middle = body.len() / 2;
                body[middle] ^= 1;
            }
            Way::Longer => body.push(0),
            _ => {}
        }
        let length = Some(body.len() as u64);
        let etag = self.etags.borrow().get(path).cloned().filter(|_| way != Way::WithoutTag);
        let (status, from) = match (status, way) {
            (200, Way::WithoutRanges | Way::WebPage) => (200, 0),
            (200, _) if from > 0 && from >= body.len() as u64 => (416, 0),
            (200, _) if from > 0 => (206, from),
            (status, _) => (status, 0),
        };
        let mut body: Vec<u8> = body.split_off((from as usize).min(body.len()));
        if let Some(most) = most.filter(|_| status == 206) {
            body.truncate(most as usize);
        }
        match way {
            Way::StallsAfter(bytes) => {
                body.truncate(bytes);
                end = End::Silent;
            }
            Way::BreaksAfter(bytes) => {
                body.truncate(bytes);
                end = End::Broken;
            }
            _ => {}
        }
        *self.sent.borrow_mut() += body.len() as u64;
        let body = FakeBody { pieces: body.chunks(PIECE).map(<[u8]>::to_vec).collect(), end };
        let retry_after = match way {
            Way::TooManyRequests(seconds) => Some(seconds),
            _ => None,
        };
        let url = match way {
            Way::ExpiredAddress => "https://cdn.example/file?signature=0".into(),
            _ => answered,
        };
        let media_type = Some(media_type.into());
        Ok(Response { status, from, length, etag, retry_after, url: Some(url), media_type, body })
    }

    fn resolve(&self, name: &str, base: &str) -> Option<String> {
        let (folder, _) = base.rsplit_once('/')?;
        Some(format!("{folder}/{name}"))
    }

    fn part_bytes(&self) -> u64 {
        self.part_bytes.get()
    }

    fn host(&self, url: &str) -> Option<String> {
        Some(url.split_once("://")?.1.split('/').next()?.into())
    }

    fn site_address(&self, path: &str) -> Option<String> {
        Some(format!("https://site.example/{path}"))
    }
}

enum End {
    Finished,
    Silent,
    Broken,
}

pub struct FakeBody {
    pieces: VecDeque<Vec<u8>>,
    end: End,
}

impl Body for FakeBody {
    type Bytes = FakeBytes;

    async fn next(&mut self) -> Result<Option<FakeBytes>, String> {
        if let Some(piece) = self.pieces.pop_front() {
            return Ok(Some(FakeBytes(piece)));
        }
        match self.end {
            End::Finished => Ok(None),
            End::Silent => pending().await,
            End::Broken => Err("network error".into()),
        }
    }
}
