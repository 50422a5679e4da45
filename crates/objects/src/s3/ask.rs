//! Requests signed, sent, tried again where that helps, and refusals in words that say what to do.

use super::config::S3Config;
use super::sign::{Unsigned, encoded, signed};
use super::wire::{Take, Wire, WireAnswer, WireFault, WireRequest};
use super::xml::XmlNode;
use crate::{Error, ObjectDigest, Result};
use barograph_domain::{Span, Ts};
use bytes::Bytes;
use core::time::Duration;
use hyper::Method;
use std::path::Path;
use std::time::SystemTime;

/// Codes of answers that another try may change, whatever their status.
const AGAIN: [&str; 9] = [
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "Throttling",
    "OperationAborted",
    "ConditionalRequestConflict",
    // Of the body, which was damaged on its way.
    "BadDigest",
    "XAmzContentSHA256Mismatch",
];

/// A request as it is asked, before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// What is asked, for messages: `put 'key'`.
    pub(super) what: String,
    pub(super) method: Method,
    /// Key in the bucket, its prefix included; empty for the bucket.
    pub(super) key: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Ask {
    pub(super) fn new(what: String, method: Method, key: &str) -> Self {
        Self { what, method, key: key.to_owned(), query: Vec::new(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// A server that is asked.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: S3Config,
    wire: Wire,
}

impl Server {
    pub(super) fn new(config: S3Config) -> Result<Self> {
        Ok(Self { wire: Wire::new(&config)?, config })
    }

    /// The first answer that another try would not change, whatever its status.
    pub(super) fn ask(&self, ask: &Ask) -> Result<WireAnswer> {
        self.tried(ask, |request| self.wire.send(request, None))
    }

    /// The same once, with the body of an object going to `take`.
    pub(super) fn take(&self, ask: &Ask, take: Take<'_>) -> core::result::Result<WireAnswer, WireFault> {
        self.wire.send(self.request(ask), Some(take))
    }

    fn tried(
        &self,
        ask: &Ask,
        mut send: impl FnMut(WireRequest) -> core::result::Result<WireAnswer, WireFault>,
    ) -> Result<WireAnswer> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (why, wanted) = match send(self.request(ask)) {
                Ok(answer) => match worth_another(&answer) {
                    Some(why) => (why, retry_after(&answer)),
                    None => return Ok(answer),
                },
                Err(WireFault::Again(why)) => (why, None),
                Err(WireFault::Never(why)) => return Err(self.away(ask, tried, why)),
                Err(WireFault::Taker(source)) => return Err(Error::io(Path::new(&ask.key))(source)),
            };
            if !self.wait(tried, wanted) {
                return Err(self.away(ask, tried, why));
            }
        }
    }

    /// Waits behind a try; `false` when it was the last.
    pub(super) fn wait(&self, tried: u32, wanted: Option<Duration>) -> bool {
        let patience = self.config.patience;
        if tried >= patience.tries.max(1) {
            return false;
        }
        let doubled = patience.pause.saturating_mul(1_u32 << (tried - 1).min(16));
        let pause = wanted.unwrap_or_default().max(doubled).min(patience.pause_max);
        // Half of it by chance, so that those who were refused together do not come back together.
        let chance = getrandom::u32().unwrap_or(u32::MAX) % 1_000;
        std::thread::sleep(pause / 2 + pause / 2 * chance / 1_000);
        true
    }

    pub(super) fn away(&self, ask: &Ask, tries: u32, why: String) -> Error {
        Error::Away { what: ask.what.clone(), place: self.config.place(), tries, why }
    }

    fn request(&self, ask: &Ask) -> WireRequest {
        let base = self.config.bucket_path();
        let path = format!("{base}/{}", encoded(&ask.key, true));
        let mut query: Vec<_> = ask
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false)))
            .collect();
        query.sort();
        let query = query.join("&");
        let headers: Vec<_> = ask.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        let body = ObjectDigest::of(&ask.body);
        let (method, host) = (ask.method.as_str(), self.wire.host());
        let unsigned = Unsigned { method, host, path: &path, query: &query, headers: &headers, body };
        let headers = signed(unsigned, &self.config.credentials, &self.config.region, now());
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        WireRequest { method: ask.method.clone(), target, headers, body: ask.body.clone() }
    }

    /// What a refusal means.
    pub(super) fn refused(&self, ask: &Ask, answer: &WireAnswer) -> Error {
        let problem = Problem::of(answer);
        let bucket = &self.config.bucket;
        let advice = match problem.code.as_str() {
            "NoSuchBucket" => format!("there is no bucket '{bucket}'; make it, or correct the address"),
            "InvalidAccessKeyId" => format!(
                "the key id '{}' is not known there; correct AWS_ACCESS_KEY_ID, or the address of the server",
                self.config.credentials.key_id
            ),
            "SignatureDoesNotMatch" => "the secret is not that of the key id; correct AWS_SECRET_ACCESS_KEY".to_owned(),
            "AccessDenied" | "AllAccessDisabled" => {
                "the key may not do that in this bucket; give it the right, or use another key".to_owned()
            }
            "ExpiredToken" | "InvalidToken" => {
                "the session of the key has ended; set AWS_SESSION_TOKEN and its keys anew".to_owned()
            }
            "RequestTimeTooSkewed" => skew(answer),
            "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
                let region = problem.region.map(|r| format!(" {r}")).unwrap_or_default();
                format!("the bucket is in another region{region} than {}; set AWS_REGION", self.config.region)
            }
            _ if matches!(answer.status, 301 | 307) => {
                format!("the bucket is in another region than {}; set AWS_REGION", self.config.region)
            }
            _ if answer.status == 403 => "check the key, its rights and this machine's clock".to_owned(),
            _ if problem.message.is_empty() => "the server gives no reason".to_owned(),
            _ => problem.message,
        };
        let (what, place) = (ask.what.clone(), self.config.place());
        Error::Refused { what, place, status: answer.status, code: problem.code, advice }
    }
}

