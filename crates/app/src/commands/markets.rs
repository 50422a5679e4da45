//! `markets`: what is stored, with the health of each stream; or what a venue lists and would be listened to (R3.30).

use crate::cli::Markets;
use crate::clock::{SystemClock, now_in};
use crate::commands::listened::{ends, last_changes};
use crate::commands::serve::runtime;
use crate::commands::{reader, up};
use crate::config::Settings;
use crate::failure::{Failure, chain};
use crate::setup::book_id;
use crate::term::{fold, minute, number_of, plural};
use barograph_domain::{InstrumentName, Span, Status, Ts};
use barograph_live::discover::{self, Choice};
use barograph_live::replay;
use barograph_live::start::Asked;
use barograph_live::view::state_word;
use barograph_net::{Bounds, Net, NetOptions, inbox};
use barograph_query::recorded::day;
use barograph_store::{Gap, StreamInfo};
use barograph_venues::session::MarketSpec;
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(args: &Markets, settings: &Settings, json: bool) -> Result<(), Failure> {
    if args.venues.is_some() { listed(args, settings, json) } else { stored(settings, json) }
}

/// What the venues list, busiest first.
fn listed(args: &Markets, settings: &Settings, json: bool) -> Result<(), Failure> {
    let asked = up::asked(&args.up(), settings)?;
    let runtime = runtime()?;
    let clock = Arc::new(SystemClock);
    let (stamper, _inbox) = inbox(Arc::clone(&clock) as Arc<dyn crate::clock::Clock>, Bounds::default(), Ts(0));
    let net = Net::start(runtime.handle().clone(), clock, stamper, &NetOptions::default())
        .map_err(|e| Failure::broken(chain(&e)))?;
    let found: Result<Vec<(&Asked, Vec<MarketSpec>)>, Failure> =
        asked.iter().map(|one| Ok((one, runtime.block_on(list(&net, one))?))).collect();
    runtime.block_on(net.stop());
    let mut out = std::io::stdout().lock();
    for (one, all) in found? {
        let venue = one.def.id;
        let chosen = discover::choose(venue, &all, &one.choice)?;
        let shown = if args.all { everything(venue, &all)? } else { chosen.clone() };
        for market in &shown {
            let taken = chosen.iter().any(|c| c.symbol == market.symbol);
            print_listed(&mut out, venue, market, taken, json)?;
        }
        writeln!(
            std::io::stderr(),
            "{venue}: {} of {} would be recorded",
            chosen.len(),
            number_of(all.len(), "market")
        )?;
    }
    Ok(())
}

async fn list(net: &Net, asked: &Asked) -> Result<Vec<MarketSpec>, Failure> {
    let index = asked.add_to(net);
    Ok(discover::list(net, index, asked.def, &asked.endpoints).await?)
}

/// All that can be traded, busiest first.
fn everything(venue: &str, all: &[MarketSpec]) -> Result<Vec<MarketSpec>, Failure> {
    let open = Choice {
        symbols: Vec::new(),
        quote: None,
        kind: discover::Wanted::Both,
        volume_min: 0.0,
        markets_max: usize::MAX,
    };
    Ok(discover::choose(venue, all, &open)?)
}

fn print_listed(
    out: &mut impl std::io::Write,
    venue: &str,
    market: &MarketSpec,
    taken: bool,
    json: bool,
) -> Result<(), Failure> {
    let instrument = InstrumentName::new(venue, &market.symbol).map_err(Failure::broken)?;
    if json {
        let line = serde_json::json!({
            "instrument": instrument, "kind": market.kind, "base": market.base, "quote": market.quote,
            "volume_24h_quote": market.volume_24h_quote, "funding_interval_h": market.funding_interval_h,
            "contract_size": market.contract_size, "inverse": market.inverse, "trading": market.trading,
            "listened": taken,
        });
        return Ok(writeln!(out, "{line}")?);
    }
    let kind = serde_json::to_value(market.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let volume =
        market.volume_24h_quote.map_or_else(|| "volume unknown".to_owned(), |v| format!("{v:.0} {}", market.quote));
    let mark = if taken { "recorded" } else { "-" };
    Ok(writeln!(out, "{:<34} {kind:<12} {volume:>24} in 24 h  {mark}", instrument.to_string())?)
}

/// How a stream does, from what is stored about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Health {
    /// The last change of continuity; none for imported files without a gap.
    status: Option<(Status, Ts)>,
    age_s: i64,
    too_old: bool,
    /// A process listens into this folder now.
    listening: bool,
}

