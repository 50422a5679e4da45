//! Takes requests off a venue's desk, asks, and decides what an answer means.
//!
//! 429: the budget rests as long as the venue says (all budgets, where the venue means its host) and the request is tried again.
//! 418: all venues of that operator rest. 403 and 451: so they do, whoever waits gets an error, and after the rest one request at a
//! time finds out whether anything has changed; where a venue says 403 to who asks too often, it rests as well and the answer
//! is handed on. 5xx, silence and broken connections: tried again after a pause, a few times. Everything else is an answer
//! and goes to whoever asked, whatever its status.

use super::client::HttpReply;
use super::desk::Next;
use super::door::PostDoor;
use super::job::{Asker, Fetched, WaitingRequest};
use crate::clock;
use crate::error::Error;
use crate::incoming::Incoming;
use crate::limit::backoff::Backoff;
use crate::refusal::{self, BAN_UNSAID, FORBIDDEN_UNSAID, PAUSE_UNSAID};
use crate::world::{NetState, VenueLinks, lock};
use barograph_domain::{Span, Ts};
use core::time::Duration;
use hyper::HeaderMap;
use std::sync::Arc;

/// Attempts, the first included, when the venue does not answer or answers 5xx; and when it refuses for now.
const ATTEMPTS: u32 = 4;
/// Longest pause after the first failed attempt; doubles.
const PAUSE_FIRST: Span = Span::millis(500);
const PAUSE_MAX: Span = Span::secs(8);
/// The status of what a [`Carrier`](super::door::Carrier) answered.
const ANSWERED: u16 = 200;
/// An answer takes the machine some time, however fast the clock runs.
const ANSWER_REAL: Duration = Duration::from_secs(1);

/// Puts a job into the line and answers its asker when there is no place for it.
pub(crate) fn submit(world: &NetState, venue: &VenueLinks, job: WaitingRequest) {
    if world.is_stopping() {
        return deliver_failure(world, venue, job, Error::Dropped);
    }
    if let (Some(status), Some(_)) = (venue.forbidden(), venue.halted(world.now())) {
        return deliver_refusal(world, venue, job, status);
    }
    let mut desk = lock(&venue.desk);
    let has_pool = desk.has_pool(job.pool);
    let refused = desk.push(job);
    // A refusal that has come since has emptied the line already.
    let said = venue.forbidden().filter(|_| venue.halted(world.now()).is_some());
    let behind = said.map(|status| (status, desk.clear()));
    drop(desk);
    for (status, job) in behind.into_iter().flat_map(|(status, jobs)| jobs.into_iter().map(move |job| (status, job))) {
        deliver_refusal(world, venue, job, status);
    }
    match refused {
        Ok(()) => venue.desk_changed.notify_one(),
        Err(job) => {
            let error = job.no_place(has_pool);
            deliver_failure(world, venue, job, error);
        }
    }
}

/// A request is not asked at all, because the venue refuses us.
fn deliver_refusal(world: &NetState, venue: &VenueLinks, job: WaitingRequest, status: u16) {
    let error = Error::Refused { status, retry_after_s: None, to: job.url.clone() };
    deliver_failure(world, venue, job, error);
}

