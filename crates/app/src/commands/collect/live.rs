//! `collect` from venues: one run that takes each offered stream once (R1.54), or a process without a server (R1.55).
//!
//! One run is the live process with everything it does, journal and checkpoint included. It is stopped when every stream that
//! can be waited for has spoken, history is taken up, and the minute is over: a context belongs to the end of a minute, so
//! that a scheduler's next command finds one. What is printed is what the store holds afterwards, not what was seen on the way.
//!
//! A scheduler that starts a run each minute starts the next while the last one is closing its minute: it waits its turn.

use super::interval;
use crate::cli::Collect;
use crate::clock::{SystemClock, now};
use crate::commands::serve::{runtime, serve_live, stopped, watch_for_stop};
use crate::commands::{reader, up};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::number_of;
use barograph_api::AskBoard as _;
use barograph_api::live::LiveStreamView;
use barograph_domain::{InstrumentName, Metric, Span, StatusState, Ts};
use barograph_live::meter::UNKNOWN;
use barograph_live::replay::{is_listening, listener};
use barograph_live::start::{LiveRequest, RATIOS, Running, start};
use barograph_query::service::Service;
use barograph_store::{Error, PointQuery, Range, Reader};
use core::sync::atomic::{AtomicBool, Ordering};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a stream is waited for; what is polled less often is waited for as long as its interval and a little more.
const PATIENCE: Span = Span::secs(60);
/// How long history is waited for: what it takes to fetch a month of some ten markets.
const HISTORY_PATIENCE: Span = Span::mins(10);
const A_LITTLE: Span = Span::secs(15);
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// How long a run waits for the one before it, which ends [`READABLE`] after its minute and writes what it holds.
const WAIT_MAX: Duration = Duration::from_secs(10);

pub(super) fn run(args: &Collect, settings: &Settings, json: bool) -> Result<(), Failure> {
    let flags = args.up();
    let runtime = runtime()?;
    let request =
        LiveRequest { stop: watch_for_stop(&runtime), ..up::request(&flags, settings, Arc::new(SystemClock))? };
    let mut turn =
        RunQueue { folder: settings.data.clone(), stop: Arc::clone(&request.stop), begun: Instant::now(), said: false };
    turn.wait()?;
    let running = start(&runtime, settings.live(), request, move || Ok(turn.open(settings)?))?;
    if !args.continuous {
        return once(&runtime, settings, running, !args.no_context, json);
    }
    let teller = report_progress(&running, args.interval, json)?;
    let choose = Box::new(move |settings: &Settings| up::asked(&flags, settings));
    let served = serve_live(&runtime, settings, None, running, choose, None);
    // The stop flag is up now.
    teller.thread().unpark();
    drop(teller.join());
    served
}

/// One run after the other: a scheduler starts the next before the last has closed its minute.
struct RunQueue {
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    begun: Instant,
    said: bool,
}

impl RunQueue {
    /// Waits while another process listens into the folder, and says so.
    fn wait(&mut self) -> Result<(), Failure> {
        while is_listening(&self.folder) {
            self.wait_again(listener(&self.folder))?;
        }
        Ok(())
    }

