//! Records of alerts: bit for bit and in order, from either end, episodes as of any moment; replaced with their minutes,
//! never once published, kept whatever is pruned.

use super::rows::{One, minute, one, rows};
use super::{Factory, hash, open, refused};
use crate::{AlertQuery, LiveAlert, LiveBatch, PointsVersion, Range, Reader, Retention};
use barograph_domain::alert::{AlertChange, BaseRate, Datum, Statistic, Word};
use barograph_domain::{
    Alert, AlertState, Event, Kind, KnownAlert, Metric, Pattern, Payload, Reason, Severity, Span, StreamIndex, Trigger,
    Ts,
};

/// The record of a burst that began at minute `n`, `after` minutes later.
fn burst(n: i64, after: i64, change: AlertChange) -> KnownAlert {
    let ts = minute(n + after) + Span::millis(7_000);
    let (state, revision) = match change {
        AlertChange::Closed => (AlertState::Closed, 3),
        AlertChange::Suspended => (AlertState::NoData, 2),
        AlertChange::Updated => (AlertState::Open, 2),
        AlertChange::Opened | AlertChange::Resumed | AlertChange::Happened => (AlertState::Open, 1),
    };
    let statistic = Statistic {
        name: Word::from("liq_count_60s"),
        value: Some(0.1 + 0.2),
        reason: None,
        threshold: 5.0,
        u: Some(f64::MIN_POSITIVE / 2.0),
        unit: Word::from("count"),
        kind: Kind::Sampled,
        coverage: 0.7,
        decides: true,
        uncalibrated: false,
    };
    let data = vec![
        (Word::from("side_bias"), Datum::Word(Word::from("LONG — „mostly“"))),
        (Word::from("reasons"), Datum::Words(vec![Word::from("a"), Word::from("b,c")])),
        (Word::from("total_liquidated_usd"), Datum::Number(1e300 / 3.0)),
        (Word::from("severity_ratio"), Datum::Missing(Reason::Warming)),
    ];
    let alert = Alert {
        pattern: Pattern::LiquidationCascade,
        trigger: Some(Trigger::Burst),
        change,
        state,
        revision,
        ts,
        severity: if n % 20 == 0 { Severity::Critical } else { Severity::High },
        score: 63.2,
        opened_at: minute(n) + Span::millis(7_000),
        last_seen_at: ts,
        closed_at: (state == AlertState::Closed).then_some(ts),
        window_from: ts - Span::mins(1),
        statistics: vec![statistic],
        data,
        base_rate: BaseRate {
            fired_90d: 3,
            fired_30d: 1,
            known_days: 0.1,
            known_days_30d: Some(0.1),
            held_share_90d: Some(0.3),
        },
        inhibited_by: Some(Pattern::FundingManipulation),
        other: None,
        rule: None,
    };
    // An event made it: known between two rows.
    KnownAlert { known_at: ts, alert }
}

/// A label that changed at minute `n`.
fn label(n: i64) -> KnownAlert {
    let KnownAlert { alert, .. } = burst(n, 0, AlertChange::Happened);
    let alert = Alert {
        pattern: Pattern::RegimeChange,
        trigger: Some(Trigger::Risk),
        severity: Severity::Info,
        ts: minute(n),
        opened_at: minute(n),
        statistics: Vec::new(),
        inhibited_by: None,
        ..alert
    };
    KnownAlert { known_at: minute(n) + Span::millis(200), alert }
}

/// What is reported of minute `n` and of those after it: a label, a burst that grows, and its end, unless it goes on.
#[must_use]
pub fn story(n: i64) -> Vec<KnownAlert> {
    let mut told = vec![label(n), burst(n, 0, AlertChange::Opened), burst(n, 2, AlertChange::Updated)];
    if n % 50 != 0 {
        told.push(burst(n, 4, AlertChange::Closed));
    }
    told
}

/// Minutes 10, 20 … 290, by the moment they were known.
fn known_alerts() -> Vec<KnownAlert> {
    (1..30).flat_map(|k| story(10 * k)).collect()
}

fn all(reader: &dyn Reader, one: &One) -> Vec<KnownAlert> {
    reader.alerts(&one.spec.key, &AlertQuery::default()).unwrap().items
}

fn store(writer: &mut dyn crate::Writer, one: &One, told: &[KnownAlert]) {
    let mut run = writer.replace(&one.spec, None, PointsVersion::default()).unwrap();
    rows(300, 1).iter().for_each(|r| run.row(r).unwrap());
    told.iter().for_each(|c| run.alert(c).unwrap());
    assert_eq!(run.finish().unwrap().alerts, told.len() as u64);
}

