//! Rows between markets: bit for bit, replaced with the minutes, never once published. The calendar: appended, known as of.

use super::rows::{everything, minute, one, replace, replace_seen, rows};
use super::{Factory, hash, joined, open, refused};
use crate::universe::{LiveUniverse, PairRecord, UniversePart, UniverseState};
use crate::{AlertQuery, LedgerPart, LiveAlert, LiveBatch, LiveLedger, Range, Reader, RowQuery, RunKey, Writer};
use barograph_domain::alert::{AlertChange, BaseRate};
use barograph_domain::forecast::{LedgerTick, MoveBase};
use barograph_domain::universe::{
    BandSource, BestLag, Gauge, LeadReading, PairBand, PairReading, PairState, StateHours, UniverseMarket,
};
use barograph_domain::{
    Alert, AlertState, CalendarEntry, Event, Impact, InstrumentName, KnownAlert, Metric, Pattern, Payload, Reason,
    RiskRegime, Severity, Span, StreamIndex, Ts, UniverseRow, VolRegime,
};

const T0: Ts = Ts::from_civil(2026, 1, 1, 0, 0, 0);

fn hour(n: i64) -> Ts {
    T0 + Span::hours(n)
}

/// Two markets with every kind of number: `x` makes it another content.
fn row(n: i64, x: f64) -> UniverseRow {
    let market = |symbol: &str, price| UniverseMarket {
        instrument: InstrumentName::new("binance-usdm", symbol).unwrap(),
        asset: symbol[..3].to_owned(),
        price,
        vol_annual: Some(0.1 + 0.2),
        risk: RiskRegime::SqueezeRisk,
        volatility: VolRegime::Extreme,
        lead_score: Some(-0.0),
    };
    let pair = PairReading {
        a: 0,
        b: 1,
        corr_20: Gauge::of(x / 3.0, 20, 18, false),
        corr_20_ci: Some([f64::MIN_POSITIVE, 1.0 / 3.0]),
        corr_30d: Gauge::none(Reason::Warming, 7, 576),
        corr_30d_ci: None,
        corr_20_pct_180d: Gauge::of(5e-324, 4_000, 2_160, true),
        band: Some(PairBand { low: 0.7, high: 0.9, source: BandSource::Stated }),
        state: Some(PairState::Break),
        severity: Some(Severity::High),
        divergence_strength: Some(x),
        exposure_overlap: Some(false),
        held_90d: StateHours { known: 3, normal: 1, watch: 1, broken: 1 },
        lead: LeadReading {
            ratio: Gauge::of(1.25, 1_440, 1_152, false),
            best: Some(BestLag { lag: -3, rho: 0.12, t: 4.6 }),
            significant: None,
            xcorr: vec![0.1, -0.2, x],
        },
    };
    UniverseRow {
        ts: hour(n),
        known_ts: hour(n) + Span::millis(200),
        markets: vec![market("BTCUSDT", Some(60_000.1)), market("ETHUSDT", None)],
        pairs: vec![pair],
        leading: (n % 2 == 0).then_some(1),
    }
}

fn part(range: Range, rows: &[UniverseRow], done: bool) -> UniversePart<'_> {
    UniversePart {
        logic_version: "v1",
        range,
        rows,
        alerts: &[],
        done: done.then_some("binance-usdm:BTCUSDT,binance-usdm:ETHUSDT"),
    }
}

fn all(reader: &dyn Reader, logic: &str) -> Vec<UniverseRow> {
    reader.universe(logic, Range::ALL, usize::MAX, None).unwrap().items
}

/// Pages join up, a moment shows what was known then, logic versions stay apart.
pub fn hours_come_back_bit_for_bit_in_pages(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    assert_eq!((all(&*reader, "v1"), reader.latest_universe("v1", None).unwrap()), (vec![], None));
    let told: Vec<UniverseRow> = (0..10_i16).map(|n| row(n.into(), 0.1 * f64::from(n))).collect();
    assert_eq!(writer.replace_universe(&part(Range::ALL, &told, true)).unwrap(), 10);
    assert_eq!(all(&*reader, "v1"), told);
    assert!(all(&*reader, "v1")[0].markets[0].lead_score.unwrap().is_sign_negative(), "bit for bit");
    assert_eq!(all(&*reader, "v2"), []);
    assert_eq!(joined(|range| reader.universe("v1", range, 3, None).unwrap()), told);
    let known = hour(4) + Span::millis(200);
    for (as_of, newest) in [(known, 4), (Ts(known.0 - 1), 3)] {
        assert_eq!(reader.latest_universe("v1", Some(as_of)).unwrap().map(|r| r.ts), Some(hour(newest)));
        let shown = reader.universe("v1", Range::ALL, usize::MAX, Some(as_of)).unwrap().items;
        assert_eq!(shown.last().map(|r| r.ts), Some(hour(newest)));
    }
    assert_eq!(reader.latest_universe("v1", Some(hour(0))).unwrap(), None);
}