    /// The store; another process that is about to listen has it before anybody can see that it listens.
    fn open(mut self, settings: &Settings) -> Result<up::Store, Failure> {
        loop {
            match up::open_writing(settings) {
                Ok(writer) => return up::store_of(settings, writer),
                Err(Error::Locked { pid, .. }) => self.wait_again(pid)?,
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn wait_again(&mut self, pid: Option<u32>) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let folder = self.folder.display();
        let does = if is_listening(&self.folder) { "listening" } else { "writing" };
        if self.begun.elapsed() > WAIT_MAX {
            return Err(Failure::broken(format!(
                "{who} is {does} into {folder} already, and what it collects can be read there; nothing was collected by this run"
            )));
        }
        if !self.said {
            writeln!(
                std::io::stderr(),
                "{who} is {does} into {folder}; waiting up to {} s for it",
                WAIT_MAX.as_secs()
            )?;
            self.said = true;
        }
        std::thread::sleep(CHECK_EVERY);
        Ok(())
    }
}

fn patience(settings: &Settings) -> Span {
    PATIENCE.max(settings.poll_interval + A_LITTLE)
}

/// Markets that are listened to.
fn markets(running: &Running) -> Result<Vec<InstrumentName>, Failure> {
    let mut names = Vec::new();
    for venue in &running.config.venues {
        for market in &venue.session.markets {
            names.push(InstrumentName::new(&venue.id, &market.symbol).map_err(Failure::broken)?);
        }
    }
    Ok(names)
}

/// Streams of all markets as they are in memory.
fn streams(service: &Service, markets: &[InstrumentName]) -> Vec<LiveStreamView> {
    markets.iter().filter_map(|m| service.live(m).ok()).flat_map(|view| view.streams).collect()
}

/// Can it be waited for? Candles come when their minute is over, settlements when one is due, liquidations when somebody is
/// liquidated, ratios with their five minutes: none yet is no failure.
fn comes_by_itself(metric: &str) -> bool {
    let late = [Metric::Bar, Metric::FundingRateSettled, Metric::Liquidation];
    !late.iter().chain(&RATIOS).any(|m| m.name() == metric)
}

fn arrived(stream: &LiveStreamView) -> bool {
    stream.continuity == StatusState::NotOffered || stream.event_ts.is_some() || !comes_by_itself(stream.metric)
}

/// After this much of a minute its context is readable: 200 ms of lateness, and time to make and keep it.
const READABLE: Span = Span::millis(1_500);

/// Something to wait for, and no longer than it lasts.
type Until<'a> = core::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

/// `whole_minute`: go on until the minute is over.
fn once(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    running: Running,
    whole_minute: bool,
    json: bool,
) -> Result<(), Failure> {
    let markets = markets(&running)?;
    let Running { service, stop, thread, meter, room, mirror, .. } = running;
    let fetching = || meter.fetching.load(Ordering::Relaxed);
    // Before the first second has passed nobody has counted.
    let incomplete = || Some(fetching()).filter(|n| *n > 0 && *n < UNKNOWN);
    let wait = |limit: Span, until: Until<'_>| {
        runtime.block_on(async {
            tokio::select! {
                () = until => {}
                () = tokio::time::sleep(interval(limit)) => {}
                () = stopped() => {}
            }
        });
    };
    let ends = || thread.is_finished() || stop.load(Ordering::Relaxed);
    let streams_come = patience(settings);
    wait(
        streams_come,
        Box::pin(async {
            while !ends() && !streams(&service, &markets).iter().all(arrived) {
                tokio::time::sleep(CHECK_EVERY).await;
            }
        }),
    );
    if let Some(n) = incomplete()
        && !ends()
    {
        let noun = if n == 1 { "market" } else { "markets" };
        writeln!(std::io::stderr(), "fetching the history of {n} {noun}")?;
    }
    wait(
        HISTORY_PATIENCE,
        Box::pin(async {
            while !ends() && fetching() != 0 {
                tokio::time::sleep(CHECK_EVERY).await;
            }
        }),
    );
    if whole_minute && !ends() {
        let end = now().ceil(Span::mins(1)) + READABLE;
        wait(end - now(), Box::pin(core::future::pending()));
    }
    if let Some(n) = incomplete() {
        let of = number_of(n, "market");
        writeln!(std::io::stderr(), "the history of {of} is not complete; the next run goes on with it")?;
    }
    let seen = streams(&service, &markets);
    stop.store(true, Ordering::Relaxed);
    thread.join().map_err(|_panic| Failure::broken("the thread of the engine has crashed"))??;
    if let Some(room) = room {
        room.close();
    }
    if let Some(mirror) = mirror {
        mirror.close();
    }
    drop(service);
    let lines = lines(reader(settings)?.as_ref(), &seen)?;
    let mut out = std::io::stdout().lock();
    for line in &lines {
        line.print(&mut out, json)?;
    }
    let missing: Vec<String> =
        lines.iter().filter(|l| l.state == State::Missing).map(|l| format!("{} {}", l.instrument, l.metric)).collect();
    match missing.len() {
        0 => Ok(()),
        n => Err(Failure::No(format!(
            "{n} of {} offered streams did not arrive within {} s: {}; see why with: barograph doctor",
            lines.iter().filter(|l| l.state != State::NotOffered).count(),
            streams_come.as_secs(),
            missing.join(", ")
        ))),
    }
}

/// What became of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It is in the store.
    Collected,
    /// Nothing of the kind has happened yet.
    NoneYet,
    /// It is offered, was waited for, and is not in the store.
    Missing,
    /// The venue does not have it.
    NotOffered,
}

