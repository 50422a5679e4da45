//! One question to a service that the operator has named, and its whole answer: the transport of messages, for something that is no
//! message: what a language model phrases ([`ask`]), what a source of data holds ([`read_source`]). What is asked and what an answer means is the affair of whoever asks.

use crate::receiver::Allowed;
use crate::secret::Secret;
use crate::transport::{Error, Post, ReceiverReply, ReplyReading, Transport};
use bytes::Bytes;
use core::fmt;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// From the request to the end of the answer: a language model writes some 20 tokens a second on a machine of its own.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// An answer of 400 tokens with all that services put around it has a few kB.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The name under which its connections are kept.
const NAME: &str = "asked";

/// A service that may be asked.
#[derive(Clone, PartialEq, Eq)]
pub struct AskedService {
    url: Url,
    allowed: Vec<Allowed>,
}

impl AskedService {
    /// Reads the beginning of its addresses, as in `https://api.openai.com/v1`, to which `path` is added. Over `http://` only a machine
    /// of the operator's own is asked: localhost, a private address, or a name without a dot.
    ///
    /// # Errors
    /// Why it cannot be meant, without repeating what may be a secret in it.
    pub fn parse(base: &str, path: &str) -> Result<Self, String> {
        const WRITE: &str = "write https://host/v1, or http://localhost:11434/v1 for one of your own";
        let mut url = Url::parse(base).map_err(|e| format!("it is not an address ({e}); {WRITE}"))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("a name, a password, ? and # have no place in it; {WRITE}"));
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if is_own(&host) => {}
            ("http", Some(_)) => {
                return Err("over http:// the key and the facts could be read on the way; write https://".to_owned());
            }
            _ => return Err(format!("it does not begin with https://; {WRITE}")),
        }
        let begin = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{begin}/{path}"));
        Ok(Self::of(url))
    }

    /// Reads the beginning of a source's addresses, under the rules of [`Self::parse`]; [`Self::at`] says where in it.
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub fn source(base: &str) -> Result<Self, String> {
        let mut service = Self::parse(base, "")?;
        let begin = service.url.path().trim_end_matches('/').to_owned();
        service.url.set_path(&begin);
        Ok(service)
    }

    /// Reads one whole address of a feed, its query included; else under the rules of [`Self::parse`].
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub fn feed(address: &str) -> Result<Self, String> {
        let (place, query) = address.split_once('?').map_or((address, None), |(place, query)| (place, Some(query)));
        let mut service = Self::source(place)?;
        // What a slash at the end means is the source's affair.
        if place.ends_with('/') {
            let path = format!("{}/", service.url.path().trim_end_matches('/'));
            service.url.set_path(&path);
        }
        service.url.set_query(query);
        Ok(service)
    }

    /// An address within the service: a path that begins with a slash, and its query.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.url.clone();
        let begin = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{begin}{path}"));
        url.set_query(query);
        Self { url, allowed: self.allowed.clone() }
    }

    fn of(url: Url) -> Self {
        let port = url.port_or_known_default().unwrap_or(443);
        // Whoever may write settings may name any address; what is on the page cannot change this one.
        let allowed =
            [format!("0.0.0.0/0:{port}"), format!("[::/0]:{port}")].iter().filter_map(|a| a.parse().ok()).collect();
        Self { url, allowed }
    }
}

impl fmt::Display for AskedService {
    /// Scheme, host and port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url[url::Position::BeforeScheme..url::Position::BeforePath])
    }
}

impl fmt::Debug for AskedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AskedService({self})")
    }
}