/// A replaced run marks the hours; what is computed anew takes their place; what was published does not move.
pub fn hours_follow_the_minutes_and_published_ones_stay(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let logic = one.spec.key.logic_version.clone();
    assert_eq!(reader.universe_state(&logic).unwrap(), None);
    replace(&mut *writer, &one, None, &rows(30, 1));
    let state = reader.universe_state(&logic).unwrap().unwrap();
    assert_eq!(state, UniverseState { watch: String::new(), dirty_since: Some(Ts::MIN) });
    let old: Vec<UniverseRow> = (0..6).map(|n| row(n, 0.5)).collect();
    let whole = UniversePart { logic_version: &logic, range: Range::ALL, rows: &old, alerts: &[], done: Some("a,b") };
    writer.replace_universe(&whole).unwrap();
    let clean = UniverseState { watch: "a,b".to_owned(), dirty_since: None };
    assert_eq!(reader.universe_state(&logic).unwrap(), Some(clean.clone()));
    // Published: over a computed hour, and a new one; twice is once, and other content changes nothing.
    for (n, x, new) in [(3, 0.9, 1), (9, 0.9, 1), (9, 0.9, 0), (9, 0.1, 0)] {
        let live = [LiveUniverse { logic_version: logic.clone(), row: row(n, x) }];
        let batch = LiveBatch { universe: &live, ..LiveBatch::default() };
        assert_eq!(writer.append(&batch).unwrap().universe, new, "hour {n}");
    }
    assert_eq!(reader.universe_state(&logic).unwrap(), Some(clean), "publishing marks nothing");
    replace(&mut *writer, &one, Some(minute(10)), &rows(30, 2)[9..]);
    assert_eq!(reader.universe_state(&logic).unwrap().unwrap().dirty_since, Some(minute(10)));
    replace(&mut *writer, &one, Some(minute(20)), &rows(30, 2)[19..]);
    assert_eq!(reader.universe_state(&logic).unwrap().unwrap().dirty_since, Some(minute(10)), "the earliest");
    let new: Vec<UniverseRow> = (2..11).map(|n| row(n, 0.7)).collect();
    let range = Range { start: hour(2), end: Ts::MAX };
    assert_eq!(writer.replace_universe(&UniversePart { range, rows: &new, ..whole }).unwrap(), 7);
    let x: Vec<f64> = all(&*reader, &logic).iter().map(|r| r.pairs[0].divergence_strength.unwrap()).collect();
    assert_eq!(x, [0.5, 0.5, 0.7, 0.9, 0.7, 0.7, 0.7, 0.7, 0.7, 0.9, 0.7]);
    refused(writer.replace_universe(&UniversePart { range, rows: &old, ..whole }), "hours it replaces");
    writer.remove_run(&one.spec.key).unwrap();
    assert_eq!(reader.universe_state(&logic).unwrap().unwrap().dirty_since, Some(Ts::MIN));
    assert!(reader.check(true).unwrap().is_sound());
}

/// Killed between two parts, the next run still knows where to begin.
pub fn an_unfinished_part_keeps_the_mark(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    replace(&mut *writer, &one, None, &rows(30, 1));
    let logic = &one.spec.key.logic_version;
    let first = [row(0, 0.5)];
    let range = Range { start: Ts::MIN, end: hour(1) };
    writer
        .replace_universe(&UniversePart { logic_version: logic, range, rows: &first, alerts: &[], done: None })
        .unwrap();
    assert_eq!(reader.universe_state(logic).unwrap().unwrap().dirty_since, Some(Ts::MIN));
    assert_eq!(all(&*reader, logic).len(), 1);
}

