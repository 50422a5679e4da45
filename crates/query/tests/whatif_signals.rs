//! A condition on signals over stored minutes: counted from the moments at which its values were known, beside books that it leaves alone.

#[path = "../benches/market/mod.rs"]
#[expect(dead_code, reason = "a store of rows is wanted here, rows alone are not")]
mod market;

use barograph_api::QueryError;
use barograph_domain::whatif::{SignalWhatIf, WhatIfRequest, WhatIfView};
use barograph_domain::{SignalKnown, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_query::service::BookId;
use barograph_query::signals::SignalDesk;
use barograph_query::whatif::{WhatIfLimits, WhatIfQuestion, answer};
use barograph_store::{SqliteReader, StoreTarget};
use std::collections::BTreeMap;
use std::path::Path;

const DAYS: i64 = 6;
const FIRST: &str = "binance-usdm:SYNTH0USDT";
const MOOD: &str = "signal x.mood within 2h; x.mood > 0.5";

#[expect(clippy::unwrap_used, reason = "the store was just made")]
fn ask_for(folder: &Path, request: &WhatIfRequest) -> Result<WhatIfView, QueryError> {
    let reader = SqliteReader::open(folder).unwrap();
    let book = BookId::named("default");
    let asked = WhatIfQuestion {
        names: None,
        reader: &reader,
        book: &book,
        default_venue: "binance-usdm",
        kept: None,
        limits: WhatIfLimits::SERVED,
        request,
    };
    answer(&asked, &|_, _| {})
}

fn ask(folder: &Path, when: Option<&str>) -> Result<WhatIfView, QueryError> {
    ask_for(folder, &WhatIfRequest { when: when.map(str::to_owned), ..WhatIfRequest::default() })
}

#[expect(clippy::unwrap_used, reason = "the store was just made")]
fn found(folder: &Path, when: &str) -> SignalWhatIf {
    ask(folder, Some(when)).unwrap().signals.unwrap()
}

fn bring(folder: &Path, source: &str, values: &[(Ts, Ts, f64)]) {
    bring_as(folder, (FIRST, source, SignalKnown::Stated), values);
}

#[expect(clippy::unwrap_used, reason = "the store was just made")]
fn bring_as(folder: &Path, (scope, source, known): (&str, &str, SignalKnown), values: &[(Ts, Ts, f64)]) {
    let point = |(event_ts, known_ts, value): &(Ts, Ts, f64)| SignalPoint {
        name: SignalName::parse("x.mood").unwrap(),
        scope: SignalScope::parse(scope).unwrap(),
        source: source.to_owned(),
        event_ts: *event_ts,
        value: Some(*value),
        tags: BTreeMap::new(),
        known_ts: *known_ts,
        known,
    };
    let all: Vec<SignalPoint> = values.iter().map(point).collect();
    SignalDesk::new(StoreTarget::Folder(folder.to_owned())).put(&all).unwrap();
}

/// Of two markets one has a value each hour, known ten minutes later: 1 on even days, 0 on odd ones.
#[expect(clippy::unwrap_used, reason = "a folder that cannot be made stops the test")]
fn world() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 2, DAYS);
    let hour = |n: i64| {
        let at = market::START + Span::hours(n);
        (at, at + Span::mins(10), if n / 24 % 2 == 0 { 1.0 } else { 0.0 })
    };
    bring(folder.path(), "news", &(0..24 * DAYS).map(hour).collect::<Vec<_>>());
    folder
}

/// The same for a part of the stretch.
#[expect(clippy::unwrap_used, reason = "the store was just made")]
fn found_in(folder: &Path, when: &str, (from, to): (Ts, Ts)) -> SignalWhatIf {
    let request = WhatIfRequest {
        when: Some(when.to_owned()),
        from: Some(from.to_string()),
        to: Some(to.to_string()),
        ..WhatIfRequest::default()
    };
    ask_for(folder, &request).unwrap().signals.unwrap()
}