/// What the body of a refusal has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Problem {
    pub(super) code: String,
    message: String,
    region: Option<String>,
}

impl Problem {
    pub(super) fn of(answer: &WireAnswer) -> Self {
        let Some(node) = XmlNode::parse(&answer.body).filter(|node| node.name == "Error") else {
            return Self::default();
        };
        let text = |name: &str| node.text_of(name).map(|t| t.trim().to_owned());
        let message: String =
            text("Message").unwrap_or_default().chars().filter(|c| !c.is_control()).take(300).collect();
        Self { code: text("Code").unwrap_or_default(), message, region: text("Region") }
    }
}

/// Why another try may change an answer; `None` where it would not.
fn worth_another(answer: &WireAnswer) -> Option<String> {
    let busy = matches!(answer.status, 429 | 500 | 502 | 503 | 504);
    // Some commands answer 200 first and fail behind it.
    if !busy && matches!(answer.status, 206 | 304 | 404) {
        return None;
    }
    let code = Problem::of(answer).code;
    let known = AGAIN.iter().any(|again| code.starts_with(again));
    let said = if code.is_empty() { String::new() } else { format!(" {code}") };
    (busy || known).then(|| format!("the server answers {}{said}", answer.status))
}

fn retry_after(answer: &WireAnswer) -> Option<Duration> {
    let seconds = answer.headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The clocks, where the answer has the server's.
fn skew(answer: &WireAnswer) -> String {
    let date = answer.headers.get("date").and_then(|v| v.to_str().ok());
    let theirs = date.and_then(|text| httpdate::parse_http_date(text).ok()).map(moment);
    let Some(theirs) = theirs else { return "this machine's clock is wrong; set it".to_owned() };
    let ahead = now() - theirs;
    let word = if ahead < Span(0) { "behind" } else { "ahead of" };
    let seconds = ahead.0.unsigned_abs() / 1_000_000_000;
    format!("this machine's clock is {seconds} s {word} the server's; set it")
}

/// The machine's clock: signatures hold for minutes around it.
fn now() -> Ts {
    moment(SystemTime::now())
}

fn moment(at: SystemTime) -> Ts {
    let after = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ts(i64::try_from(after.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::HeaderMap;

    fn answer(status: u16, body: &str) -> WireAnswer {
        WireAnswer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    fn error(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message><Region>eu-west-3</Region></Error>"
        )
    }

    fn server() -> Server {
        let vars =
            [("AWS_ACCESS_KEY_ID", "THE-ID"), ("AWS_SECRET_ACCESS_KEY", "s3cret-s3cret"), ("AWS_REGION", "us-west-1")];
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Server::new(S3Config::of("s3://lake/x", &var).unwrap()).unwrap()
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let cases = [
            (503, "", true),
            (500, "", true),
            (429, "", true),
            (400, "RequestTimeout", true),
            (400, "BadDigest", true),
            (200, "InternalError", true),
            (409, "ConditionalRequestConflict", true),
            (400, "ThrottlingException", true),
            (403, "SignatureDoesNotMatch", false),
            (404, "NoSuchKey", false),
            (412, "PreconditionFailed", false),
            (501, "NotImplemented", false),
            (200, "", false),
        ];
        for (status, code, again) in cases {
            let body = if code.is_empty() { String::new() } else { error(code) };
            assert_eq!(worth_another(&answer(status, &body)).is_some(), again, "{status} {code}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let server = server();
        let ask = Ask::new("put 'a'".to_owned(), Method::PUT, "x/a");
        let skewed = {
            let mut skewed = answer(403, &error("RequestTimeTooSkewed"));
            let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_600));
            skewed.headers.insert("date", date.parse().unwrap());
            skewed
        };
        let cases = [
            (answer(404, &error("NoSuchBucket")), "(HTTP 404 NoSuchBucket): there is no bucket 'lake'; make it"),
            (answer(403, &error("InvalidAccessKeyId")), "the key id 'THE-ID' is not known there"),
            (answer(403, &error("SignatureDoesNotMatch")), "correct AWS_SECRET_ACCESS_KEY"),
            (answer(403, &error("AccessDenied")), "the key may not do that"),
            (answer(403, ""), "(HTTP 403): check the key"),
            (answer(301, &error("PermanentRedirect")), "another region eu-west-3 than us-west-1; set AWS_REGION"),
            (answer(307, ""), "set AWS_REGION"),
            (answer(400, &error("EntityTooLarge")), "EntityTooLarge): m"),
            (skewed, "s behind the server's; set it"),
        ];
        for (answer, words) in cases {
            let shown = server.refused(&ask, &answer).to_string();
            assert!(shown.contains(words), "{shown}");
            assert!(shown.starts_with("s3://lake/x/ refused to put 'a' "), "{shown}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}