/// In the order in which they were reported or the other way round, a page at a time.
pub fn alerts_come_back_bit_for_bit_in_pages(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), known_alerts());
    assert_eq!(all(&*reader, &one), [], "a run that does not exist has none");
    store(&mut *writer, &one, &[]);
    let before = hash(&*reader);
    assert_eq!(reader.alerts_reach().unwrap(), [], "nothing is known of one without any");
    store(&mut *writer, &one, &told);
    let newest = crate::run::row_of(told[told.len() - 1].known_at);
    assert_eq!(reader.alerts_reach().unwrap(), [(one.spec.key.clone(), newest)]);
    assert_eq!(all(&*reader, &one), told);
    assert_ne!(hash(&*reader), before);
    store(&mut *writer, &one, &[]);
    assert_eq!(hash(&*reader), before, "a store without alerts is as it was before there were any");
    store(&mut *writer, &one, &told);
    for (newest_first, limit) in [(false, 1), (false, 3), (true, 1), (true, 3), (true, 200)] {
        let (mut query, mut joined) = (AlertQuery { limit, newest_first, ..AlertQuery::default() }, Vec::new());
        loop {
            let page = reader.alerts(&one.spec.key, &query).unwrap();
            joined.extend(page.items);
            let Some(next) = page.next else { break };
            query.range = query.after(next);
        }
        if newest_first {
            joined.reverse();
        }
        assert_eq!(joined, told, "{limit} at a time, newest first: {newest_first}");
    }
    assert_eq!(reader.check(false).unwrap().counts.iter().find(|c| c.0 == "alerts").map(|c| c.1), Some(111));
}

/// Every filter against a naive one, from both ends, now and as of earlier moments.
pub fn alerts_can_be_filtered(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), known_alerts());
    store(&mut *writer, &one, &told);
    let moment = told[40].known_at;
    let base = AlertQuery::default();
    let queries = [
        AlertQuery { as_of: Some(moment), ..base.clone() },
        AlertQuery { as_of: Some(Ts(moment.0 - 1)), ..base.clone() },
        AlertQuery { range: Range { start: moment, end: minute(200) }, ..base.clone() },
        AlertQuery { patterns: vec![Pattern::RegimeChange], ..base.clone() },
        AlertQuery { patterns: vec![Pattern::LiquidationCascade, Pattern::BasisManipulation], ..base.clone() },
        AlertQuery { severity: Some(Severity::High), ..base.clone() },
        AlertQuery { severity: Some(Severity::Critical), as_of: Some(moment), ..base.clone() },
        AlertQuery { changes: vec![AlertChange::Opened, AlertChange::Happened], ..base.clone() },
    ];
    for query in queries {
        let want: Vec<KnownAlert> = told
            .iter()
            .filter(|k| query.range.contains(k.known_at) && query.as_of.is_none_or(|t| k.known_at <= t))
            .filter(|k| query.patterns.is_empty() || query.patterns.contains(&k.alert.pattern))
            .filter(|k| query.changes.is_empty() || query.changes.contains(&k.alert.change))
            .filter(|k| query.severity.is_none_or(|s| k.alert.severity >= s))
            .cloned()
            .collect();
        assert!(!want.is_empty() && want.len() < told.len());
        assert_eq!(reader.alerts(&one.spec.key, &query).unwrap().items, want, "{query:?}");
        let backwards = AlertQuery { newest_first: true, ..query.clone() };
        assert!(reader.alerts(&one.spec.key, &backwards).unwrap().items.into_iter().rev().eq(want), "{query:?}");
    }
}

