//! A process that stops at any moment, orderly or not, and goes on: what it publishes afterwards equals what a process publishes
//! that never stopped, history that was still coming in included.
//!
//! The venue is a list of functions of time; answers take seconds, so that fetching two days of history takes minutes. Nobody
//! waits for anything: time is an argument.

use super::bed::{listening, setup};
use crate::config::LiveConfig;
use crate::core::{Core, CoreSink};
use crate::setup::Setup;
use crate::{Error, checkpoint};
use barograph_domain::{Event, Metric, MinuteRow, Span, Ts};
use barograph_engine::models::ModelMarkets;
use barograph_venues::session::{Action, ConnId, Fault, Input, LinkId, Origin, Request, RequestId};
use std::collections::BTreeMap;
use std::path::Path;

const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
const BACKFILL: Span = Span::days(2);
const RUN: Span = Span::mins(20);
/// Rows of the last minutes are compared: everything has been caught up by then.
const COMPARED: Span = Span::mins(5);
/// No frame falls into a pause this long, half a second after a whole second.
const AWAY: Span = Span::millis(300);
const HALF: Span = Span::millis(500);

fn begin() -> Ts {
    Ts::from_civil(2026, 10, 1, 12, 0, 20)
}

/// Prices wander; the last digit is a cent.
fn price(market: usize, at: Ts) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of some days")]
    let minute = (at - Ts::from_civil(2026, 9, 1, 0, 0, 0)).0 as f64 / 60e9;
    let wave = (minute / 97.0).sin() * 3.0 + (minute / 13.0).sin() + (minute * 1.7).sin() * 0.2;
    ((100.0 * (market + 1) as f64 + wave) * 100.0).round() / 100.0
}

/// Changes every five minutes until the process begins, then no more: when exactly it is asked for makes no difference.
fn open_interest(market: usize, at: Ts) -> f64 {
    let step = at.min(begin()).floor(Span::mins(5)).0 / Span::mins(5).0;
    1_000.0 * (market + 1) as f64 + (step % 37) as f64
}

fn mark_frame(market: usize, at: Ts) -> Vec<u8> {
    let (symbol, ms, mark) = (SYMBOLS[market], at.as_millis(), price(market, at));
    let index = mark - 0.05;
    let next = at.ceil(Span::hours(8)).as_millis();
    format!(
        r#"{{"e":"markPriceUpdate","E":{ms},"s":"{symbol}","p":"{mark:.2}","ap":"{mark:.2}","P":"{mark:.2}","i":"{index:.2}","r":"0.00010000","T":{next},"st":1}}"#
    )
    .into_bytes()
}

/// Open, high, low, close of the minute that ends at `close`.
fn candle(market: usize, close: Ts) -> [f64; 4] {
    let (a, b) = (price(market, close - Span::mins(1)), price(market, close - Span::millis(1)));
    [a, a.max(b) + 0.03, a.min(b) - 0.02, b]
}

fn candle_frame(market: usize, close: Ts) -> Vec<u8> {
    let (symbol, ms, from) = (SYMBOLS[market], close.as_millis(), (close - Span::mins(1)).as_millis());
    let [o, h, l, c] = candle(market, close);
    let until = ms - 1;
    format!(
        r#"{{"e":"kline","E":{ms},"s":"{symbol}","k":{{"t":{from},"T":{until},"s":"{symbol}","i":"1m","f":1,"L":9,"o":"{o:.2}","c":"{c:.2}","h":"{h:.2}","l":"{l:.2}","v":"10.0","n":9,"x":true,"q":"1000.0","V":"5.0","Q":"500.0","B":"0"}}}}"#
    )
    .into_bytes()
}