/// Values that follow each other quickly are stored once a minute, when the minute is over.
const STORED_EVERY: Span = Span::secs(90);

fn stored(settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let mut out = std::io::stdout().lock();
    let instruments = reader.instruments(None)?;
    if instruments.is_empty() && !json {
        writeln!(
            out,
            "no markets in {}; record some with: barograph up; or import files with: barograph collect --source PATH",
            settings.data.display()
        )?;
    }
    let (runs, book, now) = (reader.runs(None)?, book_id(settings)?, now_in(&settings.data));
    let listening = replay::is_listening(&settings.data);
    for info in instruments {
        let name = &info.instrument.name;
        let changes = last_changes(reader.as_ref(), &runs, name, &book)?;
        let ends = ends(reader.as_ref(), settings, name, info.newest_event)?;
        let streams: Vec<(StreamInfo, Health)> = reader
            .counting_streams(Some(name), None)?
            .into_iter()
            .map(|s| {
                let health = health(&s, changes.get(&s.decl.label()), now, listening);
                (s, health)
            })
            .collect();
        if json {
            let streams: Vec<_> = streams.iter().map(|(s, h)| stream_json(s, *h)).collect();
            let line = serde_json::json!({ "instrument": name, "recorded_until": ends, "kind": info.instrument.kind, "points": info.points, "first_event": info.first_event, "newest_event": info.newest_event, "streams": streams });
            writeln!(out, "{line}")?;
            continue;
        }
        let span = match info.points {
            0 => "all of it was taken back".to_owned(),
            _ => format!("{} to {}", minute(info.first_event), minute(info.newest_event)),
        };
        writeln!(out, "{:<24} {:>8} {:<6}  {span}", name.to_string(), info.points, points(info.points))?;
        if let Some(until) = ends {
            let live = crate::views::live_command(name, settings.default_venue.as_str());
            writeln!(out, "    recorded until {}; live: {live}", day(until))?;
        }
        for (s, health) in streams {
            let kind =
                serde_json::to_value(s.decl.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
            writeln!(
                out,
                "  {:<24} {:>4} {:<9} {:<16} {:>9} {}",
                s.decl.metric.name(),
                s.decl.cadence.compact(),
                kind,
                s.decl.source,
                s.points,
                points(s.points)
            )?;
            if let Some(text) = health.text().filter(|_| ends.is_none()) {
                writeln!(out, "{}", fold(&text, 80, "    "))?;
            }
        }
    }
    Ok(())
}

/// The noun behind a number of points.
fn points(n: u64) -> String {
    format!("point{}", plural(n))
}

fn health(stream: &StreamInfo, change: Option<&Gap>, now: Ts, listening: bool) -> Health {
    let age = now - stream.newest_event;
    Health {
        status: change.map(|g| (g.status, g.known_ts)),
        age_s: age.as_secs().max(0),
        too_old: age > stream.decl.max_age().max(STORED_EVERY),
        listening,
    }
}

impl Health {
    /// For people; nothing about streams that were never listened to.
    fn text(self) -> Option<String> {
        let age = Span::secs(self.age_s).spoken();
        let (status, since) = self.status?;
        let since = minute(since);
        Some(if status.is_open() {
            let (word, why) = (state_word(status.state), status.reason.spoken());
            format!("{word} since {since}: {why}; newest {age} old")
        } else if self.too_old {
            let why = if self.listening { "the venue sends nothing" } else { "nothing is listening" };
            format!("SILENT: newest {age} old; {why}")
        } else if self.listening {
            format!("LIVE since {since}, newest {age} old")
        } else {
            format!("was LIVE, nothing is listening now; newest {age} old")
        })
    }
}

fn stream_json(s: &StreamInfo, health: Health) -> serde_json::Value {
    let reason = health.status.filter(|(status, _)| status.is_open()).map(|(status, _)| status.reason.word());
    serde_json::json!({
        "metric": s.decl.metric.name(), "source": s.decl.source, "kind": s.decl.kind, "cadence_s": s.decl.cadence.as_secs(),
        "delay_s": s.decl.delay.as_secs(), "stamp": s.decl.stamp, "points": s.points, "first_event": s.first_event,
        "newest_event": s.newest_event, "age_s": health.age_s, "max_age_s": s.decl.max_age().as_secs(),
        "stale": health.too_old, "listening": health.listening, "continuity": health.status.map(|(status, _)| state_word(status.state)),
        "since": health.status.map(|(_, since)| since), "reason": reason,
    })
}