/// What hour `n` says of the pair: `score` makes it another content.
fn alert_of_hour(n: i64, score: f64, pattern: Pattern) -> KnownAlert {
    let ts = hour(n);
    let alert = Alert {
        pattern,
        trigger: None,
        change: AlertChange::Opened,
        state: AlertState::Open,
        revision: 1,
        ts,
        severity: Severity::Medium,
        score,
        opened_at: ts,
        last_seen_at: ts,
        closed_at: None,
        window_from: ts - Span::hours(20),
        statistics: Vec::new(),
        data: Vec::new(),
        base_rate: BaseRate::default(),
        inhibited_by: None,
        other: Some(InstrumentName::new("binance-usdm", "ETHUSDT").unwrap()),
        rule: None,
    };
    KnownAlert { known_at: ts + Span::millis(200), alert }
}

/// Hour and score of every record of a pair.
fn scores(reader: &dyn Reader, run: &RunKey) -> Vec<(i64, f64)> {
    scores_at(reader, run, None)
}

fn scores_at(reader: &dyn Reader, run: &RunKey, as_of: Option<Ts>) -> Vec<(i64, f64)> {
    let query = AlertQuery { patterns: vec![Pattern::CorrelationBreak], as_of, ..AlertQuery::default() };
    let found = reader.alerts(run, &query).unwrap().items;
    found.iter().map(|k| ((k.alert.ts - T0).as_secs() / 3_600, k.alert.score)).collect()
}

/// What hours say of a pair goes with them, in the run of the first market: replaced when they are, never once published.
pub fn pairs_of_hours_go_with_them(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let run = &one.spec.key;
    let say = |hours: &[i64], score: f64| -> Vec<PairRecord> {
        let of = |n: &i64| alert_of_hour(*n, score, Pattern::CorrelationBreak);
        hours.iter().map(|n| PairRecord { instrument: run.instrument.clone(), alert: of(n) }).collect()
    };
    replace(&mut *writer, &one, None, &rows(30, 1));
    let hours: Vec<UniverseRow> = (0..7).map(|n| row(n, 0.5)).collect();
    let mut stranger = say(&[2], 1.0);
    stranger[0].instrument = InstrumentName::new("binance-usdm", "NOBODY").unwrap();
    let first = [say(&[1, 3, 4], 1.0), stranger].concat();
    let whole = UniversePart {
        logic_version: &run.logic_version,
        range: Range::ALL,
        rows: &hours,
        alerts: &first,
        done: Some("a,b"),
    };
    writer.replace_universe(&whole).unwrap();
    assert_eq!(scores(&*reader, run), [(1, 1.0), (3, 1.0), (4, 1.0)]);
    // Published: the hour and what it says take the place of what was computed, twice is once.
    let live = [LiveUniverse { logic_version: run.logic_version.clone(), row: row(3, 0.9) }];
    let alerts = [LiveAlert { instrument: 0, alert: alert_of_hour(3, 9.0, Pattern::CorrelationBreak) }];
    let specs = [one.spec.clone()];
    let batch = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: &specs,
        universe: &live,
        alerts: &alerts,
        ..LiveBatch::default()
    };
    for new in [1, 0] {
        let done = writer.append(&batch).unwrap();
        assert_eq!((done.universe, done.alerts), (new, new));
        assert_eq!(scores(&*reader, run), [(1, 1.0), (3, 9.0), (4, 1.0)]);
    }
    assert_eq!(reader.published_hours(&run.logic_version, Range::ALL).unwrap(), [hour(3)]);
    assert_eq!(reader.published_hours("v2", Range::ALL).unwrap(), []);
    // The minutes of the first market change: its records go until the hours are computed anew.
    replace(&mut *writer, &one, Some(minute(20)), &rows(30, 2)[19..]);
    assert_eq!(scores(&*reader, run), [(3, 9.0)]);
    let since = Range { start: minute(20), end: Ts::MAX };
    let second = say(&[1, 3, 5], 2.0);
    writer.replace_universe(&UniversePart { range: since, rows: &hours[1..], alerts: &second, ..whole }).unwrap();
    assert_eq!(scores(&*reader, run), [(1, 2.0), (3, 9.0), (5, 2.0)]);
    // Only the second market's minutes changed: what some hours said goes, that of the others stays.
    let third = say(&[6], 3.0);
    let later = Range { start: hour(5), end: Ts::MAX };
    writer.replace_universe(&UniversePart { range: later, rows: &hours[5..], alerts: &third, ..whole }).unwrap();
    assert_eq!(scores(&*reader, run), [(1, 2.0), (3, 9.0), (6, 3.0)]);
    refused(writer.replace_universe(&UniversePart { range: later, rows: &[], ..whole }), "hours it replaces");
    writer.replace_universe(&UniversePart { rows: &[], alerts: &[], ..whole }).unwrap();
    assert_eq!(scores(&*reader, run), [(3, 9.0)]);
    assert!(reader.check(true).unwrap().is_sound());
}