impl State {
    /// `stored`: the store has something of the stream.
    fn of(view: &LiveStreamView, stored: bool) -> Self {
        match view.continuity {
            StatusState::NotOffered => Self::NotOffered,
            // What an earlier run has stored is no answer to this one.
            _ if stored && arrived(view) => Self::Collected,
            StatusState::Live | StatusState::Resync if !comes_by_itself(view.metric) => Self::NoneYet,
            _ => Self::Missing,
        }
    }
}

/// One market and metric after the run.
#[derive(Debug, Serialize)]
struct Line {
    instrument: InstrumentName,
    metric: &'static str,
    state: State,
    value: Option<f64>,
    unit: &'static str,
    event_ts: Option<Ts>,
    age_s: Option<i64>,
    source: String,
    /// Points or books of this stream in the store.
    stored: u64,
    /// Why it is not there, in the words of the stream's continuity.
    reason: Option<String>,
}

/// Newest event, its value, and how many there are.
type Stored = (Ts, Option<f64>, u64);

fn lines(reader: &dyn Reader, seen: &[LiveStreamView]) -> Result<Vec<Line>, Failure> {
    let now = now();
    let mut stored: BTreeMap<InstrumentName, BTreeMap<(&'static str, String), Stored>> = BTreeMap::new();
    let mut lines = Vec::new();
    for view in seen {
        if !stored.contains_key(&view.instrument) {
            stored.insert(view.instrument.clone(), of_market(reader, &view.instrument)?);
        }
        let found =
            stored.get(&view.instrument).and_then(|market| market.get(&(view.metric, view.source.clone()))).copied();
        let state = State::of(view, found.is_some());
        let found = found.filter(|_| state != State::NotOffered);
        lines.push(Line {
            instrument: view.instrument.clone(),
            metric: view.metric,
            state,
            value: found.and_then(|f| f.1),
            unit: view.unit,
            event_ts: found.map(|f| f.0),
            age_s: found.map(|f| (now - f.0).as_secs().max(0)),
            source: view.source.clone(),
            stored: found.map_or(0, |f| f.2),
            reason: view.reason.as_ref().filter(|_| state == State::Missing).map(|r| r.text.to_owned()),
        });
    }
    Ok(lines)
}

/// What the store has of a market, by metric and source.
fn of_market(
    reader: &dyn Reader,
    market: &InstrumentName,
) -> Result<BTreeMap<(&'static str, String), Stored>, Failure> {
    let mut found = BTreeMap::new();
    for stream in reader.counting_streams(Some(market), None)? {
        let decl = stream.decl;
        let query = PointQuery {
            instrument: market.clone(),
            metric: decl.metric,
            source: Some(decl.source.clone()),
            cadence: Some(decl.cadence),
            range: Range { start: stream.newest_event, end: Ts::MAX },
            limit: 1,
            as_of: None,
        };
        let value = reader.points(&query)?.items.last().and_then(|p| p.payload.headline());
        found.insert((decl.metric.name(), decl.source), (stream.newest_event, value, stream.points));
    }
    Ok(found)
}

impl Line {
    fn print(&self, out: &mut impl std::io::Write, json: bool) -> Result<(), Failure> {
        if json {
            let text = serde_json::to_string(self).map_err(Failure::broken)?;
            return Ok(writeln!(out, "{text}")?);
        }
        let what = match self.state {
            State::Collected => {
                let value = self.value.map_or_else(|| "—".to_owned(), |v| v.to_string());
                let age = Span::secs(self.age_s.unwrap_or(0)).spoken();
                format!("{value:>16} {:<22} age {age:<10} {} stored", self.unit, self.stored)
            }
            State::NoneYet => "none yet: it comes when it happens".to_owned(),
            State::Missing => format!("did not arrive: {}", self.reason.as_deref().unwrap_or("nothing was sent")),
            State::NotOffered => "not offered by the venue".to_owned(),
        };
        Ok(writeln!(out, "{:<26} {:<20} {:<14} {what}", self.instrument.to_string(), self.metric, self.source)?)
    }
}

/// One line per interval while a continuous run goes on.
fn report_progress(running: &Running, every: Span, json: bool) -> Result<JoinHandle<()>, Failure> {
    let (service, stop, markets) = (Arc::clone(&running.service), Arc::clone(&running.stop), markets(running)?);
    let every = interval(every);
    std::thread::Builder::new()
        .name("tell".to_owned())
        .spawn(move || {
            let mut due = Instant::now() + every;
            while sleep_until(due, &stop) {
                due += every;
                let line = state_line(&streams(&service, &markets), markets.len(), json);
                let mut out = std::io::stdout().lock();
                // Whoever read this may have gone; the process goes on collecting.
                drop(writeln!(out, "{line}").and_then(|()| out.flush()));
            }
        })
        .map_err(Failure::broken)
}

/// True when it is due, false when the process stops.
fn sleep_until(due: Instant, stop: &AtomicBool) -> bool {
    while !stop.load(Ordering::Relaxed) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::park_timeout(left.min(Duration::from_secs(1)));
    }
    false
}