/// Serves one venue until the program stops.
pub(crate) async fn serve(world: Arc<NetState>, venue: Arc<VenueLinks>) {
    loop {
        let now = world.now();
        let next = match venue.halted(now) {
            Some(until) => Next::Wait(Some(until)),
            None => {
                let mut desk = lock(&venue.desk);
                // After a refusal one request at a time, until one is answered.
                if venue.forbidden().is_some() && desk.in_flight() > 0 { Next::Wait(None) } else { desk.next(now) }
            }
        };
        let wait = match next {
            Next::Go(job) => {
                world.spawn(carry(Arc::clone(&world), Arc::clone(&venue), job));
                continue;
            }
            Next::Wait(until) => until,
        };
        let until = async {
            match wait {
                Some(at) => world.sleep_until(at).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            () = venue.desk_changed.notified() => {}
            () = until => {}
            () = world.stopped() => break,
        }
    }
    close(&world, &venue);
}

/// Nobody who waits will be served.
pub(crate) fn close(world: &NetState, venue: &VenueLinks) {
    let waiting = lock(&venue.desk).clear();
    for job in waiting {
        deliver_failure(world, venue, job, Error::Dropped);
    }
}

/// One attempt, and what follows from it.
async fn carry(world: Arc<NetState>, venue: Arc<VenueLinks>, job: WaitingRequest) {
    let sent = world.now();
    let within = clock::real_at_least(&*world.clock, job.timeout, ANSWER_REAL);
    let attempt = async {
        let asking = async {
            let Some(caller) = &venue.caller else {
                return world.client.ask(&world, &job.url, job.body.as_deref()).await;
            };
            let call = caller.call(PostDoor(Arc::clone(&world)), job.url.clone(), job.body.clone().unwrap_or_default());
            Ok(HttpReply { status: ANSWERED, headers: HeaderMap::new(), body: call.await? })
        };
        tokio::time::timeout(within, asking)
            .await
            .unwrap_or_else(|_late| Err(Error::Timeout { what: "answer", to: job.url.clone() }))
    };
    let outcome = tokio::select! {
        biased;
        () = world.stopped() => None,
        outcome = attempt => Some(outcome),
    };
    let pool = job.pool;
    match outcome.map(|o| o.and_then(|reply| judged(&world, &venue, &job, sent, reply))) {
        Some(Ok(reply)) => {
            deliver(&world, &venue, job, reply).await;
            lock(&venue.desk).done(pool);
        }
        Some(Err(error)) => failed(&world, &venue, job, error),
        None => deliver_failure(&world, &venue, job, Error::Dropped),
    }
    venue.desk_changed.notify_one();
}

/// Notes what the answer says about budgets, and turns refusals and breakdowns into errors.
fn judged(
    world: &NetState,
    venue: &VenueLinks,
    job: &WaitingRequest,
    sent: Ts,
    reply: HttpReply,
) -> Result<HttpReply, Error> {
    let now = world.now();
    let used = venue.limits.pools.iter().find(|p| p.id == job.pool).and_then(|p| p.used_header);
    let used = used.and_then(|name| reply.headers.get(name)?.to_str().ok()?.trim().parse().ok());
    if let Some(used) = used {
        lock(&venue.desk).observed(job.pool, now, sent, used);
    }
    let status = reply.status;
    let retry_after_s = refusal::retry_after_s(&reply.headers);
    if refusal::is_refusal(status) {
        venue.counters.refusals.add(1);
        match status {
            429 => {
                let until = now + refusal::rest(retry_after_s, PAUSE_UNSAID);
                let mut desk = lock(&venue.desk);
                if venue.limits.host_rests_on_429 { desk.pause_all(until) } else { desk.pause(job.pool, until) }
            }
            418 => venue.halt(now, refusal::rest(retry_after_s, BAN_UNSAID)),
            403 if let Some(rest) = venue.limits.rest_after_403 => {
                venue.halt(now, refusal::rest(retry_after_s, rest).max(rest));
                // Its body says whether it was haste or the region.
                return Ok(reply);
            }
            _ => {
                venue.forbid(now, status, refusal::rest(retry_after_s, FORBIDDEN_UNSAID));
                let waiting = lock(&venue.desk).clear();
                for job in waiting {
                    deliver_refusal(world, venue, job, status);
                }
            }
        }
        return Err(Error::Refused { status, retry_after_s, to: job.url.clone() });
    }
    venue.allowed();
    if status >= 500 {
        // Some venues say so when they are overloaded.
        if retry_after_s.is_some() {
            lock(&venue.desk).pause(job.pool, now + refusal::rest(retry_after_s, Span::ZERO));
        }
        return Err(Error::Protocol { to: job.url.clone(), detail: format!("status {status}") });
    }
    Ok(reply)
}

/// Tries again later, or gives up.
fn failed(world: &NetState, venue: &VenueLinks, mut job: WaitingRequest, error: Error) {
    let now = world.now();
    job.failures += 1;
    let hopeless = match &error {
        Error::Refused { status, .. } => matches!(status, 403 | 451),
        Error::Connect { .. } | Error::Timeout { .. } | Error::Protocol { .. } => false,
        Error::Tls { .. }
        | Error::Certificate { .. }
        | Error::TooLarge { .. }
        | Error::Address { .. }
        | Error::NoSuchPool { .. }
        | Error::Dropped => true,
    };
    if hopeless || job.failures >= ATTEMPTS || caller_left(&job.asker) {
        lock(&venue.desk).done(job.pool);
        return deliver_failure(world, venue, job, error);
    }
    venue.counters.retries.add(1);
    venue.counters.error(now, error.to_string());
    // After a refusal the budget or the venue rests, and the request goes first when that is over.
    let pause = match error {
        Error::Refused { .. } => Span::ZERO,
        _ => {
            let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_MAX, world.random());
            (0..job.failures).map(|_| backoff.failed()).last().unwrap_or(PAUSE_FIRST)
        }
    };
    lock(&venue.desk).again(now + pause, job);
}

/// A caller who has gone away needs no further attempts.
fn caller_left(asker: &Asker) -> bool {
    match asker {
        Asker::Caller(caller) => caller.is_closed(),
        Asker::Session(_) => false,
    }
}

async fn deliver(world: &NetState, venue: &VenueLinks, job: WaitingRequest, reply: HttpReply) {
    venue.counters.replies.add(1);
    venue.counters.reply_bytes.add(reply.body.len());
    match job.asker {
        Asker::Session(request) => {
            let item = Incoming::Reply { venue: venue.index, request, status: reply.status, body: reply.body };
            tokio::select! {
                _ = world.stamper.reply(item.clone()) => {}
                // The core takes nothing any more: one reply per request under way goes in without room.
                () = world.stopped() => drop(world.stamper.queue(item)),
            }
        }
        // A caller who has gone away needs no answer.
        Asker::Caller(caller) => drop(caller.send(Ok(Fetched { status: reply.status, body: reply.body }))),
    }
}

fn deliver_failure(world: &NetState, venue: &VenueLinks, job: WaitingRequest, error: Error) {
    venue.counters.failures.add(1);
    venue.counters.error(world.now(), error.to_string());
    match job.asker {
        Asker::Session(request) => {
            let (reason, detail) = (error.reason(), error.to_string());
            world.stamper.queue(Incoming::Failed { venue: venue.index, request, reason, detail });
        }
        Asker::Caller(caller) => drop(caller.send(Err(error))),
    }
}
