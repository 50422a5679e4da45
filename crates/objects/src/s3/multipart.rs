//! Objects in parts, which survive whoever sends them: a later call goes on with the parts that have arrived.
//!
//! What is under way for a key is asked of the server. Parts are compared with the content that is to be put, by the SHA-256 the server
//! keeps or by their MD5, which is their tag where the server does not encrypt them with keys of its own. Parts that are the same are not
//! sent again; what is under way with any other part is of another content and aborted. One process at a time puts a key.

use super::ask::{Ask, Problem};
use super::xml::{XmlNode, escaped};
use super::{IF_ABSENT, META, S3Objects, checksum, decoded, text};
use crate::{Error, ObjectDigest, ObjectSource, ObjectStore as _, Result, TallyingWriter};
use core::fmt::Write as _;
use hyper::Method;
use md5::{Digest as _, Md5};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Most parts of an object.
const PARTS_MAX: u64 = 10_000;

/// Puts in parts; `false` when something was to be absent and is not.
pub(super) fn put(store: &S3Objects, key: &str, source: &ObjectSource<'_>, absent: bool) -> Result<bool> {
    if absent && store.head(key)?.is_some() {
        return Ok(false);
    }
    let job = Job { store, key, source, size: part_bytes(store.server.config.part, source.size()) };
    // The digest that goes with the whole was given when the upload began, and cannot be asked for before its end: one that was left by
    // another content with the same first parts shows itself only then, and the parts are sent anew.
    for may_resume in [true, false] {
        match job.run(absent, may_resume)? {
            Outcome::Put => return Ok(true),
            Outcome::Present => return Ok(false),
            Outcome::Unusable => {}
        }
    }
    Err(Error::Damaged { key: key.to_owned(), what: "the server does not keep what was put".to_owned() })
}

/// Bytes of each part but the last: those of the settings, or of whole MiB so many that there are not too many parts.
fn part_bytes(usual: u64, size: u64) -> u64 {
    size.div_ceil(PARTS_MAX).next_multiple_of(1 << 20).max(usual)
}

enum Outcome {
    Put,
    Present,
    /// What was gone on with is gone, or was of another content.
    Unusable,
}

struct Job<'a> {
    store: &'a S3Objects,
    key: &'a str,
    source: &'a ObjectSource<'a>,
    /// Bytes of a part.
    size: u64,
}

/// An upload under way.
struct Upload {
    id: String,
    /// Tags of the parts that have arrived, by number.
    arrived: BTreeMap<u64, ArrivedPart>,
    /// Does the server keep a SHA-256 of each part, which the end has to name?
    summed: bool,
}

struct ArrivedPart {
    tag: String,
    size: u64,
    sha256: Option<String>,
}

