//! Prices that wait for the end of their minute make the rows that prices make which go to the engine one by one: with stamps
//! out of order and ahead, minutes late, ticks held up, streams lost and found, fetched prices and liquidations between them,
//! checkpoints and restarts.

use super::super::{Core, CoreSink};
use crate::flows::tests::flooded;
use crate::random::Random;
use crate::tests::{listening, setup};
use crate::{Error, checkpoint};
use barograph_domain::{
    Event, GapReason, Metric, MinuteRow, OpenExperimental, Pattern, Payload, Span, Status, StreamIndex, Ts,
};
use barograph_engine::AlertOut;
use barograph_venues::session::{CloseReason, ConnId, Emit, Fault, Input, MarketIndex, Origin};

const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
const RUN: Span = Span::mins(14);

fn begin() -> Ts {
    Ts::from_civil(2026, 10, 1, 12, 0, 20)
}

/// What comes out, in its order.
#[derive(Default)]
struct Seen {
    rows: Vec<MinuteRow>,
    alerts: Vec<AlertOut>,
    samples: Vec<Event>,
    statuses: Vec<(StreamIndex, Status)>,
    facts: usize,
}

impl CoreSink for Seen {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Error> {
        self.rows.push(row.clone());
        Ok(())
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Error> {
        self.alerts.push(alert.clone());
        Ok(())
    }
    fn fact(&mut self, _event: &Event, _metric: Metric, _origin: Origin) -> Result<(), Error> {
        self.facts += 1;
        Ok(())
    }
    fn status(&mut self, stream: StreamIndex, status: &Status, _known_ts: Ts) -> Result<(), Error> {
        self.statuses.push((stream, *status));
        Ok(())
    }
    fn sample(&mut self, event: &Event) {
        self.samples.push(*event);
    }
    fn fault(&mut self, _venue: usize, fault: &Fault) {
        assert!(
            ["history_cut", "request_failed"].contains(&fault.kind),
            "nobody answers, but frames are sound: {fault:?}"
        );
    }
}

/// What goes into a core.
enum Fed {
    Opened(ConnId),
    Closed(ConnId),
    Frame(ConnId, String),
    Tick,
    Checkpoint,
    /// Another process goes on.
    Resumed,
    /// A mark of this market that was fetched, and when it was.
    Fetched(usize, Ts),
}

/// A venue's fourteen minutes, in the order of receipt.
fn fed(seed: u64) -> Vec<(Ts, Fed)> {
    let mut random = Random::new(seed);
    let (mut all, mut at, mut conn, mut id) = (Vec::new(), begin(), 1, 1_000);
    let (mut trades, mut marked) = ([1_000, 1_000], [begin(); 2]);
    let mut held_up = Span::ZERO;
    all.push((at, Fed::Opened(ConnId(conn))));
    let mut tick = (at + Span::secs(1)).floor(Span::secs(1)) + Span(200_001_000);
    while at < begin() + RUN {
        at = at + Span::millis(1 + random.below(400));
        if at > tick + held_up {
            all.push((at, Fed::Tick));
            tick = at.floor(Span::secs(1)) + Span::secs(1) + Span(200_001_000);
            // Sometimes the process is held up, and what came meanwhile is worked through before the tick.
            held_up = match random.below(400) {
                0 => Span::secs(random.below(150)),
                1..50 => Span::millis(random.below(700)),
                _ => Span::ZERO,
            };
            continue;
        }
        id += 1;
        let behind = match random.below(3_000) {
            0..60 => Span::secs(random.below(100)),
            60 => Span::secs(-random.below(300)),
            61..500 => Span::millis(random.below(3_000)),
            _ => Span::millis(random.below(90)),
        };
        let market = usize::from(random.below(3) == 0);
        let symbol = SYMBOLS[market];
        let price = 100 + random.below(50);
        let (ms, next) = ((at - behind).as_millis(), at.ceil(Span::hours(8)).as_millis());
        let frame = match random.below(1_000) {
            0..400 => format!(
                r#"{{"e":"bookTicker","u":{id},"E":{ms},"T":{ms},"s":"{symbol}","b":"{price}.1","B":"1.0","a":"{price}.2","A":"2.0","st":1}}"#
            ),
            400..700 => {
                trades[market] += if random.below(200) == 0 { 3 } else { 1 };
                let id = trades[market];
                format!(
                    r#"{{"e":"aggTrade","E":{ms},"s":"{symbol}","a":{id},"p":"{price}.15","q":"1.5","f":1,"l":2,"T":{ms},"m":true,"st":1}}"#
                )
            }
            700..980 => {
                marked[market] = Ts::from_millis(ms);
                format!(
                    r#"{{"e":"markPriceUpdate","E":{ms},"s":"{symbol}","p":"{price}.11","ap":"{price}.11","P":"{price}.11","i":"{price}.05","r":"0.00010000","T":{next},"st":1}}"#
                )
            }
            980..993 => format!(
                r#"{{"e":"forceOrder","E":{ms},"o":{{"s":"{symbol}","S":"SELL","o":"LIMIT","f":"IOC","q":"900.0","p":"{price}.1","ap":"{price}.1","X":"FILLED","l":"900.0","z":"900.0","T":{ms}}},"st":1}}"#
            ),
            993 if random.below(3) == 0 => {
                all.push((at, Fed::Resumed));
                conn += 1;
                let away = if random.below(2) == 0 { 4_000 } else { 90_000 };
                at = at + Span::millis(1 + random.below(away));
                all.push((at, Fed::Opened(ConnId(conn))));
                continue;
            }
            993..996 => {
                all.push((at, Fed::Closed(ConnId(conn))));
                conn += 1;
                at = at + Span::millis(random.below(4_000));
                all.push((at, Fed::Opened(ConnId(conn))));
                continue;
            }
            996..998 => {
                all.push((at, Fed::Fetched(market, marked[market])));
                continue;
            }
            _ => {
                all.push((at, Fed::Checkpoint));
                continue;
            }
        };
        all.push((at, Fed::Frame(ConnId(conn), frame)));
    }
    all
}

/// All of it through one core; `waits` or one by one.
fn made(all: &[(Ts, Fed)], waits: bool) -> Seen {
    use Metric::{BestBidAsk, FundingRate, IndexPrice, Liquidation, MarkPrice, OpenInterest, Trade};
    let streams = [BestBidAsk, FundingRate, IndexPrice, Liquidation, MarkPrice, OpenInterest, Trade];
    let setup = setup();
    let config = listening(&setup, "binance-usdm", &SYMBOLS, &streams);
    let mut seen = Seen::default();
    let folder = tempfile::tempdir().unwrap();
    let begun = |core: &mut Core| core.heard.iter_mut().for_each(|h| h.waits &= waits);
    let mut core = Core::new(setup.clone(), config, begin(), &mut seen).unwrap();
    begun(&mut core);
    let links: Vec<_> = core.venues[0].session.links().iter().map(|l| l.id).collect();
    for (at, fed) in all {
        let mut input = |input: Input<'_>| core.input(*at, 0, &input, &mut seen).unwrap();
        match fed {
            Fed::Opened(conn) => links.iter().for_each(|link| input(Input::Opened { link: *link, conn: *conn })),
            Fed::Closed(conn) => input(Input::Closed { conn: *conn, reason: CloseReason::Network }),
            Fed::Frame(conn, text) => input(Input::Frame { conn: *conn, bytes: text.as_bytes() }),
            Fed::Tick => core.tick(*at, &mut seen).unwrap(),
            Fed::Resumed => core.resume(*at, &mut seen).unwrap(),
            Fed::Fetched(market, event_ts) => {
                let (market, metric) = (MarketIndex(u32::try_from(*market).unwrap()), Metric::MarkPrice);
                // Another price at the stamp of one that waits.
                let payload = Payload::Value(120.0);
                let emit = Emit { market, metric, event_ts: *event_ts, seq: 0, payload, origin: Origin::Backfill };
                core.reach(*at, &mut seen).unwrap();
                core.facts(*at, 0, &[emit], &mut seen).unwrap();
            }
            Fed::Checkpoint => {
                core.at = *at;
                checkpoint::write(folder.path(), &checkpoint::pack(&mut core, &mut seen).unwrap()).unwrap();
                let (found, troubles) = checkpoint::newest(folder.path(), &setup, &mut Seen::default()).unwrap();
                assert_eq!(troubles, Vec::<String>::new());
                core = found.unwrap();
                begun(&mut core);
            }
        }
    }
    // Where a process is held up, markets do not make their rows in the same order; each makes its own in the same.
    seen.rows.sort_by_key(|row| row.instrument);
    seen.alerts.sort_by_key(|alert| alert.instrument);
    seen
}

#[test]
fn waiting_changes_no_row() {
    let mut alerts = 0;
    for seed in 0..48 {
        let all = fed(seed);
        let (want, got) = (made(&all, false), made(&all, true));
        assert!(want.rows.len() > 20 && want.facts > 2_000, "{} rows of {} facts", want.rows.len(), want.facts);
        for (w, g) in want.rows.iter().zip(&got.rows) {
            assert_eq!(w, g, "seed {seed}, market {} at {}", w.instrument, w.ts);
        }
        assert_eq!((want.rows.len(), want.facts), (got.rows.len(), got.facts), "seed {seed}");
        assert_eq!((&want.alerts, &want.samples), (&got.alerts, &got.samples), "seed {seed}");
        alerts += want.alerts.len();
    }
    assert!(alerts > 20, "{alerts}: liquidations make alerts");
}

/// What detectors of books have open is in the rows of their market, and in no other's.
#[test]
fn rows_have_the_open_alerts_of_books() {
    let setup = setup();
    let config = listening(&setup, "binance-usdm", &SYMBOLS, &[Metric::MarkPrice]);
    let mut seen = Seen::default();
    let mut core = Core::new(setup, config, begin(), &mut seen).unwrap();
    core.flows = flooded(begin());
    core.flow_tick(begin(), &mut seen).unwrap();
    let links: Vec<_> = core.venues[0].session.links().iter().map(|l| l.id).collect();
    let (after, conn) = (|seconds: i64| begin() + Span::secs(seconds), ConnId(1));
    for link in links {
        core.input(after(1), 0, &Input::Opened { link, conn }, &mut seen).unwrap();
    }
    for second in 2..=130 {
        let ms = after(second).as_millis();
        for symbol in SYMBOLS {
            let frame = format!(
                r#"{{"e":"markPriceUpdate","E":{ms},"s":"{symbol}","p":"100.1","ap":"100.1","P":"100.1","i":"100.0","r":"0.0001","T":{ms},"st":1}}"#
            );
            core.input(after(second), 0, &Input::Frame { conn, bytes: frame.as_bytes() }, &mut seen).unwrap();
        }
        core.tick(after(second) + Span::millis(500), &mut seen).unwrap();
    }
    let of = |instrument: u32| seen.rows.iter().filter(move |row| row.instrument == instrument);
    assert!(of(0).count() > 1 && of(1).count() > 1, "{} rows", seen.rows.len());
    let flood = OpenExperimental { count: 1, first: Some(Pattern::QuoteStuffing) };
    assert!(of(0).all(|row| row.open.experimental == flood));
    assert!(of(1).all(|row| row.open.experimental == OpenExperimental::default()));
}

/// The venue goes away, then the process: until that stopped, the hole has the reason it began with.
#[test]
fn an_outage_keeps_its_reason_until_the_process_stops() {
    let after = |seconds: i64| begin() + Span::secs(seconds);
    for restored in [false, true] {
        let (setup, folder) = (setup(), tempfile::tempdir().unwrap());
        let config = listening(&setup, "binance-usdm", &SYMBOLS, &[Metric::Trade]);
        let mut seen = Seen::default();
        let mut core = Core::new(setup.clone(), config, begin(), &mut seen).unwrap();
        let links: Vec<_> = core.venues[0].session.links().iter().map(|l| l.id).collect();
        let conn = ConnId(1);
        for link in links {
            core.input(after(1), 0, &Input::Opened { link, conn }, &mut seen).unwrap();
        }
        let ms = after(2).as_millis();
        let trade = format!(
            r#"{{"e":"aggTrade","E":{ms},"s":"BTCUSDT","a":7,"p":"100.15","q":"1.5","f":1,"l":2,"T":{ms},"m":true,"st":1}}"#
        );
        core.input(after(2), 0, &Input::Frame { conn, bytes: trade.as_bytes() }, &mut seen).unwrap();
        core.input(after(10), 0, &Input::Closed { conn, reason: CloseReason::Network }, &mut seen).unwrap();
        for second in 11..=250 {
            core.tick(after(second), &mut seen).unwrap();
        }
        if restored {
            checkpoint::write(folder.path(), &checkpoint::pack(&mut core, &mut seen).unwrap()).unwrap();
            core = checkpoint::newest(folder.path(), &setup, &mut Seen::default()).unwrap().0.unwrap();
        }
        core.resume(after(252), &mut seen).unwrap();
        let trades = core.venues[0].place(MarketIndex(0), Metric::Trade).unwrap();
        let open = seen.statuses.iter().filter(|(stream, status)| *stream == trades && status.is_open());
        let open: Vec<(GapReason, Ts)> = open.map(|(_, status)| (status.reason, status.from)).collect();
        let want = [(GapReason::Disconnected, after(2)), (GapReason::NotRunning, after(250))];
        assert_eq!(open, want, "restored: {restored}");
    }
}