fn state_line(streams: &[LiveStreamView], markets: usize, json: bool) -> String {
    let count = |state| streams.iter().filter(|s| s.continuity == state).count();
    let offered = streams.len() - count(StatusState::NotOffered);
    let heard = streams.iter().filter(|s| s.event_ts.is_some()).count();
    let oldest = streams.iter().filter(|s| comes_by_itself(s.metric)).filter_map(|s| s.age_ms).max();
    let live = count(StatusState::Live);
    let ts = now().floor(Span::secs(1));
    if json {
        return serde_json::json!({
            "ts": ts, "markets": markets, "offered": offered, "heard": heard, "live": live,
            "gap": count(StatusState::Gap), "resync": count(StatusState::Resync), "stale": count(StatusState::Stale),
            "oldest_age_s": oldest.map(|ms| ms / 1_000),
        })
        .to_string();
    }
    let oldest = oldest.map_or_else(|| "nothing yet".to_owned(), |ms| Span::millis(ms).spoken());
    let (markets, offered) = (number_of(markets, "market"), number_of(offered, "stream"));
    format!("{ts} {markets}, {live} of {offered} live, {heard} received, oldest value {oldest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{GapReason, Kind, Stamp, StreamDecl};

    fn view(metric: Metric, state: StatusState, heard: bool) -> LiveStreamView {
        let decl = StreamDecl {
            instrument: InstrumentName::new("binance-usdm", "BTCUSDT").unwrap(),
            metric,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "binance-usdm".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        let view = LiveStreamView::new(&decl, state, GapReason::Silent, None, 0);
        if heard { view.heard(Ts(0), Ts(0), Some(1.0), Ts(0)) } else { view }
    }

    #[test]
    fn what_is_offered_and_did_not_come_is_missing() {
        use StatusState::{Gap, Live, NotOffered, Resync, Stale};
        for (metric, state, heard, stored, want) in [
            (Metric::MarkPrice, Live, true, true, State::Collected),
            (Metric::MarkPrice, Live, true, false, State::Missing),
            (Metric::MarkPrice, Live, false, false, State::Missing),
            (Metric::MarkPrice, Resync, false, true, State::Missing),
            (Metric::Trade, Stale, false, false, State::Missing),
            (Metric::OpenInterest, NotOffered, false, false, State::NotOffered),
            (Metric::Liquidation, Live, false, false, State::NoneYet),
            (Metric::Liquidation, Gap, false, false, State::Missing),
            (Metric::Bar, Resync, false, false, State::NoneYet),
            (Metric::FundingRateSettled, Live, false, true, State::Collected),
        ] {
            let view = view(metric, state, heard);
            assert_eq!(State::of(&view, stored), want, "{metric:?} {state:?} heard {heard} stored {stored}");
        }
    }
}