/// What ticks of the ledger say of drift goes with them in the same way.
pub fn drift_of_ticks_goes_with_them(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let run = &one.spec.key;
    let said = |reader: &dyn Reader| -> Vec<(i64, f64)> {
        let patterns = vec![Pattern::FeatureDrift, Pattern::SkillLost];
        let found = reader.alerts(run, &AlertQuery { patterns, ..AlertQuery::default() }).unwrap().items;
        found.iter().map(|k| ((k.alert.ts - T0).as_secs() / 3_600, k.alert.score)).collect()
    };
    let pattern = |n: i64| if n % 2 == 0 { Pattern::FeatureDrift } else { Pattern::SkillLost };
    let say = |hours: &[i64], score: f64| -> Vec<PairRecord> {
        let of =
            |n: &i64| PairRecord { instrument: run.instrument.clone(), alert: alert_of_hour(*n, score, pattern(*n)) };
        hours.iter().map(of).collect()
    };
    let tick = |n: i64, windows: u32| LedgerTick {
        ts: hour(n),
        markets: vec![run.instrument.clone()].into(),
        bases: vec![MoveBase { market: 0, windows, moved: 0 }],
        ..LedgerTick::default()
    };
    replace(&mut *writer, &one, None, &rows(30, 1));
    let ticks: Vec<LedgerTick> = (0..7).map(|n| tick(n, 1)).collect();
    let logic_version = run.logic_version.as_str();
    let whole = LedgerPart {
        logic_version,
        range: Range::ALL,
        ticks: &ticks,
        heads: &[],
        states: &[],
        alerts: &[],
        revisions: &[],
        done: Some("a"),
    };
    let first = say(&[1, 3, 4], 1.0);
    writer.replace_ledger(&LedgerPart { alerts: &first, ..whole }).unwrap();
    assert_eq!(said(&*reader), [(1, 1.0), (3, 1.0), (4, 1.0)]);
    // Published: the tick and what it says take the place of what was computed.
    let live = [LiveLedger { logic_version: logic_version.to_owned(), tick: tick(3, 2), heads: Vec::new() }];
    let alerts = [LiveAlert { instrument: 0, alert: alert_of_hour(3, 9.0, Pattern::SkillLost) }];
    let specs = [one.spec.clone()];
    let batch = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: &specs,
        ledger: &live,
        alerts: &alerts,
        ..LiveBatch::default()
    };
    for new in [1, 0] {
        let done = writer.append(&batch).unwrap();
        assert_eq!((done.ledger, done.alerts), (new, new));
        assert_eq!(said(&*reader), [(1, 1.0), (3, 9.0), (4, 1.0)]);
    }
    // Computed anew from an hour on; the published one stays.
    let second = say(&[3, 5], 2.0);
    let since = Range { start: hour(2), end: Ts::MAX };
    writer.replace_ledger(&LedgerPart { range: since, ticks: &ticks[2..], alerts: &second, ..whole }).unwrap();
    assert_eq!(said(&*reader), [(1, 1.0), (3, 9.0), (5, 2.0)]);
    refused(
        writer.replace_ledger(&LedgerPart { range: since, ticks: &[], alerts: &first, ..whole }),
        "minutes it replaces",
    );
    writer.replace_ledger(&LedgerPart { ticks: &[], ..whole }).unwrap();
    assert_eq!(said(&*reader), [(3, 9.0)]);
    assert!(reader.check(true).unwrap().is_sound());
}

