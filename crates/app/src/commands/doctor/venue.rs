//! One venue: does it answer, is its clock ours, are the chosen markets there, do its sockets open, what is left of its limits.

use super::Finding;
use crate::clock::{Clock, SystemClock};
use crate::commands::serve::runtime;
use crate::failure::{Failure, chain};
use barograph_domain::time::LATENESS;
use barograph_domain::{Span, Ts};
use barograph_live::discover;
use barograph_live::start::Asked;
use barograph_net::{Bounds, Fetch, InboxReceiver, Incoming, Net, NetOptions, VenueStats, inbox};
use barograph_venues::session::{MarketSpec, SessionConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ANSWER: Span = Span::secs(10);
const SOCKETS: Duration = Duration::from_secs(10);
/// A minute is closed this long after its end: a clock that is further off puts facts into the wrong minute.
const SKEW_WARN: Span = LATENESS;
/// Further off than this and the venue's stamps contradict the record.
const SKEW_BAD: Span = Span::secs(5);

pub(super) fn inspect(asked: &Asked) -> Result<Vec<Finding>, Failure> {
    let runtime = runtime()?;
    let clock = Arc::new(SystemClock);
    let (stamper, mut receiver) = inbox(Arc::clone(&clock) as Arc<dyn Clock>, Bounds::default(), Ts(0));
    let net = Net::start(runtime.handle().clone(), clock, stamper, &NetOptions::default())
        .map_err(|e| Failure::broken(chain(&e)))?;
    let index = asked.add_to(&net);
    let mut out = Vec::new();
    let answers = runtime.block_on(reach(&net, index, asked, &mut out));
    if answers {
        let markets = runtime.block_on(markets(&net, index, asked, &mut out));
        if let Some(first) = markets.first() {
            out.push(sockets(&net, index, asked, first, &mut receiver));
        }
        out.extend(net.stats().first().map(limits));
    }
    runtime.block_on(net.stop());
    Ok(out.into_iter().map(|f| f.of(asked.def.id)).collect())
}

/// HTTP, and the venue's clock where it says what time it is.
async fn reach(net: &Net, index: u8, asked: &Asked, out: &mut Vec<Finding>) -> bool {
    let Some(ask) = (asked.def.time)(&asked.endpoints) else {
        out.push(Finding::ok("clock", "the venue does not say what time it is; lag is judged by its messages"));
        return true;
    };
    let url = ask.url.clone();
    let fetch = Fetch { url: ask.url, body: ask.body, pool: ask.pool, weight: ask.weight, timeout: ANSWER };
    // The first request pays for the connection; the second measures.
    if let Err(e) = net.fetch(index, fetch.clone()).await {
        out.push(Finding::bad(
            "http",
            format!("{url} does not answer: {}", chain(&e)),
            "check network, name service, proxy and firewall; in some countries the venue refuses: choose another with --venue",
        ));
        return false;
    }
    let (before, began) = (SystemClock.now(), Instant::now());
    let answer = net.fetch(index, fetch).await;
    let way = Span(i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX));
    match answer {
        Ok(answer) if answer.status == 200 => {
            out.push(Finding::ok("http", format!("answers in {} ms", way.0 / 1_000_000)));
            match (asked.def.read_time)(&answer.body) {
                Some(theirs) => out.push(skew(theirs - (before + Span(way.0 / 2)), way)),
                None => out.push(Finding::warn("clock", "its answer holds no time", "compare the clock with date -u")),
            }
            true
        }
        Ok(answer) => {
            let todo = match answer.status {
                403 | 451 => "the venue refuses this place: choose another with --venue",
                418 | 429 => "the venue has had too many requests from this address: wait, and run one process only",
                _ => "wait; the venue has trouble of its own",
            };
            out.push(Finding::bad("http", format!("{url} answers {}", answer.status), todo));
            false
        }
        Err(e) => {
            out.push(Finding::bad(
                "http",
                format!("{url}: {}", chain(&e)),
                "the connection is unreliable; look at the network",
            ));
            false
        }
    }
}