impl Job<'_> {
    fn run(&self, absent: bool, may_resume: bool) -> Result<Outcome> {
        let mut upload = self.resumed(may_resume)?;
        let resumed = upload.is_some();
        let upload = match &mut upload {
            Some(upload) => upload,
            None => &mut self.begun()?,
        };
        let mut sums = BTreeMap::new();
        let mut whole = TallyingWriter::new(std::io::sink());
        for number in 1..=self.parts() {
            let piece = self.piece(number)?;
            let written = whole.write_all(&piece);
            written.map_err(Error::io(std::path::Path::new(self.key)))?;
            let sha256 = ObjectDigest::of(&piece);
            sums.insert(number, checksum(sha256));
            if !upload.arrived.contains_key(&number) {
                let Some(tag) = self.send(&upload.id, number, piece, sha256)? else { return Ok(Outcome::Unusable) };
                upload.arrived.insert(number, ArrivedPart { tag, size: 0, sha256: None });
            }
        }
        if whole.finish().0 != self.source.sha256() {
            self.abort(&upload.id)?;
            return Err(Error::Changed { key: self.key.to_owned() });
        }
        self.finish(upload, &sums, absent, resumed)
    }

    fn parts(&self) -> u64 {
        self.source.size().div_ceil(self.size)
    }

    fn part_size(&self, number: u64) -> u64 {
        self.size.min(self.source.size() - (number - 1) * self.size)
    }

    fn piece(&self, number: u64) -> Result<Vec<u8>> {
        let len = usize::try_from(self.part_size(number)).unwrap_or(usize::MAX);
        self.source.piece(self.key, (number - 1) * self.size, len)
    }

    fn ask(&self, what: &str, method: Method, id: &str) -> Result<Ask> {
        Ok(self.store.ask(what, method, self.key)?.query("uploadId", id))
    }

    /// What is under way for this content; all else that is under way for the key is aborted.
    fn resumed(&self, may_resume: bool) -> Result<Option<Upload>> {
        let mut found = None;
        for id in self.under_way()? {
            let usable = if may_resume && found.is_none() { self.arrived(&id)? } else { None };
            match usable {
                Some(upload) => found = Some(upload),
                None => self.abort(&id)?,
            }
        }
        Ok(found)
    }

    /// Ids of uploads of this key.
    fn under_way(&self) -> Result<Vec<String>> {
        let full = self.store.full(self.key)?;
        let mut ids = Vec::new();
        let mut marker = None::<(String, String)>;
        loop {
            let what = format!("list what is under way for '{}'", self.key);
            let mut ask = Ask::new(what, Method::GET, "").query("uploads", "").query("prefix", full.clone());
            ask = ask.query("encoding-type", "url");
            if let Some((key, id)) = marker.take() {
                ask = ask.query("key-marker", key).query("upload-id-marker", id);
            }
            let answer = self.store.server.ask(&ask)?;
            let page = self.store.xml(&ask, &answer, "ListMultipartUploads")?;
            for upload in page.all("Upload") {
                let plain = upload.text_of("Key").unwrap_or_default();
                let is_ours = plain == full || decoded(plain).is_some_and(|key| key == full);
                ids.extend(upload.text_of("UploadId").filter(|_| is_ours).map(str::to_owned));
            }
            let next = page.text_of("NextKeyMarker").zip(page.text_of("NextUploadIdMarker"));
            match next.filter(|_| page.text_of("IsTruncated") == Some("true")) {
                Some((key, id)) => marker = Some((decoded(key).unwrap_or_else(|| key.to_owned()), id.to_owned())),
                None => return Ok(ids),
            }
        }
    }

    /// An upload whose parts are all of this content; `None` for any other, and for one without parts.
    fn arrived(&self, id: &str) -> Result<Option<Upload>> {
        let mut upload = Upload { id: id.to_owned(), arrived: BTreeMap::new(), summed: false };
        let mut marker = None::<String>;
        loop {
            let mut ask = self.ask("list the parts of", Method::GET, id)?;
            if let Some(marker) = marker.take() {
                ask = ask.query("part-number-marker", marker);
            }
            let answer = self.store.server.ask(&ask)?;
            if answer.status == 404 {
                return Ok(None);
            }
            let page = self.store.xml(&ask, &answer, "ListParts")?;
            upload.summed |= page.text_of("ChecksumAlgorithm").is_some_and(|a| a == "SHA256");
            for part in page.all("Part") {
                let Some((number, arrived)) = listed(part) else { return Ok(None) };
                upload.summed |= arrived.sha256.is_some();
                upload.arrived.insert(number, arrived);
            }
            match page.text_of("NextPartNumberMarker") {
                Some(next) if page.text_of("IsTruncated") == Some("true") => marker = Some(next.to_owned()),
                _ => break,
            }
        }
        for (number, part) in &upload.arrived {
            if !(1..=self.parts()).contains(number)
                || part.size != self.part_size(*number)
                || !is_same(part, &self.piece(*number)?)
            {
                return Ok(None);
            }
        }
        Ok(Some(upload).filter(|upload| !upload.arrived.is_empty()))
    }

    fn begun(&self) -> Result<Upload> {
        let plain = self.store.ask("begin to put", Method::POST, self.key)?.query("uploads", "");
        let plain = plain.header(META, self.source.sha256().to_string());
        let (answer, summed) = self.store.ask_summed(&plain, "x-amz-checksum-algorithm", "SHA256".to_owned())?;
        let begun = self.store.xml(&plain, &answer, "InitiateMultipartUpload")?;
        let Some(id) = begun.text_of("UploadId").filter(|id| !id.is_empty()) else {
            return Err(self.store.server.away(&plain, 1, "its answer names no upload".to_owned()));
        };
        Ok(Upload { id: id.to_owned(), arrived: BTreeMap::new(), summed })
    }

    /// Sends a part and gives its tag; `None` when the upload is gone.
    fn send(&self, id: &str, number: u64, piece: Vec<u8>, sha256: ObjectDigest) -> Result<Option<String>> {
        let ask = self.ask(&format!("put part {number} of {} of", self.parts()), Method::PUT, id)?;
        let ask = ask.query("partNumber", number.to_string()).body(piece);
        let answer = self.store.ask_checked(&ask, sha256)?;
        match answer.status {
            200..=299 => {
                let tag = text(&answer.headers, "etag").map(str::to_owned);
                tag.map(Some).ok_or_else(|| self.store.server.away(&ask, 1, "its answer has no tag".to_owned()))
            }
            404 if Problem::of(&answer).code == "NoSuchUpload" => Ok(None),
            _ => Err(self.store.server.refused(&ask, &answer)),
        }
    }

    /// Makes the object of its parts, and compares what is there then.
    fn finish(&self, upload: &Upload, sums: &BTreeMap<u64, String>, absent: bool, resumed: bool) -> Result<Outcome> {
        let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (number, part) in &upload.arrived {
            let tag = escaped(&part.tag);
            let _infallible = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag>");
            if let Some(sum) = sums.get(number).filter(|_| upload.summed) {
                let _infallible = write!(body, "<ChecksumSHA256>{sum}</ChecksumSHA256>");
            }
            body.push_str("</Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let mut ask = self.ask("put the parts together of", Method::POST, &upload.id)?.body(body);
        if absent {
            ask = ask.header(IF_ABSENT.0, IF_ABSENT.1);
        }
        let answer = self.store.server.ask(&ask)?;
        let code = Problem::of(&answer).code;
        match answer.status {
            200..=299 if code.is_empty() => {}
            412 if absent => {
                self.abort(&upload.id)?;
                return Ok(Outcome::Present);
            }
            // The answer to an earlier try was lost: what is there now decides.
            404 if code == "NoSuchUpload" => {}
            _ => return Err(self.store.server.refused(&ask, &answer)),
        }
        let head = self.store.head(self.key)?;
        let is_ours = head.is_some_and(|h| h.size == self.source.size() && h.sha256 == Some(self.source.sha256()));
        match (is_ours, resumed || code == "NoSuchUpload") {
            (true, _) => Ok(Outcome::Put),
            (false, true) => Ok(Outcome::Unusable),
            (false, false) => {
                let what = "its size or digest is another right after it was put".to_owned();
                Err(Error::Damaged { key: self.key.to_owned(), what })
            }
        }
    }

    fn abort(&self, id: &str) -> Result<()> {
        let ask = self.ask("abort what is under way for", Method::DELETE, id)?;
        let answer = self.store.server.ask(&ask)?;
        match answer.status {
            200..=299 | 404 => Ok(()),
            _ => Err(self.store.server.refused(&ask, &answer)),
        }
    }
}

/// A part in a list.
fn listed(part: &XmlNode) -> Option<(u64, ArrivedPart)> {
    let number = part.text_of("PartNumber")?.parse().ok()?;
    let size = part.text_of("Size")?.parse().ok()?;
    let tag = part.text_of("ETag")?.to_owned();
    Some((number, ArrivedPart { tag, size, sha256: part.text_of("ChecksumSHA256").map(str::to_owned) }))
}

/// Has a part that arrived this content?
fn is_same(part: &ArrivedPart, piece: &[u8]) -> bool {
    if let Some(sum) = &part.sha256 {
        return *sum == checksum(ObjectDigest::of(piece));
    }
    let md5 = Md5::digest(piece).iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    });
    part.tag.trim_matches('"').eq_ignore_ascii_case(&md5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_large_as_their_number_wants() {
        let usual = 16 << 20;
        assert_eq!(part_bytes(usual, usual + 1), usual);
        assert_eq!(part_bytes(usual, usual * PARTS_MAX), usual);
        let larger = usual * PARTS_MAX + 1;
        assert_eq!(part_bytes(usual, larger), usual + (1 << 20));
        assert!(larger.div_ceil(part_bytes(usual, larger)) <= PARTS_MAX);
    }

    #[test]
    fn a_part_is_the_same_by_its_sum_and_else_by_its_tag() {
        let part = |tag: &str, sha256: Option<String>| ArrivedPart { tag: tag.to_owned(), size: 1, sha256 };
        let md5 = "\"0CC175B9C0F1B6A831C399E269772661\"";
        assert!(is_same(&part(md5, None), b"a"));
        assert!(!is_same(&part(md5, None), b"b"));
        assert!(is_same(&part("\"of-a-key\"", Some(checksum(ObjectDigest::of(b"a")))), b"a"));
        assert!(!is_same(&part(md5, Some(checksum(ObjectDigest::of(b"b")))), b"a"));
    }
}