/// Before the first market was corrected its records were others: they stay, whichever market's hours are computed anew.
pub fn pairs_of_hours_stay_before_a_correction(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let run = &one.spec.key;
    let stream = one.streams.iter().position(|s| s.metric == Metric::MarkPrice).unwrap();
    let price = |value, at, writer: &mut dyn Writer| {
        let (event_ts, stream) = (hour(3), StreamIndex(u16::try_from(stream).unwrap()));
        let recv_ts = event_ts + one.streams[stream.index()].delay;
        let event = Event { recv_ts, event_ts, stream, seq: 0, payload: Payload::Value(value) };
        writer.import_points(&one.instruments, &one.streams, &[event], at).unwrap();
        reader.instruments(None).unwrap()[0].version
    };
    let hours = |writer: &mut dyn Writer, range: Range, said: &[i64], score: f64| {
        let of = |n: &i64| alert_of_hour(*n, score, Pattern::CorrelationBreak);
        let alerts: Vec<PairRecord> =
            said.iter().map(|n| PairRecord { instrument: run.instrument.clone(), alert: of(n) }).collect();
        let logic_version = &run.logic_version;
        writer
            .replace_universe(&UniversePart { logic_version, range, rows: &[], alerts: &alerts, done: Some("a,b") })
            .unwrap();
    };
    let from = |n| Range { start: hour(n), end: Ts::MAX };
    let (first, second) = (Ts::from_civil(2027, 1, 1, 0, 0, 0), Ts::from_civil(2027, 1, 2, 0, 0, 0));
    let (old, new) = (rows(400, 1), rows(400, 2));
    let seen = price(1.0, first, &mut *writer);
    replace_seen(&mut *writer, &one, None, &old, seen);
    hours(&mut *writer, Range::ALL, &[1, 3, 4], 1.0);
    let before = [(1, 1.0), (3, 1.0), (4, 1.0)];
    let check = |now: &[(i64, f64)], what: &str| {
        assert_eq!(scores(&*reader, run), now, "{what}, now");
        let then = scores_at(&*reader, run, Some(second - Span(1)));
        assert_eq!(then, before, "{what}, before the correction");
        hash(&*reader);
    };
    check(&before, "as computed");

    let seen = price(2.0, second, &mut *writer);
    let at = 179;
    assert_eq!(new[at].ts, hour(3));
    replace_seen(&mut *writer, &one, Some(hour(3)), &new[at..], seen);
    hours(&mut *writer, from(3), &[3, 5], 2.0);
    check(&[(1, 1.0), (3, 2.0), (5, 2.0)], "the first market is corrected");
    // These reach back into minutes that both editions of the first market show.
    hours(&mut *writer, from(2), &[2, 5], 3.0);
    check(&[(1, 1.0), (2, 3.0), (5, 3.0)], "another record where there was none");
    hours(&mut *writer, from(1), &[5], 4.0);
    check(&[(5, 4.0)], "none where there was one");
    let shown = |as_of| reader.history(run, &RowQuery { as_of, ..everything() }).unwrap().rows;
    assert!(shown(None) == [&old[..at], &new[at..]].concat());
    assert!(shown(Some(second - Span(1))) == old);
}

/// Also where the minute of that hour has been published since, without it.
pub fn the_end_of_a_pairs_episode_goes_with_its_hour(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let run = &one.spec.key;
    let minutes = rows(400, 1);
    let hours = |writer: &mut dyn Writer, end: i64| {
        let begin = alert_of_hour(1, 1.0, Pattern::CorrelationBreak);
        let KnownAlert { known_at, alert } = alert_of_hour(end, 1.0, Pattern::CorrelationBreak);
        let closed = Alert {
            change: AlertChange::Closed,
            state: AlertState::Closed,
            revision: 2,
            opened_at: begin.alert.opened_at,
            closed_at: Some(hour(end)),
            ..alert
        };
        let alerts = [begin, KnownAlert { known_at, alert: closed }]
            .map(|alert| PairRecord { instrument: run.instrument.clone(), alert });
        let logic_version = &run.logic_version;
        let part = UniversePart { logic_version, range: Range::ALL, rows: &[], alerts: &alerts, done: Some("a,b") };
        writer.replace_universe(&part).unwrap();
    };
    replace(&mut *writer, &one, None, &minutes);
    hours(&mut *writer, 3);
    let live = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        rows: &minutes[179..181],
        ..LiveBatch::default()
    };
    writer.append(&live).unwrap();
    assert_eq!(scores(&*reader, run), [(1, 1.0), (3, 1.0)]);
    hours(&mut *writer, 5);
    assert_eq!(scores(&*reader, run), [(1, 1.0), (5, 1.0)]);
    hash(&*reader);
}

