//! One try: request, signature, answer.

use super::inbox::Inbox;
use crate::budget::noted;
use crate::format::{DeliveryRequest, RequestContext, render};
use crate::outcome;
use crate::plan::{Outcome, Send};
use crate::receiver::{Auth, Callback, Receiver};
use crate::secret::redacted;
use crate::sign::{self, SigningKey};
use crate::transport::{Error, Post, ReceiverReply, Transport};
use barograph_domain::Ts;
use barograph_domain::delivery::Message;
use barograph_domain::text::escape_control;
use base64::Engine as _;
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use url::Url;

/// Characters of an answer that the log keeps.
const EXCERPT_MAX: usize = 256;
/// A function of the program is given up after this.
const CALL_WITHIN: Duration = Duration::from_secs(15);
/// Calls of one function that have not come back; more are not made.
const CALLS_MAX: usize = 32;

/// A receiver, ready to be sent to.
pub struct SendTarget {
    /// Receiver as configured.
    pub receiver: Receiver,
    url: Option<Url>,
    keys: Vec<SigningKey>,
    hidden: Vec<String>,
    calls: Arc<Semaphore>,
    pub(super) call_within: Duration,
}

/// What came of one try.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) send: Send,
    /// Of the beginning it was made after; see [`super::watch`].
    pub(super) epoch: u64,
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
    /// The receiver may have taken it all the same.
    pub(crate) in_doubt: bool,
}

impl Done {
    fn new(parts_done: u32) -> Self {
        Self { outcome: Outcome::NotInFormat, parts_done, status: None, excerpt: String::new(), in_doubt: false }
    }
}

/// What is known of a message before a try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try<'a> {
    pub(crate) learned: Option<&'a str>,
    pub(crate) parts_done: u32,
    /// The part that is next may have been taken already.
    pub(crate) repeats: bool,
}

impl core::fmt::Debug for SendTarget {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Target({:?})", self.receiver)
    }
}

impl SendTarget {
    /// Checks a receiver and makes it ready.
    ///
    /// # Errors
    /// See [`Receiver::check`].
    pub fn new(receiver: Receiver) -> Result<Self, String> {
        receiver.check()?;
        let url = match receiver.settings.callback {
            Some(_) => None,
            None => Some(receiver.address().map_err(|e| format!("receiver '{}': {e}", receiver.name))?),
        };
        let (keys, hidden) = (receiver.keys()?, receiver.hidden());
        Ok(Self { receiver, url, keys, hidden, calls: Arc::new(Semaphore::new(CALLS_MAX)), call_within: CALL_WITHIN })
    }

    /// The address of a request.
    pub(crate) fn url_of(&self, request: &DeliveryRequest) -> Option<Url> {
        let mut url = self.url.clone()?;
        if let Some(path) = &request.path {
            url.set_path(path);
        }
        Some(url)
    }