fn near(x: Option<f64>, wanted: f64) -> bool {
    x.is_some_and(|x| (x - wanted).abs() < 2e-4)
}

#[test]
fn a_condition_is_counted_from_the_moments_its_values_were_known_and_books_stay_as_they_are() {
    let folder = world();
    let (plain, view) = (ask(folder.path(), None).unwrap(), ask(folder.path(), Some(MOOD)).unwrap());
    assert_eq!((&plain.all, &plain.markets, plain.signals), (&view.all, &view.markets, None));
    let of = view.signals.unwrap();
    assert!((of.market_days - 6.0).abs() < 1e-9, "the other market has no such signal");
    assert!(view.left_out.iter().any(|l| l.contains("SYNTH1USDT: a signal of the condition does not speak of it")));
    // It begins on days 0, 2 and 4, ten minutes late, and ends as late.
    assert!(near(of.entries_per_day, 0.5) && near(of.share, 0.5), "{of:?}");
    let unknown = 10.0 / f64::from(24 * 60 * 6);
    assert!(near(of.known_share, 1.0 - unknown), "{:?}", of.known_share);
    let hv = of.forecasts.iter().find(|f| f.event == "hv_1h").unwrap();
    assert_eq!((hv.hits.alerts, hv.horizon_min, hv.base_rate.is_some()), (3, 60, true));
    let [used] = &of.used[..] else { panic!("one signal of one market") };
    assert_eq!((used.instrument.to_string().as_str(), used.source.as_str()), (FIRST, "news"));
    assert_eq!((used.stated, used.assumed), (144, 0));
    assert_eq!((used.revisions, used.within_s, used.digest.len()), (144, 7_200, 64));

    // Hours go by without a value: what is too old is absent, and so is what would follow from it.
    let short = found(folder.path(), "signal x.mood within 30m; x.mood > 0.5");
    assert!(short.known_share < Some(0.4) && short.share < Some(0.2), "{short:?}");
    let scored = found(folder.path(), "signal x.mood; x.mood.z_7d > 0 or x.mood.percentile_30d < 0");
    assert!(scored.known_share < Some(1.0 - 5.0 / 144.0), "six values give the first score: {scored:?}");
    let missing = found(folder.path(), "signal x.mood; x.mood is missing");
    assert!(near(missing.share, unknown) && near(missing.known_share, 1.0), "{missing:?}");

    // Market data is the label that the base gives.
    let [with, without] = ["is HIGH_VOL", "is not HIGH_VOL"]
        .map(|label| found(folder.path(), &format!("signal x.mood within 2h; x.mood > 0.5 and risk {label}")));
    assert!(with.share > Some(0.0) && without.share > Some(0.0));
    assert!(near(with.share.zip(without.share).map(|(a, b)| a + b), of.share.unwrap()), "{with:?} {without:?}");
}

#[test]
fn the_digest_is_of_the_values_and_two_sources_are_never_mixed() {
    let folder = world();
    let before = found(folder.path(), MOOD);
    let later = market::START + Span::days(DAYS + 1);
    bring(folder.path(), "news", &[(later, later, 5.0)]);
    assert_eq!(found(folder.path(), MOOD), before, "what no minute could know");
    let at = market::START + Span::hours(30);
    bring(folder.path(), "news", &[(at, at + Span::mins(20), 1.0)]);
    let after = found(folder.path(), MOOD);
    assert_ne!(after.used[0].digest, before.used[0].digest);
    assert!(after.entries_per_day > before.entries_per_day);
    bring(folder.path(), "desk", &[(at, at, 1.0)]);
    for (when, words) in [
        (MOOD, "x.mood comes from several sources, desk, news; declare whose values are meant"),
        (
            "signal x.mood from me; x.mood > 0",
            "x.mood has no values from 'me' in this stretch; it has those of desk, news",
        ),
        ("signal x.none; x.none > 0", "no value of its signals is known for these markets"),
        ("risk is HIGH_VOL", "it declares no signal"),
        ("x.mood > 0", "put a line above it: signal x.mood"),
        ("signal x.mood; x.mood > realized_vol_1h", "there is no column and no axis 'realized_vol_1h'"),
    ] {
        let refused = ask(folder.path(), Some(when)).unwrap_err();
        let QueryError::BadField { field, reason, .. } = &refused else { panic!("{when}: {refused:?}") };
        assert!(field == "when" && reason.contains(words), "{when}: {reason}");
    }
    assert_eq!(found(folder.path(), "signal x.mood from news within 2h; x.mood > 0.5").share, after.share);
}

