//! Objects behind an S3 API: AWS, or a server that speaks as it does.
//!
//! Each object carries its SHA-256 as `x-amz-meta-sha256`. The digest of every body is part of its signature, and `x-amz-checksum-sha256`
//! goes with it, which the server keeps and compares; one that does not know that header is asked without it. Objects over 16 MiB go in
//! parts that a killed process leaves and the next one goes on with (`multipart`).

mod ask;
mod config;
mod multipart;
mod sign;
mod wire;
mod xml;

pub use config::{S3Config, S3Patience, S3Style};
pub use sign::S3Credentials;

use crate::key::{check_key, is_key};
use crate::{Error, ListedObject, ObjectDigest, ObjectHead, ObjectSource, ObjectStore, Result, TallyingWriter};
use ask::{Ask, Problem, Server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::{HeaderMap, Method};
use sign::decoded;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use wire::{WireAnswer, WireFault};
use xml::XmlNode;

/// The digest beside an object.
const META: &str = "x-amz-meta-sha256";
/// The digest that the server compares.
const CHECKSUM: &str = "x-amz-checksum-sha256";
/// The condition that nothing is there.
const IF_ABSENT: (&str, &str) = ("if-none-match", "*");

/// Objects in a bucket.
#[derive(Debug)]
pub struct S3Objects {
    server: Server,
    /// Does the server take [`CHECKSUM`]? Taken for granted until it says that it does not.
    checksums: AtomicBool,
}

impl S3Objects {
    /// In this bucket. Nothing is asked yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: S3Config) -> Result<Self> {
        Ok(Self { server: Server::new(config)?, checksums: AtomicBool::new(true) })
    }

    fn full(&self, key: &str) -> Result<String> {
        check_key(key)?;
        Ok(format!("{}{key}", self.server.config.prefix))
    }

    fn ask(&self, what: &str, method: Method, key: &str) -> Result<Ask> {
        Ok(Ask::new(format!("{what} '{key}'"), method, &self.full(key)?))
    }

    /// Asks with the checksum of the body, and without it from then on where the server does not know it.
    fn ask_checked(&self, ask: &Ask, sha256: ObjectDigest) -> Result<WireAnswer> {
        self.ask_summed(ask, CHECKSUM, checksum(sha256)).map(|(answer, _)| answer)
    }

    /// Asks with a header that belongs to checksums, and without such headers from then on where the server does not know them. The second
    /// half: whether the answer is to a request with it.
    fn ask_summed(&self, plain: &Ask, name: &'static str, value: String) -> Result<(WireAnswer, bool)> {
        if self.checksums.load(Ordering::Relaxed) {
            let answer = self.server.ask(&plain.clone().header(name, value))?;
            if answer.status != 501 && Problem::of(&answer).code != "NotImplemented" {
                return Ok((answer, true));
            }
            self.checksums.store(false, Ordering::Relaxed);
        }
        self.server.ask(plain).map(|answer| (answer, false))
    }

    /// Puts in one request or in parts; `false` when something was to be absent and is not.
    fn put_somehow(&self, key: &str, source: &ObjectSource<'_>, absent: bool) -> Result<bool> {
        if source.size() > self.server.config.part {
            return multipart::put(self, key, source, absent);
        }
        let len = usize::try_from(source.size()).unwrap_or(usize::MAX);
        let body = source.piece(key, 0, len)?;
        if ObjectDigest::of(&body) != source.sha256() {
            return Err(Error::Changed { key: key.to_owned() });
        }
        let mut ask = self.ask("put", Method::PUT, key)?.header(META, source.sha256().to_string()).body(body);
        if absent {
            ask = ask.header(IF_ABSENT.0, IF_ABSENT.1);
        }
        let answer = self.ask_checked(&ask, source.sha256())?;
        match answer.status {
            200..=299 => Ok(true),
            412 if absent => Ok(false),
            _ => Err(self.server.refused(&ask, &answer)),
        }
    }

    /// An answer of XML whose element's name begins with a command: what follows, `Result` with AWS, is another word with some servers.
    fn xml(&self, ask: &Ask, answer: &WireAnswer, command: &str) -> Result<XmlNode> {
        if !matches!(answer.status, 200..=299) {
            return Err(self.server.refused(ask, answer));
        }
        let node = XmlNode::parse(&answer.body).filter(|node| node.name.starts_with(command));
        node.ok_or_else(|| self.server.away(ask, 1, format!("its answer is none to {command}; is it a server of S3?")))
    }
}

impl ObjectStore for S3Objects {
    fn place(&self) -> String {
        self.server.config.place()
    }

    fn put(&self, key: &str, source: &ObjectSource<'_>) -> Result<()> {
        self.put_somehow(key, source, false).map(|_| ())
    }

    fn put_if_absent(&self, key: &str, source: &ObjectSource<'_>) -> Result<bool> {
        self.put_somehow(key, source, true)
    }