/// A record of another pattern at the hour of a computed one stays where it is.
pub fn other_alerts_stay_when_hours_are_replaced(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let mut fresh = writer.replace(&one.spec, None, crate::PointsVersion::default()).unwrap();
    rows(30, 1).iter().for_each(|row| fresh.row(row).unwrap());
    fresh.alert(&alert_of_hour(4, 5.0, Pattern::PremiumDeviation)).unwrap();
    fresh.finish().unwrap();
    let logic_version = &one.spec.key.logic_version;
    let none = UniversePart { logic_version, range: Range::ALL, rows: &[], alerts: &[], done: None };
    writer.replace_universe(&none).unwrap();
    let stored = reader.alerts(&one.spec.key, &AlertQuery::default()).unwrap().items;
    assert_eq!(stored, [alert_of_hour(4, 5.0, Pattern::PremiumDeviation)]);
}

fn entry(id: &str, at: Ts, known_ts: Ts) -> CalendarEntry {
    CalendarEntry {
        id: id.to_owned(),
        name: format!("{id} — “decision”"),
        impact: Impact::High,
        at,
        source: "file".to_owned(),
        known_ts,
        cancelled: false,
    }
}

/// Revisions stay beside each other; none shows before it was known; twice is once.
pub fn the_calendar_is_appended_and_known_as_of(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    assert_eq!(reader.calendar(None).unwrap(), []);
    let first = entry("fomc", hour(100), hour(1));
    let moved = entry("fomc", hour(124), hour(50));
    let off = CalendarEntry { cancelled: true, impact: Impact::Low, ..entry("cpi", hour(80), hour(2)) };
    assert_eq!(writer.put_calendar(&[moved.clone(), first.clone()]).unwrap(), 2);
    let batch = [first.clone(), off.clone()];
    let live = LiveBatch { calendar: &batch, ..LiveBatch::default() };
    assert_eq!(writer.append(&live).unwrap().calendar, 1);
    assert_eq!(writer.put_calendar(&[entry("fomc", hour(7), hour(50))]).unwrap(), 0, "what is there stays");
    assert_eq!(reader.calendar(None).unwrap(), [first.clone(), off.clone(), moved]);
    assert_eq!(reader.calendar(Some(hour(49))).unwrap(), [first.clone(), off]);
    assert_eq!(reader.calendar(Some(hour(1))).unwrap(), [first]);
    assert_eq!(reader.calendar(Some(Ts(hour(1).0 - 1))).unwrap(), []);
}

/// A store without them hashes as it did when there were none; with them every bit counts, order of arrival does not.
pub fn both_show_in_the_hash_when_there(factory: &dyn Factory) {
    let of = |hours: &[UniverseRow], entries: &[CalendarEntry]| {
        let (_site, mut writer, reader) = open(factory);
        for one in hours {
            let range = Range { start: one.ts, end: one.ts + Span(1) };
            writer.replace_universe(&part(range, std::slice::from_ref(one), true)).unwrap();
        }
        for one in entries {
            writer.put_calendar(std::slice::from_ref(one)).unwrap();
        }
        hash(&*reader)
    };
    let (a, b) = (row(1, 0.5), row(2, 0.5));
    let (x, y) = (entry("x", hour(9), hour(1)), entry("y", hour(9), hour(1)));
    let empty = of(&[], &[]);
    let both = of(&[a.clone(), b.clone()], &[x.clone(), y.clone()]);
    assert_ne!(both, empty);
    assert_eq!(of(&[b.clone(), a.clone()], &[y.clone(), x.clone()]), both);
    assert_ne!(of(&[a, row(2, 0.5 + f64::EPSILON)], &[x.clone(), y.clone()]), both);
    assert_ne!(of(&[row(1, 0.5), b], &[x, entry("y", hour(9), hour(2))]), both);
}