/// `theirs` minus ours; half the way is what cannot be known.
fn skew(difference: Span, way: Span) -> Finding {
    let off = Span(difference.0.abs());
    let unsure = Span(way.0 / 2);
    let which = if difference.0 > 0 { "behind" } else { "ahead of" };
    let text =
        format!("this clock is {} ms {which} the venue's, give or take {} ms", off.0 / 1_000_000, unsure.0 / 1_000_000);
    let synchronise = "synchronise this machine's clock (chrony, systemd-timesyncd)";
    let sure = Span((off.0 - unsure.0).max(0));
    if sure > SKEW_BAD {
        return Finding::bad("clock", format!("{text}: data would be filed under wrong minutes"), synchronise);
    }
    if sure > SKEW_WARN {
        return Finding::warn(
            "clock",
            format!("{text}: facts near a minute's end may miss it, and lag is shown as skew"),
            synchronise,
        );
    }
    Finding::ok("clock", format!("{text}: it does not matter"))
}

async fn markets(net: &Net, index: u8, asked: &Asked, out: &mut Vec<Finding>) -> Vec<MarketSpec> {
    let found = match discover::list(net, index, asked.def, &asked.endpoints).await {
        Ok(all) => discover::choose(asked.def.id, &all, &asked.choice).map(|chosen| (chosen, all.len())),
        Err(failure) => Err(failure),
    };
    match found {
        Ok((chosen, all)) => {
            out.push(Finding::ok("markets", format!("{} of {all} would be recorded", chosen.len())));
            chosen
        }
        Err(failure) => {
            let text = failure.text().unwrap_or_default();
            out.push(Finding::bad("markets", text, "see what there is with barograph markets --venue ID"));
            Vec::new()
        }
    }
}

/// Opens each kind of connection that one market needs.
fn sockets(net: &Net, index: u8, asked: &Asked, market: &MarketSpec, receiver: &mut InboxReceiver) -> Finding {
    let session = (asked.def.open)(SessionConfig {
        endpoints: asked.endpoints.clone(),
        markets: vec![market.clone()],
        metrics: asked.def.metrics.to_vec(),
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::mins(1),
        polls_every: Vec::new(),
        polls_in_flight_max: 1,
        trade_side_is_maker: true,
        mcp: asked.called.as_ref().map(|called| called.source.clone()),
    });
    let wanted = session.links().len();
    if wanted == 0 {
        return Finding::ok("websocket", "nothing comes over one: it is asked on a schedule");
    }
    let began = Instant::now();
    net.relink(index, session.links());
    let (mut open, mut batch) = (0, Vec::new());
    while open < wanted && began.elapsed() < SOCKETS {
        receiver.take(&mut batch, Duration::from_millis(100));
        open += batch.iter().filter(|(_, i)| matches!(i, Incoming::Opened { .. })).count();
    }
    let took = began.elapsed().as_millis();
    if open >= wanted {
        return Finding::ok("websocket", format!("{open} of {wanted} connections open within {took} ms"));
    }
    let why = net.stats().first().and_then(|s| s.last_error.clone()).map_or_else(|| "no answer".to_owned(), |e| e.1);
    Finding::bad(
        "websocket",
        format!("{open} of {wanted} connections opened: {why}"),
        "HTTP works: a proxy or firewall that does not let WebSockets through is the usual reason",
    )
}

fn limits(stats: &VenueStats) -> Finding {
    let pools: Vec<String> =
        stats.pools.iter().map(|p| format!("{} {} of {} left", p.pool, p.left, p.left + p.used)).collect();
    let text = if pools.is_empty() { "the venue has no request budget".to_owned() } else { pools.join(", ") };
    if let Some(until) = stats.halted_until {
        return Finding::bad(
            "limits",
            format!("{text}; the venue refuses until {until}"),
            "wait; no request is sent before that",
        );
    }
    if let Some(low) = stats.pools.iter().find(|p| u64::from(p.left) * 10 < u64::from(p.left + p.used)) {
        return Finding::warn(
            "limits",
            format!("{text}; {} is nearly spent", low.pool),
            "wait a minute, and run one process only per address",
        );
    }
    Finding::ok("limits", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn a_clock_is_judged_by_what_is_certain() {
        for (ms, way_ms, verdict) in [
            (0, 10, Verdict::Ok),
            (-150, 10, Verdict::Ok),
            (400, 10, Verdict::Warn),
            (-400, 10, Verdict::Warn),
            (400, 900, Verdict::Ok),
            (6_000, 100, Verdict::Bad),
            (-6_000, 100, Verdict::Bad),
        ] {
            let finding = skew(Span::millis(ms), Span::millis(way_ms));
            assert_eq!(finding.verdict, verdict, "{ms} ms: {}", finding.text);
        }
    }
}