    /// A connection that is lost is made again, and the rest of the bytes asked for.
    fn get_into(&self, key: &str, into: &mut dyn Write) -> Result<ObjectHead> {
        let plain = self.ask("get", Method::GET, key)?;
        let mut out = TallyingWriter::new(into);
        let (mut tried, mut etag) = (0, None::<String>);
        let answer = loop {
            let begun = out.written();
            let mut ask = plain.clone();
            if begun > 0 {
                ask = ask.header("range", format!("bytes={begun}-"));
                ask = etag.iter().fold(ask, |ask, etag| ask.header("if-match", etag));
            }
            // A server that knows no ranges sends what is there already once more.
            let mut passed = begun;
            let asked = self.server.take(&ask, &mut |head, piece| {
                etag = etag.take().or_else(|| text(&head.headers, "etag").map(str::to_owned));
                let known = if head.status == 200 { passed.min(piece.len() as u64) } else { 0 };
                passed -= known;
                out.write_all(usize::try_from(known).map_or(&[], |known| &piece[known..]))
            });
            let why = match asked {
                Ok(answer) => match answer.status {
                    200 | 206 => break answer,
                    404 => return Err(self.absent(key, &ask, &answer)),
                    412 if begun > 0 => return Err(Error::Changed { key: key.to_owned() }),
                    429 | 500 | 502 | 503 | 504 => {
                        format!("the server answers {} {}", answer.status, Problem::of(&answer).code)
                    }
                    _ => return Err(self.server.refused(&ask, &answer)),
                },
                Err(WireFault::Again(why)) => why,
                Err(WireFault::Never(why)) => return Err(self.server.away(&ask, 1, why)),
                Err(WireFault::Taker(e)) => return Err(Error::io(Path::new(key))(e)),
            };
            // A try that brought something is no vain one.
            tried = if out.written() > begun { 1 } else { tried + 1 };
            if !self.server.wait(tried, None) {
                return Err(self.server.away(&ask, tried, why));
            }
        };
        let expected = noted(key, &answer.headers)?;
        let (found, size) = out.finish();
        match expected.filter(|expected| *expected != found) {
            Some(expected) => Err(Error::Digest { key: key.to_owned(), expected, found }),
            None => Ok(ObjectHead { size, sha256: expected }),
        }
    }

    fn head(&self, key: &str) -> Result<Option<ObjectHead>> {
        let ask = self.ask("read the head of", Method::HEAD, key)?;
        let answer = self.server.ask(&ask)?;
        match answer.status {
            200 => {
                let size = text(&answer.headers, "content-length").and_then(|t| t.parse().ok());
                let what = || "its head has no size".to_owned();
                let size = size.ok_or_else(|| Error::Damaged { key: key.to_owned(), what: what() })?;
                Ok(Some(ObjectHead { size, sha256: noted(key, &answer.headers)? }))
            }
            404 => Ok(None),
            _ => Err(self.server.refused(&ask, &answer)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<ListedObject>> {
        let own = &self.server.config.prefix;
        let mut found = Vec::new();
        let mut next = None::<String>;
        loop {
            let mut ask = Ask::new(format!("list '{prefix}'"), Method::GET, "")
                .query("list-type", "2")
                .query("encoding-type", "url")
                .query("max-keys", self.server.config.page.to_string())
                .query("prefix", format!("{own}{prefix}"));
            if let Some(token) = next.take() {
                ask = ask.query("continuation-token", token);
            }
            let answer = self.server.ask(&ask)?;
            let page = self.xml(&ask, &answer, "ListBucket")?;
            let is_encoded = page.text_of("EncodingType").is_some_and(|t| t == "url");
            for object in page.all("Contents") {
                let key = object.text_of("Key").and_then(|k| if is_encoded { decoded(k) } else { Some(k.to_owned()) });
                let key = key.as_deref().and_then(|k| k.strip_prefix(own.as_str()));
                let size = object.text_of("Size").and_then(|t| t.parse().ok());
                // What others put under names that are no keys here is not ours.
                if let Some((key, size)) = key.filter(|k| is_key(k)).zip(size) {
                    found.push(ListedObject { key: key.to_owned(), size });
                }
            }
            match page.text_of("NextContinuationToken") {
                Some(token) if page.text_of("IsTruncated") == Some("true") => next = Some(token.to_owned()),
                _ => break,
            }
        }
        found.sort();
        Ok(found)
    }

    fn delete(&self, key: &str) -> Result<()> {
        let ask = self.ask("delete", Method::DELETE, key)?;
        let answer = self.server.ask(&ask)?;
        match answer.status {
            200..=299 => Ok(()),
            404 if Problem::of(&answer).code != "NoSuchBucket" => Ok(()),
            _ => Err(self.server.refused(&ask, &answer)),
        }
    }
}

impl S3Objects {
    fn absent(&self, key: &str, ask: &Ask, answer: &WireAnswer) -> Error {
        if Problem::of(answer).code == "NoSuchBucket" {
            return self.server.refused(ask, answer);
        }
        Error::Absent { key: key.to_owned(), place: self.place() }
    }
}

/// As the header [`CHECKSUM`] has it.
fn checksum(sha256: ObjectDigest) -> String {
    STANDARD.encode(sha256.bytes())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The digest that was put with an object.
fn noted(key: &str, headers: &HeaderMap) -> Result<Option<ObjectDigest>> {
    let Some(text) = text(headers, META) else { return Ok(None) };
    let what = || format!("its {META} is no SHA-256");
    ObjectDigest::parse(text.trim()).map(Some).ok_or_else(|| Error::Damaged { key: key.to_owned(), what: what() })
}