/// An episode is open from its first record to its last; what has no length never is.
pub fn open_episodes_are_as_they_were_known(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), known_alerts());
    store(&mut *writer, &one, &told);
    let ask = |query: &AlertQuery| reader.alerts(&one.spec.key, query).unwrap().items;
    let now = now_open();
    let going_on: Vec<KnownAlert> =
        told.iter().filter(|k| k.alert.change == AlertChange::Updated && ask_minute(k) % 50 == 0).cloned().collect();
    assert_eq!(going_on.len(), 5);
    assert_eq!(ask(&now), going_on, "by the last record of each");
    let critical = AlertQuery { severity: Some(Severity::Critical), ..now.clone() };
    assert_eq!(ask(&critical).len(), 2);
    for (at, open) in [(burst(10, 0, AlertChange::Opened), 1), (burst(10, 4, AlertChange::Closed), 0)] {
        let before = AlertQuery { as_of: Some(Ts(at.known_at.0 - 1)), ..now.clone() };
        let then = AlertQuery { as_of: Some(at.known_at), ..now.clone() };
        assert_eq!((ask(&before).len(), ask(&then).len()), (1 - open, open));
    }
    let paged = AlertQuery { limit: 2, newest_first: true, ..now };
    let page = reader.alerts(&one.spec.key, &paged).unwrap();
    assert_eq!(page.items, [going_on[4].clone(), going_on[3].clone()]);
    let rest = AlertQuery { range: paged.after(page.next.unwrap()), limit: 9, ..paged };
    assert!(ask(&rest).into_iter().rev().eq(going_on[..3].iter().cloned()));
    // The second page of such a walk may end between the beginning of an episode and its end: it is over all the same.
    for end in [minute(12), minute(13), minute(64)] {
        let page = AlertQuery { range: Range { start: Ts::MIN, end }, newest_first: true, ..now_open() };
        let want = going_on.iter().rev().filter(|k| k.known_at < end).cloned();
        assert!(ask(&page).into_iter().eq(want), "{end}");
    }
    // An end that is published ends what was imported.
    let end = [LiveAlert { instrument: 0, alert: burst(250, 60, AlertChange::Closed) }];
    let runs = std::slice::from_ref(&one.spec);
    let batch =
        LiveBatch { instruments: &one.instruments, streams: &one.streams, runs, alerts: &end, ..LiveBatch::default() };
    writer.append(&batch).unwrap();
    assert_eq!(ask(&now_open()), going_on[..4]);
}

fn now_open() -> AlertQuery {
    AlertQuery { open: true, ..AlertQuery::default() }
}

/// The minute at which the episode of a record began.
fn ask_minute(known: &KnownAlert) -> i64 {
    (known.alert.opened_at - minute(0)).as_secs() / 60
}

/// What is reported before stays, what follows goes with its minutes; an unfinished replacement leaves no trace.
pub fn alerts_are_replaced_with_their_minutes(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), known_alerts());
    store(&mut *writer, &one, &told);
    let before = hash(&*reader);
    let mut run = writer.replace(&one.spec, Some(minute(151)), PointsVersion::default()).unwrap();
    story(160).iter().for_each(|c| run.alert(c).unwrap());
    drop(run);
    assert_eq!(hash(&*reader), before);
    let mut run = writer.replace(&one.spec, Some(minute(151)), PointsVersion::default()).unwrap();
    rows(300, 2)[150..].iter().for_each(|r| run.row(r).unwrap());
    story(165).iter().for_each(|c| run.alert(c).unwrap());
    run.finish().unwrap();
    let early = told.iter().filter(|c| crate::run::row_of(c.known_at) < minute(151)).cloned();
    let want: Vec<KnownAlert> = early.chain(story(165)).collect();
    assert_eq!(all(&*reader, &one), want);
    let mut run = writer.replace(&one.spec, Some(minute(151)), PointsVersion::default()).unwrap();
    refused(run.alert(&story(140)[0]), "alert");
    refused(run.finish(), "alert");
    writer.remove_run(&one.spec.key).unwrap();
    assert_eq!(all(&*reader, &one), []);
}