    /// Headers of a request made now.
    pub(crate) fn headers(&self, id: &str, request: &DeliveryRequest, now: Ts) -> HeaderMap {
        let mut out = HeaderMap::new();
        let mut put = |name: HeaderName, text: &str, secret: bool| {
            // Settings were checked; a text that is no header value is left out rather than sent in parts.
            if let Ok(mut value) = HeaderValue::from_str(text) {
                value.set_sensitive(secret);
                out.insert(name, value);
            }
        };
        put(CONTENT_TYPE, &request.content_type, false);
        let format = self.receiver.format;
        match &self.receiver.auth {
            Auth::None => {}
            Auth::Bearer(token) => match format.token_header {
                Some(name) => put(HeaderName::from_static(name), token.expose(), true),
                None => put(AUTHORIZATION, &format!("Bearer {}", token.expose()), true),
            },
            Auth::Basic { user, password } => {
                let pair = format!("{user}:{}", password.expose());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                put(AUTHORIZATION, &format!("Basic {pair}"), true);
            }
        }
        if format.signed {
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
        let cut: String = text.trim().chars().take(EXCERPT_MAX).collect();
        escape_control(&cut).into_owned()
    }

    fn judged(&self, done: &mut Done, answer: Result<ReceiverReply, Error>, repeats: bool, now: Ts) {
        match answer {
            Ok(reply) => {
                done.outcome = outcome::of(&self.receiver, &reply, now);
                done.status = Some(reply.status);
                done.excerpt = self.excerpt(&String::from_utf8_lossy(&reply.body));
            }
            Err(error) => {
                done.status = None;
                done.excerpt = self.excerpt(&error.to_string());
                let doubt = self.receiver.format.doubt.filter(|_| error.leaves_doubt());
                done.in_doubt = doubt.is_some();
                done.outcome = match (error, doubt) {
                    (Error::Refused(_), _) => Outcome::Misconfigured(self.receiver.in_form(&done.excerpt)),
                    // One repetition, marked, and no more.
                    (_, Some(_)) if repeats => Outcome::Unconfirmed,
                    (_, Some(after)) => Outcome::RetryAfter(after),
                    (_, None) => Outcome::Retry,
                };
            }
        }
    }

    /// Calls a function of the program, on a thread of its own: one that never comes back holds up neither the lane nor the end
    /// of the process.
    async fn call(&self, callback: &Callback, message: &Arc<Message>, mut done: Done) -> Done {
        let (outcome, says) = match Arc::clone(&self.calls).try_acquire_owned() {
            Err(_) => (Outcome::Retry, format!("{CALLS_MAX} calls have not come back")),
            Ok(permit) => {
                let (callback, message) = (Arc::clone(callback), Arc::clone(message));
                let (returns, returned) = oneshot::channel();
                let thread = std::thread::Builder::new().name("notify-call".to_owned()).spawn(move || {
                    let _held = permit;
                    // Nobody listens any more after the time is over.
                    drop(returns.send(callback(&message.notice)));
                });
                match thread {
                    Err(e) => (Outcome::Retry, format!("no thread for the callback can be made: {e}")),
                    Ok(_) => match timeout(self.call_within, returned).await {
                        Ok(Ok(Ok(()))) => (Outcome::Delivered, String::new()),
                        Ok(Ok(Err(why))) => (Outcome::Retry, why),
                        Ok(Err(_gone)) => (Outcome::Reject, "the callback panicked".to_owned()),
                        Err(_late) => (Outcome::Retry, "the callback did not return in time".to_owned()),
                    },
                }
            }
        };
        (done.outcome, done.excerpt) = (outcome, self.excerpt(&says));
        done
    }
}

/// Sends the parts of a message that are not confirmed yet, one after the other. `wire` is the receivers' clock.
pub(crate) async fn attempt(
    transport: &Transport,
    target: &Arc<SendTarget>,
    message: &Arc<Message>,
    of: Try<'_>,
    wire: &super::Now,
) -> Done {
    let mut done = Done::new(of.parts_done);
    let receiver = &target.receiver;
    if let Some(callback) = &receiver.settings.callback {
        return target.call(callback, message, done).await;
    }
    let repeats = of.repeats.then_some(of.parts_done);
    let parts = render(message, &RequestContext { receiver, learned: of.learned, now: wire(), repeats });
    let gap = Duration::from_nanos(u64::try_from(receiver.format.pace.gap.0).unwrap_or(0));
    for (nth, part) in parts.iter().enumerate().skip(usize::try_from(of.parts_done).unwrap_or(0)) {
        if done.parts_done > of.parts_done {
            // The chat counts parts as messages.
            sleep(gap).await;
        }
        let Some(url) = target.url_of(part) else { return done };
        let headers = target.headers(&message.id, part, wire());
        let body = Bytes::from(part.body.clone());
        let post = Post {
            endpoint: &receiver.name,
            url: &url,
            allowed: &receiver.allow_private,
            headers: &headers,
            body: &body,
            gap: receiver.format.host_gap,
            verdict: receiver.format.verdict,
        };
        let answer = transport.post(post).await;
        let is_repeat = repeats.is_some_and(|part| usize::try_from(part) == Ok(nth));
        target.judged(&mut done, answer, is_repeat, wire());
        if done.outcome != Outcome::Delivered {
            return done;
        }
        done.parts_done += 1;
    }
    done
}

/// Reports the end of a try, also of one that panicked or was dropped: a lane waits for it.
struct Report {
    inbox: Arc<Inbox>,
    send: Option<Send>,
    epoch: u64,
    at: Ts,
    began: Instant,
}

impl Report {
    fn end(&mut self, done: Done) {
        if let Some(send) = self.send.take() {
            let latency_ms = u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX);
            self.inbox.finished(Finished { send, epoch: self.epoch, at: self.at, done, latency_ms });
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let parts_done = self.send.as_ref().map_or(0, |s| s.parts_done);
        let excerpt = "the try ended without a result, by a mistake in this program".to_owned();
        self.end(Done { outcome: Outcome::Retry, excerpt, ..Done::new(parts_done) });
    }
}

/// A try for the dispatcher.
pub(super) async fn send(
    transport: Arc<Transport>,
    target: Arc<SendTarget>,
    send: Send,
    (epoch, repeats): (u64, bool),
    (now, wire): (super::Now, super::Now),
    inbox: Arc<Inbox>,
) {
    let message = match &send.held_back {
        Some(held) => Arc::new(noted(&send.message, held)),
        None => Arc::clone(&send.message),
    };
    let (learned, parts_done) = (send.learned.clone(), send.parts_done);
    let mut report = Report { inbox, send: Some(send), epoch, at: now(), began: Instant::now() };
    let of = Try { learned: learned.as_deref(), parts_done, repeats };
    let done = attempt(&transport, &target, &message, of, &wire).await;
    report.end(done);
}