fn is_own(host: &Host<&str>) -> bool {
    let ip = match host {
        Host::Domain(name) => return !name.contains('.') || name.ends_with(".localhost"),
        Host::Ipv4(ip) => IpAddr::V4(*ip),
        Host::Ipv6(ip) => IpAddr::V6(*ip),
    };
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Posts JSON to a service, with its key where it wants one, and reads the whole answer.
///
/// # Errors
/// When there was no answer within [`ANSWER_WITHIN`], or the service cannot be reached.
pub async fn ask(
    transport: &Transport,
    service: &AskedService,
    key: Option<&Secret>,
    json: Vec<u8>,
) -> Result<ReceiverReply, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = key {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
        let mut bearer =
            bearer.map_err(|_e| Error::Protocol("its key holds characters that HTTP does not allow".to_owned()))?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    let post = Post {
        endpoint: NAME,
        url: &service.url,
        allowed: &service.allowed,
        headers: &headers,
        body: &Bytes::from(json),
        gap: Duration::ZERO,
        verdict: ReplyReading::Whole { within: ANSWER_WITHIN, bytes_max: ANSWER_BYTES_MAX },
    };
    transport.post(post).await
}

/// What is looked up at a source, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct SourceQuestion<'a> {
    /// The address.
    pub address: &'a AskedService,
    /// The name of the source: connections are kept for each.
    pub name: &'a str,
    /// Headers that may be seen.
    pub headers: &'a [(&'static str, &'a str)],
    /// The header of its key, and the key.
    pub key: Option<(&'static str, &'a Secret)>,
    /// From the request to the end of the answer.
    pub within: Duration,
    /// Most bytes of the body; of a longer one so many are read, and it is not whole.
    pub bytes_max: usize,
    /// At least so long between two questions to its host.
    pub gap: Duration,
}

/// Reads what is at an address of a source, whatever the status of its answer.
///
/// # Errors
/// When there was no answer in time, or the source cannot be reached.
pub async fn read_source(transport: &Transport, question: SourceQuestion<'_>) -> Result<ReceiverReply, Error> {
    let mut headers = HeaderMap::new();
    for (name, text) in question.headers {
        let value = HeaderValue::from_str(text);
        headers.insert(HeaderName::from_static(name), value.map_err(|_e| not_allowed("a header"))?);
    }
    if let Some((name, key)) = question.key {
        let mut value = HeaderValue::from_str(key.expose()).map_err(|_e| not_allowed("its key"))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    let get = Post {
        endpoint: question.name,
        url: &question.address.url,
        allowed: &question.address.allowed,
        headers: &headers,
        body: &Bytes::new(),
        gap: question.gap,
        verdict: ReplyReading::Whole { within: question.within, bytes_max: question.bytes_max },
    };
    transport.get(get).await
}

fn not_allowed(what: &str) -> Error {
    Error::Protocol(format!("{what} holds characters that HTTP does not allow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ones_own_may_be_plain_and_no_other() {
        for (base, url) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat"),
            ("https://host.example:8443", "https://host.example:8443/chat"),
            ("http://localhost:11434/v1", "http://localhost:11434/v1/chat"),
            ("http://ollama:11434/v1", "http://ollama:11434/v1/chat"),
            ("http://192.168.1.20/v1", "http://192.168.1.20/v1/chat"),
            ("http://[::1]:9000/v1", "http://[::1]:9000/v1/chat"),
        ] {
            let service = AskedService::parse(base, "chat").unwrap();
            assert_eq!(service.url.as_str(), url);
            assert_eq!(service.allowed.len(), 2, "{base}");
        }
        for (base, why) in [
            ("api.openai.com", "not an address"),
            ("ftp://api.openai.com", "does not begin with https://"),
            ("http://api.openai.com/v1", "could be read on the way"),
            ("http://8.8.8.8/v1", "could be read on the way"),
            ("https://me:s3cret@api.openai.com", "have no place in it"),
            ("https://api.openai.com?key=s3cret", "have no place in it"),
        ] {
            let refused = AskedService::parse(base, "chat").unwrap_err();
            assert!(refused.contains(why) && !refused.contains("s3cret"), "{base}: {refused}");
        }
        for (base, path, url) in [
            ("https://api.llama.fi", "/v2/historicalChainTvl", "https://api.llama.fi/v2/historicalChainTvl"),
            ("http://127.0.0.1:80/x/", "/fng/?limit=0&format=json", "http://127.0.0.1/x/fng/?limit=0&format=json"),
        ] {
            assert_eq!(AskedService::source(base).unwrap().at(path).url.as_str(), url);
        }
        for feed in
            ["https://feed.example/scores.json?since=1d", "http://127.0.0.1:9000/scores/", "https://feed.example/"]
        {
            assert_eq!(AskedService::feed(feed).unwrap().url.as_str(), feed);
        }
        assert!(
            AskedService::feed("http://feed.example/x?key=s3cret").unwrap_err().contains("could be read on the way")
        );
        let shown = AskedService::parse("http://localhost:11434/a-key-in-the-path/v1", "chat").unwrap().to_string();
        assert_eq!(shown, "http://localhost:11434");
    }
}