/// What was published stays whatever a re-run says, before its row or with it; twice is once.
pub fn published_alerts_stay(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let minutes = rows(20, 1);
    let bare = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        ..LiveBatch::default()
    };
    let live = |alert: KnownAlert| [LiveAlert { instrument: 0, alert }];
    let mut published = Vec::new();
    for (n, row) in (1_i64..).zip(&minutes) {
        // Known after the row of minute n - 1: before that of minute n is there.
        let made = burst(n - 1, 0, AlertChange::Opened);
        let early = live(made.clone());
        let batch = LiveBatch { alerts: &early, ..bare };
        assert_eq!(writer.append(&batch).unwrap().alerts, 1);
        let with_row = live(label(n));
        let batch = LiveBatch { rows: std::slice::from_ref(row), alerts: &with_row, ..bare };
        assert_eq!(writer.append(&batch).unwrap().alerts, 1);
        assert_eq!(writer.append(&batch).unwrap().alerts, 0, "twice is once");
        assert_eq!(writer.append(&LiveBatch { alerts: &early, ..bare }).unwrap().alerts, 0, "in any order");
        published.extend([made, label(n)]);
    }
    assert_eq!(all(&*reader, &one), published);
    // A record whose minute is never made: it was reported, so it stays.
    let last = burst(25, 0, AlertChange::Opened);
    writer.append(&LiveBatch { alerts: &live(last.clone()), ..bare }).unwrap();
    // A re-run of published minutes, and of ten behind them.
    let mut run = writer.replace(&one.spec, None, PointsVersion::default()).unwrap();
    run.alert(&burst(5, 0, AlertChange::Updated)).unwrap();
    rows(30, 2).iter().for_each(|r| run.row(r).unwrap());
    let other = KnownAlert { alert: Alert { score: 1.0, ..last.alert.clone() }, ..last.clone() };
    run.alert(&other).unwrap();
    run.alert(&label(28)).unwrap();
    run.finish().unwrap();
    published.extend([last, label(28)]);
    assert_eq!(all(&*reader, &one), published);
    let before = hash(&*reader);
    let stray = [LiveAlert { instrument: 9, alert: label(40) }];
    refused(writer.append(&LiveBatch { alerts: &stray, ..bare }), "alert");
    assert_eq!(hash(&*reader), before);
}

/// An episode that computed minutes begin and published ones would have ended: its end is found, once, and goes with them.
pub fn episodes_end_across_published_minutes(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let minutes = rows(30, 1);
    let bare = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        ..LiveBatch::default()
    };
    // Minutes 11 to 20 were published, with the end of an episode that was known before.
    let known_end = burst(9, 4, AlertChange::Closed);
    let live = [LiveAlert { instrument: 0, alert: known_end.clone() }];
    writer.append(&LiveBatch { rows: &minutes[10..20], alerts: &live, ..bare }).unwrap();
    let (a, b) = (burst(8, 0, AlertChange::Opened), burst(8, 4, AlertChange::Closed));
    let other_end = {
        let KnownAlert { known_at, alert } = burst(9, 6, AlertChange::Closed);
        KnownAlert { known_at, alert: Alert { score: 1.0, ..alert } }
    };
    let computed = |writer: &mut dyn crate::Writer, from: Option<Ts>, told: &[&KnownAlert]| {
        let mut run = writer.replace(&one.spec, from, PointsVersion::default()).unwrap();
        minutes.iter().filter(|r| from.is_none_or(|f| r.ts >= f)).for_each(|r| run.row(r).unwrap());
        told.iter().for_each(|k| run.alert(k).unwrap());
        run.finish().unwrap();
    };
    let open = |as_of: Option<Ts>| reader.alerts(&one.spec.key, &AlertQuery { as_of, ..now_open() }).unwrap().items;
    // What happens inside published minutes was not published: neither a beginning nor its end.
    let inside = (burst(14, 0, AlertChange::Opened), burst(14, 3, AlertChange::Closed));
    let known = burst(9, 0, AlertChange::Opened);
    computed(&mut *writer, None, &[&a, &known, &b, &inside.0, &other_end, &inside.1]);
    let want = [a.clone(), known, b.clone(), known_end];
    assert_eq!(all(&*reader, &one), want);
    assert_eq!(open(None), []);
    assert_eq!(open(Some(Ts(b.known_at.0 - 1))).len(), 2, "as it was known then");
    for newest_first in [false, true] {
        let query = AlertQuery { limit: 1, newest_first, changes: vec![AlertChange::Closed], ..AlertQuery::default() };
        let page = reader.alerts(&one.spec.key, &query).unwrap();
        assert_eq!(page.items, [want[if newest_first { 3 } else { 2 }].clone()]);
        let rest = AlertQuery { range: query.after(page.next.unwrap()), ..query };
        assert_eq!(
            reader.alerts(&one.spec.key, &rest).unwrap().items,
            [want[if newest_first { 2 } else { 3 }].clone()]
        );
    }
    // A later end replaces it where only what follows its beginning is run again; without a beginning there is no end.
    let later = burst(8, 6, AlertChange::Closed);
    computed(&mut *writer, Some(minute(11)), &[&later]);
    assert_eq!(all(&*reader, &one), [want[0].clone(), want[1].clone(), want[3].clone(), later]);
    computed(&mut *writer, None, &[&b]);
    assert_eq!(all(&*reader, &one), [want[3].clone()]);
    assert!(reader.check(true).unwrap().is_sound());
}