/// The first value of a market's own does not undo what those of every market were before it.
#[test]
fn values_of_every_market_count_until_one_of_its_own_is_known() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 2, DAYS);
    let hour = |n: i64| (market::START + Span::hours(n), market::START + Span::hours(n), 1.0);
    let hours: Vec<(Ts, Ts, f64)> = (0..24 * DAYS).map(hour).collect();
    bring_as(folder.path(), ("*", "news", SignalKnown::Received), &hours);
    let when = "signal x.mood; x.mood > 0.5";
    let day = |n: i64| market::START + Span::days(n);
    let before = found_in(folder.path(), when, (day(1), day(3)));
    assert_eq!((before.used.len(), before.share), (2, Some(1.0)), "two markets");
    bring(folder.path(), "desk", &[(day(3), day(4), 0.0)]);
    assert_eq!(found_in(folder.path(), when, (day(1), day(3))), before, "nobody knew of it");
    let all = found(folder.path(), when);
    let named: Vec<(&str, &str, u64)> =
        all.used.iter().map(|u| (u.scope.as_str(), u.source.as_str(), u.revisions)).collect();
    assert_eq!(named, [("*", "news", 96), (FIRST, "desk", 1), ("*", "news", 144)]);
    assert_eq!(all.used[0].minutes + all.used[1].minutes, all.used[2].minutes);
    assert!(near(all.share, 10.0 / 12.0), "the own value counts on the last two of six days: {:?}", all.share);
}

/// A source that brings its first values later, or a correction that is stated later, is no part of an answer.
#[test]
fn what_no_minute_could_know_changes_nothing_and_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), 2, DAYS);
    let hour = |n: i64| (market::START + Span::hours(n), market::START + Span::hours(n), 1.0);
    let hours: Vec<(Ts, Ts, f64)> = (0..24 * DAYS).map(hour).collect();
    bring_as(folder.path(), (FIRST, "news", SignalKnown::Received), &hours);
    let before = found(folder.path(), MOOD);
    assert_eq!((before.used[0].stated, before.used[0].revisions), (0, 144));
    let later = market::START + Span::days(DAYS + 1);
    for (source, event) in [("desk", later), ("other", market::START), ("news", market::START)] {
        bring(folder.path(), source, &[(event, later, 0.0)]);
        assert_eq!(found(folder.path(), MOOD), before, "{source} of {event}");
    }
}

/// Minutes are read from the beginning of a week on; those before the stretch are no part of its count.
#[test]
fn a_stretch_that_begins_within_a_week_counts_its_own_minutes() {
    let folder = world();
    let day = |n: i64| market::START + Span::days(n);
    let part = found_in(folder.path(), MOOD, (day(3), day(4)));
    let [used] = &part.used[..] else { panic!("one signal of one market") };
    assert_eq!((used.minutes, used.revisions), (1_440, 96), "what is known on the day, of hours since the first");
    bring(folder.path(), "news", &[(day(3), day(5), 1.0)]);
    assert_eq!(found_in(folder.path(), MOOD, (day(3), day(4))), part);
    // It holds on days 0, 2 and 4: within a day that begins while it holds it does not begin.
    let held = found_in(folder.path(), MOOD, (day(2) + Span::hours(1), day(3)));
    assert_eq!((held.entries_per_day, held.share), (Some(0.0), Some(1.0)));
}