/// The venue's answer at `now`.
fn answer(url: &str, now: Ts) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let query: BTreeMap<&str, &str> = query.split('&').filter_map(|p| p.split_once('=')).collect();
    let stamp = |name: &str| query.get(name).and_then(|t| t.parse().ok()).map(Ts::from_millis);
    let limit: usize = query.get("limit").and_then(|t| t.parse().ok()).unwrap_or(500);
    let market = SYMBOLS.iter().position(|s| query.get("symbol") == Some(s)).unwrap_or(0);
    let symbol = SYMBOLS[market];
    let from = stamp("startTime").unwrap_or(now - Span::hours(9));
    let until = stamp("endTime").unwrap_or(now).min(now);
    let every = |step: Span| {
        let first = from.ceil(step);
        (0..).map(move |n| first + step.times(n)).take_while(move |t| *t <= until).take(limit)
    };
    let rows: Vec<String> = match path.rsplit('/').next().unwrap_or_default() {
        "klines" => every(Span::mins(1))
            .map(|open| {
                let [o, h, l, c] = candle(market, open + Span::mins(1));
                let (from, until) = (open.as_millis(), open.as_millis() + 59_999);
                format!(r#"[{from},"{o:.2}","{h:.2}","{l:.2}","{c:.2}","10.0",{until},"1000.0",9,"5.0","500.0","0"]"#)
            })
            .collect(),
        "fundingRate" => every(Span::hours(8))
            .map(|t| {
                let ms = t.as_millis();
                format!(r#"{{"symbol":"{symbol}","fundingTime":{ms},"fundingRate":"0.00010000","markPrice":"1.0","rateType":"Regular"}}"#)
            })
            .collect(),
        "openInterestHist" => every(Span::mins(5))
            .map(|t| {
                let (ms, value) = (t.as_millis(), open_interest(market, t + Span::mins(5)));
                format!(r#"{{"symbol":"{symbol}","sumOpenInterest":"{value:.8}","sumOpenInterestValue":"1.0","timestamp":{ms}}}"#)
            })
            .collect(),
        "openInterest" => {
            let (ms, value) = (now.as_millis(), open_interest(market, now));
            return format!(r#"{{"symbol":"{symbol}","openInterest":"{value:.3}","time":{ms}}}"#);
        }
        _ => Vec::new(),
    };
    format!("[{}]", rows.join(","))
}

/// How long the venue thinks about it: history comes slowly.
fn latency(request: &Request) -> Span {
    if request.url.contains("/openInterest?") { Span::millis(40) } else { Span::millis(5_350) }
}

/// What goes into a core.
#[derive(Clone, Debug)]
enum Fed {
    Opened(LinkId, ConnId),
    Frame(ConnId, Vec<u8>),
    Reply(RequestId, u16, Vec<u8>),
    Tick,
}

/// Takes rows and requests.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<(u32, Ts), MinuteRow>,
    requests: Vec<Request>,
    facts: BTreeMap<(Metric, bool), u32>,
}

impl CoreSink for Seen {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Error> {
        self.rows.insert((row.instrument, row.ts), row.clone());
        Ok(())
    }
    fn fact(&mut self, _event: &Event, metric: Metric, origin: Origin) -> Result<(), Error> {
        *self.facts.entry((metric, origin == Origin::Backfill)).or_default() += 1;
        Ok(())
    }
    fn action(&mut self, _venue: usize, action: Action) {
        if let Action::Request(request) = action {
            self.requests.push(request);
        }
    }
    fn fault(&mut self, _venue: usize, fault: &Fault) {
        assert_eq!(fault.kind, "request_failed", "{fault:?}");
    }
}

fn config(setup: &Setup) -> LiveConfig {
    use Metric::{Bar, FundingRate, FundingRateSettled, IndexPrice, MarkPrice, OpenInterest};
    let metrics = [Bar, FundingRate, FundingRateSettled, IndexPrice, MarkPrice, OpenInterest];
    let mut config = listening(setup, "binance-usdm", &SYMBOLS, &metrics);
    config.models = ModelMarkets::First(20);
    config.venues[0].session.backfill = BACKFILL;
    config
}

/// How a process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// It writes its state and ends.
    Orderly,
    /// It is killed; its last checkpoint was written this long before (`None`: it had none).
    Killed(Option<Span>),
}

/// One process after another over one journal.
struct Run {
    setup: Setup,
    core: Core,
    seen: Seen,
    /// What is on its way.
    coming: BTreeMap<(Ts, u64), Fed>,
    sent: u64,
    conn: u32,
    /// What was received: the journal.
    journal: Vec<(Ts, Fed)>,
    /// When the venue refuses to answer.
    refuses: core::ops::Range<Ts>,
}

impl Run {
    fn new() -> Self {
        let setup = setup();
        let mut seen = Seen::default();
        let core = Core::new(setup.clone(), config(&setup), begin(), &mut seen).unwrap();
        let mut run = Self {
            setup,
            core,
            seen,
            coming: BTreeMap::new(),
            sent: 0,
            conn: 0,
            journal: Vec::new(),
            refuses: begin()..begin(),
        };
        run.connect(begin());
        run
    }

    fn send(&mut self, at: Ts, fed: Fed) {
        self.sent += 1;
        self.coming.insert((at, self.sent), fed);
    }

    /// Everything that a connection of this process will bring.
    fn connect(&mut self, at: Ts) {
        let links: Vec<LinkId> = self.core.venues[0].session.links().iter().map(|l| l.id).collect();
        self.conn += 1;
        for link in links {
            self.send(at + Span::millis(10), Fed::Opened(link, ConnId(self.conn)));
        }
        let mut second = (at + Span::millis(20)).ceil(Span::secs(1));
        while second < begin() + RUN {
            for market in 0..SYMBOLS.len() {
                self.send(second + Span::millis(30), Fed::Frame(ConnId(self.conn), mark_frame(market, second)));
                if second == second.floor(Span::mins(1)) {
                    self.send(second + Span::millis(50), Fed::Frame(ConnId(self.conn), candle_frame(market, second)));
                }
            }
            self.send(second + Span(200_001_000), Fed::Tick);
            second = second + Span::secs(1);
        }
    }

    fn until(&mut self, end: Ts) {
        while let Some(((at, n), _)) = self.coming.first_key_value().filter(|((at, _), _)| *at < end) {
            let key = (*at, *n);
            let Some(fed) = self.coming.remove(&key) else { break };
            feed(&mut self.core, key.0, &fed, &mut self.seen);
            self.journal.push((key.0, fed));
            for request in core::mem::take(&mut self.seen.requests) {
                let at = key.0 + latency(&request);
                // The venue looks at what it has when the answer leaves.
                let (status, body) =
                    if self.refuses.contains(&at) { (503, String::new()) } else { (200, answer(&request.url, at)) };
                self.send(at, Fed::Reply(request.id, status, body.into_bytes()));
            }
        }
    }

    /// The process ends at `at` and another one goes on a moment later.
    fn restart(&mut self, at: Ts, end: End, folder: &Path) {
        match end {
            End::Orderly => {
                self.until(at);
                self.core.at = at;
                checkpoint::write(folder, &checkpoint::pack(&mut self.core, &mut self.seen).unwrap()).unwrap();
            }
            End::Killed(None) => self.until(at),
            End::Killed(Some(before)) => {
                self.until(at - before);
                checkpoint::write(folder, &checkpoint::pack(&mut self.core, &mut self.seen).unwrap()).unwrap();
                self.until(at);
            }
        }
        self.coming.clear();
        let mut again = Seen::default();
        let (found, troubles) = checkpoint::newest(folder, &self.setup, &mut again).unwrap();
        assert_eq!(troubles, Vec::<String>::new());
        assert_eq!(found.is_none(), end == End::Killed(None));
        self.core =
            found.unwrap_or_else(|| Core::new(self.setup.clone(), config(&self.setup), begin(), &mut again).unwrap());
        let written = self.core.at;
        for (at, fed) in self.journal.iter().filter(|(at, _)| *at > written || end == End::Killed(None)) {
            feed(&mut self.core, *at, fed, &mut again);
        }
        for (key, row) in &again.rows {
            assert_eq!(self.seen.rows.get(key), Some(row), "made again at {key:?}");
        }
        self.core.resume(at + AWAY, &mut self.seen).unwrap();
        // What is asked for in the moment of coming back is asked for by the tick.
        self.connect(at + AWAY);
    }

    fn last_rows(&self) -> Vec<&MinuteRow> {
        let from = begin() + RUN - COMPARED;
        self.seen.rows.iter().filter(|((_, ts), _)| *ts >= from).map(|(_, row)| row).collect()
    }
}

fn feed(core: &mut Core, at: Ts, fed: &Fed, sink: &mut Seen) {
    let input = match fed {
        Fed::Opened(link, conn) => Input::Opened { link: *link, conn: *conn },
        Fed::Frame(conn, bytes) => Input::Frame { conn: *conn, bytes },
        Fed::Reply(request, status, body) => Input::Reply { request: *request, status: *status, body },
        Fed::Tick => return core.tick(at, sink).unwrap(),
    };
    core.input(at, 0, &input, sink).unwrap();
}

fn never_stopped() -> Run {
    let mut run = Run::new();
    run.until(begin() + RUN);
    run
}

/// Stops at these moments after the beginning; the rest equals the process that never stopped.
#[track_caller]
fn check(stops: &[(Span, End)]) {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    for (after, end) in stops {
        run.restart(begin() + *after + HALF, *end, folder.path());
    }
    equals_never_stopped(run, &format!("stops {stops:?}"));
}

#[track_caller]
fn equals_never_stopped(mut run: Run, what: &str) {
    let whole = never_stopped();
    assert!(whole.seen.facts[&(Metric::Bar, true)] > 5_000, "{:?}", whole.seen.facts);
    run.until(begin() + RUN);
    assert_eq!(run.core.catchups.len(), 0);
    let (want, got) = (whole.last_rows(), run.last_rows());
    assert_eq!(want.len(), 2 * 5, "{:?}", want.iter().map(|r| r.ts).collect::<Vec<_>>());
    let ready = want[0].cells.iter().filter(|c| c.ready().is_some()).count();
    assert!(ready > 25, "{ready}: without two days of history most are not");
    for (w, g) in want.iter().zip(&got) {
        assert_eq!((w.instrument, w.ts), (g.instrument, g.ts));
        for (id, (a, b)) in barograph_engine::CATALOGUE.iter().zip(w.cells.iter().zip(&g.cells)) {
            // A short hole was declared: readings that are not ready may say that instead of counting.
            let none = a.ready().is_none() && b.ready().is_none();
            // Open interest is asked for at other moments after a start: the same value, said at another time of its five minutes.
            let polled = barograph_domain::Cell { anchor: b.anchor, ..*a } == *b;
            let same = a == b || none || polled && Span((a.anchor.0 - b.anchor.0).abs()) <= Span::mins(5);
            assert!(same, "{} of market {} at {}, {what}: {a:?}, {b:?}", id.id, w.instrument, w.ts);
        }
        assert_eq!((w.price, &w.cuts), (g.price, &g.cuts));
    }
}

/// The first pages are under way at 6 s, the last ones come at half a minute, the markets are brought up to date 20 s later.
const MOMENTS: [i64; 10] = [1, 2, 6, 9, 15, 25, 36, 45, 70, 130];

#[test]
fn a_stop_while_history_comes_in_loses_nothing_of_it() {
    for after in MOMENTS {
        check(&[(Span::secs(after), End::Orderly)]);
    }
}

#[test]
fn a_process_killed_while_history_comes_in_loses_nothing_of_it() {
    for after in MOMENTS {
        check(&[(Span::secs(after), End::Killed(None))]);
        check(&[(Span::secs(after), End::Killed(Some(Span::secs(after.min(8)))))]);
    }
}

#[test]
fn stop_after_stop_loses_nothing() {
    let (orderly, killed) = (End::Orderly, |s| End::Killed(Some(Span::secs(s))));
    let stops = [(3, orderly), (8, killed(2)), (12, orderly), (31, killed(9)), (33, orderly), (95, killed(40))];
    check(&stops.map(|(after, end)| (Span::secs(after), end)));
}

#[test]
fn history_that_is_refused_for_a_while_is_waited_for() {
    for (from, until) in [(2, 40), (9, 60), (15, 90)] {
        let mut run = Run::new();
        run.refuses = begin() + Span::secs(from)..begin() + Span::secs(until);
        equals_never_stopped(run, &format!("refused from {from} s to {until} s"));
    }
}

/// All had come by half a minute, and was taken up at one: whenever the process ends after that, the first minute of the next
/// one has it. A scheduler that starts a run each minute never waits for history again.
#[test]
fn history_that_had_come_counts_from_the_first_minute_after_a_start() {
    for (after, end) in [
        (40, End::Orderly),
        (45, End::Killed(None)),
        (45, End::Killed(Some(Span::secs(5)))),
        (70, End::Orderly),
        (130, End::Killed(Some(Span::secs(90)))),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new();
        let stop = begin() + Span::secs(after) + HALF;
        run.restart(stop, end, folder.path());
        let minute = (stop + AWAY).ceil(Span::mins(1));
        run.until(minute + Span::secs(1));
        for market in 0..SYMBOLS.len() {
            let row = &run.seen.rows[&(u32::try_from(market).unwrap(), minute)];
            let ready = row.cells.iter().filter(|c| c.ready().is_some()).count();
            assert!(ready > 25, "{ready} readings at {minute}, after an end at {after} s, {end:?}");
        }
    }
}

#[test]
fn open_interest_is_asked_for_at_once_after_a_pause() {
    let mut run = Run::new();
    let folder = tempfile::tempdir().unwrap();
    // Asked for at 12:00:21 and every minute from there, the second market half a minute later.
    run.restart(begin() + Span::secs(35) + HALF, End::Orderly, folder.path());
    let before = run.seen.facts[&(Metric::OpenInterest, false)];
    run.until(begin() + Span::secs(38));
    assert_eq!(run.seen.facts[&(Metric::OpenInterest, false)], before + 2);
}