/// A correction in between: what is run again replaces the end that was computed for published minutes, and what was answered
/// before the correction keeps it.
pub fn ends_are_corrected_and_stay_before(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let minutes = rows(30, 1);
    let bare = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        ..LiveBatch::default()
    };
    let at = Ts::from_civil(2027, 1, 1, 0, 0, 0);
    let stream = one.streams.iter().position(|s| s.metric == Metric::MarkPrice).unwrap();
    let mark = |value, at: Ts, writer: &mut dyn crate::Writer| {
        let (event_ts, stream) = (minute(11), StreamIndex(u16::try_from(stream).unwrap()));
        let recv_ts = event_ts + one.streams[stream.index()].delay;
        let event = Event { recv_ts, event_ts, stream, seq: 0, payload: Payload::Value(value) };
        writer.import_points(&one.instruments, &one.streams, &[event], at).unwrap();
        reader.instruments(None).unwrap()[0].version
    };
    let computed = |writer: &mut dyn crate::Writer, from: Option<Ts>, seen, told: &[&KnownAlert]| {
        let mut run = writer.replace(&one.spec, from, seen).unwrap();
        minutes.iter().filter(|r| from.is_none_or(|f| r.ts >= f)).for_each(|r| run.row(r).unwrap());
        told.iter().for_each(|k| run.alert(k).unwrap());
        run.finish().unwrap();
    };
    writer.append(&LiveBatch { rows: &minutes[10..20], ..bare }).unwrap();
    let seen = mark(1.0, at, &mut *writer);
    let (begin, end, later) =
        (burst(8, 0, AlertChange::Opened), burst(8, 4, AlertChange::Closed), burst(8, 6, AlertChange::Closed));
    computed(&mut *writer, None, seen, &[&begin, &end]);
    let told = |as_of: Ts| {
        let query = AlertQuery { as_of: Some(as_of), ..AlertQuery::default() };
        reader.alerts(&one.spec.key, &query).unwrap().items
    };
    let first = [begin.clone(), end];
    assert_eq!(told(at), first);
    // Another end, then none at all.
    for (n, ends) in [(1, vec![&later]), (2, Vec::new())] {
        let correction = at + Span::days(n);
        let seen = mark(1.0 + f64::from(u8::try_from(n).unwrap()), correction, &mut *writer);
        computed(&mut *writer, Some(minute(11)), seen, &ends);
        let want: Vec<KnownAlert> = core::iter::once(&begin).chain(ends).cloned().collect();
        assert_eq!(told(correction), want, "correction {n}");
        assert_eq!(all(&*reader, &one), want, "correction {n}");
        let last = if n == 1 { first.to_vec() } else { vec![begin.clone(), later.clone()] };
        assert_eq!(told(correction - Span(1)), last, "before correction {n}");
        hash(&*reader);
    }
    assert_eq!(told(at), first);
    let query = crate::RowQuery { as_of: None, ..super::rows::everything() };
    let shown = reader.history(&one.spec.key, &query).unwrap().rows;
    assert_eq!(shown, minutes, "every minute is still there once");
}

/// The records of one episode, by its id or the beginning of it.
pub fn alerts_are_found_by_their_id(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), known_alerts());
    store(&mut *writer, &one, &told);
    let id = burst(30, 0, AlertChange::Opened).alert.id(&one.spec.key.instrument, &one.spec.key.logic_version);
    let want: Vec<&KnownAlert> =
        told.iter().filter(|k| k.alert.id(&one.spec.key.instrument, &one.spec.key.logic_version) == id).collect();
    assert_eq!(want.len(), 3);
    for asked in [&id[..], &id[..13]] {
        let query = AlertQuery { episode: asked.to_owned(), ..AlertQuery::default() };
        let found = reader.alerts(&one.spec.key, &query).unwrap().items;
        assert_eq!(found.iter().collect::<Vec<_>>(), want, "{asked}");
    }
    let none = AlertQuery { episode: "zz".to_owned(), ..AlertQuery::default() };
    assert_eq!(reader.alerts(&one.spec.key, &none).unwrap().items, []);
}

/// However old: like changes of the label.
pub fn alerts_are_never_pruned(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), known_alerts());
    store(&mut *writer, &one, &told);
    let short = Retention {
        minute_rows: Span::mins(10),
        points: Some(Span::mins(10)),
        raw: Span::mins(10),
        ..Retention::default()
    };
    assert!(writer.prune(&short).unwrap().rows > 0);
    assert_eq!(all(&*reader, &one), told);
    assert!(reader.check(true).unwrap().is_sound());
}
