//! One try: request, signature, answer.

use crate::format::{Context, Request, requests};
use crate::outcome;
use crate::plan::{Outcome, Send};
use crate::receiver::{Auth, Format, Receiver};
use crate::secret::redacted;
use crate::sign::{self, Key};
use crate::transport::{Error, Reply, Transport};
use barograph_domain::Ts;
use barograph_domain::delivery::Message;
use base64::Engine as _;
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Instant;
use url::Url;

/// Characters of an answer that the log keeps.
const EXCERPT_MAX: usize = 256;

/// A receiver, ready to be sent to.
pub struct Target {
    /// Whom.
    pub receiver: Receiver,
    url: Option<Url>,
    keys: Vec<Key>,
    hidden: Vec<String>,
}

/// What came of one try.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) send: Send,
    pub(super) at: Ts,
    pub(super) done: Done,
    pub(super) latency_ms: u32,
}

/// What one try gave.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) parts_done: u32,
    pub(crate) status: Option<u16>,
    pub(crate) excerpt: String,
}

impl core::fmt::Debug for Target {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Target({:?})", self.receiver)
    }
}

impl Target {
    /// Checks a receiver and makes it ready.
    ///
    /// # Errors
    /// See [`Receiver::check`].
    pub fn new(receiver: Receiver) -> Result<Self, String> {
        receiver.check()?;
        let url = match receiver.format {
            Format::Callback(_) => None,
            _ => Some(receiver.address().map_err(|e| format!("receiver '{}': {e}", receiver.name))?),
        };
        let (keys, hidden) = (receiver.keys()?, receiver.hidden());
        Ok(Self { receiver, url, keys, hidden })
    }

    /// The address of a request.
    pub(crate) fn url_of(&self, request: &Request) -> Option<Url> {
        let mut url = self.url.clone()?;
        if let Some(path) = &request.path {
            url.set_path(path);
        }
        Some(url)
    }

    /// Headers of a request made now.
    pub(crate) fn headers(&self, id: &str, request: &Request, now: Ts) -> HeaderMap {
        let mut out = HeaderMap::new();
        let mut put = |name: HeaderName, text: &str, secret: bool| {
            // Settings were checked; a text that is no header value is left out rather than sent in parts.
            if let Ok(mut value) = HeaderValue::from_str(text) {
                value.set_sensitive(secret);
                out.insert(name, value);
            }
        };
        put(CONTENT_TYPE, &request.content_type, false);
        match (&self.receiver.auth, &self.receiver.format) {
            (Auth::None, _) => {}
            (Auth::Bearer(token), Format::Gotify) => put(HeaderName::from_static("x-gotify-key"), token.expose(), true),
            (Auth::Bearer(token), _) => put(AUTHORIZATION, &format!("Bearer {}", token.expose()), true),
            (Auth::Basic { user, password }, _) => {
                let pair = format!("{user}:{}", password.expose());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                put(AUTHORIZATION, &format!("Basic {pair}"), true);
            }
        }
        let is_generic = matches!(
            self.receiver.format,
            Format::Standard | Format::Json | Format::Seed4 | Format::Template { .. } | Format::Alertmanager
        );
        if is_generic {
            let seconds = now.0.div_euclid(1_000_000_000);
            put(HeaderName::from_static("webhook-id"), id, false);
            put(HeaderName::from_static("webhook-timestamp"), &seconds.to_string(), false);
            if !self.keys.is_empty() {
                let signature = sign::header(&self.keys, id, seconds, &request.body);
                put(HeaderName::from_static("webhook-signature"), &signature, false);
            }
        }
        out
    }

    /// A text of others, without our secrets, cut for the log.
    pub(crate) fn excerpt(&self, text: &str) -> String {
        let text = redacted(text, self.hidden.iter().map(String::as_str));
        let cut: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(EXCERPT_MAX).collect();
        cut.trim().to_owned()
    }

    fn judged(&self, answer: Result<Reply, Error>, now: Ts) -> (Outcome, Option<u16>, String) {
        match answer {
            Ok(reply) => {
                let outcome = outcome::of(&self.receiver.format, reply.status, &reply.headers, &reply.body, now);
                (outcome, Some(reply.status), self.excerpt(&String::from_utf8_lossy(&reply.body)))
            }
            Err(error) => {
                let text = self.excerpt(&error.to_string());
                let outcome = match error {
                    Error::Refused(_) => Outcome::Misconfigured(text.clone()),
                    Error::Connect(_) | Error::Tls(_) | Error::Timeout(_) | Error::Protocol(_) => Outcome::Retry,
                };
                (outcome, None, text)
            }
        }
    }
}

/// Sends the parts of a message that are not confirmed yet, one after the other.
pub(crate) async fn attempt(
    transport: &Transport,
    target: &Arc<Target>,
    message: &Arc<Message>,
    learned: Option<&str>,
    parts_done: u32,
    now: &super::Now,
) -> Done {
    if let Format::Callback(callback) = &target.receiver.format {
        let (callback, message) = (Arc::clone(callback), Arc::clone(message));
        let called = tokio::task::spawn_blocking(move || callback(&message.notice)).await;
        let (outcome, excerpt) = match called {
            Ok(Ok(())) => (Outcome::Delivered, String::new()),
            Ok(Err(why)) => (Outcome::Retry, why),
            Err(_panicked) => (Outcome::Reject, "the callback panicked".to_owned()),
        };
        return Done { outcome, parts_done, status: None, excerpt: target.excerpt(&excerpt) };
    }
    let context = Context { receiver: &target.receiver, learned, now: now() };
    let parts = requests(message, &context);
    let mut done = Done { outcome: Outcome::NotInFormat, parts_done, status: None, excerpt: String::new() };
    for part in parts.iter().skip(usize::try_from(parts_done).unwrap_or(0)) {
        let Some(url) = target.url_of(part) else { return done };
        let headers = target.headers(&message.id, part, now());
        let body = Bytes::from(part.body.clone());
        let receiver = &target.receiver;
        let answer = transport.post(&receiver.name, &url, &receiver.allow_private, &headers, body).await;
        (done.outcome, done.status, done.excerpt) = target.judged(answer, now());
        if done.outcome != Outcome::Delivered {
            return done;
        }
        done.parts_done += 1;
    }
    done
}

/// A try for the dispatcher.
pub(super) async fn send(transport: Arc<Transport>, target: Arc<Target>, send: Send, now: super::Now) -> Finished {
    let (at, began) = (now(), Instant::now());
    let done = attempt(&transport, &target, &send.message, send.learned.as_deref(), send.parts_done, &now).await;
    let latency_ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    Finished { send, at, done, latency_ms }
}
